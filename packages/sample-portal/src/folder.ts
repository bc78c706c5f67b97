import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { PortalError } from './portal-error.ts';
import { odsqlRefusal } from './answer.ts';
import type { LineEnd, RecordBatch } from './csv-records.ts';
import { csvRecords, fieldText, rawField, recordBytes, splitFields } from './csv-records.ts';
import type {
  CsvFormat,
  DatasetState,
  FieldDescription,
  PortalDataset,
  RecordPage,
  Selection,
} from './dataset.ts';
import type { Comparison, DateLiteral, Operator } from './odsql.ts';
import { shortNameOf } from './synthetic/columns.ts';
import { offsetQuarters, QUARTER_MS } from './synthetic/paris-days.ts';
import { sha256OfFile } from '@quotidien/machine/file-hash';

/**
 * Above this size a file's ETag comes from its size and time of change; hashing gigabytes at a
 * request would stall it.
 */
const HASHED_BYTES = 64 * 1024 * 1024;
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';
const TEXT_FIELDS = new Set(['perimetre', 'nature', 'heure']);

/** A CSV file as it was when a request looked at it. */
interface FileState {
  readonly file: string;
  readonly delimiter: string;
  readonly lineEnd: LineEnd;
  readonly fields: readonly FieldDescription[];
  /** Says which bytes the file has. */
  readonly fingerprint: string;
  readonly changedAt: Date;
}

type RowTest = (fields: readonly string[]) => boolean;

function describe(label: string): FieldDescription {
  const short = shortNameOf(label);
  const name = short ?? label;
  const known = short !== undefined && !TEXT_FIELDS.has(name);
  const type =
    name === 'date_heure' ? 'datetime' : name === 'date' ? 'date' : known ? 'int' : 'text';
  return { name, label, type };
}

/** Records of the file, the header first and without its byte order mark. */
async function* fileRecords(file: string): AsyncGenerator<RecordBatch, void, undefined> {
  let first = true;
  for await (const { records, lineEnd } of csvRecords(createReadStream(file))) {
    const [head = '', ...others] = records;
    const marked = first && head.startsWith(BYTE_ORDER_MARK);
    yield { records: marked ? [head.slice(BYTE_ORDER_MARK.length), ...others] : records, lineEnd };
    first = false;
  }
}

/** The first batch of a file cut down to its header. */
async function readHeader(
  file: string,
): Promise<{ readonly header: string; readonly lineEnd: LineEnd }> {
  for await (const { records, lineEnd } of fileRecords(file))
    return { header: records[0] ?? '', lineEnd };
  return { header: '', lineEnd: '\n' };
}

function delimiterOf(header: string): string {
  const counted = [';', ',', '\t'].map((each) => [header.split(each).length, each] as const);
  return counted.reduce((best, each) => (each[0] > best[0] ? each : best))[1];
}

/** Epoch milliseconds of an ISO text; a time without offset is Paris local time when `zone` is. */
function instantOf(text: string, zone: CsvFormat['zone']): number {
  const instant = Date.parse(text);
  if (/(?:Z|[+-]\d\d:?\d\d)$/.test(text)) return instant;
  const utc = Date.parse(`${text.replace(' ', 'T')}${text.length === 10 ? 'T00:00' : ''}Z`);
  return zone === 'UTC' ? utc : utc - offsetQuarters(Math.floor(utc / QUARTER_MS) - 4) * QUARTER_MS;
}

function literalInstant(literal: DateLiteral, zone: CsvFormat['zone']): number {
  if (literal.instant !== undefined) return literal.instant;
  return instantOf(
    literal.naive === undefined ? literal.date : new Date(literal.naive).toISOString().slice(0, 19),
    zone,
  );
}

function holds(operator: Operator, difference: number): boolean {
  switch (operator) {
    case '=':
      return difference === 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
  }
}

/**
 * One term over raw fields. A cell with a bare date is compared by day, one with a time by instant,
 * an empty one never holds.
 */
function rowTest(
  fields: readonly FieldDescription[],
  term: Comparison,
  zone: CsvFormat['zone'],
): RowTest {
  const column = fields.findIndex(
    (field) => field.name === term.field || field.label === term.field,
  );
  if (column === -1) throw odsqlRefusal(`Unknown field: ${term.field}`);
  const day = Date.parse(`${term.value.date}T00:00Z`);
  const instant = literalInstant(term.value, zone);
  return (cells) => {
    const text = fieldText(cells[column] ?? '');
    const difference =
      text.length === 10
        ? Date.parse(`${text}T00:00Z`) - day
        : instantOf(text, 'Europe/Paris') - instant;
    return holds(term.operator, difference);
  };
}

function headerRecord(state: FileState, format: CsvFormat): string {
  const names = state.fields.map((field) =>
    rawField(format.labels ? field.label : field.name, format.delimiter),
  );
  return (format.bom ? BYTE_ORDER_MARK : '') + names.join(format.delimiter);
}

/** Turns raw fields of the file into those of an export. */
function exportedFields(
  state: FileState,
  format: CsvFormat,
  cells: readonly string[],
): readonly string[] {
  return cells.map((raw, column) => {
    const instant =
      state.fields[column]?.type === 'datetime' && format.zone === 'UTC' && raw !== '';
    if (instant)
      return `${new Date(instantOf(fieldText(raw), 'Europe/Paris')).toISOString().slice(0, 19)}+00:00`;
    return state.delimiter === format.delimiter ? raw : rawField(fieldText(raw), format.delimiter);
  });
}

/** The raw fields of every record that passes all tests, a batch at a time. */
async function* matchingRows(
  state: FileState,
  tests: readonly RowTest[],
): AsyncGenerator<string[][], void, undefined> {
  let header = true;
  for await (const { records } of fileRecords(state.file)) {
    const rows = (header ? records.slice(1) : records).map((record) =>
      splitFields(record, state.delimiter),
    );
    header = false;
    yield rows.filter((row) => tests.every((test) => test(row)));
  }
}

async function* exportFile(
  state: FileState,
  tests: readonly RowTest[],
  format: CsvFormat,
): AsyncGenerator<Uint8Array> {
  const { lineEnd } = state;
  yield recordBytes({ records: [headerRecord(state, format)], lineEnd });
  for await (const rows of matchingRows(state, tests)) {
    if (rows.length === 0) continue;
    const records = rows.map((row) => exportedFields(state, format, row).join(format.delimiter));
    yield recordBytes({ records, lineEnd });
  }
}

function cellValue(text: string, type: FieldDescription['type']): string | number | null {
  if (text === '') return null;
  return type === 'int' && !Number.isNaN(Number(text)) ? Number(text) : text;
}

async function page(
  state: FileState,
  tests: readonly RowTest[],
  range: readonly [number, number],
  zone: CsvFormat['zone'],
): Promise<RecordPage> {
  const format: CsvFormat = { delimiter: state.delimiter, zone, labels: false, bom: false };
  const rows: Record<string, string | number | null>[] = [];
  let total = 0;
  for await (const batch of matchingRows(state, tests)) {
    for (const cells of batch) {
      const position = total++;
      if (position < range[0] || position >= range[1]) continue;
      const texts = exportedFields(state, format, cells).map(fieldText);
      rows.push(
        Object.fromEntries(
          state.fields.map((field, i) => [field.name, cellValue(texts[i] ?? '', field.type)]),
        ),
      );
    }
  }
  return { total, rows };
}

function selectionOf(
  state: FileState,
  where: readonly Comparison[],
  zone: CsvFormat['zone'],
): Selection {
  const tests = where.map((term) => rowTest(state.fields, term, zone));
  return {
    contentKey: () =>
      Promise.resolve(JSON.stringify([state.fingerprint, where, where.length === 0 ? null : zone])),
    csv: (format) => exportFile(state, tests, format),
    records: (offset, limit, recordZone) =>
      page(state, tests, [offset, offset + limit], recordZone),
  };
}

function createFileDataset(id: string, file: string): PortalDataset {
  let known: { readonly stamp: string; readonly state: FileState } | undefined;
  async function current(): Promise<FileState> {
    const { size, mtime, mtimeMs, ino } = await stat(file);
    const stamp = [size, mtimeMs, ino].join('-');
    if (known?.stamp !== stamp) {
      const { header, lineEnd } = await readHeader(file);
      const delimiter = delimiterOf(header);
      const fields = splitFields(header, delimiter).map((raw) => describe(fieldText(raw)));
      const fingerprint = size <= HASHED_BYTES ? await sha256OfFile(file) : stamp;
      known = { stamp, state: { file, delimiter, lineEnd, fields, fingerprint, changedAt: mtime } };
    }
    return known.state;
  }
  return {
    id,
    title: id,
    modified: new Date('2021-05-18T13:02:11Z'),
    async state(): Promise<DatasetState> {
      const state = await current();
      return {
        processedAt: new Date(Math.floor(state.changedAt.getTime() / 1_000) * 1_000),
        fields: state.fields,
        countRecords: async () => (await page(state, [], [0, 0], 'UTC')).total,
        select: (where, zone) => selectionOf(state, where, zone),
      };
    },
    revise() {
      throw new PortalError(
        'INPUT_INVALID',
        `${id} is the file ${file}, it has no revisions: change the file instead.`,
      );
    },
  };
}

/**
 * Every CSV file under a folder as a dataset named after the file: any encoding, `;`, `,` or tab,
 * LF or CRLF (kept), with or without a byte order mark. Files are looked at again at each request,
 * so replacing one publishes it.
 * @throws `INPUT_INVALID` when the folder cannot be read or two files have one name.
 */
export async function openFolder(folder: string): Promise<readonly PortalDataset[]> {
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new PortalError(
      'INPUT_INVALID',
      `The folder ${folder} cannot be read: name one with CSV files.`,
      {
        cause,
      },
    );
  });
  const files = new Map<string, string>();
  for (const name of names.filter((each) => each.endsWith('.csv')).sort()) {
    const id = path.basename(name, '.csv');
    const other = files.get(id);
    if (other !== undefined) {
      throw new PortalError(
        'INPUT_INVALID',
        `${other} and ${name} in ${folder} are both dataset ${id}: rename one.`,
      );
    }
    files.set(id, name);
  }
  return [...files].map(([id, name]) => createFileDataset(id, path.join(folder, name)));
}
