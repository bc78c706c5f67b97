import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { candidatesOf } from '../../../src/datasets/smart-meter/anomalies/candidates.ts';
import { weekBefore, WEEKS } from '../../../src/datasets/smart-meter/anomalies/features.ts';
import { WeeksRead } from '../../../src/datasets/smart-meter/anomalies/weeks-read.ts';
import type { LocalArtefact } from '../../../src/pipelines/dataset.ts';
import type { SqlSession } from '../../../src/ports/sql.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

/**
 * Ten weeks of 400 meters whose keys are hashes, of which every twentieth uses less for four weeks.
 */

const METERS = 400;

function weekSql(week: number): string {
  const drop = week < 4 ? 'CASE WHEN i % 20 = 0 THEN 0.4 ELSE 1 END' : '1';
  const use = `CAST((5000 + hash(i) % 9000) * (0.9 + (hash(i, ${week}) % 200) / 1000.0) * ${drop} AS DECIMAL(18, 1))`;
  return `SELECT hash(i, 99) AS meter_key, 'segment ' || (i % 3) AS segment, 'T' || (i // 50) AS transformer, 7::TINYINT AS days, ${use} AS use_wh,
      CAST(${use} * 0.1 AS DECIMAL(18, 1)) AS base_wh, CAST(${use} * 0.2 AS DECIMAL(18, 1)) AS evening_wh, CAST(${use} * 0.1 AS DECIMAL(18, 1)) AS night_wh,
      CAST(500 AS DECIMAL(18, 1)) AS peak_wh, 0::SMALLINT AS zeros, 0::TINYINT AS zero_days,
      [CAST(${use} AS DECIMAL(18, 5)), CAST(${use} * 1.1 AS DECIMAL(18, 5))] AS use_days
    FROM range(${METERS}) meters(i) ORDER BY meter_key`;
}

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 200, threads: 2 });
});
afterAll(() => engine.close());

/** Files whose rows nobody counted are not read into memory. */
async function open(
  sql: SqlSession,
  counted: Pick<LocalArtefact['ref'], 'rows'> = {},
): Promise<void> {
  const inputs: Record<string, LocalArtefact[]> = {};
  for (let week = 0; week < WEEKS; week += 1) {
    const file = path.join(sql.scratch, `week-${week}.parquet`);
    await sql.run(`COPY (${weekSql(week)}) TO '${file}' (FORMAT PARQUET)`);
    inputs[weekBefore('week', week)] = [
      {
        scope: '2024-03-25',
        path: file,
        ref: { key: file, sha256: '', bytes: 0, mediaType: '', ...counted },
      },
    ];
  }
  await new WeeksRead(sql).open({ scope: '2024-03-25', inputs });
}

describe('meters that lack energy', () => {
  it('are the same with the same figures, in however many ranges of keys they are looked for, and from memory as from files', async () => {
    await engine.session(async (sql) => {
      await open(sql);
      const whole = await candidatesOf(sql);
      expect(whole.length).toBeGreaterThan(METERS / 25);
      expect(whole.length).toBeLessThan(METERS / 5);
      expect(
        whole.every(({ weeks, use_days: days }) => weeks.length === WEEKS && days.length === WEEKS),
      ).toBe(true);
      // Of 4,000 rows: three ranges, which are no power of two, and eight.
      expect(await candidatesOf(sql, 1_500)).toEqual(whole);
      expect(await candidatesOf(sql, 500)).toEqual(whole);
      await open(sql, { rows: METERS });
      expect(await candidatesOf(sql)).toEqual(whole);
    });
  });
});
