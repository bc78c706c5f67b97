import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTables } from '../../../src/engine/look/compare-tables.ts';
import { definedMembers } from '../../../src/given.ts';
import type { NameRows } from '../../../src/pipelines/dataset.ts';
import { quoteText } from '../../../src/pipelines/sql-text.ts';
import type { TableDiff } from '../../../src/pipelines/version-diff.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 256, threads: 2 });
});
afterAll(() => engine.close());

/** Compares what two queries give. */
function compare(
  before: string,
  after: string,
  keyColumns?: readonly string[],
  nameRows?: NameRows,
): Promise<TableDiff> {
  return engine.session(async (sql) => {
    const [old, now] = [
      path.join(sql.scratch, 'before.parquet'),
      path.join(sql.scratch, 'after.parquet'),
    ];
    await sql.run(`COPY (${before}) TO ${quoteText(old)} (FORMAT parquet)`);
    await sql.run(`COPY (${after}) TO ${quoteText(now)} (FORMAT parquet)`);
    return compareTables(sql, {
      before: old,
      after: now,
      ...definedMembers({ keyColumns, nameRows }),
    });
  });
}

/** Hours of a day with a value in each. */
function hours(value: string, where = 'true'): string {
  return `SELECT '2024-01-15T00:00:00Z'::TIMESTAMPTZ + to_hours(h::INT) AS instant_at, ${value} AS load_mw
          FROM range(24) r(h) WHERE ${where}`;
}

describe('compareTables', () => {
  it('matches rows by their instant and counts added, removed and changed ones', async () => {
    const diff = await compare(
      hours('h * 10', 'h < 20'),
      hours('CASE h WHEN 5 THEN 70 ELSE h * 10 END', 'h > 1'),
    );
    expect(diff).toMatchObject({
      keyColumns: ['instant_at'],
      rowsBefore: 20,
      rowsAfter: 22,
      added: 4,
      removed: 2,
      changed: 1,
    });
    expect(diff.columns).toEqual([
      {
        column: 'load_mw',
        changed: 1,
        largest: {
          difference: 20,
          before: 50,
          after: 70,
          at: { instant_at: '2024-01-15T05:00:00Z' },
        },
      },
    ]);
  });

  it('names the first rows that differ, by the declared key: changed before removed before added', async () => {
    const name: NameRows = (rows) =>
      Promise.resolve(rows.map(({ instant_at }) => (instant_at as string).slice(11, 13)));
    const moved = hours('CASE WHEN h > 15 THEN -h ELSE h END', 'h > 6');
    const diff = await compare(hours('h', 'h < 18'), moved, ['instant_at'], name);
    const rows = (change: string, from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => ({
        name: String(from + at).padStart(2, '0'),
        change,
      }));
    expect(diff.named).toEqual([
      ...rows('changed', 16, 18),
      ...rows('removed', 0, 7),
      ...rows('added', 18, 24),
    ]);
    expect((await compare(hours('h'), hours('h + 1'), ['instant_at'], name)).named).toEqual(
      rows('changed', 0, 20),
    );
    expect((await compare(hours('h'), hours('h'), ['instant_at'], name)).named).toEqual([]);
  });

  it('names no rows where the declared columns do not tell them apart', async () => {
    const name: NameRows = (rows) => Promise.resolve(rows.map(() => 'wrong'));
    const diff = await compare(hours('1'), hours('2'), ['load_mw'], name);
    expect(diff).toMatchObject({ keyColumns: ['instant_at'], changed: 24 });
    expect(diff).not.toHaveProperty('named');
  });

  it('shows the largest change in either direction, exact for decimals', async () => {
    const diff = await compare(
      hours('h::DECIMAL(9, 2)'),
      hours('h::DECIMAL(9, 2) - CASE h WHEN 3 THEN 0.3 WHEN 4 THEN -0.1 ELSE 0 END'),
    );
    expect(diff.columns[0]?.largest).toMatchObject({ difference: -0.3, before: 3, after: 2.7 });
  });

  it('counts a value that became null as changed, without a difference', async () => {
    const diff = await compare(hours('h'), hours('CASE WHEN h < 3 THEN NULL ELSE h END'));
    expect(diff.columns).toEqual([{ column: 'load_mw', changed: 3, largest: null }]);
  });

  it('takes the columns that the dataset declares', async () => {
    const rows = (value: number) =>
      `SELECT * FROM (VALUES ('a', 1, ${value}), ('a', 2, 5), ('b', 1, 5)) t(arc, lane, flow)`;
    const diff = await compare(rows(4), rows(9), ['arc', 'lane']);
    expect(diff).toMatchObject({ keyColumns: ['arc', 'lane'], added: 0, removed: 0, changed: 1 });
    expect(diff.columns[0]?.largest?.at).toEqual({ arc: 'a', lane: 1 });
  });

  it('adds text columns to an instant that does not name a row alone', async () => {
    const rows = (value: number) =>
      `SELECT '2024-01-15T00:00:00Z'::TIMESTAMPTZ AS instant_at, 'n' AS nature, arc, flow
       FROM (VALUES ('a', ${value}), ('b', 2)) t(arc, flow)`;
    expect(await compare(rows(1), rows(3))).toMatchObject({ keyColumns: ['arc'], changed: 1 });
    const several = (value: number) =>
      `SELECT '2024-01-15T00:00:00Z'::TIMESTAMPTZ + to_hours(h) AS instant_at, arc, ${value} AS flow
       FROM (VALUES (0, 'a'), (0, 'b'), (1, 'a')) t(h, arc)`;
    expect(await compare(several(1), several(3))).toMatchObject({
      keyColumns: ['instant_at', 'arc'],
      changed: 3,
    });
  });

  it('reads numbers in text as numbers, because slices are text', async () => {
    const rows = (value: string) =>
      `SELECT * FROM (VALUES ('00:00', '${value}'), ('00:15', 'ND')) t(heure, consommation)`;
    const diff = await compare(rows('100'), rows('130'));
    expect(diff.columns).toEqual([
      {
        column: 'consommation',
        changed: 1,
        largest: { difference: 30, before: '100', after: '130', at: { heure: '00:00' } },
      },
    ]);
  });

  it('compares whole rows, doubles included, where nothing names a row', async () => {
    const diff = await compare('SELECT unnest([1.5, 1.5, 2]) AS x', 'SELECT unnest([1.5, 3]) AS x');
    expect(diff).toMatchObject({
      keyColumns: [],
      rowsBefore: 3,
      rowsAfter: 2,
      added: 1,
      removed: 2,
      changed: 0,
    });
  });

  it('names columns that came and went, and compares a column whose type changed by its text', async () => {
    const diff = await compare(
      "SELECT 'a' AS id, 1::INTEGER AS same, 1::INTEGER AS other, 1 AS gone",
      "SELECT 'a' AS id, 1::BIGINT AS same, 2::BIGINT AS other, 1 AS new",
    );
    expect(diff).toMatchObject({ columnsAdded: ['new'], columnsRemoved: ['gone'], changed: 1 });
    expect(diff.columns.map(({ column }) => column)).toEqual(['other']);
  });

  it('survives empty tables and quotes in names', async () => {
    const rows = (where: string) => `SELECT 'k' AS "it's ""id""" WHERE ${where}`;
    expect(await compare(rows('false'), rows('true'))).toMatchObject({
      rowsBefore: 0,
      rowsAfter: 1,
      added: 1,
      changed: 0,
    });
  });
});
