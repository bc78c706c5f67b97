import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { MODEL_CHECK } from '../../../src/datasets/smart-meter/anomalies/promote-step.ts';
import { promotionOf } from '../../../src/datasets/smart-meter/anomalies/model.ts';
import type { Model, ModelBody } from '../../../src/datasets/smart-meter/anomalies/model.ts';
import { TRAIN_COMMAND } from '../../../src/datasets/smart-meter/anomalies/train-command.ts';
import { trainModel } from '../../../src/datasets/smart-meter/anomalies/train.ts';
import { meterKey } from '../../../src/datasets/smart-meter/readings/meter-key.ts';
import type { MeterReport } from '../../../src/datasets/smart-meter/report/model.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { staleDays } from '../../../src/engine/look/stale-days.ts';
import { recordDecision } from '../../../src/engine/records/decisions.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { addDays, datesBetween } from '../../../src/pipelines/civil-date.ts';
import { unitsHeldIn } from '../../../src/pipelines/held-units.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import type { MadeMeter } from '../../fixtures/meter-files.ts';
import { TEST_SECRET, testMeters } from '../../fixtures/meters.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/** Thirty days of twelve meters, and three more; on the last one the first meter is away. */

const FIRST = '2024-01-01';
const LAST = addDays(FIRST, 29);
const [DAY, NEXT, AFTER] = [addDays(LAST, 1), addDays(LAST, 2), addDays(LAST, 3)];
const IDS = Array.from({ length: 12 }, (_, index) => `88000012${String(index).padStart(4, '0')}`);

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine([testMeters]);
  const days: Record<string, MadeMeter[]> = {};
  for (const [day, date] of datesBetween(FIRST, AFTER).entries())
    days[date] = IDS.map((id, index) => ({
      id,
      whOf: (slot) =>
        date === AFTER && index === 0 ? 1 : 100 + 9 * index + ((slot * 7 + day * 13 + index) % 40),
    }));
  const file = path.join(engine.home, 'bulk.csv');
  await writeFile(file, bulkFile(days));
  await importFile(engine, 'smart-meter', file, testControl());
  const made = await runDays(engine, 'smart-meter', datesBetween(FIRST, LAST), { offline: true });
  expect(new Set([...made.values()].map(({ verdict }) => verdict))).toEqual(new Set(['ok']));
}, 120_000);
afterAll(() => engine.close());

interface Told {
  readonly name: string;
  readonly verdict: string;
  readonly input: string;
  readonly threshold: number;
  readonly metrics: ModelBody['metrics'];
}

async function train(options: Record<string, string | true>): Promise<Told> {
  const context = testContext(engine);
  const host = hostOf(context, 'smart-meter train', 'smart-meter');
  expect(await TRAIN_COMMAND.run({ arguments: [], options }, host)).toBe('done');
  return context.terminal.values[0] as Told;
}

async function scores(date: string) {
  const host = hostOf(testContext(engine), 'test', 'smart-meter');
  return host.withTables(
    ['meter_scores'],
    (sql) =>
      sql.rows<{
        score: number;
        odd: boolean;
        type: string | null;
        severity: string | null;
        model: string;
      }>(
        `SELECT anomaly_score AS score, is_anomaly_ml AS odd, anomaly_type AS type, severity, model FROM meter_scores ORDER BY anomaly_score DESC`,
      ),
    { span: () => ({ from: date, to: date }) },
  );
}

async function reportOf(date: string): Promise<MeterReport> {
  const file = path.join(engine.home, 'store', 'processed', 'reports', `meter_report_${date}.json`);
  return JSON.parse(await readFile(file, 'utf8')) as MeterReport;
}

async function verdictOf(date: string): Promise<string> {
  return (await runDay(engine, 'smart-meter', date, { offline: true })).outcome.verdict;
}

describe('a model', () => {
  it('is the same for the same rows and seed, and another for another seed', async () => {
    const asked = { to: LAST, dryRun: true } as const;
    const [one, again, other] = [
      await train(asked),
      await train(asked),
      await train({ ...asked, seed: '7' }),
    ];
    expect(again).toEqual(one);
    expect(one.name).toMatch(/^[0-9a-f]{16}$/);
    expect(one.input).toMatch(/^[0-9a-f]{64}$/);
    expect(other.name).not.toBe(one.name);
    expect(one.metrics.map(({ method, on }) => `${method} ${on}`)).toEqual([
      ...['forest validation', 'forest test', 'Mahalanobis validation', 'Mahalanobis test'],
      ...['|z| of the day validation', '|z| of the day test'],
      ...['drop of the day validation', 'drop of the day test'],
    ]);
    await expect(train({ from: FIRST, to: addDays(FIRST, 4), dryRun: true })).rejects.toMatchObject(
      {
        code: 'INPUT_INVALID',
      },
    );
  });

  it('scores no day before there is one, comes into force by itself as the first, and by a person where nothing says that it is better', async () => {
    expect(await scores(LAST)).toEqual([]);
    const first = await train({ to: LAST });
    expect(first.verdict).toBe('promoted');
    expect(await verdictOf(DAY)).toBe('ok');
    const of = await scores(DAY);
    expect(of).toHaveLength(12);
    for (const { score, odd, model } of of)
      expect([odd, model]).toEqual([score > first.threshold, first.name]);
    const { scores: spread, compared } = (await reportOf(DAY)).changes!;
    expect(spread).toMatchObject({
      model: first.name,
      meters: 12,
      odd: of.filter(({ odd }) => odd).length,
    });
    expect(compared).toBe(12);
    expect((await reportOf(LAST)).changes).toMatchObject({ scores: null, compared: 12 });

    const second = await train({ to: LAST, seed: '7', validFrom: NEXT });
    expect(second.verdict).toBe('unclear');
    expect(await verdictOf(NEXT)).toBe('degraded');
    expect(new Set((await scores(NEXT)).map(({ model }) => model))).toEqual(new Set([first.name]));
    expect(await verdictOf(AFTER)).toBe('ok');
    const [odd] = await scores(AFTER);
    expect(odd).toMatchObject({ odd: true, type: 'low_consumption', model: first.name });
    const { changes, quality } = await reportOf(AFTER);
    expect(changes!.less[0]).toMatchObject({
      meter_key: meterKey(TEST_SECRET, IDS[0]!),
      total_kwh: 0.048,
    });
    expect(changes!.scores!.kinds).toContainEqual(
      expect.objectContaining({ type: 'low_consumption' }),
    );
    expect(quality!.failing.map(({ rule }) => rule)).toContain('no_identical_run');

    const manifest = (await newestManifests(engine.documents, 'smart-meter', [NEXT])).get(NEXT);
    const [held] = unitsHeldIn(manifest!);
    expect(held).toMatchObject({ step: 'metrics/model', check: MODEL_CHECK.id, unit: second.name });
    const { check, unit, evidence } = held!;
    await recordDecision(engine, testControl(), {
      pipeline: 'smart-meter',
      scope: NEXT,
      decision: {
        ...{ step: 'metrics/model', key: 'unused', check, unit, evidence },
        ...{
          decision: 'accept',
          reason: 'looked at',
          by: 'Ada',
          decidedAt: '2024-03-01T00:00:00Z',
        },
      },
    });
    expect(await verdictOf(NEXT)).toBe('ok');
    expect(new Set((await scores(NEXT)).map(({ model }) => model))).toEqual(new Set([second.name]));
    const { days: stale } = await staleDays(engine, 'smart-meter', [DAY, AFTER]);
    expect(stale.map(({ date }) => date)).toEqual([AFTER]);
  }, 60_000);

  it('stays as it is when a day that it was trained on, or scores, is restated: nothing trains by itself', async () => {
    const models = () =>
      hostOf(testContext(engine), 'test', 'smart-meter').withTables(['meter_models'], (sql) =>
        sql.rows<{ name: string; artefact: string }>(
          'SELECT name, artefact FROM meter_models ORDER BY name',
        ),
      );
    const [known, before] = [await models(), await scores(DAY)];
    const file = path.join(engine.home, 'late.csv');
    const rows = [LAST, DAY].map((date) => `${IDS[5]},${date}T12:00:00+01:00,5000,CORRIGE\n`);
    await writeFile(file, `meter_id,start_at,wh,revision\n${rows.join('')}`);
    await importFile(engine, 'smart-meter', file, testControl());
    for (const date of [LAST, DAY]) expect(await verdictOf(date)).toBe('ok');
    expect(await models()).toEqual(known);
    const after = await scores(DAY);
    expect(new Set(after.map(({ model }) => model))).toEqual(
      new Set(before.map(({ model }) => model)),
    );
    expect(after.map(({ score }) => score)).not.toEqual(before.map(({ score }) => score));
  });

  it('that was changed after it was trained is refused', async () => {
    const file = path.join(engine.home, 'model.json');
    await train({ to: LAST, dryRun: true, output: file });
    const model = JSON.parse(await readFile(file, 'utf8')) as Model;
    await writeFile(file, JSON.stringify({ ...model, threshold: model.threshold + 0.1 }));
    await expect(importFile(engine, 'smart-meter', file, testControl())).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});

describe('the rule of promotion', () => {
  /** Ten days of forty meters; rows of odd meters are far off from the fifth day on. */
  function trained(more: { readonly shift?: number; readonly champion?: Model } = {}): ModelBody {
    const rows = 400;
    const isOdd = (row: number): boolean => row % 23 === 0;
    const value = (row: number, column: number): number =>
      Math.sin(row * (column + 1.7)) + (isOdd(row) ? 6 : 0) + (row >= 240 ? (more.shift ?? 0) : 0);
    return trainModel(
      {
        dates: datesBetween('2024-01-01', '2024-01-10'),
        day: Int32Array.from({ length: rows }, (_, row) => Math.floor(row / 40)),
        kept: Uint8Array.from({ length: rows }, (_, row) => (row % 5 === 0 ? 1 : 0)),
        truth: Uint8Array.from({ length: rows }, (_, row) => (isOdd(row) ? 1 : 0)),
        columns: Object.fromEntries(
          ['use', 'base', 'day_z'].map((name, column) => [
            name,
            Float32Array.from({ length: rows }, (_, row) => value(row, column)),
          ]),
        ),
        hash: 'rows',
      },
      { features: ['use', 'base'], seed: 1, validFrom: '2024-01-11', champion: more.champion },
    );
  }

  it('takes what is about as good as the model in force, judged on the same later days', () => {
    const first = trained();
    expect(first.days).toEqual({
      train: { from: '2024-01-01', to: '2024-01-06' },
      validation: { from: '2024-01-07', to: '2024-01-08' },
      test: { from: '2024-01-09', to: '2024-01-10' },
    });
    expect(promotionOf(first).verdict).toBe('promoted');
    const second = trained({ champion: { ...first, name: 'first' } });
    expect(second.champion).toEqual({ name: 'first', ap: first.metrics[0]!.judged!.ap });
    expect(promotionOf(second).verdict).toBe('promoted');
    expect(
      promotionOf({ ...second, champion: { name: 'first', ap: second.champion!.ap! + 0.03 } })
        .verdict,
    ).toBe('refused');
    expect(promotionOf({ ...second, champion: { name: 'first', ap: null } }).verdict).toBe(
      'unclear',
    );
  });

  it('knows that the days of the validation are others than those of the training', () => {
    expect(trained({ shift: 3 }).psi).toBeGreaterThan(trained().psi + 1);
  });
});
