import { createReadStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError } from '../../errors.ts';
import type { OfferedFile, Source } from '../../ports/source.ts';
import { fetchWhole } from './fetch-whole.ts';

/**
 * A folder of this disk as a source: what a mounted share or another program's download folder is.
 */
export function openFolderSource({
  root,
  folder,
}: {
  readonly root: string;
  readonly folder: string;
}): Source {
  const source: Source = {
    place: `file://${root}`,
    async *list({ signal }) {
      for (const file of await filesBelow(root)) {
        signal.throwIfAborted();
        const { size, mtime } = await stat(path.join(root, file));
        yield {
          path: file,
          name: path.posix.basename(file),
          bytes: size,
          modifiedAt: mtime.toISOString(),
        };
      }
    },
    open: (file, start, { signal }) =>
      createReadStream(path.join(root, file.path), { start, signal }),
    fetch: (file: OfferedFile, options) => fetchWhole(source, folder, file, options),
    discard: (file) => rm(file.path, { force: true }),
    close: () => Promise.resolve(),
  };
  return source;
}

async function filesBelow(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name));
    return files.map((file) => path.relative(root, file).split(path.sep).join('/')).sort();
  } catch (cause) {
    throw new PipelineError('SRC_UNAVAILABLE', `the folder ${root} cannot be read`, { cause });
  }
}
