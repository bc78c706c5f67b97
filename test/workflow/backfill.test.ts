import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { planBackfill, savePlan } from '../../src/engine/plan/plan-backfill.ts';
import { exitCodeOf, leftLines } from '../../src/cli/make/backfill-run.ts';
import { startBackfill, startDay } from '../../src/cli/temporal/runs.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { BackfillInput } from '../../src/workflows/backfill.ts';
import type { BackfillProgress } from '../../src/workflows/backfill-control.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-06-30'));
  const tiny = tinyDataset({ baseUrl: publisher.url, holdAbove: 9_000, failAbove: 90_000 });
  installation = await openInstallation({ datasets: { tiny } });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

const until = (claim: () => Promise<void>) => vi.waitFor(claim, { timeout: 50_000 });

function start(input: Partial<BackfillInput> & { from: string; to: string }) {
  return startBackfill(installation.target, { pipeline: 'tiny', ...input });
}

function newest(date: string) {
  return newestManifests(installation.engine.documents, 'tiny', [date]).then((found) =>
    found.get(date),
  );
}

async function childrenOf(workflowId: string): Promise<string[]> {
  const history = await installation.client.workflow.getHandle(workflowId).fetchHistory();
  return (history.events ?? []).flatMap(
    (event) =>
      event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId ?? [],
  );
}

describe('a backfill', () => {
  it('makes bulk windows first, then careful days; collects failures, and waits for no day that waits', async () => {
    publisher.publish('2024-01-10', { add: 10_000 });
    publisher.publish('2024-02-11', { add: 100_000 });
    const handle = await start({ from: '2024-01-05', to: '2024-02-20' });
    const result = await handle.result();
    expect(result).toMatchObject({
      selected: 47,
      complete: 0,
      done: 45,
      windows: 2,
      failedDays: 1,
      waitingDays: 1,
    });
    expect(result.failed).toMatchObject([{ date: '2024-02-11', code: 'DATA_CHECK_FAILED' }]);
    expect(result.waiting).toMatchObject([
      { date: '2024-01-10', why: expect.stringContaining('held at') as string },
    ]);
    expect(result.ran['transform/readings']).toBe(45);
    const held = installation.client.workflow.getHandle('day/tiny/2024-01-10');
    await held.executeUpdate('decide', { args: [{ decision: 'accept', reason: 'confirmed' }] });
    expect(await held.result()).toMatchObject({ verdict: 'ok' });
  });

  it('costs no child for days that are complete, and runs exactly those with something to do', async () => {
    const again = await start({ from: '2024-01-05', to: '2024-02-20', select: 'failed' });
    expect(await again.result()).toMatchObject({ selected: 1, failedDays: 1 });
    const open = await start({ from: '2024-01-12', to: '2024-02-10', select: 'missing' });
    expect(await open.result()).toMatchObject({ selected: 0, complete: 30, windows: 0, days: 0 });
    expect(await childrenOf(open.workflowId)).toEqual([]);
  });

  it('does not wait for a day that somebody else has started and that is held', async () => {
    publisher.publish('2024-03-05', { add: 10_000 });
    const day = await startDay(installation.target, { pipeline: 'tiny', date: '2024-03-05' });
    await until(async () => {
      const { typedSearchAttributes } = await day.describe();
      expect(typedSearchAttributes.getAll().map(({ value }) => value)).toContain('quarantined');
    });
    const handle = await start({ from: '2024-03-01', to: '2024-03-07' });
    const result = await handle.result();
    expect(result).toMatchObject({ selected: 7, done: 6, days: 1, waitingDays: 1 });
    expect(result.waiting).toMatchObject([
      { date: '2024-03-05', why: expect.stringContaining('held at') as string },
    ]);
    await day.executeUpdate('decide', { args: [{ decision: 'accept', reason: 'confirmed' }] });
    await day.result();
    expect(await childrenOf(handle.workflowId)).toEqual(['window/tiny/2024-03-01_2024-03-07']);
  });

  it('is paused, resized, resumed and stopped by updates, and refuses what makes no sense without a trace', async () => {
    const handle = await start({ from: '2024-04-01', to: '2024-06-30', parallel: 1 });
    const refused = async (name: string, ...args: unknown[]) => {
      await expect(handle.executeUpdate(name, { args: args as [unknown] })).rejects.toThrow();
    };
    await refused('resume');
    await refused('pause', { reason: ' ' });
    await refused('resize', { parallel: 0 });
    await handle.executeUpdate('pause', { args: [{ reason: 'the publisher is slow' }] });
    await refused('pause', { reason: 'again' });
    expect(await handle.query<BackfillProgress>('progress')).toMatchObject({
      paused: 'the publisher is slow',
    });
    await handle.executeUpdate('resize', { args: [{ parallel: 2 }] });
    await handle.executeUpdate('resize', { args: [{ parallel: 1 }] });
    await handle.executeUpdate('resume');
    await until(async () => {
      expect((await handle.query<BackfillProgress>('progress')).windows).toBeGreaterThan(0);
    });
    await handle.executeUpdate('cancel', { args: [{ reason: 'enough' }] });
    const result = await handle.result();
    expect(result.stopped).toBe('stopped: enough');
    expect(result.windows).toBeLessThan(3);
    const history = await handle.fetchHistory();
    const accepted = (history.events ?? []).filter(
      (event) => event.workflowExecutionUpdateAcceptedEventAttributes,
    );
    expect(accepted).toHaveLength(5);
    expect(await newest('2024-06-01')).toBeUndefined();
  });

  it('runs canary days first and stops for a decision when they differ by more than is allowed', async () => {
    for (const date of datesBetween('2024-04-10', '2024-04-20'))
      publisher.publish(date, { add: 1 });
    const before = (await newest('2024-04-18'))?.version;
    const handle = await start({ from: '2024-04-10', to: '2024-04-20', select: 'all', canary: 2 });
    await until(async () => {
      expect((await handle.query<BackfillProgress>('progress')).question).toMatch(
        /2 of 2 canary days differ/,
      );
    });
    await handle.executeUpdate('decide', {
      args: [{ decision: 'reject', reason: 'look at it first' }],
    });
    const result = await handle.result();
    expect(result).toMatchObject({
      stopped: 'the canary was rejected: look at it first',
      windows: 0,
    });
    expect(result.canary.map(({ date, share }) => [date, share > 0])).toEqual([
      ['2024-04-12', true],
      ['2024-04-18', true],
    ]);
    expect(await newest('2024-04-18')).toMatchObject({ version: (before ?? 0) + 1 });
    expect(await newest('2024-04-15')).toMatchObject({ version: 1 });
  });

  it('counts canary days once: as selected and done, and not as complete or made again', async () => {
    const handle = await start({ from: '2024-03-10', to: '2024-03-14', canary: 2 });
    expect(await handle.result()).toMatchObject({
      selected: 5,
      done: 5,
      complete: 0,
      days: 2,
      windows: 1,
    });
    const all = await start({
      from: '2024-03-10',
      to: '2024-03-14',
      select: 'all',
      canary: 2,
      canaryTolerance: 1,
    });
    expect(await all.result()).toMatchObject({ selected: 5, done: 5, days: 2 });
  });

  it('counts degraded days, also those that were complete before, and exits with 3 for them', async () => {
    publisher.refuse('forecast', 403);
    const made = await (await start({ from: '2024-03-20', to: '2024-03-22' })).result();
    publisher.refuse('forecast', undefined);
    expect(made).toMatchObject({ done: 3, failedDays: 0, degradedDays: 3 });
    expect(exitCodeOf({ ...made, rollup: null })).toBe(3);
    expect(leftLines({ ...made, rollup: null })).toEqual([
      '3 days are degraded: "quotidien gaps" and "quotidien show" tell why',
    ]);
    const healed = await (await start({ from: '2024-03-20', to: '2024-03-22' })).result();
    expect(healed).toMatchObject({ done: 3, degradedDays: 0 });
    expect(exitCodeOf({ ...healed, rollup: null })).toBe(0);
  });

  it('runs exactly the days of a stored plan, which says beforehand what will run', async () => {
    const request = { pipeline: 'tiny', from: '2024-06-01', to: '2024-06-10' };
    const { plan } = await planBackfill(installation.engine, request);
    expect(plan).toMatchObject({ days: 10, windows: 1, requests: { tiny: 2 }, complete: 0 });
    expect(plan.steps['transform/readings']).toMatchObject({ run: 10 });
    expect(plan.predicted.secondsP50).toBeGreaterThan(0);
    await savePlan(installation.engine.documents, plan);
    const handle = await start({ ...request, plan: plan.hash });
    const { ran, done } = await handle.result();
    expect({ done, transform: ran['transform/readings'] }).toEqual({ done: 10, transform: 10 });
    const again = await planBackfill(installation.engine, request);
    expect(again.plan).toMatchObject({ days: 0, complete: 10 });
    const outdated = await start({ ...request, plan: plan.hash });
    await expect(outdated.result()).rejects.toMatchObject({
      cause: {
        type: 'PLAN_INVALID',
        message: expect.stringContaining('the stores have changed since') as string,
      },
    });
    const unknown = await start({ ...request, plan: 'nope' });
    await expect(unknown.result()).rejects.toMatchObject({ cause: { type: 'PLAN_INVALID' } });
  });
});
