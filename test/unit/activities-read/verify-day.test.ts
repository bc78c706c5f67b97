import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { datesBetween, datesOfMonth } from '../../../src/pipelines/civil-date.ts';
import type { StepTask, UnitOutcome } from '../../../src/pipelines/dataset.ts';
import { LEDGER_TABLE, ledgerKey, scopePartition } from '../../../src/pipelines/ledger.ts';
import type { LedgerEntry } from '../../../src/pipelines/ledger.ts';
import { MANIFEST_TABLE } from '../../../src/pipelines/manifest.ts';
import type { DoneStep } from '../../../src/pipelines/verification.ts';
import { VERIFICATION_TABLE } from '../../../src/pipelines/verification.ts';
import type { Verification } from '../../../src/pipelines/verification.ts';
import type { StepId } from '../../../src/pipelines/vocabulary.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATE = '2024-03-05';

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-02-25', '2024-03-31'));
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

async function verifyOne(by: TestEngine = engine, date = DATE): Promise<Verification> {
  const { days } = await verifyDays(by, testControl(), { pipeline: 'tiny', dates: [date] });
  return days[0]!;
}

/** The findings of every step that is not identical. */
function findings({ steps }: Verification): Record<string, readonly string[]> {
  return Object.fromEntries(
    steps.flatMap((step) => (step.result === 'identical' ? [] : [[step.step, step.findings]])),
  );
}

async function doneStep(step: StepId): Promise<DoneStep> {
  const manifest = (await readVersions(engine, 'tiny', DATE)).at(-1);
  const state = manifest?.steps[step];
  if (state?.state !== 'done') throw new Error(`${step} is not done`);
  return state;
}

async function documentsIn(table: string): Promise<unknown[]> {
  const found: unknown[] = [];
  const query = engine.documents.query({ table, partition: scopePartition('tiny', DATE) });
  for await (const { body } of query) found.push(body);
  return found;
}

async function objectKeys(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key, etag } of engine.objects.list('')) keys.push(`${key} ${etag}`);
  return keys;
}

/** The engine with other code for one step, under the same version. */
function withStep(step: StepId, run: (task: StepTask) => readonly UnitOutcome[]): TestEngine {
  const dataset = tinyDataset({ baseUrl: publisher.url });
  const implementation = {
    kind: 'plain' as const,
    run: (task: StepTask) => Promise.resolve(run(task)),
  };
  return engine.withDatasets([{ ...dataset, steps: { ...dataset.steps, [step]: implementation } }]);
}

describe('verifyDays', () => {
  it('finds a day identical, every step and output of it', async () => {
    await runDay(engine, 'tiny', DATE);
    const day = await verifyOne();
    expect(day).toMatchObject({ scope: DATE, version: 1, result: 'identical' });
    expect(day.steps.map(({ step }) => step)).toEqual([
      'download/readings',
      'download/forecast',
      'transform/readings',
      'metrics/day',
      'metrics/comparison',
      'report/day',
      'report/page',
    ]);
    for (const { outputs } of day.steps) {
      for (const { recorded, rebuilt, stored } of outputs) {
        expect(rebuilt).toEqual(recorded);
        expect(stored).toBe('intact');
      }
    }
  });

  it('writes its verification and nothing else', async () => {
    await runDay(engine, 'tiny', DATE);
    const before = [
      await objectKeys(),
      await documentsIn(LEDGER_TABLE),
      await documentsIn(MANIFEST_TABLE),
    ];
    const day = await verifyOne();
    expect([
      await objectKeys(),
      await documentsIn(LEDGER_TABLE),
      await documentsIn(MANIFEST_TABLE),
    ]).toEqual(before);
    expect(await documentsIn(VERIFICATION_TABLE)).toEqual([day]);
  });

  it('rebuilds days of a window, over months and both clock changes, each by itself', async () => {
    publisher.publish('2024-10-27');
    const dates = [...datesBetween('2024-02-25', '2024-03-31'), '2024-10-27'];
    await runDays(engine, 'tiny', dates);
    const told: string[] = [];
    const { days, absent } = await verifyDays(engine, testControl(), {
      pipeline: 'tiny',
      dates: [...dates, '2024-10-28'],
      onDay: ({ scope }) => void told.push(scope),
    });
    expect(days.map(({ scope }) => scope)).toEqual(dates);
    expect(days.filter(({ result }) => result !== 'identical')).toEqual([]);
    expect(told.sort()).toEqual(dates);
    expect(absent).toEqual(['2024-10-28']);
  });

  it('uses the version of the day before that was compared with, not its newest', async () => {
    await runDays(engine, 'tiny', ['2024-03-04', DATE]);
    publisher.publish('2024-03-04', { add: 7 });
    await runDay(engine, 'tiny', '2024-03-04', { recheck: true });
    expect(await verifyOne()).toMatchObject({ version: 1, result: 'identical' });
  });

  it('verifies a day whose parts came in files of different requests', async () => {
    await runDays(engine, 'tiny', datesOfMonth('2024-03'));
    publisher.publish(DATE, { add: 1 });
    await runDay(engine, 'tiny', DATE, { recheck: true });
    const day = await verifyOne();
    expect(day).toMatchObject({ version: 2, result: 'identical' });
    const origins = (await readVersions(engine, 'tiny', DATE))[1]?.origins.map(
      ({ raw }) => raw.key.split('/')[3],
    );
    expect(origins).toEqual(['2024-03-05_2024-03-05', '2024-03-01_2024-03-31']);
  });

  it('finds the one step whose code gives other bytes under the same version', async () => {
    await runDay(engine, 'tiny', DATE);
    const drifted = engine.withDatasets([tinyDataset({ baseUrl: publisher.url, drift: 1 })]);
    const day = await verifyOne(drifted);
    expect(day.result).toBe('different');
    expect(findings(day)).toEqual({
      'metrics/day': ['metrics: rebuilt bytes differ (86 bytes each)'],
    });
  });

  it('rebuilds with the recorded parameters, so that a changed threshold is no difference', async () => {
    await runDay(engine, 'tiny', DATE);
    const stricter = engine.withDatasets([tinyDataset({ baseUrl: publisher.url, failAbove: 10 })]);
    expect(await verifyOne(stricter)).toMatchObject({ result: 'identical' });
  });

  it('finds damaged and missing objects although the step can be rebuilt', async () => {
    await runDay(engine, 'tiny', DATE);
    const core = (await doneStep('transform/readings')).outputs['core']!;
    await writeFile(path.join(engine.home, 'store', core.key), Buffer.alloc(core.bytes));
    const csv = (await doneStep('report/day')).outputs['csv']!;
    await engine.objects.delete(csv.key);
    const day = await verifyOne();
    expect(day.result).toBe('different');
    expect(findings(day)).toMatchObject({
      'transform/readings': ['core: the stored bytes no longer match their hash'],
      'report/day': [
        'csv: is missing in the store',
        expect.stringMatching(/^an input is not readable: .*date=2024-03-05/),
      ],
      'report/page': [expect.stringMatching(/^an input is not readable: .*missing/)],
    });
  });

  it('cannot rebuild a slice whose raw file is gone, and rebuilds the rest', async () => {
    await runDay(engine, 'tiny', DATE);
    const [manifest] = await readVersions(engine, 'tiny', DATE);
    await engine.objects.delete(manifest!.origins[0]!.raw.key);
    const day = await verifyOne();
    expect(day.result).toBe('not_rebuildable');
    expect(findings(day)).toEqual({
      'download/readings': [
        expect.stringMatching(
          /^its raw file raw\/tiny\/readings\/.* is missing in the store; only its publisher can give it again: quotidien run tiny .* --from-step download\/readings$/,
        ),
      ],
    });
  });

  it('rebuilds a day from the raw file that backs it now, when the first one is gone', async () => {
    await runDay(engine, 'tiny', DATE);
    const [manifest] = await readVersions(engine, 'tiny', DATE);
    for (const { raw } of manifest!.origins) await engine.objects.delete(raw.key);
    await runDays(engine, 'tiny', ['2024-03-04', DATE], { recheck: true });
    expect(await verifyOne()).toMatchObject({ result: 'identical' });
  });

  it('does not hold a step of another version against this code', async () => {
    await runDay(engine, 'tiny', DATE);
    const raised = engine.withDatasets([
      tinyDataset({ baseUrl: publisher.url, transformVersion: 2 }),
    ]);
    const day = await verifyOne(raised);
    expect(day.result).toBe('not_rebuildable');
    expect(findings(day)).toEqual({
      'transform/readings': ['was made by step version 1, this code has version 2'],
    });
  });

  it('reports a step that no longer runs as a difference', async () => {
    await runDay(engine, 'tiny', DATE);
    const broken = withStep('metrics/day', () => {
      throw new Error('boom');
    });
    const day = await verifyOne(broken);
    expect(findings(day)).toEqual({ 'metrics/day': ['fails now, INTERNAL: boom'] });
  });

  it('executes each day of a set alone when one of them breaks it', async () => {
    const dates = datesBetween('2024-03-01', '2024-03-05');
    await runDays(engine, 'tiny', dates);
    const page = (scope: string) => ({
      scope,
      outputs: { page: { bytes: Buffer.from(scope) } },
      checks: [],
      facts: {},
    });
    const whole = withStep('report/page', ({ units }) => units.map(({ scope }) => page(scope)));
    for (const date of dates) await runDay(whole, 'tiny', date);
    const brokenByOne = withStep('report/page', ({ units }) => {
      if (units.some(({ scope }) => scope === '2024-03-03')) throw new Error('boom');
      return units.map(({ scope }) => page(scope));
    });
    const { days } = await verifyDays(brokenByOne, testControl(), { pipeline: 'tiny', dates });
    expect(days.filter(({ result }) => result !== 'identical').map(({ scope }) => scope)).toEqual([
      '2024-03-03',
    ]);
  });

  it('finds bytes that depend on which other days they are made with', async () => {
    const dependent = withStep('report/page', ({ units }) =>
      units.map(({ scope }) => ({
        scope,
        outputs: { page: { bytes: Buffer.from(`one of ${units.length}`) } },
        checks: [],
        facts: {},
      })),
    );
    const dates = ['2024-03-01', '2024-03-02'];
    for (const date of dates) await runDay(dependent, 'tiny', date);
    const { days } = await verifyDays(dependent, testControl(), { pipeline: 'tiny', dates });
    expect(days.map(({ result }) => result)).toEqual(['different', 'different']);
    expect(await verifyOne(dependent, '2024-03-01')).toMatchObject({ result: 'identical' });
  });

  it('finds an altered ledger entry by its key', async () => {
    await runDay(engine, 'tiny', DATE);
    const { key } = await doneStep('metrics/comparison');
    const place = ledgerKey('tiny', DATE, 'metrics/comparison', key);
    const entry = (await engine.documents.get<LedgerEntry>(place))!.body;
    await engine.documents.put(place, { ...entry, params: { altered: true } });
    expect(findings(await verifyOne())).toEqual({
      'metrics/comparison': [
        'its key is not the hash of its recorded version, parameters and inputs',
      ],
    });
  });

  it('finds facts that differ, because reports are made from them', async () => {
    await runDay(engine, 'tiny', DATE);
    const { key } = await doneStep('download/readings');
    const place = ledgerKey('tiny', DATE, 'download/readings', key);
    const entry = (await engine.documents.get<LedgerEntry>(place))!.body;
    await engine.documents.put(place, { ...entry, facts: { ...entry.facts, rows: 23 } });
    expect(findings(await verifyOne())).toEqual({ 'download/readings': ['its facts differ'] });
  });

  it('says so when a ledger entry is gone', async () => {
    await runDay(engine, 'tiny', DATE);
    const { key } = await doneStep('report/page');
    await engine.documents.delete(ledgerKey('tiny', DATE, 'report/page', key));
    const day = await verifyOne();
    expect(day.result).toBe('different');
    expect(findings(day)).toEqual({
      'report/page': ['its ledger entry is gone', 'nothing says what it was made from'],
    });
  });

  it('leaves out steps that failed or were skipped', async () => {
    publisher.refuse('forecast', 404);
    await runDay(engine, 'tiny', DATE);
    const day = await verifyOne();
    expect(day.result).toBe('identical');
    expect(day.steps.map(({ step }) => step)).not.toContain('download/forecast');
  });

  it('ends when it is cancelled', async () => {
    await runDay(engine, 'tiny', DATE);
    const cancelled = testControl(AbortSignal.abort(new Error('cancelled')));
    const work = verifyDays(engine, cancelled, { pipeline: 'tiny', dates: [DATE] });
    await expect(work).rejects.toThrow('cancelled');
  });
});
