import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestManifests, readManifests } from '../../src/engine/records/ledger-reader.ts';
import { dayResult, finishRollup, startBackfill, startDay } from '../../src/cli/temporal/runs.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { DayInput } from '../../src/workflows/day-contract.ts';
import { daysChangedSignal, flushSignal } from '../../src/workflows/rollup.ts';
import type { rollup } from '../../src/workflows/rollup.ts';
import type { window, WindowInput, WindowResult } from '../../src/workflows/window.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

const PUBLISHED = [
  ...datesBetween('2024-01-01', '2024-02-10'),
  ...datesBetween('2024-03-01', '2024-03-31'),
];

let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher(PUBLISHED);
  const dataset = tinyDataset({ baseUrl: publisher.url, holdAbove: 9_000, failAbove: 90_000 });
  installation = await openInstallation({ datasets: { tiny: dataset } });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

function start(date: string, input: Partial<DayInput> = {}) {
  return startDay(installation.target, { pipeline: 'tiny', date, ...input });
}

async function run(date: string, input: Partial<DayInput> = {}) {
  return dayResult(await start(date, input));
}

async function runOneWindow(input: WindowInput): Promise<WindowResult> {
  const { client, taskQueue } = installation.target;
  const workflowId = `window/${input.pipeline}/${input.dates[0] ?? ''}_${input.dates.at(-1) ?? ''}`;
  return client.workflow.execute<typeof window>('window', { workflowId, taskQueue, args: [input] });
}

function newest(scope: string) {
  return newestManifests(installation.engine.documents, 'tiny', [scope]).then((found) =>
    found.get(scope),
  );
}

/** Resolves when the day waits for a decision: its verdict attribute says so. */
async function untilHeld(workflowId: string): Promise<void> {
  const handle = installation.client.workflow.getHandle(workflowId);
  const events = await installation.client.workflowService.getWorkflowExecutionHistory({
    namespace: 'default',
    execution: { workflowId },
    waitNewEvent: true,
  });
  let token = events.nextPageToken;
  for (;;) {
    const { typedSearchAttributes } = await handle.describe();
    if (
      typedSearchAttributes
        .getAll()
        .some(({ key, value }) => key.name === 'Verdict' && value === 'quarantined')
    )
      return;
    const next = await installation.client.workflowService.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: { workflowId },
      waitNewEvent: true,
      nextPageToken: token,
    });
    token = next.nextPageToken;
  }
}

describe('a day of a pipeline with a publisher', () => {
  it('fails at the step with code and remedy, and continues there when started again', async () => {
    publisher.refuse('readings', 500);
    const handle = await start('2024-01-05');
    await expect(dayResult(handle)).rejects.toMatchObject({ code: 'SRC_UNAVAILABLE' });
    const { typedSearchAttributes } = await handle.describe();
    const values = Object.fromEntries(
      typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
    );
    expect(values).toMatchObject({ Verdict: 'failed', FailedStep: 'download/readings' });
    publisher.refuse('readings', undefined);
    const again = await run('2024-01-05');
    expect(again.verdict).toBe('ok');
    expect(again.ran).not.toContain('download/forecast');
    expect(again.ran).toContain('download/readings');
  });

  it('is degraded by an optional part that fails, and heals when it is back', async () => {
    // The day before was made a moment ago: what compares itself with it is not to be made again
    // meanwhile.
    await finishRollup(installation.target, 'tiny');
    publisher.refuse('forecast', 403);
    expect(await run('2024-01-06')).toMatchObject({ verdict: 'degraded', version: 1 });
    publisher.refuse('forecast', undefined);
    expect(await run('2024-01-06')).toMatchObject({ verdict: 'ok', version: 2 });
  });

  it('waits, held, for a decision, refuses one without a reason, and remembers an acceptance', async () => {
    publisher.publish('2024-01-07', { add: 10_000 });
    const handle = await start('2024-01-07');
    await untilHeld(handle.workflowId);
    await expect(
      handle.executeUpdate('decide', { args: [{ decision: 'accept', reason: ' ' }] }),
    ).rejects.toThrow();
    await handle.executeUpdate('decide', {
      args: [{ decision: 'accept', reason: 'the publisher confirmed it' }],
    });
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok' });
    const manifest = await newest('2024-01-07');
    expect(manifest?.decisions).toMatchObject([
      { decision: 'accept', reason: 'the publisher confirmed it' },
    ]);
    const again = await run('2024-01-07', { fromStep: 'transform/readings' });
    expect(again.verdict).toBe('ok');
  });

  it('fails a held day that is rejected, with the reason', async () => {
    publisher.publish('2024-01-08', { add: 10_000 });
    const handle = await start('2024-01-08');
    await untilHeld(handle.workflowId);
    await handle.executeUpdate('decide', {
      args: [{ decision: 'reject', reason: 'a meter was broken' }],
    });
    await expect(dayResult(handle)).rejects.toMatchObject({
      code: 'DATA_CHECK_FAILED',
      message: /a meter was broken/,
    });
    const again = await start('2024-01-08');
    await expect(dayResult(again)).rejects.toMatchObject({
      code: 'DATA_CHECK_FAILED',
      message: /a meter was broken/,
    });
    expect(await newest('2024-01-08')).toBeUndefined();
  });

  it('makes a new version only when the publisher changed something', async () => {
    expect(await run('2024-01-10')).toMatchObject({ version: 1 });
    expect(await run('2024-01-10', { recheck: true })).toMatchObject({ version: 1 });
    publisher.publish('2024-01-10', { add: 1 });
    expect(await run('2024-01-10', { recheck: true })).toMatchObject({ version: 2 });
    const versions = await readManifests(installation.engine.documents, 'tiny', ['2024-01-10']);
    expect(versions.get('2024-01-10')?.map(({ version }) => version)).toEqual([1, 2]);
  });

  it('waits for a day that is not over; refuses a decision then; cancelled, leaves no trace', async () => {
    const date = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
    const handle = await start(date);
    const refused = handle.executeUpdate('decide', {
      args: [{ decision: 'accept', reason: 'because' }],
    });
    await expect(refused).rejects.toThrow();
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    const { history } = await installation.client.workflowService.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: { workflowId: handle.workflowId },
    });
    expect(
      history?.events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes),
    ).toBe(false);
    expect(await newest(date)).toBeUndefined();
  });
});

describe('a window of days', () => {
  it('makes a month with one request per part, and finds nothing to do the second time', async () => {
    const dates = datesBetween('2024-03-01', '2024-03-31');
    const before = publisher.requests.length;
    expect(await runOneWindow({ pipeline: 'tiny', dates })).toMatchObject({
      committed: 31,
      upToDate: 0,
      ran: { 'download/readings': 31, 'report/day': 31 },
      careful: [],
    });
    const asked = publisher.requests.slice(before).filter((request) => request.includes('.csv'));
    expect(asked).toHaveLength(2);
    expect(await runOneWindow({ pipeline: 'tiny', dates })).toMatchObject({
      committed: 0,
      upToDate: 31,
    });
    await finishRollup(installation.target, 'tiny');
    const month = await newest('2024-03');
    expect(month?.steps['rollup/month']).toMatchObject({ state: 'done' });
  });

  it('keeps every payload of 31 days under 64 KiB and its history short', async () => {
    const { history } = await installation.client.workflowService.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: { workflowId: 'window/tiny/2024-03-01_2024-03-31' },
    });
    const sizes = (history?.events ?? []).map((event) => JSON.stringify(event).length);
    expect(Math.max(...sizes)).toBeLessThan(64 * 1024);
    expect(sizes.length).toBeLessThan(100);
  });

  it('compares its first days with those of the window before, which is made at the same time', async () => {
    const range = {
      pipeline: 'tiny',
      from: '2024-01-28',
      to: '2024-02-02',
      until: 'metrics',
    } as const;
    const result = await (await startBackfill(installation.target, range)).result();
    expect(result).toMatchObject({ done: 6, windows: 2, days: 0 });
    const made = await newest('2024-02-01');
    expect(made).toMatchObject({ version: 1, steps: { 'metrics/comparison': { state: 'done' } } });
    await finishRollup(installation.target, 'tiny');
    // Nothing of it is out of date now, and what was left out is still left out.
    expect(await newest('2024-02-01')).toEqual(made);
  });

  it('leaves the days that need care to their own runs', async () => {
    publisher.publish('2024-02-03', { add: 100_000 });
    const dates = datesBetween('2024-02-01', '2024-02-12');
    const result = await runOneWindow({ pipeline: 'tiny', dates });
    expect(result.committed).toBe(9);
    expect(result.careful.map(({ date }) => date)).toEqual([
      '2024-02-03',
      '2024-02-11',
      '2024-02-12',
    ]);
  });

  it('and the rollup make again exactly what a changed day affects', async () => {
    await finishRollup(installation.target, 'tiny');
    const before = await newest('2024-03-21');
    const untouched = await newest('2024-03-22');
    publisher.publish('2024-03-20', { add: 5 });
    await run('2024-03-20', { recheck: true });
    await finishRollup(installation.target, 'tiny');
    const after = await newest('2024-03-21');
    expect(after?.version).toBe((before?.version ?? 0) + 1);
    expect(after?.changed).toContain('metrics/comparison');
    expect(after?.run.reason).toBe('derived');
    expect((await newest('2024-03-22'))?.version).toBe(untouched?.version);
    expect((await newest('2024-03'))?.version).toBe(2);
  });

  it('and the rollup wait for quiet, however many changes come in meanwhile', async () => {
    const handle = await installation.client.workflow.start<typeof rollup>('rollup', {
      workflowId: 'rollup/tiny/many-changes',
      taskQueue: installation.target.taskQueue,
      args: [{ pipeline: 'tiny', debounceMs: 60_000, pending: ['2024-03-20'] }],
    });
    for (let change = 0; change < 20; change += 1) {
      await handle.signal(daysChangedSignal, ['2024-03-20']);
      // Answered after the change was taken in, so that each is one of its own.
      await handle.query('__temporal_workflow_metadata');
    }
    await handle.signal(flushSignal);
    await expect(handle.result()).resolves.toEqual({ rebuilds: 1 });
  });
});
