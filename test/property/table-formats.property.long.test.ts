import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../src/api/shared/app.ts';
import { quoteIdentifier, quoteText } from '../../src/pipelines/sql-text.ts';
import type { ColumnType, TableColumn } from '../../src/pipelines/tables.ts';
import { openTestApi } from '../fixtures/api-server.ts';
import {
  CLOCK_CHANGES,
  RANDOM_COLUMNS,
  randomDataset,
  randomDays,
  randomTables,
} from '../fixtures/random-tables.ts';
import type { GivenRows, RandomRow } from '../fixtures/random-tables.ts';
import { runDay } from '../fixtures/run-day.ts';
import { openTestEngine } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';
import { readXlsx } from '../fixtures/xlsx.ts';
import type { Cell } from '../fixtures/xlsx.ts';

/**
 * Random tables in a real store, read by the real routes in every format and in pages of every
 * size: each is the rows that were put in. Each case has a pipeline of its own, because days that
 * were run stay.
 */

const RUNS = 60;
const NOW = new Date('2024-12-01T10:00:00Z');
/** Also those by which a case that fails is made smaller. */
const PIPELINES = Array.from({ length: RUNS + 300 }, (_, index) => `random${index}`);

const given: GivenRows = new Map();
let unused = PIPELINES.values();
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  engine = await openTestEngine(
    PIPELINES.map((name) => randomDataset(name, given)),
    { now: () => NOW },
  );
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

/**
 * What every format can tell of a value: instants in microseconds, whole numbers exactly,
 * everything as text.
 */
type Plain = string | null;
type PlainRow = readonly Plain[];

const DIGITS = /^(-?\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z$/;

function microsOf(text: string): string {
  const [, , , , , , , fraction = ''] = DIGITS.exec(text) ?? [];
  const seconds = BigInt(Date.parse(text.replace(/\.\d+Z$/, 'Z'))) * 1_000n;
  return String(seconds + BigInt(fraction.padEnd(6, '0') || '0'));
}

/** A number as text; both zeros are one. */
function numberText(value: number): string {
  return String(value === 0 ? 0 : value);
}

/** A value of JSON, or of Arrow. */
type Value = string | number | bigint | boolean | null | undefined;

function plainOf(type: ColumnType, value: Value): Plain {
  if (value === null || value === undefined) return null;
  if (type === 'instant') return microsOf(String(value));
  if (type === 'number') return numberText(value as number);
  return String(value);
}

function rowsOfJson(
  columns: readonly TableColumn[],
  rows: readonly Record<string, Value>[],
): PlainRow[] {
  for (const row of rows) expect(Object.keys(row)).toEqual(columns.map(({ name }) => name));
  return rows.map((row) => columns.map(({ name, type }) => plainOf(type, row[name])));
}

/** What was put in, as every format is to tell it. */
function rowsPutIn(
  columns: readonly TableColumn[],
  scope: string,
  rows: readonly RandomRow[],
): PlainRow[] {
  return rows.map((row) =>
    columns.map(({ name, type }) =>
      putIn(type, name === 'scope' ? scope : row[name as keyof RandomRow]),
    ),
  );
}

function putIn(type: ColumnType, value: RandomRow[keyof RandomRow]): Plain {
  if (value === null) return null;
  if (type !== 'number') return String(value);
  return Number.isFinite(value) ? numberText(value as number) : null;
}

/** RFC 4180, by its own grammar: fields with whether they are quoted. */
function csvRecords(text: string, separator: string): string[][] {
  const records: string[][] = [[]];
  const fields = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${separator}\r\n]*))(${separator}|\r\n)`, 'y');
  while (fields.lastIndex < text.length) {
    const at = fields.lastIndex;
    const found = fields.exec(text);
    if (found === null)
      throw new Error(`no field of CSV at ${JSON.stringify(text.slice(at, at + 80))}`);
    const [, quoted, bare = '', end] = found;
    records.at(-1)!.push(quoted?.replaceAll('""', '"') ?? bare);
    if (end === '\r\n') records.push([]);
  }
  records.pop();
  return records;
}

/** What a spreadsheet would run. */
const RUNS_AS_FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** An empty field is nothing or the empty text: CSV has one form for both. */
function rowsOfCsv(
  columns: readonly TableColumn[],
  text: string,
  dialect: 'standard' | 'fr',
): PlainRow[] {
  if (dialect === 'fr') expect(text.startsWith('\uFEFF')).toBe(true);
  const [head, ...records] = csvRecords(
    dialect === 'fr' ? text.slice(1) : text,
    dialect === 'fr' ? ';' : ',',
  );
  const isFrench = dialect === 'fr';
  expect(head).toEqual(
    columns.map(({ name, type }) => (isFrench && type === 'instant' ? `${name} (UTC)` : name)),
  );
  return records.map((fields) => {
    expect(fields.length).toBe(columns.length);
    return columns.map(({ type }, index) => {
      const field = fields[index]!;
      if (field === '') return null;
      if (type === 'text') {
        expect(field).not.toMatch(RUNS_AS_FORMULA);
        return /^'+[=+\-@\t\r\n＝＋－＠]/.test(field) ? field.slice(1) : field;
      }
      if (type === 'number') return numberText(Number(isFrench ? field.replace(',', '.') : field));
      if (type === 'instant') return microsOf(isFrench ? `${field.replace(' ', 'T')}Z` : field);
      return field;
    });
  });
}

function withoutEmptyTexts(rows: readonly PlainRow[]): PlainRow[] {
  return rows.map((row) => row.map((value) => (value === '' ? null : value)));
}

function rowsOfArrow(columns: readonly TableColumn[], bytes: Uint8Array): PlainRow[] {
  const table = tableFromIPC(bytes);
  expect(table.schema.fields.map(({ name }) => name)).toEqual(columns.map(({ name }) => name));
  const vectors = columns.map(({ name, type }) => {
    const vector = table.getChild(name)!;
    if (type !== 'instant') return Array.from(vector, (value: Value) => arrowPlain(type, value));
    // The library's own reading of instants rounds to milliseconds.
    return vector.data.flatMap((data) =>
      Array.from({ length: data.length }, (_, index) =>
        data.getValid(index) ? String((data.values as BigInt64Array)[data.offset + index]) : null,
      ),
    );
  });
  return Array.from({ length: table.numRows }, (_, index) =>
    vectors.map((values) => values[index] ?? null),
  );
}

function arrowPlain(type: ColumnType, value: Value): Plain {
  if (value === null || value === undefined) return null;
  if (type === 'date') return new Date(Number(value)).toISOString().slice(0, 10);
  return type === 'number' ? numberText(value as number) : String(value);
}

async function rowsOfParquet(
  columns: readonly TableColumn[],
  bytes: Uint8Array,
): Promise<PlainRow[]> {
  const file = path.join(engine.home, 'given.parquet');
  await writeFile(file, bytes);
  const told = columns.map(({ name, type }) => {
    const own = quoteIdentifier(name);
    if (type === 'number') return own;
    return `CAST(${type === 'instant' ? `epoch_us(${own})` : own} AS VARCHAR) AS ${own}`;
  });
  const rows = await engine.sql!.session((sql) =>
    sql.rows<Record<string, string | number | null>>(
      `SELECT ${told.join(', ')} FROM read_parquet(${quoteText(file)})`,
    ),
  );
  return rows.map((row) =>
    columns.map(({ name }) => {
      const value = row[name] ?? null;
      return typeof value === 'number' ? numberText(value) : value;
    }),
  );
}

/** Excel counts days from here, as far as it has days. */
const SHEET_DAY_ZERO = Date.parse('1899-12-30T00:00:00Z');

async function rowsOfXlsx(columns: readonly TableColumn[], bytes: Uint8Array): Promise<PlainRow[]> {
  const file = path.join(engine.home, 'given.xlsx');
  await writeFile(file, bytes);
  const sheets = [...(await readXlsx(file)).values()];
  expect(sheets).toHaveLength(1);
  const [head, ...rows] = sheets[0]!;
  expect(head!.map((cell) => cell?.value)).toEqual(
    columns.map(({ name, type }) => (type === 'instant' ? `${name} (UTC)` : name)),
  );
  return rows.map((cells) =>
    columns.map(({ type }, index) => sheetPlain(type, cells[index] ?? null)),
  );
}

function sheetPlain(type: ColumnType, cell: Cell): Plain {
  if (cell === null) return null;
  expect(cell.kind).not.toBe('formula');
  if (type === 'text') expect(cell.kind).toBe('text');
  if (type === 'boolean') return String(cell.value === '1');
  if (cell.kind === 'text') return type === 'instant' ? microsOf(cell.value) : cell.value;
  if (type === 'number') return numberText(Number(cell.value));
  if (type !== 'instant' && type !== 'date') return cell.value;
  const ms = Math.round(Number(cell.value) * 86_400_000) + SHEET_DAY_ZERO;
  return type === 'date' ? new Date(ms).toISOString().slice(0, 10) : String(BigInt(ms) * 1_000n);
}

/**
 * A spreadsheet knows milliseconds, and no rows without a value after the last one that has some.
 */
function asInSheet(columns: readonly TableColumn[], rows: readonly PlainRow[]): PlainRow[] {
  const all = withoutEmptyTexts(rows).map((row) =>
    row.map((value, index) => {
      if (value === null || columns[index]!.type !== 'instant') return value;
      const micros = BigInt(value);
      return String(micros - (((micros % 1_000n) + 1_000n) % 1_000n));
    }),
  );
  return all.slice(0, all.findLastIndex((row) => row.some((value) => value !== null)) + 1);
}

async function get(url: string) {
  const answer = await api.inject({ url: `/api/v1/tables/${url}`, headers: { host: '127.0.0.1' } });
  expect(answer.statusCode, `${url}: ${answer.body}`).toBe(200);
  return answer;
}

function sorted(rows: readonly PlainRow[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

interface Case {
  readonly table: string;
  readonly columns: readonly TableColumn[];
  readonly query: string;
}

/** All rows by pages of these sizes, in turn. */
async function paged(
  { table, columns, query }: Case,
  format: 'json' | 'ndjson' | 'csv' | 'fr' | 'arrow',
  sizes: readonly number[],
) {
  const rows: PlainRow[] = [];
  const dialect = format === 'fr' ? '&dialect=fr' : '';
  let url: string | undefined =
    `${table}/rows.${format === 'fr' ? 'csv' : format}?${query}${dialect}&limit=${sizes[0]}`;
  for (let page = 1; url !== undefined; page += 1) {
    const answer = await get(url);
    const found = await rowsOf(columns, format, answer);
    expect(found.length).toBeLessThanOrEqual(Number(/limit=(\d+)/.exec(url)?.[1]));
    rows.push(...found);
    const next: string | undefined = /<\/api\/v1\/tables\/([^>]+)>; rel="next"/.exec(
      String(answer.headers.link),
    )?.[1];
    url = next?.replace(/limit=\d+/, `limit=${sizes[page % sizes.length]}`);
  }
  return rows;
}

type Answer = Awaited<ReturnType<typeof get>>;

async function rowsOf(
  columns: readonly TableColumn[],
  format: string,
  answer: Answer,
): Promise<PlainRow[]> {
  switch (format) {
    case 'json': {
      const body = answer.json<Record<string, Value>[] | { rows: Record<string, Value>[] }>();
      return rowsOfJson(columns, Array.isArray(body) ? body : body.rows);
    }
    case 'ndjson':
      return rowsOfJson(
        columns,
        answer.body
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Record<string, Value>),
      );
    case 'arrow':
      return rowsOfArrow(columns, answer.rawPayload);
    case 'parquet':
      return rowsOfParquet(columns, answer.rawPayload);
    case 'xlsx':
      return rowsOfXlsx(columns, answer.rawPayload);
    default:
      return rowsOfCsv(columns, answer.body, format === 'fr' ? 'fr' : 'standard');
  }
}

const cases = fc.record({
  days: randomDays,
  isTimed: fc.boolean(),
  names: fc.option(
    fc.shuffledSubarray(
      RANDOM_COLUMNS.map(({ name }) => name),
      { minLength: 1 },
    ),
    { freq: 2, nil: undefined },
  ),
  sizes: fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 4 }),
  pagesAs: fc.constantFrom('json', 'ndjson', 'csv', 'fr', 'arrow'),
});

describe('a random table', () => {
  it('has the rows that were put in, in every format, and in pages of any size', async () => {
    unused = PIPELINES.values();
    await fc.assert(
      fc.asyncProperty(cases, async ({ days, isTimed, names, sizes, pagesAs }) => {
        const pipeline = unused.next().value!;
        given.set(pipeline, days);
        for (const date of days.keys())
          expect((await runDay(engine, pipeline, date)).version).toBe(1);
        const { timed, named } = randomTables(pipeline);
        const table = isTimed ? timed : named;
        const declared = engine.datasets[pipeline]!.tables!.find(({ id }) => id === table)!.columns;
        const columns =
          names?.map((name) => declared.find((column) => column.name === name)!) ?? declared;
        const dates = CLOCK_CHANGES.find((change) =>
          [...days.keys()].every((date) => change.includes(date)),
        )!;
        const chosen = names === undefined ? '' : `&columns=${names.join(',')}`;
        const query = `from=${dates[0]}&to=${dates.at(-1)}${chosen}`;
        const whole = async (format: string) =>
          rowsOf(
            columns,
            format,
            await get(
              `${table}/file.${format === 'fr' ? 'csv' : format}?${query}${format === 'fr' ? '&dialect=fr' : ''}`,
            ),
          );
        const rows = await whole('json');
        expect(sorted(rows)).toEqual(
          sorted([...days].flatMap(([date, own]) => rowsPutIn(columns, date, own))),
        );
        expect(await whole('ndjson')).toEqual(rows);
        expect(await whole('parquet')).toEqual(rows);
        expect(await whole('arrow')).toEqual(rows);
        expect(await whole('csv')).toEqual(withoutEmptyTexts(rows));
        expect(await whole('fr')).toEqual(withoutEmptyTexts(rows));
        expect(asInSheet(columns, await whole('xlsx'))).toEqual(asInSheet(columns, rows));
        const pages = await paged({ table, columns, query }, pagesAs, sizes);
        expect(pages).toEqual(
          pagesAs === 'csv' || pagesAs === 'fr' ? withoutEmptyTexts(rows) : rows,
        );
      }),
      { numRuns: RUNS },
    );
  }, 600_000);
});
