import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { dayResult, decideUnit, startDay } from '../../src/cli/temporal/runs.ts';
import type { DayState } from '../../src/pipelines/execution.ts';
import { shardName, shardOf } from '../../src/pipelines/shard.ts';
import type { StepId } from '../../src/pipelines/vocabulary.ts';
import type { DayInput } from '../../src/workflows/day-contract.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { shardedDataset } from '../fixtures/sharded-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

const SHARDS = 12;
const DAY = '2024-01-15';
/** 11:00 in Paris, 10:00 UTC. */
const HOUR = 11;
const OF_HOUR = shardName<StepId>('transform/readings', shardOf('10', SHARDS));

let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher([DAY, '2024-01-16']);
  installation = await openInstallation({
    datasets: {
      sharded: shardedDataset({
        shards: SHARDS,
        baseUrl: publisher.url,
        holdAbove: 9_000,
        freshForMinutes: 0,
      }),
      units: shardedDataset({
        name: 'units',
        shards: SHARDS,
        baseUrl: publisher.url,
        holdUnitsAbove: 9_000,
      }),
    },
  });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

function start(date: string, input: Partial<DayInput> = {}) {
  return startDay(installation.target, { pipeline: 'sharded', date, ...input });
}

function shardsIn(ids: readonly string[]): string[] {
  return ids.filter((id) => id.startsWith('transform/readings.'));
}

describe('a day in shards', () => {
  it('runs each shard with rows as an activity of its own, and one of them after one unit was corrected', async () => {
    const first = await start(DAY);
    const made = await dayResult(first);
    const ran = shardsIn(made.ran);
    expect(made.verdict).toBe('ok');
    expect(ran.length).toBeGreaterThan(SHARDS / 2);
    const { events = [] } = await first.fetchHistory();
    const scheduled = (events ?? []).filter(
      ({ activityTaskScheduledEventAttributes: asked }) =>
        asked?.activityType?.name === 'transform',
    );
    expect(scheduled).toHaveLength(ran.length);
    publisher.publish(DAY, { hours: { [HOUR]: 7 } });
    const corrected = await dayResult(await start(DAY, { recheck: true }));
    expect(shardsIn(corrected.ran)).toEqual([OF_HOUR]);
    expect(corrected.version).toBe(2);
  });

  it('goes on with the other shards while one is held, and runs what gathers them after the decision', async () => {
    const date = '2024-01-16';
    publisher.publish(date, { hours: { [HOUR]: 50_000 } });
    const handle = await start(date);
    await vi.waitFor(
      async () => {
        const state = await handle.query<DayState>('progress');
        const done = shardsIn(Object.keys(state)).filter(
          (id) => state[id as StepId]?.state === 'done',
        );
        const skipped = shardsIn(Object.keys(state)).filter(
          (id) => state[id as StepId]?.state === 'skipped',
        );
        expect(done.length + skipped.length).toBe(SHARDS - 1);
        expect(await handle.query('waits')).toMatchObject({ held: true });
      },
      { timeout: 50_000 },
    );
    await handle.executeUpdate('decide', {
      args: [{ decision: 'accept', reason: 'a hot hour', step: OF_HOUR, by: 'ada' }],
    });
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok' });
    const manifest = (await newestManifests(installation.engine.documents, 'sharded', [date])).get(
      date,
    );
    expect(manifest?.decisions.map(({ step, by }) => [step, by])).toEqual([[OF_HOUR, 'ada']]);
    expect(manifest?.facts['coverage']).toBeCloseTo(1, 9);
  });
});

describe('a unit that a check holds', () => {
  it('is decided by an update that starts its finished day again, and re-runs one shard', async () => {
    const date = '2024-01-17';
    publisher.publish(date, { hours: { [HOUR]: 70_000, 15: 80_000 } });
    const target = installation.target;
    const begun = await startDay(target, { pipeline: 'units', date });
    expect(await dayResult(begun)).toMatchObject({ verdict: 'degraded', version: 1 });
    const order = {
      unit: '10',
      decision: 'accept',
      reason: 'seen at the plant',
      by: 'ada',
    } as const;
    const { told, handle } = await decideUnit(target, { pipeline: 'units', date }, order);
    expect(told).toBe(`units ${date}, 10: accept on 1 checks`);
    const made = await dayResult(handle);
    expect(made).toMatchObject({ verdict: 'degraded', version: 2 });
    expect(shardsIn(made.ran)).toEqual([OF_HOUR]);
    await expect(
      decideUnit(target, { pipeline: 'units', date }, { ...order, unit: '03' }),
    ).rejects.toMatchObject({
      cause: { type: 'PLAN_INVALID', message: expect.stringContaining('03 is not held') as string },
    });
    const last = await decideUnit(
      target,
      { pipeline: 'units', date },
      { ...order, unit: '14', decision: 'reject' },
    );
    expect(await dayResult(last.handle)).toMatchObject({ verdict: 'ok', version: 3 });
  });
});
