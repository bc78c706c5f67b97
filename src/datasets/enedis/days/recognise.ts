import { PipelineError } from '../../kit/index.ts';
import type { Dataset } from '../../kit/index.ts';
import { parseArchiveName } from '../decode/archive-name.ts';

/** `Dataset.recognise`: an archive, by its name; what is in it, only its keys tell. */
export const recogniseFile: NonNullable<Dataset['recognise']> = ({ name }) => {
  const archive = parseArchiveName(name);
  if ('other' in archive) {
    const what = archive.other === 'noted' ? 'an archive of a flux that is not read' : 'no archive of a known flux';
    throw new PipelineError('INPUT_INVALID', `its name is that of ${what}; archives keep the name that they came with`);
  }
  const { flux, date } = archive;
  const format = { extension: 'zip', mediaType: 'application/zip' };
  return Promise.resolve({ part: flux.toLowerCase(), kind: flux, from: date, to: date, rows: 1, ...format });
};
