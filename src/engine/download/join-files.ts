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

/** Uses one local file that has the bytes of all these files of a source, a line end after each. */
export function withJoined<T>(
  { withScratchFolder }: Pick<Engine, 'withScratchFolder'>,
  { source, files, signal }: { readonly source: Source; readonly files: readonly OfferedFile[] } & SourceOptions,
  use: (file: string) => Promise<T>,
): Promise<T> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const [index, file] of files.entries()) {
      if (index > 0) yield Buffer.from('\n');
      // Removed between the listing and now: it is no longer part of the day.
      yield* source.open(file, 0, { signal });
    }
  }
  return withScratchFolder(async (folder) => {
    const file = path.join(folder, files[0]?.name ?? 'raw');
    await pipeline(bytes(), createWriteStream(file));
    return use(file);
  });
}
