import { csvField } from '@quotidien/machine/csv-field';
import { PortalError } from '../portal-error.ts';
import { odsqlRefusal, parameterRefusal } from '../answer.ts';
import type { Bytes } from '../answer.ts';
import type {
  CsvFormat,
  DatasetState,
  FieldDescription,
  PortalDataset,
  Selection,
} from '../dataset.ts';
import type { Comparison } from '../odsql.ts';
import { offsetQuarters, QUARTER_MS } from '../synthetic/paris-days.ts';
import { instantText } from './rhythm.ts';
import type { Position } from './town.ts';

/**
 * A dataset of the made-up town as the portal serves it: as CSV, as JSON and in pages of records.
 */

/** A value before it has a format: exports write each kind in their own way. */
export type Cell =
  | string
  | number
  | null
  /** An instant in epoch milliseconds. */
  | { readonly at: number }
  | { readonly point: Position }
  | { readonly shape: Readonly<Record<string, unknown>> };

/** Also with infinite ends. */
export interface TimeRange {
  /** Epoch milliseconds `[from, to)`. */
  readonly from: number;
  readonly to: number;
}

/** What a dataset of the town has; formats and pages are the same for all of them. */
export interface CityTable {
  readonly id: string;
  readonly title: string;
  readonly fields: readonly FieldDescription[];
  /** The field that rows can be chosen by; its instants grow with time. */
  readonly timeField?: string;
  /** When the dataset was last processed, epoch milliseconds. */
  processedAt(now: Date): number;
  /**
   * The rows whose time is in the range, all of them where there is no time field; the same at
   * every call.
   */
  rows(range: TimeRange, processedAt: number): Iterable<readonly Cell[]>;
  /** Line ends and byte order mark of the publisher's exports. */
  readonly lineEnd: '\n' | '\r\n';
}

/** Its values follow from the seed alone: `revise` throws `INPUT_INVALID`. */
export function cityDataset(table: CityTable): PortalDataset {
  return {
    id: table.id,
    title: table.title,
    modified: new Date('2023-09-12T08:40:03Z'),
    state(now): Promise<DatasetState> {
      const processedAt = table.processedAt(now);
      const all = { from: -Infinity, to: Infinity };
      return Promise.resolve({
        processedAt: new Date(processedAt),
        fields: table.fields,
        // Counting years of hours would make them: the publisher's catalogue lags behind too.
        countRecords: () =>
          Promise.resolve(
            table.timeField === undefined ? countOf(table.rows(all, processedAt)) : 0,
          ),
        select: (where, zone) => selectionOf(table, rangeOf(table, where, zone), processedAt),
      });
    },
    revise() {
      throw new PortalError('INPUT_INVALID', `The values of ${table.id} cannot be changed.`);
    },
  };
}

function countOf(rows: Iterable<unknown>): number {
  let count = 0;
  for (const row of rows) count += row === undefined ? 0 : 1;
  return count;
}

function rangeOf(
  table: CityTable,
  where: readonly Comparison[],
  zone: CsvFormat['zone'],
): TimeRange {
  let [from, to] = [-Infinity, Infinity];
  for (const { field, operator, value } of where) {
    if (field !== table.timeField) throw odsqlRefusal(`Unknown field: ${field}`);
    const naive = value.naive ?? Date.parse(`${value.date}T00:00:00Z`);
    const offset =
      zone === 'UTC' ? 0 : offsetQuarters(Math.floor(naive / QUARTER_MS) - 4) * QUARTER_MS;
    const at = value.instant ?? naive - offset;
    if (operator === '>=' || operator === '=') from = Math.max(from, at);
    if (operator === '>') from = Math.max(from, at + 1);
    if (operator === '<') to = Math.min(to, at);
    if (operator === '<=' || operator === '=') to = Math.min(to, at + 1);
  }
  return { from, to };
}

function selectionOf(table: CityTable, range: TimeRange, processedAt: number): Selection {
  if (
    table.timeField !== undefined &&
    !(Number.isFinite(range.from) && Number.isFinite(range.to))
  ) {
    throw parameterRefusal(
      `The sample portal gives ${table.id} for a range of ${table.timeField} only.`,
    );
  }
  const rows = (): Iterable<readonly Cell[]> => table.rows(range, processedAt);
  const shown = Math.min(range.to, processedAt);
  return {
    contentKey: () =>
      Promise.resolve(
        JSON.stringify([table.id, range.from, table.timeField === undefined ? processedAt : shown]),
      ),
    csv: (format) => csvBytes(table, rows(), format),
    json: (zone) => jsonBytes(table, rows(), zone),
    geojson: () => geojsonBytes(table, rows()),
    records(offset, limit, zone) {
      const page: Record<string, unknown>[] = [];
      let total = 0;
      for (const row of rows()) {
        if (total >= offset && page.length < limit) page.push(recordOf(table, row, zone));
        total += 1;
      }
      return Promise.resolve({ total, rows: page });
    },
  };
}

const CHUNK_CHARACTERS = 64 * 1024;

function* chunked(texts: Iterable<string>): Generator<Uint8Array, void, undefined> {
  let text = '';
  for (const next of texts) {
    text += next;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text, 'utf8');
    text = '';
  }
  if (text !== '') yield Buffer.from(text, 'utf8');
}

function csvBytes(
  { fields, lineEnd }: CityTable,
  rows: Iterable<readonly Cell[]>,
  format: CsvFormat,
): Bytes {
  const { delimiter, zone, labels, bom } = format;
  const quoted = (text: string): string => csvField(text, delimiter);
  function* lines(): Generator<string, void, undefined> {
    const names = fields.map(({ name, label }) => quoted(labels ? label : name));
    yield `${bom ? '\u{FEFF}' : ''}${names.join(delimiter)}${lineEnd}`;
    for (const row of rows)
      yield `${row.map((cell) => quoted(csvText(cell, zone))).join(delimiter)}${lineEnd}`;
  }
  return chunked(lines());
}

function csvText(cell: Cell, zone: CsvFormat['zone']): string {
  if (cell === null) return '';
  if (typeof cell !== 'object') return String(cell);
  if ('at' in cell) return instantText(cell.at, zone);
  if ('point' in cell) return `${cell.point[1]}, ${cell.point[0]}`;
  return JSON.stringify(cell.shape).replaceAll(/([,:])(?=["[\d-])/g, '$1 ');
}

function valueOf(cell: Cell, zone: CsvFormat['zone']): unknown {
  if (cell === null || typeof cell !== 'object') return cell;
  if ('at' in cell) return instantText(cell.at, zone);
  return 'point' in cell
    ? { lon: cell.point[0], lat: cell.point[1] }
    : { type: 'Feature', geometry: cell.shape, properties: {} };
}

function recordOf(
  { fields }: CityTable,
  row: readonly Cell[],
  zone: CsvFormat['zone'],
): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(({ name }, index) => [name, valueOf(row[index] ?? null, zone)]),
  );
}

function jsonBytes(
  table: CityTable,
  rows: Iterable<readonly Cell[]>,
  zone: CsvFormat['zone'],
): Bytes {
  function* texts(): Generator<string, void, undefined> {
    yield '[';
    let comma = '';
    for (const row of rows) {
      yield comma + JSON.stringify(recordOf(table, row, zone));
      comma = ',';
    }
    yield ']';
  }
  return chunked(texts());
}

type Shape = Extract<Cell, { readonly shape: unknown }>;

function isShape(cell: Cell): cell is Shape {
  return typeof cell === 'object' && cell !== null && 'shape' in cell;
}

function geojsonBytes(table: CityTable, rows: Iterable<readonly Cell[]>): Bytes {
  const features = [...rows].map((row) => {
    const shape = row.find(isShape);
    const geometry = shape?.shape ?? null;
    const plain = table.fields.flatMap(({ name }, index) =>
      row[index] === shape ? [] : [[name, valueOf(row[index] ?? null, 'UTC')] as const],
    );
    return { type: 'Feature', geometry, properties: Object.fromEntries(plain) };
  });
  return [Buffer.from(JSON.stringify({ type: 'FeatureCollection', features }), 'utf8')];
}
