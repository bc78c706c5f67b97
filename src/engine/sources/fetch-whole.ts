import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, stat, truncate } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { sha256OfFile } from '@quotidien/machine/file-hash';
import { PipelineError } from '../../errors.ts';
import { required } from '../../given.ts';
import type { FetchedFile, OfferedFile, Source, SourceOptions } from '../../ports/source.ts';
import { finishPart, leavePart, takePart } from './part-files.ts';

/**
 * `Source.fetch` for sources that can be read from any byte on: the file is named by place, path,
 * size and time, so that a part that an earlier try left belongs to the very file that is listed
 * now.
 */
export async function fetchWhole(
  source: Pick<Source, 'place' | 'open'>,
  folder: string,
  file: OfferedFile,
  options: SourceOptions,
): Promise<FetchedFile> {
  await mkdir(folder, { recursive: true });
  const identity = [source.place, file.path, file.bytes, file.modifiedAt].join('\n');
  const name = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const part = await takePart(folder, name);
  try {
    await receive(source, part, file, options);
    const { size } = await stat(part);
    if (size !== sizeOf(file)) throw truncated(source, file, size);
    const path = await finishPart(part);
    return { path, bytes: size, sha256: await sha256OfFile(path) };
  } catch (error) {
    await leavePart(part);
    throw error;
  }
}

async function receive(
  source: Pick<Source, 'place' | 'open'>,
  part: string,
  file: OfferedFile,
  options: SourceOptions,
): Promise<void> {
  const start = (await stat(part).catch(() => undefined))?.size ?? 0;
  // More than is listed cannot be a beginning of it.
  const listed = sizeOf(file);
  if (start > listed) await truncate(part, 0);
  const from = start > listed ? 0 : start;
  let bytes = from;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.open(file, from, options)) {
      bytes += chunk.byteLength;
      options.progress?.(`${bytes} of ${listed} bytes of ${file.name}`);
      // A server that sends on and on must not fill the disk.
      if (bytes > listed) throw truncated(source, file, bytes);
      yield chunk;
    }
  };
  const rest = from < listed ? counted() : [];
  await pipeline(rest, createWriteStream(part, { flags: from === 0 ? 'w' : 'a', mode: 0o600 }));
}

function sizeOf({ bytes }: OfferedFile): number {
  return required(bytes, 'the size that a folder lists');
}

function truncated(
  { place }: Pick<Source, 'place'>,
  file: OfferedFile,
  bytes: number,
): PipelineError {
  return new PipelineError(
    'SRC_TRUNCATED',
    `${file.name} at ${place} came with ${bytes} bytes and is listed with ${sizeOf(file)}; it may still be written there`,
    { context: { file: file.path } },
  );
}
