import { refusal } from '../decode/refusal.ts';
import type { Place } from '../decode/refusal.ts';
import type { DocumentRecord } from './document-tree.ts';
import { nthOf } from '../../kit/index.ts';

/**
 * A file that people write: a table with these columns, as CSV with a head (`;` or `,`) or as one
 * JSON object a line. Other columns are not read.
 */
export interface RowsShape {
  readonly columns: readonly string[];
  /** Those without which a file is none of this kind. */
  readonly required: readonly string[];
}

/** Written by hand or exported: a larger file is another one. */
const MAX_BYTES = 64 * 2 ** 20;

/**
 * Reads the rows of a file, from 1, all together.
 *
 * @throws refusals `ill_formed` (with the line), `too_large`, and `unknown_root` for a file that
 * lacks a column
 */
export async function* readRows(
  chunks: AsyncIterable<Uint8Array>,
  shape: RowsShape,
  place: Place,
): AsyncGenerator<readonly DocumentRecord[]> {
  const text = await textOf(chunks, place);
  const rows = text.startsWith('{') ? jsonRows(text, place) : csvRows(text, place);
  const [first] = rows;
  const lacking = first === undefined ? undefined : shape.required.find((name) => !(name in first));
  if (lacking !== undefined) throw refusal('unknown_root', place, `there is no column ${lacking}`);
  const head = {};
  yield rows.map((row, index) => {
    const record: Record<string, string> = {};
    for (const name of shape.columns) record[name] = row[name] ?? '';
    return { occurrence: index + 1, head, record };
  });
}

async function textOf(chunks: AsyncIterable<Uint8Array>, place: Place): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw refusal('too_large', place, 'it has more than 64 MiB');
    parts.push(chunk);
  }
  return Buffer.concat(parts)
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trim();
}

type Row = Readonly<Record<string, string>>;

function jsonRows(text: string, place: Place): Row[] {
  return text.split(/\r?\n/).flatMap((line, index): Row[] => {
    if (line.trim() === '') return [];
    try {
      const row = JSON.parse(line) as Record<string, unknown>;
      return [
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, textOfValue(value)])),
      ];
    } catch {
      throw refusal('ill_formed', place, `line ${index + 1} is no JSON object`);
    }
  });
}

function textOfValue(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function csvRows(text: string, place: Place): Row[] {
  const [head = '', ...lines] = text.split(/\r?\n/);
  const separator = head.includes(';') ? ';' : ',';
  const names = cellsOf(head, separator);
  return lines.flatMap((line, index): Row[] => {
    if (line.trim() === '') return [];
    const cells = cellsOf(line, separator);
    if (cells.length !== names.length) {
      throw refusal(
        'ill_formed',
        place,
        `line ${index + 2} has ${cells.length} cells, the head has ${names.length}`,
      );
    }
    return [Object.fromEntries(names.map((name, column) => [name, nthOf(cells, column)]))];
  });
}

/** Quoted cells may hold separators and doubled quotes, but no line ends. */
function cellsOf(line: string, separator: string): string[] {
  const cells =
    line.match(
      separator === ';' ? /(?:^|;)(?:"(?:[^"]|"")*"|[^;]*)/g : /(?:^|,)(?:"(?:[^"]|"")*"|[^,]*)/g,
    ) ?? [];
  return cells.map((cell) => {
    const bare = (cell.startsWith(separator) ? cell.slice(1) : cell).trim();
    return bare.startsWith('"') ? bare.slice(1, -1).replaceAll('""', '"') : bare;
  });
}
