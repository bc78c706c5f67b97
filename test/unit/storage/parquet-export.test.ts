import fc from 'fast-check';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quoteText } from '../../../src/pipelines/sql-text.ts';
import { createDuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import type { DuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import { encodeFlatParquet, writeFlatParquet } from '../../../src/storage/sql/parquet-export.ts';
import type { FlatParquetTable, FlatValue } from '../../../src/storage/sql/parquet-export.ts';

const COLUMNS = [
  { name: 'texte', type: 'text' },
  { name: 'n', type: 'integer' },
  { name: 'puissance_mw', type: 'number' },
  { name: 'date_heure', type: 'instant' },
  { name: 'férié', type: 'boolean' },
] as const satisfies FlatParquetTable['columns'];

let folder: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-parquet-'));
  engine = createDuckDbEngine({
    memoryLimitMb: 256,
    threads: 2,
    scratchRoot: path.join(folder, 'scratch'),
  });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

/**
 * What DuckDB reads, in the order of the file; instants as ISO text, because Parquet's old type for
 * them has no zone here.
 */
async function readBack(bytes: Uint8Array): Promise<FlatValue[][]> {
  const file = path.join(folder, 'read.parquet');
  await writeFile(file, bytes);
  const rows = await engine.session((sql) =>
    sql.rows<Record<string, FlatValue>>(`SELECT * FROM read_parquet(${quoteText(file)})`),
  );
  return rows.map((row) => COLUMNS.map(({ name, type }) => withZone(type, row[name] ?? null)));
}

function withZone(type: string, value: FlatValue): FlatValue {
  return type === 'instant' && typeof value === 'string'
    ? new Date(`${value}Z`).toISOString()
    : value;
}

describe('encodeFlatParquet', () => {
  it('writes values that DuckDB reads back: unicode, null, negative, beyond 2^31, before 1970', async () => {
    const rows: FlatValue[][] = [
      ['été 😀 "x"\n\u0000', 9_007_199_254_740_991, 0.1, '2024-01-15T10:00:00.000Z', true],
      [null, null, null, null, null],
      ['', -9_007_199_254_740_991, -1e-300, '1969-12-31T23:59:59.999Z', false],
      [
        'x'.repeat(100_000),
        4_294_967_296,
        1.7976931348623157e308,
        '1900-01-01T00:00:00.000Z',
        null,
      ],
      ['\uFFFD', -2_147_483_649, 5e-324, '9999-12-31T23:59:59.000Z', true],
      ['0', 0, 0, '1970-01-01T00:00:00.000Z', false],
    ];
    expect(await readBack(await encodeFlatParquet({ columns: COLUMNS, rows }))).toEqual(rows);
  });

  it('writes an empty table with its columns', async () => {
    const bytes = await encodeFlatParquet({ columns: COLUMNS, rows: [] });
    expect(await readBack(bytes)).toEqual([]);
    const file = quoteText(path.join(folder, 'read.parquet'));
    const described = await engine.session((sql) =>
      sql.rows<{ column_name: string; column_type: string }>(
        `DESCRIBE SELECT * FROM read_parquet(${file})`,
      ),
    );
    expect(described.map((row) => `${row.column_name} ${row.column_type}`)).toEqual([
      'texte VARCHAR',
      'n BIGINT',
      'puissance_mw DOUBLE',
      'date_heure TIMESTAMP',
      'férié BOOLEAN',
    ]);
  });

  it('writes 5,000 rows over several row groups, in order', async () => {
    const rows = Array.from({ length: 5_000 }, (_, n): FlatValue[] => [
      n % 7 === 0 ? null : `ligne ${n}`,
      n % 5 === 0 ? null : (n - 2_500) * 1e11,
      n % 3 === 0 ? null : n / 7,
      n % 11 === 0 ? null : new Date(Date.UTC(2024, 0, 1) + n * 900_000).toISOString(),
      n % 2 === 0 ? n % 4 === 0 : null,
    ]);
    expect(await readBack(await encodeFlatParquet({ columns: COLUMNS, rows }))).toEqual(rows);
  });

  it('keeps any pattern of nulls', async () => {
    const cell = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
      fc.option(value, { freq: 2, nil: null });
    const row = fc.tuple(
      cell(fc.string({ unit: 'grapheme', maxLength: 5 })),
      cell(fc.maxSafeInteger()),
      cell(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
      cell(
        fc
          .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
          .map((date) => date.toISOString()),
      ),
      cell(fc.boolean()),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 60 }), async (rows) => {
        const found = await readBack(await encodeFlatParquet({ columns: COLUMNS, rows }));
        expect(found).toEqual(rows);
      }),
      { numRuns: 60 },
    );
  });

  it('finds rows by value, so that no statistics mislead a reader', async () => {
    const names = ['\u{1F600}', '\uFFFD', 'a', 'Z', 'é'];
    const rows = names.map((name, n): FlatValue[] => [name, -n, null, null, null]);
    await writeFile(
      path.join(folder, 'filter.parquet'),
      await encodeFlatParquet({ columns: COLUMNS, rows }),
    );
    const from = `FROM read_parquet(${quoteText(path.join(folder, 'filter.parquet'))})`;
    await engine.session(async (sql) => {
      for (const [n, name] of names.entries()) {
        expect(await sql.rows(`SELECT n ${from} WHERE texte = ${quoteText(name)}`)).toEqual([
          { n: 0 - n },
        ]);
        expect(await sql.rows(`SELECT texte ${from} WHERE n = ${-n}`)).toEqual([{ texte: name }]);
      }
    });
  });

  it('writes the same bytes for the same table', async () => {
    const rows: FlatValue[][] = [['a', 1, 2.5, '2024-01-15T11:00:00+01:00', true]];
    const [one, two] = [
      await encodeFlatParquet({ columns: COLUMNS, rows }),
      await encodeFlatParquet({ columns: COLUMNS, rows }),
    ];
    expect(Buffer.compare(one, two)).toBe(0);
    expect((await readBack(one))[0]?.[3]).toBe('2024-01-15T10:00:00.000Z');
  });

  it.each<[number, FlatValue]>([
    [0, 1],
    [0, '\uD83D'],
    [1, 1.5],
    [1, '12'],
    [1, 2 ** 53],
    [2, Number.NaN],
    [2, '1.5'],
    [2, Number.POSITIVE_INFINITY],
    [3, '2024-01-15T10:00:00'],
    [3, '2024-13-15T10:00:00Z'],
    [3, 1_705_312_800_000],
    [4, 1],
    [4, 'true'],
  ])('refuses in column %i the value %s', async (column, value) => {
    const row: FlatValue[] = [null, null, null, null, null];
    row[column] = value;
    const encoding = encodeFlatParquet({
      columns: COLUMNS,
      rows: [[null, null, null, null, null], row],
    });
    await expect(encoding).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(encoding).rejects.toThrow(`row 1 of an export: column "${COLUMNS[column]!.name}"`);
  });

  it.each([
    [[]],
    [
      [
        { name: 'a', type: 'text' as const },
        { name: 'a', type: 'text' as const },
      ],
    ],
    [[{ name: '2024', type: 'text' as const }]],
    [[{ name: '', type: 'text' as const }]],
  ])('refuses the columns %o', async (columns) => {
    await expect(encodeFlatParquet({ columns, rows: [] })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });

  it('refuses a row with too few or too many values', async () => {
    for (const row of [['a'], ['a', 1, 1, null, null, null]]) {
      await expect(encodeFlatParquet({ columns: COLUMNS, rows: [row] })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
      });
    }
  });
});

describe('writeFlatParquet', () => {
  it('writes the same bytes to a file', async () => {
    const table = { columns: COLUMNS, rows: [['a', 1, 2, '2024-01-15T10:00:00Z', true]] };
    const file = path.join(folder, 'table.parquet');
    const bytes = await encodeFlatParquet(table);
    expect(await writeFlatParquet({ path: file, ...table })).toEqual({
      bytes: bytes.byteLength,
      rows: 1,
    });
    expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
  });

  it('is denied where no file can be', async () => {
    const writing = writeFlatParquet({
      path: path.join(folder, 'table.parquet', 'x'),
      columns: COLUMNS,
      rows: [],
    });
    await expect(writing).rejects.toMatchObject({ code: 'STORE_DENIED' });
  });
});
