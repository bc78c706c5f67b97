import { PipelineError } from '../../kit/index.ts';
import type { Dataset } from '../../kit/index.ts';
import { parseDeliveredName } from '../decode/archive-name.ts';
import { mayHaveLines, recogniseLines } from '../lines/recognise-lines.ts';

const ZIP = { extension: 'zip', mediaType: 'application/zip' };

/**
 * `Dataset.recognise`: an archive or a given file, by its name (what is in an archive, only its
 * keys tell), or lines of invoices, by their columns.
 */
export const recogniseFile: NonNullable<Dataset['recognise']> = (file) => {
  const { name } = file;
  const archive = parseDeliveredName(name);
  if ('other' in archive && mayHaveLines(name)) return recogniseLines(file);
  if ('other' in archive) {
    const what =
      archive.other === 'noted'
        ? 'an archive of a flux that is not read'
        : 'no archive of a known flux';
    throw new PipelineError(
      'INPUT_INVALID',
      `its name is that of ${what}; archives keep the name that they came with, what you write yourself is named depassements_YYYYMMDD.csv, and invoice lines are .csv, .json, .jsonl or .xlsx`,
    );
  }
  const { flux, date } = archive;
  const isArchive = name.toLowerCase().endsWith('.zip');
  const format = isArchive ? ZIP : { extension: 'txt', mediaType: 'text/plain' };
  return Promise.resolve({
    part: flux.toLowerCase(),
    kind: flux,
    from: date,
    to: date,
    rows: 1,
    ...format,
  });
};
