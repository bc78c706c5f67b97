import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvLineSql } from '../../../src/api/answers/csv-sql.ts';
import { csvRows } from '../../../src/api/answers/csv.ts';
import type { Dialect } from '../../../src/api/answers/csv.ts';
import { quoteText } from '../../../src/pipelines/sql-text.ts';
import type { AnswerRow, ColumnType } from '../../../src/pipelines/tables.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 256, threads: 1 });
});
afterAll(() => engine.close());

const TYPES = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  instant: 'TIMESTAMPTZ',
  date: 'DATE',
  boolean: 'BOOLEAN',
};

/** Both texts of rows of one column. */
async function bothOf(
  type: ColumnType,
  values: readonly (string | null)[],
  dialect: Dialect,
): Promise<[string, string]> {
  const columns = [
    { name: 'it is', type },
    { name: 'n', type: 'integer' as const },
  ];
  const rows = values.map(
    (value, index) => `(${value === null ? 'NULL' : quoteText(value)}, ${index})`,
  );
  const from = `(SELECT CAST(value AS ${TYPES[type]}) AS "it is", CAST(n AS BIGINT) AS n FROM (VALUES ${rows.join(', ')}) AS t(value, n))`;
  return engine.session(async (sql) => {
    const plain = await sql.rows<AnswerRow>(`SELECT * FROM ${from} ORDER BY n`);
    const lines = await sql.rows<{ line: string }>(
      `SELECT ${csvLineSql(columns, dialect)} AS line FROM ${from} ORDER BY n`,
    );
    return [lines.map(({ line }) => line).join(''), csvRows(columns, plain, dialect)];
  });
}

const instant = fc
  .bigInt({ min: -62_200_000_000_000_000n, max: 253_500_000_000_000_000n })
  .chain((micros) =>
    fc.constantFrom(micros, (micros / 1_000n) * 1_000n, (micros / 1_000_000n) * 1_000_000n),
  )
  .map((micros) => `${micros}`);

const number = fc.oneof(
  fc.double(),
  fc.double({ min: -1e-3, max: 1e-3, noNaN: true }),
  fc.double({ min: 1e14, max: 1e23, noNaN: true }),
  fc.integer(),
  fc.constantFrom(
    -0,
    1e21,
    1e-6,
    9.999999999999999e-7,
    1e16,
    123456789012345680000,
    2 ** 53,
    5e-324,
    0.1 + 0.2,
    1e-4,
  ),
);

const CASES: readonly (readonly [ColumnType, fc.Arbitrary<string>])[] = [
  [
    'text',
    fc
      .oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^['＝=+\-@\t\r;,"\n a]{0,6}$/))
      .map((text) => text.replaceAll('\0', '')),
  ],
  ['integer', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)],
  [
    'integer',
    fc.bigInt({ min: -9_007_199_254_740_995n, max: -9_007_199_254_740_988n }).map(String),
  ],
  ['number', number.map((value) => (Object.is(value, -0) ? '-0.0' : String(value)))],
  [
    'date',
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  ],
  ['boolean', fc.boolean().map(String)],
];

describe.each(['standard', 'fr', 'fr-earlier'] as const)(
  'lines that the engine writes, in the dialect %s',
  (dialect) => {
    it.each(CASES)('are those of rows at hand: %s', async (type, value) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.option(value), { minLength: 1, maxLength: 300 }),
          async (values) => {
            const [engines, ours] = await bothOf(type, values, dialect);
            expect(engines).toBe(ours);
          },
        ),
        { numRuns: 12 },
      );
    });

    it('are those of rows at hand: instant', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(instant, { minLength: 1, maxLength: 300 }), async (micros) => {
          const values = `(SELECT make_timestamptz(CAST(unnest([${micros.join(', ')}]) AS BIGINT)) AS at)`;
          const columns = [{ name: 'at', type: 'instant' as const }];
          const [lines, rows] = await engine.session(async (sql) => [
            await sql.rows<{ line: string }>(
              `SELECT ${csvLineSql(columns, dialect)} AS line FROM ${values}`,
            ),
            await sql.rows<AnswerRow>(`SELECT * FROM ${values}`),
          ]);
          expect(lines.map(({ line }) => line).join('')).toBe(csvRows(columns, rows, dialect));
        }),
        { numRuns: 12 },
      );
    });

    it('have the engine’s own text for times that no year has, and nothing for none', async () => {
      const values = ['infinity', '-infinity', '10000-01-01 00:00:00+00', null];
      const [engines, ours] = await bothOf('instant', values, dialect);
      expect(engines).toBe(ours);
    });
  },
);
