import { PipelineError } from '../../kit/index.ts';
import type { GivenFile, RecognisedFile } from '../../kit/index.ts';
import { campaignDay, invoiceLines, newestMonth } from './invoice-line.ts';
import { rowsOfFile } from './objects-of-file.ts';
import { LINES_PART } from './part.ts';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  json: 'application/json',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/**
 * Whether a file may be one of invoice lines, by the ending of its name; archives end otherwise.
 */
export function mayHaveLines(name: string): boolean {
  return /\.(csv|txt|tsv|json|jsonl|ndjson|xlsx)$/i.test(name);
}

/**
 * A file of invoice lines: its day is that of its newest campaign, or the one that a person gives
 * where no line says its month.
 */
export async function recogniseLines({ path, name, asOf }: GivenFile): Promise<RecognisedFile> {
  const lines = invoiceLines(await rowsOfFile(path));
  const month = newestMonth(lines);
  const day = month === undefined ? asOf : campaignDay(month);
  if (day === undefined)
    throw new PipelineError(
      'INPUT_INVALID',
      'no line says its month: add a column mois (YYYY-MM) or date_facture, or give the day of the invoices with --as-of',
    );
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const mediaType = MEDIA_TYPES[extension] ?? 'text/plain';
  return {
    part: LINES_PART,
    kind: 'invoice lines',
    from: day,
    to: day,
    rows: lines.length,
    extension,
    mediaType,
  };
}
