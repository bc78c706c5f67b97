import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { weekBefore, WEEKS } from '../../../src/datasets/smart-meter/anomalies/features.ts';
import type { Suspicion } from '../../../src/datasets/smart-meter/anomalies/suspicion.ts';
import { metricsSuspicions } from '../../../src/datasets/smart-meter/anomalies/suspicions-step.ts';
import { WeeklyScores } from '../../../src/datasets/smart-meter/anomalies/weekly-scores.ts';
import { addDays } from '../../../src/pipelines/civil-date.ts';
import type { StepUnit } from '../../../src/pipelines/dataset.ts';
import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';
import type { SqlSession } from '../../../src/ports/sql.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

/** Three Mondays of a window, each held against itself one and two weeks ago. */
const MONDAYS: readonly CivilDate[] = ['2024-04-01', '2024-04-08', '2024-04-15'];
const WEEKS_READ = WEEKS + 2;

function unitOn(scope: CivilDate, fileOf: (date: CivilDate) => string): StepUnit {
  const weeks = Array.from({ length: WEEKS_READ }, (_, week) => {
    const date = addDays(scope, -7 * week);
    const file = fileOf(date);
    const artefact = {
      scope: date,
      path: file,
      ref: { key: file, sha256: file, bytes: 0, mediaType: '', rows: 40 },
    };
    return [weekBefore('week', week), [artefact]] as const;
  });
  return { scope, inputs: Object.fromEntries(weeks) };
}

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 200, threads: 2 });
});
afterAll(() => engine.close());

describe('scores of the weeks of a window', () => {
  const one = { meter_key: '7', score: 0.5 } as Suspicion;
  const none = { meter_key: '8', score: 0 } as Suspicion;

  async function askedFor(
    units: readonly StepUnit[],
  ): Promise<{ asked: string[]; told: (number | undefined)[][] }> {
    const scores = new WeeklyScores(units);
    const asked: string[] = [];
    const told: (number | undefined)[][] = [];
    for (const unit of units) {
      const find = (ago: number) => () => {
        asked.push(addDays(unit.scope, -7 * ago));
        return Promise.resolve([one, none]);
      };
      expect(await scores.now(unit, find(0))).toEqual([one, none]);
      for (const ago of [1, 2]) {
        const found = await scores.ago(unit, ago, find(ago));
        told.push([found.get('7'), found.get('8')]);
      }
    }
    return { asked, told };
  }

  it('are worked out once for all days that ask for them', async () => {
    const { asked, told } = await askedFor(MONDAYS.map((date) => unitOn(date, (of) => of)));
    expect(asked).toEqual(['2024-04-01', '2024-03-25', '2024-03-18', '2024-04-08', '2024-04-15']);
    expect(told).toEqual(told.map(() => [0.5, undefined]));
  });

  it('are worked out again where a day reads another version of a week', async () => {
    const units = MONDAYS.map((date) =>
      unitOn(date, (of) => (date === '2024-04-15' ? `${of}, version 2` : of)),
    );
    const { asked } = await askedFor(units);
    expect(asked.slice(4)).toEqual(['2024-04-15', '2024-04-08', '2024-04-01']);
  });
});

/** The week that ended on a date: of forty meters every tenth uses less and less since March. */
function weekSql(date: CivilDate): string {
  const drop = `CASE WHEN i % 10 = 0 AND DATE '${date}' > DATE '2024-03-04' THEN 0.3 + i / 200.0 ELSE 1 END`;
  const use = `CAST((5000 + hash(i) % 9000) * (0.9 + (hash(i, '${date}') % 200) / 1000.0) * ${drop} AS DECIMAL(18, 1))`;
  return `SELECT hash(i, 99) AS meter_key, 'one' AS segment, 'T1' AS transformer, 7::TINYINT AS days, ${use} AS use_wh,
      CAST(${use} * 0.1 AS DECIMAL(18, 1)) AS base_wh, CAST(${use} * 0.2 AS DECIMAL(18, 1)) AS evening_wh, 0.0::DECIMAL(18, 1) AS night_wh,
      0.0::DECIMAL(18, 1) AS peak_wh, 0::SMALLINT AS zeros, 0::TINYINT AS zero_days,
      [CAST(${use} AS DECIMAL(18, 5))] AS use_days FROM range(40) meters(i) ORDER BY meter_key`;
}

describe('metrics/suspicions', () => {
  async function bytesOf(sql: SqlSession, units: readonly StepUnit[]): Promise<string[]> {
    if (metricsSuspicions.kind !== 'sql') throw new Error('it is a step of SQL');
    const signal = new AbortController().signal;
    const task = {
      step: 'metrics/suspicions',
      params: {},
      signal,
      progress: () => undefined,
      units,
    } as const;
    const outcomes = await metricsSuspicions.run(task, sql);
    return Promise.all(
      outcomes.map(async (outcome) => {
        if ('failure' in outcome) throw new Error(outcome.failure.message);
        expect(outcome.facts['rows']).toBeGreaterThan(0);
        const { suspicions } = outcome.outputs;
        if (suspicions === undefined || !('path' in suspicions))
          throw new Error('there is no table');
        return (await readFile(suspicions.path)).toString('hex');
      }),
    );
  }

  it('writes the same bytes for days of a window as for each day alone', async () => {
    await engine.session(async (sql) => {
      const fileOf = (date: CivilDate): string => path.join(engine.folder, `${date}.parquet`);
      for (let week = -2; week < WEEKS_READ; week += 1) {
        const date = addDays('2024-04-01', -7 * week);
        await sql.run(`COPY (${weekSql(date)}) TO '${fileOf(date)}' (FORMAT PARQUET)`);
      }
      const units = MONDAYS.map((date) => unitOn(date, fileOf));
      const together = await bytesOf(sql, units);
      for (const [index, unit] of units.entries())
        expect(await bytesOf(sql, [unit])).toEqual([together[index]]);
      expect(new Set(together).size).toBe(units.length);
    });
  });
});
