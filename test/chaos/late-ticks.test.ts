import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { defineSearchAttributeKey } from '@temporalio/common';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { eco2mix } from '../../src/datasets/eco2mix/index.ts';
import { addDays } from '../../src/pipelines/civil-date.ts';
import { civilDateAt } from '../../src/pipelines/zoned-day.ts';
import { applySchedules } from '../../src/schedules/apply-schedules.ts';
import type { TickResult } from '../../src/workflows/tick.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

const QUEUE = 'late';
const EVERY_MS = 2_000;
const SCHEDULE = 'eco2mix/daily';
const NOMINAL_TIME = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

interface Tick {
  readonly nominalMs: number;
  readonly startedMs: number;
  readonly result: TickResult;
}

/** All ticks that have ended, by nominal time. */
async function endedTicks(): Promise<Tick[]> {
  const { workflow } = stage.client;
  const ticks: Tick[] = [];
  for await (const tick of workflow.list({
    query: "WorkflowType = 'tick' AND ExecutionStatus = 'Completed'",
  })) {
    const result = (await workflow.getHandle(tick.workflowId, tick.runId).result()) as TickResult;
    const nominalMs = tick.typedSearchAttributes.get(NOMINAL_TIME)!.getTime();
    ticks.push({ nominalMs, startedMs: tick.startTime.getTime(), result });
  }
  return ticks.sort((a, b) => a.nominalMs - b.nominalMs);
}

/**
 * Waits until a tick of that time or later has ended and no tick between the first and the last is
 * missing, or there twice.
 */
function untilTickOf(leastMs: number): Promise<Tick[]> {
  return vi.waitFor(
    async () => {
      const ticks = await endedTicks();
      const nominal = ticks.map(({ nominalMs }) => nominalMs);
      expect(nominal.at(-1) ?? 0).toBeGreaterThanOrEqual(leastMs);
      expect(nominal).toEqual(nominal.map((_, index) => nominal[0]! + index * EVERY_MS));
      return ticks;
    },
    { timeout: 40_000, interval: 200 },
  );
}

it('ticks that the server missed come late, each once, for the date of its own nominal time', async () => {
  await stage.startWorker(path.join(stage.folder, 'home'), QUEUE);
  const daily = eco2mix.definition.schedules.filter(({ id }) => id === 'daily');
  const datasets = {
    eco2mix: { ...eco2mix, definition: { ...eco2mix.definition, schedules: daily } },
  };
  await applySchedules(stage.client, datasets, QUEUE);
  // The declared schedule in all but its times: nobody can wait for six in the morning.
  await stage.client.schedule.getHandle(SCHEDULE).update((schedule) => ({
    ...schedule,
    spec: { intervals: [{ every: EVERY_MS }] },
  }));
  await untilTickOf(1);
  let missedMs = 0;
  await stage.restartServer(async () => {
    missedMs = (Math.floor(Date.now() / EVERY_MS) + 1) * EVERY_MS;
    await setTimeout(missedMs + 100 - Date.now());
  });
  const backMs = Date.now();
  const ticks = await untilTickOf(backMs + EVERY_MS);
  await stage.client.schedule.getHandle(SCHEDULE).pause();

  const late = ticks.find(({ nominalMs }) => nominalMs === missedMs)!;
  expect(late.startedMs).toBeGreaterThan(missedMs + 100);
  for (const { nominalMs, result } of ticks) {
    const date = addDays(civilDateAt(new Date(nominalMs), eco2mix.definition.zone), -1);
    expect(result).toMatchObject({ date, workflowId: `day/eco2mix/${date}` });
  }
  expect(ticks.map(({ result }) => result.how)).toContain('joined');
}, 120_000);
