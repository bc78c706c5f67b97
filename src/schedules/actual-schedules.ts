import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client, ScheduleDescription } from '@temporalio/client';
import { canonicalJson } from '../canonical-json.ts';
import { formatCron } from '../pipelines/cron.ts';
import { COMPARED_FIELDS, seconds } from './declared-schedules.ts';
import type { ComparedSettings } from './declared-schedules.ts';

/** The schedules that Temporal has, in the form that people compare with the declared ones. */

/** A schedule as Temporal has it now. */
export interface ActualSchedule {
  readonly description: ScheduleDescription;
  readonly settings: ComparedSettings;
  /** What the schedule was last made from; undefined when it was not made by us. */
  readonly madeFrom: { readonly hash: string; readonly settings: ComparedSettings } | undefined;
}

/**
 * Memo fields. The server refuses to change a schedule's own memo later, so that holds only whose
 * schedule it is; the hash and the settings of the declaration that it was last made from are in
 * the memo of its action, which is replaced together with the specification, in one write.
 */
export const MEMO = { owner: 'taskQueue', hash: 'declaration', settings: 'declared' } as const;

/** Undefined where Temporal has none of this id; other errors are Temporal's. */
export async function actualSchedule(
  client: Client,
  id: string,
): Promise<ActualSchedule | undefined> {
  try {
    const description = await client.schedule.getHandle(id).describe();
    return {
      description,
      settings: actualSettings(description),
      madeFrom: madeFrom(description.action.memo),
    };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/**
 * The ids of all schedules that were made from declarations for this task queue, also of those that
 * nobody declares any more.
 */
export async function madeSchedules(client: Client, taskQueue: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId, memo } of client.schedule.list()) {
    if (memo?.[MEMO.owner] === taskQueue) ids.push(scheduleId);
  }
  return ids.sort();
}

function madeFrom(memo: Record<string, unknown> | undefined): ActualSchedule['madeFrom'] {
  const [hash, settings] = [memo?.[MEMO.hash], memo?.[MEMO.settings]];
  if (typeof hash !== 'string' || typeof settings !== 'object' || settings === null)
    return undefined;
  const texts = settings as Record<string, unknown>;
  return {
    hash,
    settings: Object.fromEntries(
      COMPARED_FIELDS.map((name) => [name, text(texts[name])]),
    ) as ComparedSettings,
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : 'not recorded';
}

function actualSettings(description: ScheduleDescription): ComparedSettings {
  const { spec, policies, action, state } = description;
  return {
    times: timesOf(description),
    'time zone': spec.timezone === undefined || spec.timezone === '' ? 'UTC' : spec.timezone,
    jitter: seconds(spec.jitter ?? 0),
    overlap: String(policies.overlap),
    'catch-up window': seconds(policies.catchupWindow),
    'pause on failure': String(policies.pauseOnFailure),
    limit: state.remainingActions === undefined ? 'none' : `${state.remainingActions} more actions`,
    workflow: action.workflowType,
    'workflow id': action.workflowId,
    input: canonicalJson(action.args ?? []),
    'task queue': action.taskQueue,
  };
}

type Calendar = NonNullable<
  NonNullable<NonNullable<ScheduleDescription['raw']['schedule']>['spec']>['structuredCalendar']
>[number];

/**
 * Everything that says when the schedule acts: Temporal takes the union of calendars and intervals,
 * so a second one shows.
 */
function timesOf({ spec, raw }: ScheduleDescription): string {
  const calendars = (raw.schedule?.spec?.structuredCalendar ?? []).map(calendarText);
  const intervals = (spec.intervals ?? []).map(
    ({ every, offset }) =>
      `every ${seconds(every)} at ${seconds(Number.isFinite(offset) ? offset : 0)}`,
  );
  const skipped = (raw.schedule?.spec?.excludeStructuredCalendar ?? []).map(
    (one) => `except ${calendarText(one)}`,
  );
  const from = spec.startAt === undefined ? [] : [`from ${spec.startAt.toISOString()}`];
  const to = spec.endAt === undefined ? [] : [`until ${spec.endAt.toISOString()}`];
  return [...calendars.sort(), ...intervals, ...skipped, ...from, ...to].join(' and ');
}

function calendarText(calendar: Calendar): string {
  const cron = formatCron({
    minute: numbers(calendar.minute),
    hour: numbers(calendar.hour),
    dayOfMonth: numbers(calendar.dayOfMonth),
    month: numbers(calendar.month),
    dayOfWeek: numbers(calendar.dayOfWeek),
  });
  const [second, year] = [numbers(calendar.second).join(','), numbers(calendar.year).join(',')];
  return [
    cron,
    ...(second === '0' ? [] : [`second ${second}`]),
    ...(year === '' ? [] : [`year ${year}`]),
  ].join(' ');
}

function numbers(ranges: Calendar['minute']): number[] {
  const found = new Set<number>();
  for (const { start, end, step } of ranges ?? []) {
    const first = start ?? 0;
    for (let number = first; number <= Math.max(first, end ?? 0); number += Math.max(1, step ?? 1))
      found.add(number);
  }
  return [...found].sort((a, b) => a - b);
}
