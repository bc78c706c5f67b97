import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  medianOf,
  REFERENCE_WEEKS,
  weekBefore,
  WEEKS,
} from '../../../src/datasets/smart-meter/anomalies/features.ts';
import { byWeekday, WeeksRead } from '../../../src/datasets/smart-meter/anomalies/weeks-read.ts';
import { addDays, datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { LocalArtefact, StepUnit } from '../../../src/pipelines/dataset.ts';
import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';
import type { SqlSession } from '../../../src/ports/sql.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 200, threads: 2 });
});
afterAll(() => engine.close());

const SHARDS = ['a', 'b'];
const KEPT_WEEKS = WEEKS + 2;

function fileOf(sql: SqlSession, date: CivilDate, shard: string): string {
  return path.join(sql.scratch, `${date}-${shard}.parquet`);
}

/** Twelve weeks of two shards, as a day of suspicions has them. */
function unitOn(sql: SqlSession, scope: CivilDate, rows: number): StepUnit {
  const weeks = Array.from({ length: KEPT_WEEKS }, (_, week) => {
    const date = addDays(scope, -7 * week);
    const files = SHARDS.map((shard): LocalArtefact => {
      const file = fileOf(sql, date, shard);
      return {
        scope: date,
        path: file,
        ref: { key: file, sha256: file, bytes: 0, mediaType: '', rows },
      };
    });
    return [weekBefore('week', week), files] as const;
  });
  return { scope, inputs: Object.fromEntries(weeks) };
}

async function writeWeek(sql: SqlSession, date: CivilDate): Promise<void> {
  for (const [index, shard] of SHARDS.entries())
    await sql.run(`COPY (SELECT CAST(${index} AS UBIGINT) AS meter_key, '${date}' AS segment, 'T' AS transformer, 7::TINYINT AS days,
        CAST(1 AS DECIMAL(18, 1)) AS use_wh, CAST(1 AS DECIMAL(18, 1)) AS base_wh, CAST(1 AS DECIMAL(18, 1)) AS evening_wh, 0::TINYINT AS zero_days,
        [CAST(1 AS DECIMAL(18, 5))] AS use_days) TO '${fileOf(sql, date, shard)}' (FORMAT PARQUET)`);
}

async function segments(sql: SqlSession): Promise<string[]> {
  const rows = await sql.rows<{ told: string }>(
    `SELECT w || ' ' || string_agg(segment || ' ' || meter_key, ', ' ORDER BY meter_key) AS told FROM weeks GROUP BY w ORDER BY w`,
  );
  return rows.map(({ told }) => told);
}

async function tables(sql: SqlSession): Promise<number> {
  const [found] = await sql.rows<{ n: number }>(
    `SELECT count(*) AS n FROM duckdb_tables() WHERE table_name LIKE 'week_read_%'`,
  );
  return found?.n ?? 0;
}

const asTold = (newest: CivilDate): string[] =>
  Array.from({ length: WEEKS }, (_, w) => {
    const date = addDays(newest, -7 * w);
    return `${w} ${date} 0, ${date} 1`;
  });

describe('weeks of a window', () => {
  it('are read once for all days of a weekday, and are gone when no day has them', async () => {
    await engine.session(async (sql) => {
      const days: CivilDate[] = ['2024-04-01', '2024-04-08', '2024-04-09'];
      const ends = days.flatMap((day) =>
        Array.from({ length: KEPT_WEEKS }, (_, week) => addDays(day, -7 * week)),
      );
      for (const date of new Set(ends)) await writeWeek(sql, date);
      const weeks = new WeeksRead(sql);
      for (const ago of [0, 1, 2]) {
        await weeks.open(unitOn(sql, '2024-04-01', 1), ago);
        expect(await segments(sql)).toEqual(asTold(addDays('2024-04-01', -7 * ago)));
      }
      expect(await tables(sql)).toBe(KEPT_WEEKS);
      // Without the files that were read, the next Monday finds them in memory, whatever weeks it
      // asks for.
      for (let week = 0; week < KEPT_WEEKS; week += 1)
        for (const shard of SHARDS) await rm(fileOf(sql, addDays('2024-04-01', -7 * week), shard));
      for (const ago of [2, 0, 1]) {
        await weeks.open(unitOn(sql, '2024-04-08', 1), ago);
        expect(await segments(sql)).toEqual(asTold(addDays('2024-04-08', -7 * ago)));
      }
      expect(await tables(sql)).toBe(KEPT_WEEKS);
      await weeks.open(unitOn(sql, '2024-04-09', 1));
      expect(await segments(sql)).toEqual(asTold('2024-04-09'));
      expect(await tables(sql)).toBe(WEEKS);
    });
  });

  it('of a large fleet stay in their files', async () => {
    await engine.session(async (sql) => {
      for (let week = 0; week < WEEKS; week += 1)
        await writeWeek(sql, addDays('2024-04-01', -7 * week));
      await new WeeksRead(sql).open(unitOn(sql, '2024-04-01', 1_000_000));
      expect(await segments(sql)).toEqual(asTold('2024-04-01'));
      expect(await tables(sql)).toBe(0);
    });
  });

  it('come in the order of weekdays, so that days with the same weeks follow each other', () => {
    const units = datesBetween('2024-02-26', '2024-03-12').map((scope): StepUnit => ({
      scope,
      inputs: {},
    }));
    const ordered = byWeekday(units).map(({ scope }) => scope);
    expect(ordered.toSorted()).toEqual(units.map(({ scope }) => scope));
    const gaps = ordered.slice(1).filter((scope, index) => addDays(ordered[index]!, 7) !== scope);
    expect(gaps).toHaveLength(6);
  });
});

describe('the median of few weeks', () => {
  it('is what quantile_disc tells, also where weeks or values are missing', async () => {
    await engine.session(async (sql) => {
      await sql.run(`CREATE OR REPLACE TEMP TABLE some_weeks AS SELECT meter, CASE WHEN hash(meter, w, 1) % 5 > 0 THEN CAST(hash(meter, w) % 9 / 2 AS DECIMAL(18, 1)) END AS use_wh
        FROM range(5000) meters(meter), range(${REFERENCE_WEEKS}) weeks(w) WHERE w <= meter % ${REFERENCE_WEEKS}`);
      const [found] = await sql.rows<{ groups: number; differing: number; known: number }>(
        `SELECT count(*) AS groups, count(*) FILTER (WHERE ours IS DISTINCT FROM theirs) AS differing, count(theirs) AS known
         FROM (SELECT ${medianOf('use_wh')} AS ours, CAST(quantile_disc(use_wh, 0.5) AS DOUBLE) AS theirs FROM some_weeks GROUP BY meter)`,
      );
      expect(found).toMatchObject({ groups: 5_000, differing: 0 });
      expect(found?.known).toBeGreaterThan(4_500);
    });
  });
});
