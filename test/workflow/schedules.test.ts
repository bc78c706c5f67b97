import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { Dataset } from '../../src/pipelines/dataset.ts';
import type { ScheduleDefinition } from '../../src/pipelines/definition.ts';
import { applySchedules, compareSchedules } from '../../src/schedules/apply-schedules.ts';
import {
  nominalTime,
  pauseSchedule,
  triggerSchedule,
} from '../../src/schedules/control-schedules.ts';
import { declaredSchedules } from '../../src/schedules/declared-schedules.ts';
import type { DeclaredSchedule } from '../../src/schedules/declared-schedules.ts';
import { listSchedules } from '../../src/schedules/list-schedules.ts';
import type { TickResult } from '../../src/workflows/tick.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

const QUEUE = 'quotidien';
/**
 * Of the declared ticks, in UTC: hours from now, so that none of them comes by itself while the
 * tests count ticks.
 */
const HOUR = new Date().getUTCHours() < 12 ? 18 : 6;
const HOUR_TEXT = String(HOUR).padStart(2, '0');
const common = { lagDays: 1, catchUpMinutes: 600, jitterSeconds: 0 } as const;
const PROCESSING: ScheduleDefinition = {
  ...common,
  id: 'processing',
  title: 'Yesterday’s tables and metrics',
  cron: `0 ${HOUR} * * *`,
  runs: { workflow: 'day', only: 'processing' },
};
/** Its ticks come up to twenty minutes late, as those of real pipelines do by some seconds. */
const REPORT: ScheduleDefinition = {
  ...common,
  id: 'report',
  title: 'Yesterday’s report',
  cron: `30 ${HOUR} * * *`,
  jitterSeconds: 1_200,
};

let publisher: TinyPublisher;
let installation: Installation;
let tiny: Dataset;

function withSchedules(schedules: readonly ScheduleDefinition[]): Record<string, Dataset> {
  return { tiny: { ...tiny, definition: { ...tiny.definition, schedules } } };
}

function declared(id: string): DeclaredSchedule {
  const found = declaredSchedules(installation.engine.datasets, QUEUE).find(
    (one) => one.id === `tiny/${id}`,
  );
  if (found === undefined) throw new Error(`${id} is not declared`);
  return found;
}

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-31'));
  tiny = tinyDataset({ baseUrl: publisher.url, holdAbove: 9_000 });
  installation = await openInstallation({ datasets: withSchedules([PROCESSING, REPORT]) });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

function apply(schedules: readonly ScheduleDefinition[]) {
  return applySchedules(installation.client, withSchedules(schedules), QUEUE);
}

function newest(date: string) {
  return newestManifests(installation.engine.documents, 'tiny', [date]).then((found) =>
    found.get(date),
  );
}

/** The results of the ticks that `act` makes the schedule take. */
async function ticksOf(id: string, count: number, act: () => Promise<void>): Promise<TickResult[]> {
  const handle = installation.client.schedule.getHandle(`tiny/${id}`);
  const before = (await handle.describe()).info.numActionsTaken;
  await act();
  const recent = await vi.waitFor(
    async () => {
      const { info } = await handle.describe();
      expect(info.numActionsTaken - before).toBeGreaterThanOrEqual(count);
      return info.recentActions.slice(-count);
    },
    { timeout: 50_000 },
  );
  return Promise.all(
    recent.map(({ action }) =>
      installation.client.workflow.getHandle(action.workflow.workflowId).result(),
    ),
  ) as Promise<TickResult[]>;
}

function outcomeOf(date: string): Promise<unknown> {
  return installation.client.workflow.getHandle(`day/tiny/${date}`).result();
}

describe('the reconcile of schedules', () => {
  it('creates what is missing and then has nothing to do', async () => {
    expect((await apply([PROCESSING, REPORT])).map(({ standing }) => standing)).toEqual([
      'missing',
      'missing',
    ]);
    expect((await apply([PROCESSING, REPORT])).map(({ standing }) => standing)).toEqual([
      'same',
      'same',
    ]);
  });

  it('replaces a changed declaration as a whole and keeps the operator’s pause', async () => {
    await pauseSchedule(installation.client, declared('report'), 'maintenance');
    const changed = { ...REPORT, cron: `45 ${HOUR} * * *`, jitterSeconds: 30 };
    const [, report] = await apply([PROCESSING, changed]);
    expect(report).toMatchObject({
      standing: 'outdated',
      differences: [
        {
          field: 'times',
          declared: `45 ${HOUR} * * *`,
          actual: `30 ${HOUR} * * *`,
          by: 'declaration',
        },
        { field: 'jitter', declared: '30 s', actual: '1200 s', by: 'declaration' },
      ],
    });
    const { state, spec } = await installation.client.schedule.getHandle('tiny/report').describe();
    expect(state).toMatchObject({ paused: true, note: 'maintenance' });
    expect(spec.calendars).toHaveLength(1);
    const compared = await compareSchedules(
      installation.client,
      withSchedules([PROCESSING, changed]),
      QUEUE,
    );
    expect(compared.map(({ standing }) => standing)).toEqual(['same', 'same']);
    await apply([PROCESSING, REPORT]);
    await installation.client.schedule.getHandle('tiny/report').unpause();
  });

  it('finds what somebody edited by hand, and puts it back', async () => {
    const handle = installation.client.schedule.getHandle('tiny/processing');
    await handle.update(({ spec, action, policies, state }) => ({
      spec: { ...spec, intervals: [{ every: '6 hours' }] },
      action,
      policies: { ...policies, pauseOnFailure: false },
      state,
    }));
    const datasets = withSchedules([PROCESSING, REPORT]);
    const [edited] = await compareSchedules(installation.client, datasets, QUEUE);
    expect(edited).toMatchObject({
      standing: 'edited',
      differences: [
        { field: 'times', actual: `0 ${HOUR} * * * and every 21600 s at 0 s`, by: 'hand' },
        { field: 'pause on failure', declared: 'true', actual: 'false', by: 'hand' },
      ],
    });
    await apply([PROCESSING, REPORT]);
    expect((await handle.describe()).spec.intervals).toEqual([]);
    const compared = await compareSchedules(installation.client, datasets, QUEUE);
    expect(compared.map(({ standing }) => standing)).toEqual(['same', 'same']);
  });

  it('deletes what is no longer declared, and leaves other installations alone', async () => {
    await vi.waitFor(
      async () => {
        expect(
          await compareSchedules(installation.client, withSchedules([PROCESSING]), QUEUE),
        ).toHaveLength(2);
      },
      { timeout: 50_000 },
    );
    expect(await compareSchedules(installation.client, {}, 'another-queue')).toEqual([]);
    expect((await apply([PROCESSING]))[1]).toMatchObject({
      id: 'tiny/report',
      standing: 'undeclared',
    });
    expect((await apply([PROCESSING, REPORT]))[1]).toMatchObject({
      id: 'tiny/report',
      standing: 'missing',
    });
  });
});

describe('a tick', () => {
  it('derives its date from the nominal time, and two schedules make a day in two parts', async () => {
    const at = nominalTime(declared('processing'), '2024-01-20');
    expect(at.toISOString()).toBe(`2024-01-21T${HOUR_TEXT}:00:00.000Z`);
    const [tick] = await ticksOf('processing', 1, () =>
      triggerSchedule(installation.client, declared('processing'), '2024-01-20'),
    );
    expect(tick).toEqual({ date: '2024-01-20', workflowId: 'day/tiny/2024-01-20', how: 'started' });
    await outcomeOf('2024-01-20');
    expect(await newest('2024-01-20')).toMatchObject({
      version: 1,
      steps: { 'report/day': { state: 'skipped' } },
    });
    await ticksOf('report', 1, () =>
      triggerSchedule(installation.client, declared('report'), '2024-01-20'),
    );
    await outcomeOf('2024-01-20');
    expect(await newest('2024-01-20')).toMatchObject({
      version: 2,
      steps: { 'report/day': { state: 'done' } },
    });
  });

  it('stands for yesterday when it is triggered by hand', async () => {
    const [tick] = await ticksOf('report', 1, () =>
      triggerSchedule(installation.client, declared('report')),
    );
    const yesterday = new Date(Date.now() - 86_400_000).toLocaleDateString('sv', {
      timeZone: 'Europe/Paris',
    });
    expect(tick?.date).toBe(yesterday);
    await installation.client.workflow.getHandle(`day/tiny/${yesterday}`).cancel();
  });

  it('of Temporal’s own backfill stands for its own day', async () => {
    const ticks = await ticksOf('processing', 4, () =>
      installation.client.schedule.getHandle('tiny/processing').backfill({
        start: nominalTime(declared('processing'), '2024-01-01'),
        end: nominalTime(declared('processing'), '2024-01-04'),
      }),
    );
    expect(ticks.map(({ date }) => date).sort()).toEqual(datesBetween('2024-01-01', '2024-01-04'));
    await Promise.all(ticks.map(({ date }) => outcomeOf(date)));
  });

  it('joins a running day and asks it for what it was not started for', async () => {
    publisher.publish('2024-01-25', { add: 10_000 });
    const trigger = (id: string) => () =>
      triggerSchedule(installation.client, declared(id), '2024-01-25');
    await ticksOf('processing', 1, trigger('processing'));
    const [joined] = await ticksOf('report', 1, trigger('report'));
    expect(joined).toMatchObject({ date: '2024-01-25', how: 'joined' });
    const day = installation.client.workflow.getHandle('day/tiny/2024-01-25');
    await vi.waitFor(
      () => day.executeUpdate('decide', { args: [{ decision: 'accept', reason: 'confirmed' }] }),
      {
        timeout: 50_000,
      },
    );
    await day.result();
    expect(await newest('2024-01-25')).toMatchObject({
      steps: { 'report/day': { state: 'done' } },
    });
  });

  it('is listed with its result, and the next ticks with their dates', async () => {
    const [processing] = await listSchedules(
      installation.client,
      installation.engine.datasets,
      QUEUE,
    );
    expect(processing).toMatchObject({
      id: 'tiny/processing',
      exists: true,
      paused: false,
      last: {
        status: 'COMPLETED',
        started: { workflowId: 'day/tiny/2024-01-25', status: 'COMPLETED' },
      },
      missed: { count: 0 },
      skipped: { count: 0 },
    });
    const [next] = processing?.next ?? [];
    const today = new Date(Date.parse(next?.at ?? '') - 86_400_000).toISOString().slice(0, 10);
    expect(next?.date).toBe(today);
  });
});
