import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quoteIdentifier, quoteList, quoteText } from '../../../src/pipelines/sql-text.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 256, threads: 1 });
});
afterAll(() => engine.close());

const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
const nasty = fc.oneof(
  text,
  fc.constantFrom("'", "''", "';--", '"', '""', '\\', '\n', "'; DROP TABLE x; --", '$$', '{}', '?'),
);

describe('quoting', () => {
  it('gives back any text from the engine, alone and in a list', async () => {
    await engine.session(async (sql) => {
      await fc.assert(
        fc.asyncProperty(fc.array(nasty, { maxLength: 5 }), async (values) => {
          const [row] = await sql.rows(
            `SELECT ${quoteList(values)} AS list, ${quoteText(values[0] ?? '')} AS one`,
          );
          expect(row).toEqual({ list: values, one: values[0] ?? '' });
        }),
        { numRuns: 150 },
      );
    });
  });

  it('keeps any name of a column', async () => {
    await engine.session(async (sql) => {
      await fc.assert(
        fc.asyncProperty(
          nasty.filter((name) => name !== '' && name !== '__proto__'),
          async (name) => {
            expect(await sql.rows(`SELECT 1 AS ${quoteIdentifier(name)}`)).toEqual([{ [name]: 1 }]);
          },
        ),
        { numRuns: 150 },
      );
    });
  });

  it('refuses a NUL and an empty name', () => {
    for (const quote of [
      () => quoteText('a\0b'),
      () => quoteList(['\0']),
      () => quoteIdentifier('\0'),
      () => quoteIdentifier(''),
    ]) {
      expect(quote).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
    }
  });
});
