import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failedPeriods } from '../../src/engine/records/failures.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { stalePeriods } from '../../src/engine/derive/stale-periods.ts';
import { backfill } from '../../src/cli/make/backfill.ts';
import { stale } from '../../src/cli/look/gaps.ts';
import { finishRollup, resultOf, startBackfill } from '../../src/cli/temporal/runs.ts';
import { announcementKey } from '../../src/pipelines/announcement.ts';
import { applySchedules } from '../../src/schedules/apply-schedules.ts';
import { announcedSignal, flushSignal } from '../../src/workflows/rollup.ts';
import type { rollup } from '../../src/workflows/rollup.ts';
import { DAYS, JANUARY, openAnnouncedDays, PERIODS } from '../fixtures/announced-days.ts';
import type { AnnouncedDays } from '../fixtures/announced-days.ts';
import { testContext } from '../fixtures/cli-context.ts';

/** The numbers in brackets are invariants of `src/workflows/rollup.ts`. */

let installation: AnnouncedDays['installation'];
let months: AnnouncedDays['months'];
let { made, open, wake, close } = {} as AnnouncedDays;

beforeEach(async () => {
  ({ installation, months, made, open, wake, close } = await openAnnouncedDays());
});

afterEach(() => close());

/** The rollup that somebody has started by now, at its end. */
async function rolledUp(): Promise<unknown> {
  return resultOf(installation.client.workflow.getHandle<typeof rollup>('rollup/tiny'));
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
    months.during = () => workflow.getHandle<typeof rollup>('rollup/tiny').signal(announcedSignal);
    await workflow.signalWithStart<typeof rollup>('rollup', {
      workflowId: 'rollup/tiny',
      taskQueue: installation.target.taskQueue,
      args: [hours],
      signal: flushSignal,
      signalArgs: [],
    });
    await rolledUp();
    expect(months.during).toBeUndefined();
    expect(await open()).toEqual([]);
  });

  it('is found by a backfill with nothing to do (1)', async () => {
    const range = { pipeline: 'tiny', from: '2024-01-10', to: '2024-01-11' };
    expect(await resultOf(await startBackfill(installation.target, range))).toMatchObject({
      done: 0,
      complete: 2,
    });
    await rolledUp();
    expect(await made()).toEqual(PERIODS);
  });

  it('is made by the command that starts a backfill with nothing to do, before it ends', async () => {
    const { engine, home, address } = installation;
    const context = testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
    expect(
      await backfill(context, { pipeline: 'tiny', from: '2024-01-10', to: '2024-01-11' }),
    ).toBe(0);
    expect(context.terminal.text()).toContain('0 days to run');
    expect(await made()).toEqual(PERIODS);
    expect(await open()).toEqual([]);
  });

  it('is found by a tick (1)', async () => {
    const { client, engine, target } = installation;
    await applySchedules(client, engine.datasets, target.taskQueue);
    await client.schedule.getHandle('tiny/daily').trigger();
    await expect.poll(() => open(), { timeout: 50_000 }).toEqual([]);
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
    months.broken = 1;
    await expect(finishRollup(installation.target, 'tiny')).rejects.toMatchObject({
      code: 'DATA_CHECK_FAILED',
      message: expect.stringContaining('rollup/month of 2024-01 failed') as string,
    });
    const { documents } = installation.engine;
    expect(await made()).toEqual(['2024-02', 'all']);
    expect(await open()).toEqual(JANUARY);
    expect([...(await failedPeriods(documents, 'tiny')).keys()]).toEqual(['2024-01']);
    expect((await newestManifests(documents, 'tiny', ['all'])).get('all')?.verdict).toBe(
      'degraded',
    );
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
});
