import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetDay } from '../../../src/datasets/smart-meter/marts/day.ts';
import type { LocalArtefact, StepUnit } from '../../../src/pipelines/dataset.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { dayUnit, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import type { Done, StepRunner } from '../../fixtures/step-runner.ts';

/**
 * Twenty meters in two segments, and suspicions of three of them as `metrics/suspicions` writes
 * them.
 */

const DAY = '2024-01-15';
let runner: StepRunner;
let made: Readonly<Record<string, Done>>;

beforeAll(async () => {
  runner = await openStepRunner(testMeters);
  const ids = Array.from({ length: 20 }, (_, index) => `M${index}`);
  const readings = bulkFile({ [DAY]: ids.map((id) => ({ id, whOf: () => 100 })) });
  const list = ids.map((id, index) => `${id},2024-01-01,${index < 10 ? 'home' : 'shop'},T1\n`);
  const days = await runner.days(
    [
      { part: 'readings', path: await runner.file('bulk.csv', readings) },
      {
        part: 'meters',
        path: await runner.file(
          'm.csv',
          `meter_id,valid_from,segment,transformer\n${list.join('')}`,
        ),
      },
      {
        part: 'injected',
        path: await runner.file('i.csv', `transformer,date,injected_wh\nT1,${DAY},110000\n`),
      },
    ],
    [DAY],
    'metrics/daily',
  );
  made = days.get(DAY)!;
});
afterAll(() => runner.close());

const OPEN = [
  // Told, of two segments; 500 Wh too much is no loss; not yet told; without a balance.
  { segment: 'home', lasting: 0.6, confirmed: 0.9, missing_wh_per_day: 3_000 },
  { segment: 'home', lasting: 0.6, confirmed: 0.9, missing_wh_per_day: -500 },
  { segment: 'shop', lasting: 0.15, confirmed: 0.4, missing_wh_per_day: 1_250 },
  { segment: 'shop', lasting: 0.14, confirmed: 0.9, missing_wh_per_day: 9_000 },
  { segment: 'shop', lasting: 0.6, confirmed: null, missing_wh_per_day: 9_000 },
];

async function suspicionsOf(rows: readonly (typeof OPEN)[number][]): Promise<LocalArtefact> {
  const all = rows.map(
    ({ segment, lasting, confirmed, missing_wh_per_day: missing }, key) =>
      `(${key}, '${segment}', ${lasting}, ${confirmed ?? 'NULL'}, ${missing})`,
  );
  const path = await runner.file('suspicions.parquet', '');
  await runner.sql((sql) =>
    sql.run(`COPY (SELECT CAST(k AS UBIGINT) AS meter_key, segment, 'T1' AS transformer, 'all_day' AS shape, 0.5 AS score,
      CAST(l AS DOUBLE) AS lasting, true AS isNew, CAST(c AS DOUBLE) AS confirmed, CAST(m AS BIGINT) AS missing_wh_per_day,
      0.5 AS use_ratio, 0.5 AS base_ratio, 1.0 AS evening_ratio, 0 AS zero_days
      FROM (VALUES ${[...all, `(99, 'home', 0, NULL, 0)`].join(', ')}) AS s(k, segment, l, c, m) WHERE k <> 99)
      TO '${path}' (FORMAT PARQUET)`),
  );
  return { scope: DAY, path, ref: { key: 'test/suspicions', sha256: '', bytes: 0, mediaType: '' } };
}

async function dayWith(more: StepUnit['inputs']): Promise<Done> {
  const of = (step: string, output: string): LocalArtefact[] => [made[step]!.outputs[output]!];
  const inputs = {
    ...{ daily: of('metrics/daily', 'daily'), slots: of('metrics/daily', 'slots') },
    ...{ buckets: of('metrics/daily', 'buckets'), meters: of('download/meters', 'slice') },
    ...more,
  };
  const [done] = await runner.step('metrics/day', [dayUnit(DAY, inputs)]);
  return done!;
}

const injected = (): LocalArtefact[] => [made['download/injected']!.outputs['slice']!];

async function estimates(more: StepUnit['inputs']) {
  const { metrics } = await readOutput<FleetDay>(await dayWith(more), 'fleet');
  return metrics.map((row) => [row.segment, row.total_loss_estimate_kwh, row.loss_estimate_absent]);
}

describe('the estimate of losses', () => {
  it('adds up what meters under an open suspicion lack, by group', async () => {
    expect(
      await estimates({ injected: injected(), suspicions: [await suspicionsOf(OPEN)] }),
    ).toEqual([
      ['fleet', 4.25, null],
      ['home', 3, null],
      ['shop', 1.25, null],
    ]);
  });

  it('is missing, with the reason, where a series or a suspicion is', async () => {
    const all = (reason: string) => ['fleet', 'home', 'shop'].map((group) => [group, null, reason]);
    const suspicions = [await suspicionsOf(OPEN)];
    expect(await estimates({ suspicions })).toEqual(all('no_injected'));
    expect(await estimates({ injected: injected() })).toEqual(all('not_judged'));
    expect(await estimates({ injected: injected(), suspicions: [await suspicionsOf([])] })).toEqual(
      all('no_open_suspicion'),
    );
  });

  it('stands in the CSV of the day, with the reason in a column of its own', async () => {
    const done = await dayWith({
      injected: injected(),
      suspicions: [await suspicionsOf(OPEN.slice(0, 1))],
    });
    const [report] = await runner.step('report/daily', [
      dayUnit(DAY, { fleet: [done.outputs['fleet']!] }),
    ]);
    const csv = await runner.sql((sql) =>
      sql.rows<{ segment: string; kwh: number | null; absent: string | null }>(
        `SELECT segment, total_loss_estimate_kwh AS kwh, loss_estimate_absent AS absent
         FROM read_csv('${report!.outputs['csv']!.path}', delim = ';', header = true)`,
      ),
    );
    expect(csv).toEqual([
      { segment: 'fleet', kwh: 3, absent: null },
      { segment: 'home', kwh: 3, absent: null },
      { segment: 'shop', kwh: null, absent: 'no_open_suspicion' },
    ]);
  });
});
