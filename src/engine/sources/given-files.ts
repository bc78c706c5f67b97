import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { sha256OfFile } from '@quotidien/machine/file-hash';
import { PipelineError } from '../../errors.ts';
import type { Source } from '../../ports/source.ts';

/** Files that a person names, as a source: they are read where they are, and stay there. */
export function openGivenFiles(files: readonly string[]): Source {
  return {
    place: 'import:',
    list: () =>
      Readable.from(
        files.map((file) => ({ path: file, name: path.basename(file), modifiedAt: null })),
      ),
    open: (file, start, { signal }) => createReadStream(file.path, { start, signal }),
    async fetch({ path: file }) {
      const bytes = await sizeOf(file);
      return { path: file, bytes, sha256: await sha256OfFile(file) };
    },
    discard: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (found.isFile()) return found.size;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PipelineError(
      'INPUT_INVALID',
      `${file} cannot be read (${why}); give the path of a file`,
      { cause },
    );
  }
  throw new PipelineError(
    'INPUT_INVALID',
    `${file} is a folder or a device; give the files in it, such as ${path.join(file, '*')}`,
  );
}
