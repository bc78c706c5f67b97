import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { OfferedFile, Source, SourceOptions } from '../../ports/source.ts';
import type { Engine } from '../engine.ts';

/** The files of a source below these places, by path. */
export async function filesBelow(
  source: Source,
  below: readonly string[],
  { signal }: SourceOptions,
): Promise<OfferedFile[]> {
  const files: OfferedFile[] = [];
  for await (const file of source.list({ below, signal })) files.push(file);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Files of at most so many bytes together are read at once; larger ones go through a file. */
const HELD_BYTES = 2 ** 22;

/** Files of a source that stand for one. */
interface FilesToJoin extends SourceOptions {
  readonly source: Source;
  readonly files: readonly OfferedFile[];
}

/** Uses one local file that has the bytes of all these files of a source, a line end after each. */
export function withJoined<T>(
  { withScratchFolder }: Pick<Engine, 'withScratchFolder'>,
  joined: FilesToJoin,
  use: (file: string) => Promise<T>,
): Promise<T> {
  return withScratchFolder(async (folder) => {
    const file = path.join(folder, joined.files[0]?.name ?? 'raw');
    await pipeline(bytesOf(joined), createWriteStream(file));
    return use(file);
  });
}

/** The same, in memory where the bytes are few. */
export async function withJoinedBytes<T>(
  engine: Pick<Engine, 'withScratchFolder'>,
  joined: FilesToJoin,
  use: (staged: { readonly path: string } | { readonly bytes: Uint8Array }) => Promise<T>,
): Promise<T> {
  const size = joined.files.reduce(
    (sum, { bytes }) => sum + (bytes ?? Number.POSITIVE_INFINITY),
    0,
  );
  if (size > HELD_BYTES) return withJoined(engine, joined, (file) => use({ path: file }));
  const pieces: Uint8Array[] = [];
  for await (const piece of bytesOf(joined)) pieces.push(piece);
  return use({ bytes: Buffer.concat(pieces) });
}

async function* bytesOf({ source, files, signal }: FilesToJoin): AsyncGenerator<Uint8Array> {
  for (const [index, file] of files.entries()) {
    if (index > 0) yield Buffer.from('\n');
    // Removed between the listing and now: it is no longer part of the day.
    yield* source.open(file, 0, { signal });
  }
}
