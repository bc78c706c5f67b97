import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { readActions } from '../../src/engine/records/operator-actions.ts';
import { dayResult, startBackfill, startDay } from '../../src/cli/temporal/runs.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { DayInput } from '../../src/workflows/day-contract.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-31'));
  const baseUrl = publisher.url;
  const one = tinyDataset({ baseUrl, holdAbove: 9_000 });
  // Every forecast is above its limit, so each of its days is held at one step, or at two.
  const two = tinyDataset({ name: 'twice', baseUrl, holdAbove: 9_000, forecastHoldAbove: 1 });
  installation = await openInstallation({ datasets: { tiny: one, twice: two } });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

function start(pipeline: string, date: string, input: Partial<DayInput> = {}) {
  return startDay(installation.target, { pipeline, date, ...input });
}

type Handle = Awaited<ReturnType<typeof start>>;

/** The refusals of updates that ask about steps that do not exist tell what is held. */
function untilHeld(handle: Handle, ...steps: string[]): Promise<void> {
  return vi.waitFor(
    async () => {
      const told = await refusal(handle, 'decide', {
        decision: 'accept',
        reason: 'which?',
        step: 'none/none',
      });
      for (const step of steps) expect(told).toContain(step);
      expect(told).toContain('held: ');
    },
    { timeout: 50_000 },
  );
}

async function refusal(handle: Handle, name: string, ...args: unknown[]): Promise<string> {
  const error: unknown = await handle
    .executeUpdate(name, { args: args as [unknown] })
    .catch((thrown: unknown) => thrown);
  const { type, message } = (error as { cause?: { type?: string; message?: string } }).cause ?? {};
  expect(message).toContain(`${type ?? 'no code'}: `);
  return message ?? 'no refusal';
}

function decide(handle: Handle, answer: object): Promise<unknown> {
  return handle.executeUpdate('decide', { args: [answer] as [unknown] });
}

function newest(pipeline: string, date: string) {
  return newestManifests(installation.engine.documents, pipeline, [date]).then((found) =>
    found.get(date),
  );
}

describe('a day that is held at two steps', () => {
  it('has each decided by its name, and refuses an answer that names none', async () => {
    publisher.publish('2024-01-05', { add: 10_000 });
    const handle = await start('twice', '2024-01-05');
    await untilHeld(handle, 'transform/readings', 'transform/forecast');
    const answer = { decision: 'accept', reason: 'seen' };
    expect(await refusal(handle, 'decide', answer)).toMatch(
      /^INPUT_INVALID: .*transform\/(readings|forecast), transform\/(readings|forecast)$/,
    );
    await decide(handle, {
      decision: 'accept',
      reason: 'a hot day',
      step: 'transform/forecast',
      by: 'ada',
    });
    expect(await refusal(handle, 'decide', { ...answer, step: 'transform/forecast' })).toMatch(
      /^PLAN_INVALID: transform\/forecast is not held/,
    );
    await decide(handle, { decision: 'accept', reason: 'a cold day' });
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok' });
    const decisions = (await newest('twice', '2024-01-05'))?.decisions ?? [];
    expect(decisions.map(({ step, reason, by }) => [step, reason, by])).toEqual([
      ['transform/forecast', 'a hot day', 'ada'],
      ['transform/readings', 'a cold day', 'unknown'],
    ]);
  });
});

describe('a decision', () => {
  it('outlasts the run that asked, from the moment at which the update returns', async () => {
    const handle = await start('twice', '2024-01-06', { until: 'transform' });
    await untilHeld(handle, 'transform/forecast');
    publisher.publish('2024-01-07', { add: 10_000 });
    const held = await start('twice', '2024-01-07');
    await untilHeld(held, 'transform/readings', 'transform/forecast');
    await decide(held, {
      decision: 'accept',
      reason: 'confirmed',
      step: 'transform/readings',
      by: 'ada',
    });
    await held.terminate('the machine goes down');
    const again = await start('twice', '2024-01-07');
    await untilHeld(again, 'transform/forecast');
    expect(
      await refusal(again, 'decide', { decision: 'accept', reason: 'x', step: 'none/none' }),
    ).not.toContain('transform/readings');
    await decide(again, { decision: 'accept', reason: 'confirmed too' });
    expect(await dayResult(again)).toMatchObject({ verdict: 'ok', version: 1 });
    expect((await newest('twice', '2024-01-07'))?.decisions).toHaveLength(2);
    await handle.terminate();
  });

  it('to reject stands in the next run, alone or in a backfill, until the day is forced', async () => {
    publisher.publish('2024-01-08', { add: 10_000 });
    const handle = await start('tiny', '2024-01-08');
    await untilHeld(handle, 'transform/readings');
    await decide(handle, { decision: 'reject', reason: 'the meter was broken', by: 'ada' });
    await expect(dayResult(handle)).rejects.toMatchObject({ code: 'DATA_CHECK_FAILED' });
    await expect(dayResult(await start('tiny', '2024-01-08'))).rejects.toMatchObject({
      code: 'DATA_CHECK_FAILED',
      message: expect.stringContaining('the meter was broken') as string,
    });
    const range = { pipeline: 'tiny', from: '2024-01-08', to: '2024-01-08' };
    const backfill = await (await startBackfill(installation.target, range)).result();
    expect(backfill).toMatchObject({ failedDays: 1, waitingDays: 0 });
    const forced = await start('tiny', '2024-01-08', {
      fromStep: 'transform',
      why: 'they say it is right',
      by: 'ada',
    });
    await untilHeld(forced, 'transform/readings');
    await decide(forced, { decision: 'accept', reason: 'it was right after all' });
    expect(await dayResult(forced)).toMatchObject({ verdict: 'ok', version: 1 });
    expect(await readActions(installation.engine.documents, 'tiny', '2024-01-08')).toMatchObject([
      { action: 'force', by: 'ada' },
    ]);
  });

  it('stays with the day when a window commits it again', async () => {
    publisher.publish('2024-01-09', { add: 10_000 });
    const handle = await start('tiny', '2024-01-09');
    await untilHeld(handle, 'transform/readings');
    await decide(handle, { decision: 'accept', reason: 'confirmed' });
    await dayResult(handle);
    const range = {
      pipeline: 'tiny',
      from: '2024-01-09',
      to: '2024-01-10',
      select: 'all',
    } as const;
    expect(await (await startBackfill(installation.target, range)).result()).toMatchObject({
      done: 2,
      days: 0,
    });
    expect(await newest('tiny', '2024-01-09')).toMatchObject({
      decisions: [{ reason: 'confirmed' }],
    });
  });
});

describe('what is given to a workflow', () => {
  const run = (type: string, ...args: unknown[]) =>
    installation.client.workflow.execute(type, {
      workflowId: `misused/${type}/${JSON.stringify(args).length}`,
      taskQueue: installation.target.taskQueue,
      args,
    });

  it.each([
    ['day', { pipeline: 'tiny', date: '2024-01-11', rechek: true }, 'there is no member "rechek"'],
    [
      'day',
      { pipeline: 'tiny', date: '2024-02-30' },
      'date is an existing date, written YYYY-MM-DD, not "2024-02-30"',
    ],
    ['day', undefined, 'an object with pipeline, date, reason?'],
    [
      'day',
      { pipeline: 'tiny', date: '2024-01-11', recheck: 'yes' },
      'recheck is true or false, not "yes"',
    ],
    [
      'backfill',
      { pipeline: 'tiny', from: '2024-01-01', to: '2024-01-02', paralel: 2 },
      'no member "paralel"',
    ],
    [
      'backfill',
      { pipeline: 'tiny', from: '2024-01-01', to: '2024-01-02', parallel: 99 },
      'a whole number from 1 to 32',
    ],
    ['window', { pipeline: 'tiny', dates: '2024-01-01' }, 'dates is a list'],
    ['watch', {}, 'pipeline is a text, not absent'],
    ['verify', { pipeline: 'tiny', sample: 'many' }, 'sample is a whole number'],
    ['tick', { pipeline: 'tiny' }, 'schedule is a text'],
    ['reconcile', { host: 'here' }, 'queue is a text'],
  ])('is refused by name where %s cannot use it: %j', async (type, input, told) => {
    await expect(run(type, ...(input === undefined ? [] : [input]))).rejects.toMatchObject({
      cause: { type: 'INPUT_INVALID', message: expect.stringContaining(told) as string },
    });
  });

  it('is refused by name in updates too, also where nothing is given', async () => {
    publisher.publish('2024-01-12', { add: 10_000 });
    const handle = await start('tiny', '2024-01-12');
    await untilHeld(handle, 'transform/readings');
    for (const update of ['decide', 'retryStep', 'skipPart', 'unskipPart']) {
      expect(await refusal(handle, update)).toMatch(
        `INPUT_INVALID: the input of ${update}: an object with`,
      );
    }
    expect(await refusal(handle, 'decide', { decision: 'accept', reason: 'x', stp: 'y' })).toMatch(
      'there is no member "stp"',
    );
    expect(await refusal(handle, 'decide', { decision: 'yes', reason: 'x' })).toMatch(
      'one of accept, reject, retry',
    );
    await decide(handle, { decision: 'accept', reason: 'confirmed' });
    await dayResult(handle);
  });
});
