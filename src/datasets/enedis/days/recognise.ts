import { open } from 'node:fs/promises';
import { PipelineError } from '../../kit/index.ts';
import type { Dataset } from '../../kit/index.ts';
import { parseArchiveName } from '../decode/archive-name.ts';
import { readPieces } from './piece.ts';

/**
 * `Dataset.recognise`: pieces of archives, all of one flux and one day. An archive itself is sealed with a key that only `quotidien enedis import` is given.
 */
export const recogniseFile: NonNullable<Dataset['recognise']> = async ({ path, name }) => {
  if (!('other' in parseArchiveName(name)) || (await isZip(path))) {
    throw new PipelineError(
      'INPUT_INVALID',
      'it is an archive as Enedis delivers it: give it to quotidien enedis import, which opens it with the key file',
    );
  }
  const found = new Set<string>();
  let [rows, archives] = [0, 0];
  let [part, date, flux] = ['', '', ''];
  for await (const event of readPieces(path)) {
    if (event.kind === 'record') rows += 1;
    if (event.kind !== 'head') continue;
    archives += 1;
    ({ flux, date } = event.name);
    part = flux.toLowerCase();
    found.add(`${flux} of ${date}`);
  }
  if (found.size !== 1) {
    const what = found.size === 0 ? 'no archive' : [...found].sort().join(', ');
    throw new PipelineError('INPUT_INVALID', `it holds ${what}; a file is of one flux and one day`);
  }
  const kind = `${flux}, ${archives === 1 ? 'one archive' : `${archives} archives`}`;
  return { part, kind, from: date, to: date, rows, extension: 'ndjson', mediaType: 'application/x-ndjson' };
};

async function isZip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('hex').startsWith('504b');
  } finally {
    await file.close();
  }
}
