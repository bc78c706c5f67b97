import { quoteText } from '../../kit/index.ts';
import type { Dialect, FileHead } from './dialect.ts';
import { publishedRows } from './dialect.ts';
import { csvRows } from './csv.ts';

/**
 * The load curve that a customer exports: `Horodate;Valeur`, the END of the interval with its
 * offset, mean power in W. Two lines may stand before the header, or there is none at all; an empty
 * value is a missing one. The file names its meter, if at all, in its first lines.
 */
const ROW = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d;\d*$/;
const HEADER = /^"?Horodate"?;"?Valeur"?$/i;

function headerLine({ lines }: FileHead): number {
  return lines.slice(0, 3).findIndex((line) => HEADER.test(line.trim()));
}

/** The number of the point of delivery: 14 digits in the lines before the header. */
function meterOf({ lines }: FileHead, header: number): string {
  const found = /\b\d{14}\b/.exec(lines.slice(0, Math.max(header, 0)).join(' '));
  return found?.[0] ?? 'linky-export';
}

/** Steps are not declared: they follow from the stamps. */
export const linkyExport: Dialect = {
  id: 'linky-export',
  title: 'load curve that a customer exported (Linky)',
  matches: (head) => headerLine(head) !== -1 || ROW.test(head.lines[0]),
  open(head) {
    const header = headerLine(head);
    const rows = csvRows(
      head.path,
      ['stamp', 'value'],
      { delimiter: ';', skip: Math.max(header, 0) },
      header !== -1,
    );
    const select = publishedRows(
      {
        line: 'line',
        meter_id: quoteText(meterOf(head, header)),
        stamp: 'trim(stamp)',
        is_end: 'true',
        zone: `'Europe/Paris'`,
        value: `nullif(trim(value), '')`,
        unit: `'W'`,
      },
      rows,
    );
    return Promise.resolve({ select, extension: 'csv', mediaType: 'text/csv' });
  },
};
