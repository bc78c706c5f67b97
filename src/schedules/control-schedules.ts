import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { PipelineError } from '../errors.ts';
import { addDays } from '../pipelines/civil-date.ts';
import { parseCron } from '../pipelines/cron.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { civilDateAt } from '../pipelines/zoned-day.ts';
import type { DeclaredSchedule } from './declared-schedules.ts';

/**
 * What an operator does to a schedule. Each throws `PLAN_INVALID` when the schedule was not applied
 * yet.
 */

/** `reason` becomes the note that `schedules` shows; pausing twice is no error. */
export async function pauseSchedule(
  client: Client,
  { id }: DeclaredSchedule,
  reason: string,
): Promise<void> {
  await onSchedule(id, client.schedule.getHandle(id).pause(reason));
}

/** `reason` replaces the note of the pause. */
export async function resumeSchedule(
  client: Client,
  { id }: DeclaredSchedule,
  reason: string,
): Promise<void> {
  await onSchedule(id, client.schedule.getHandle(id).unpause(reason));
}

/**
 * One tick now; with a date, the tick that stands for that data date, whenever it is or was due.
 */
export async function triggerSchedule(
  client: Client,
  declared: DeclaredSchedule,
  date?: CivilDate,
): Promise<void> {
  const handle = client.schedule.getHandle(declared.id);
  if (date === undefined) {
    await onSchedule(declared.id, handle.trigger(ScheduleOverlapPolicy.ALLOW_ALL));
    return;
  }
  const at = nominalTime(declared, date);
  // Temporal compares the end with the time that the jitter makes of the nominal one. It never
  // moves a tick past the next one, so no other tick can be in this span.
  const latest = at.getTime() + declared.schedule.jitterSeconds * 1000;
  const backfill = {
    start: new Date(at.getTime() - 1_000),
    end: new Date(latest),
    overlap: ScheduleOverlapPolicy.ALLOW_ALL,
  };
  await onSchedule(declared.id, handle.backfill(backfill));
}

/**
 * The nominal time of the tick that stands for a date; `PLAN_INVALID` when the schedule has none.
 */
export function nominalTime({ id, definition, schedule }: DeclaredSchedule, date: CivilDate): Date {
  const { minute, hour, dayOfMonth, month, dayOfWeek } = parseCron(schedule.cron);
  for (const utcDate of [-1, 0, 1].map((days) => addDays(date, schedule.lagDays + days))) {
    const midnight = new Date(`${utcDate}T00:00:00Z`);
    const allowed =
      dayOfMonth.includes(midnight.getUTCDate()) &&
      month.includes(midnight.getUTCMonth() + 1) &&
      dayOfWeek.includes(midnight.getUTCDay());
    const times = hour.flatMap((h) =>
      minute.map((m) => new Date(midnight.getTime() + (h * 60 + m) * 60_000)),
    );
    const found = times.find(
      (at) => addDays(civilDateAt(at, definition.zone), -schedule.lagDays) === date,
    );
    if (allowed && found !== undefined) return found;
  }
  throw new PipelineError(
    'PLAN_INVALID',
    `no tick of ${id} (${schedule.cron} UTC) stands for ${date}`,
  );
}

async function onSchedule<T>(id: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new PipelineError(
      'PLAN_INVALID',
      `schedule ${id} is not there yet; "quotidien schedules apply" makes it`,
    );
  }
}
