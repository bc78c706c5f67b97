import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resolveDay } from '../../../src/engine/plan/resolve-plan.ts';
import { newestManifests, readLedger } from '../../../src/engine/records/ledger-reader.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { definePipeline } from '../../../src/pipelines/define-pipeline.ts';
import { shardOf, shardName } from '../../../src/pipelines/shard.ts';
import type { StepId } from '../../../src/pipelines/vocabulary.ts';
import { runDay, runDays, settleDerived } from '../../fixtures/run-day.ts';
import { shardedDataset } from '../../fixtures/sharded-dataset.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const SHARDS = 8;
const DAY = '2024-01-15';
/** 11:00 in Paris on that day. */
const HOUR = 11;
const OF_HOUR = shardName<StepId>('transform/readings', shardOf('10', SHARDS));

let publisher: TinyPublisher;
let engine: TestEngine;

beforeAll(async () => {
  publisher = await startTinyPublisher([]);
});

afterAll(async () => {
  await publisher.close();
});

beforeEach(async () => {
  for (const date of ['2024-01-14', DAY, '2024-01-16']) publisher.publish(date);
  engine = await openTestEngine([
    shardedDataset({ shards: SHARDS, baseUrl: publisher.url, freshForMinutes: 0 }),
  ]);
  return () => engine.close();
});

function ran(run: Awaited<ReturnType<typeof runDay>>): string[] {
  return Object.entries(run.state).flatMap(([id, state]) =>
    state.state === 'done' && state.how === 'ran' ? [id] : [],
  );
}

/** The shards of `transform/readings` that have rows. */
async function withRows(): Promise<string[]> {
  const { steps } = await manifestOf(DAY);
  const done = Object.entries(steps).flatMap(([id, { state }]) => (state === 'done' ? [id] : []));
  return done.filter((id) => id.startsWith('transform/readings.'));
}

async function manifestOf(date: string) {
  const manifest = (await newestManifests(engine.documents, 'sharded', [date])).get(date);
  if (manifest === undefined) throw new Error(`${date} has no manifest`);
  return manifest;
}

describe('a step in shards', () => {
  it('has a key, a ledger entry and a place in the manifest for each shard with rows', async () => {
    const run = await runDay(engine, 'sharded', DAY);
    expect(run.outcome.verdict).toBe('ok');
    const { steps, facts } = await manifestOf(DAY);
    const shards = Object.entries(steps).filter(([id]) => id.startsWith('transform/readings.'));
    expect(shards).toHaveLength(SHARDS);
    const done = shards.flatMap(([, state]) => (state.state === 'done' ? [state.key] : []));
    expect(new Set(done).size).toBe(facts['shards']);
    const entries = (await readLedger(engine.documents, 'sharded', [DAY])).get(DAY) ?? [];
    expect(entries.filter(({ step }) => step.startsWith('transform/readings.'))).toHaveLength(
      done.length,
    );
  });

  it('gives what the same step gives without shards', async () => {
    await runDay(engine, 'sharded', DAY);
    const whole = engine.withDatasets([tinyDataset({ name: 'whole', baseUrl: publisher.url })]);
    await runDay(whole, 'whole', DAY);
    const bytesOf = async (pipeline: string) => {
      const manifest = (await newestManifests(engine.documents, pipeline, [DAY])).get(DAY);
      const state = manifest?.steps['metrics/day'];
      return state?.state === 'done' ? state.outputs['metrics']?.sha256 : undefined;
    };
    expect(await bytesOf('sharded')).toBe(await bytesOf('whole'));
  });

  it('runs one shard, and what gathers it, after one unit was corrected; the plan says so before', async () => {
    await runDay(engine, 'sharded', DAY);
    publisher.publish(DAY, { hours: { [HOUR]: 7 } });
    const asked = await runDay(engine, 'sharded', DAY, { recheck: true });
    expect(ran(asked).filter((id) => id.startsWith('transform/'))).toEqual([OF_HOUR]);
    expect(ran(asked)).toEqual(
      expect.arrayContaining(['metrics/day', 'metrics/comparison', 'report/day']),
    );
    expect((await manifestOf(DAY)).changed.filter((id) => id.startsWith('transform/'))).toEqual([
      OF_HOUR,
    ]);
  });

  it('stops where nothing changed: a correction to what it was is found in the ledger', async () => {
    await runDay(engine, 'sharded', DAY);
    publisher.publish(DAY, { hours: { [HOUR]: 7 } });
    await runDay(engine, 'sharded', DAY, { recheck: true });
    publisher.publish(DAY);
    const back = await runDay(engine, 'sharded', DAY, { recheck: true });
    expect(ran(back)).toEqual(['download/readings']);
    expect(back.version).toBe(3);
  });

  it('is up to date when nothing changed, also with shards that have no rows', async () => {
    const many = engine.withDatasets([
      shardedDataset({ name: 'many', shards: 20, baseUrl: publisher.url, freshForMinutes: null }),
    ]);
    await runDay(many, 'many', DAY);
    const again = await resolveDay(many, { pipeline: 'many', dates: [DAY], options: {} });
    expect(
      again.plan.steps.filter(({ action }) => action === 'run' || action === 'recheck'),
    ).toEqual([]);
    expect(again.plan.upToDate).toBe(true);
    expect(again.plan.steps.some(({ action }) => action === 'skip')).toBe(true);
  });

  it('is forced as a whole by the name of its step, and alone by its own', async () => {
    await runDay(engine, 'sharded', DAY);
    const planned = async (fromStep: StepId) => {
      const { plan } = await resolveDay(engine, {
        pipeline: 'sharded',
        dates: [DAY],
        options: { fromStep, offline: true },
      });
      return plan.steps.flatMap(({ step, reason }) => (reason === 'asked for' ? [step] : []));
    };
    expect(await planned('transform/readings')).toEqual(await withRows());
    expect(await planned(OF_HOUR)).toEqual([OF_HOUR]);
  });

  it('fails alone: the others are kept, and the next run makes the failed one', async () => {
    publisher.publish(DAY, { hours: { [HOUR]: 500_000 } });
    const strict = engine.withDatasets([
      shardedDataset({
        shards: SHARDS,
        baseUrl: publisher.url,
        failAbove: 400_000,
        freshForMinutes: 0,
      }),
    ]);
    const failed = await runDay(strict, 'sharded', DAY);
    expect(failed.outcome).toMatchObject({
      verdict: 'failed',
      failure: { step: OF_HOUR, code: 'DATA_CHECK_FAILED' },
    });
    const shards = Object.entries(failed.state).filter(([id]) =>
      id.startsWith('transform/readings.'),
    );
    expect(shards.flatMap(([id, { state }]) => (state === 'failed' ? [id] : []))).toEqual([
      OF_HOUR,
    ]);
    expect(shards.filter(([, { state }]) => state === 'done').length).toBeGreaterThan(SHARDS / 2);
    publisher.publish(DAY);
    const mended = await runDay(strict, 'sharded', DAY);
    expect(ran(mended).filter((id) => id.startsWith('transform/'))).toEqual([OF_HOUR]);
    expect(mended.outcome.verdict).toBe('ok');
  });

  it('degrades the day when it may be missing, and is gathered without the shard', async () => {
    publisher.publish(DAY, { hours: { [HOUR]: 500_000 } });
    const lenient = engine.withDatasets([
      shardedDataset({
        shards: SHARDS,
        baseUrl: publisher.url,
        failAbove: 400_000,
        isOptional: true,
      }),
    ]);
    const run = await runDay(lenient, 'sharded', DAY);
    expect(run.outcome.verdict).toBe('degraded');
    const { facts, steps } = await manifestOf(DAY);
    expect(steps[OF_HOUR]).toMatchObject({ state: 'failed' });
    expect(Number(facts['coverage'])).toBeLessThan(1);
  });

  it('is made for many days at once with the bytes of a single day, and gathered by periods', async () => {
    const dates = ['2024-01-14', DAY, '2024-01-16'];
    await runDays(engine, 'sharded', dates);
    await settleDerived(engine, 'sharded', dates);
    const together = (await manifestOf(DAY)).steps[OF_HOUR];
    const month = await manifestOf('2024-01');
    expect(month.facts['rows']).toBe(72);
    const alone = await openTestEngine([
      shardedDataset({ shards: SHARDS, baseUrl: publisher.url }),
    ]);
    try {
      await runDay(alone, 'sharded', DAY);
      const single = (await newestManifests(alone.documents, 'sharded', [DAY])).get(DAY)?.steps[
        OF_HOUR
      ];
      expect(single).toEqual(together);
    } finally {
      await alone.close();
    }
  });

  it('is verified shard by shard, and a damaged one is named', async () => {
    await runDay(engine, 'sharded', DAY);
    const sound = await verifyDays(engine, testControl(), { pipeline: 'sharded', dates: [DAY] });
    expect(sound.days.map(({ result }) => result)).toEqual(['identical']);
    const state = (await manifestOf(DAY)).steps[OF_HOUR];
    const key = state?.state === 'done' ? (state.outputs['core']?.key ?? '') : '';
    expect(key).toContain('/shard=');
    await engine.objects.delete(key);
    const { days } = await verifyDays(engine, testControl(), { pipeline: 'sharded', dates: [DAY] });
    const wrong = days.flatMap(({ steps }) => steps.filter(({ result }) => result !== 'identical'));
    expect(wrong.map(({ step }) => step)).toContain(OF_HOUR);
    const mended = await runDay(engine, 'sharded', DAY, { offline: true });
    expect(ran(mended).filter((id) => id.startsWith('transform/'))).toEqual([OF_HOUR]);
  });
});

describe('definePipeline', () => {
  const { definition } = tinyDataset();
  const withShards = (id: string, change: object) =>
    definePipeline({
      ...definition,
      steps: definition.steps.map((step) => (step.id === id ? { ...step, ...change } : step)),
    });

  it('refuses shards that cannot be', () => {
    expect(() => withShards('transform/readings', { shards: 1 })).toThrow(
      'comes in 1 shards; from 2 to 256',
    );
    expect(() => withShards('report/day', { shards: 4 })).toThrow(
      'published without {shard} in its name',
    );
    expect(() => withShards('download/readings', { shards: 4 })).toThrow(
      'says itself in how many shards',
    );
    expect(() => withShards('transform/readings', { shards: 4 })).toThrow(
      'name a step that gathers them',
    );
  });

  it('writes shards out once: what it returns can be defined again', () => {
    const { definition: sharded } = shardedDataset({ shards: 4 });
    expect(definePipeline(sharded)).toEqual(sharded);
  });
});
