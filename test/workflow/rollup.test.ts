import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAnnouncements } from '../../src/engine/publish/announcements.ts';
import { failedPeriods } from '../../src/engine/records/failures.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { stalePeriods } from '../../src/engine/derive/stale-periods.ts';
import { backfill } from '../../src/cli/make/backfill.ts';
import { stale } from '../../src/cli/look/gaps.ts';
import { finishRollup, resultOf, startBackfill } from '../../src/cli/temporal/runs.ts';
import { announcementKey } from '../../src/pipelines/announcement.ts';
import type { Dataset, StepImplementation, UnitOutcome } from '../../src/pipelines/dataset.ts';
import { applySchedules } from '../../src/schedules/apply-schedules.ts';
import { announcedSignal, flushSignal } from '../../src/workflows/rollup.ts';
import type { rollup, RollupInput } from '../../src/workflows/rollup.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { runDays } from '../fixtures/run-day.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/** The numbers in brackets are invariants of `src/workflows/rollup.ts`. */

const JANUARY = ['2024-01-10', '2024-01-11'];
const FEBRUARY = ['2024-02-10'];
const DAYS = [...JANUARY, ...FEBRUARY];
const PERIODS = ['2024-01', '2024-02', 'all'];

let publisher: TinyPublisher;
let installation: Installation;
/** How many more times January cannot be made. */
let broken = 0;
/** Called once, while months are being made. */
let during: (() => Promise<unknown>) | undefined;

/** The tiny pipeline; what it makes of January breaks a rule as long as it is broken. */
function withBrokenJanuary(dataset: Dataset): Dataset {
  const whole = dataset.steps['rollup/month'] as Extract<StepImplementation, { kind: 'sql' }>;
  const judged = (outcome: UnitOutcome): UnitOutcome => {
    if (outcome.scope !== '2024-01' || 'failure' in outcome || broken === 0) return outcome;
    broken -= 1;
    return { ...outcome, checks: [{ check: 'sums', severity: 'fail', tested: 1, failed: 1, examples: [] }] };
  };
  const month: StepImplementation = {
    kind: 'sql',
    run: async (task, sql) => {
      const now = during;
      during = undefined;
      await now?.();
      return (await whole.run(task, sql)).map(judged);
    },
  };
  return { ...dataset, steps: { ...dataset.steps, 'rollup/month': month } };
}

beforeEach(async () => {
  broken = 0;
  during = undefined;
  publisher = await startTinyPublisher(DAYS);
  const tiny = withBrokenJanuary(tinyDataset({ baseUrl: publisher.url }));
  installation = await openInstallation({ datasets: { tiny } });
  // Committed, and nobody was told: what a worker leaves that is killed behind its commit.
  await runDays(installation.engine, 'tiny', DAYS);
});

afterEach(async () => {
  await installation.close();
  await publisher.close();
});

async function made(): Promise<string[]> {
  return [...(await newestManifests(installation.engine.documents, 'tiny', PERIODS)).keys()].sort();
}

async function open(): Promise<string[]> {
  return (await openAnnouncements(installation.engine.documents, 'tiny')).map(({ scope }) => scope);
}

/** The rollup that somebody has started by now, at its end. */
async function rolledUp(): Promise<unknown> {
  return resultOf(installation.client.workflow.getHandle<typeof rollup>('rollup/tiny'));
}

function wake(input: Partial<RollupInput> = {}) {
  return installation.client.workflow.signalWithStart<typeof rollup>('rollup', {
    workflowId: 'rollup/tiny',
    taskQueue: installation.target.taskQueue,
    args: [{ pipeline: 'tiny', debounceMs: 20, ...input }],
    signal: announcedSignal,
    signalArgs: [],
  });
}

describe('what a killed run left to be made', () => {
  it('is found and made by whoever waits for the rollup (1)', async () => {
    expect(await open()).toEqual(DAYS);
    await finishRollup(installation.target, 'tiny');
    expect(await made()).toEqual(PERIODS);
    expect(await open()).toEqual([]);
    expect(await stalePeriods(installation.engine, 'tiny', DAYS)).toEqual([]);
  });

  it('keeps whoever waits no longer when others announce while it is made', async () => {
    const hours = { pipeline: 'tiny', debounceMs: 3_600_000 };
    const { workflow } = installation.client;
    during = () => workflow.getHandle<typeof rollup>('rollup/tiny').signal(announcedSignal);
    await workflow.signalWithStart<typeof rollup>('rollup', {
      workflowId: 'rollup/tiny',
      taskQueue: installation.target.taskQueue,
      args: [hours],
      signal: flushSignal,
      signalArgs: [],
    });
    await rolledUp();
    expect(during).toBeUndefined();
    expect(await open()).toEqual([]);
  });

  it('is found by a backfill with nothing to do (1)', async () => {
    const range = { pipeline: 'tiny', from: '2024-01-10', to: '2024-01-11' };
    expect(await resultOf(await startBackfill(installation.target, range))).toMatchObject({ done: 0, complete: 2 });
    await rolledUp();
    expect(await made()).toEqual(PERIODS);
  });

  it('is made by the command that starts a backfill with nothing to do, before it ends', async () => {
    const { engine, home, address } = installation;
    const context = testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
    expect(await backfill(context, { pipeline: 'tiny', from: '2024-01-10', to: '2024-01-11' })).toBe(0);
    expect(context.terminal.text()).toContain('0 days to run');
    expect(await made()).toEqual(PERIODS);
    expect(await open()).toEqual([]);
  });

  it('is found by a tick (1)', async () => {
    const { client, engine, target } = installation;
    await applySchedules(client, engine.datasets, target.taskQueue);
    await client.schedule.getHandle('tiny/daily').trigger();
    await expect.poll(() => open(), { timeout: 20_000 }).toEqual([]);
    expect(await made()).toEqual(PERIODS);
  });

  it('is not looked for in a version that never came to be', async () => {
    await finishRollup(installation.target, 'tiny');
    const lost = { pipeline: 'tiny', scope: '2024-01-10', version: 2 };
    await installation.engine.documents.put(announcementKey(lost), lost);
    expect(await (await wake()).result()).toEqual({ rebuilds: 0 });
    // Its version may come yet: the one who writes it may only be slow.
    expect((await installation.engine.documents.get(announcementKey(lost)))?.body).toEqual(lost);
  });
});

describe('a period that cannot be made', () => {
  it('keeps no other from being made, is seen, and is made later (2)', async () => {
    broken = 1;
    await expect(finishRollup(installation.target, 'tiny')).rejects.toMatchObject({
      code: 'DATA_CHECK_FAILED',
      message: expect.stringContaining('rollup/month of 2024-01 failed') as string,
    });
    const { documents } = installation.engine;
    expect(await made()).toEqual(['2024-02', 'all']);
    expect(await open()).toEqual(JANUARY);
    expect([...(await failedPeriods(documents, 'tiny')).keys()]).toEqual(['2024-01']);
    expect((await newestManifests(documents, 'tiny', ['all'])).get('all')?.verdict).toBe('degraded');
    const context = testContext({ ...installation.engine, home: installation.home });
    const range = { pipeline: 'tiny', from: '2024-01-01', to: '2024-02-28' };
    expect(await stale(context, range)).toBe(3);
    expect(context.terminal.text()).toMatch(/2024-01 +rollup\/month failed, DATA_CHECK_FAILED: /);
    expect(context.terminal.text()).toContain('quotidien backfill tiny 2024-01-10 2024-01-11');
    await finishRollup(installation.target, 'tiny');
    expect(await made()).toEqual(PERIODS);
    expect(await open()).toEqual([]);
    expect(await failedPeriods(documents, 'tiny')).toEqual(new Map());
    expect((await newestManifests(documents, 'tiny', ['all'])).get('all')?.verdict).toBe('ok');
  });

  it('is tried again by the same run after pauses (3)', async () => {
    broken = 2;
    expect(await (await wake()).result()).toEqual({ rebuilds: 3 });
    expect(await made()).toEqual(PERIODS);
    expect(await open()).toEqual([]);
  });

  it('fails the run in the end, and stays announced for the next (3)', async () => {
    broken = 100;
    await expect(resultOf(await wake())).rejects.toMatchObject({ code: 'DATA_CHECK_FAILED' });
    expect(broken).toBe(96);
    expect(await open()).toEqual(JANUARY);
    broken = 0;
    await (await wake()).result();
    expect(await open()).toEqual([]);
  });
});
