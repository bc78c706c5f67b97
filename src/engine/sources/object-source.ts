import path from 'node:path';
import type { ObjectStore } from '../../ports/objects.ts';
import type { OfferedFile, Source } from '../../ports/source.ts';
import { PipelineError } from '../../errors.ts';
import { fetchWhole } from './fetch-whole.ts';

export interface ObjectSourceOptions {
  readonly objects: ObjectStore;
  /** Beginnings of the keys of all files. */
  readonly roots: readonly string[];
  /** Where fetched files are put. */
  readonly folder: string;
}

/** Objects that somebody has put into our bucket or folder, as a source; the path of a file is its key. */
export function openObjectSource({ objects, roots, folder }: ObjectSourceOptions): Source {
  const source: Source = {
    place: `the ${objects.kind} store`,
    async *list({ signal }) {
      const seen = new Set<string>();
      for (const root of roots) {
        for await (const { key, bytes } of objects.list(root)) {
          signal.throwIfAborted();
          if (seen.has(key)) continue;
          seen.add(key);
          yield { path: key, name: path.posix.basename(key), bytes, modifiedAt: null };
        }
      }
    },
    open: (file, start) => bytesOf(objects, file, start),
    fetch: (file, options) => fetchWhole(source, folder, file, options),
    close: () => Promise.resolve(),
  };
  return source;
}

async function* bytesOf(objects: ObjectStore, file: OfferedFile, start: number): AsyncGenerator<Uint8Array> {
  const stream = await objects.get(file.path, { start });
  // Removed since it was listed.
  if (stream === undefined) throw new PipelineError('SRC_NOT_PUBLISHED', `${file.path} is in the store no more`);
  yield* stream;
}
