import { addMonths, monthOf } from './civil-date.ts';
import type { PipelineDefinition, Retention, ScheduleDefinition } from './definition.ts';
import { datesOfPeriod } from './period.ts';
import { parseScope } from './scope.ts';
import type { CivilDate, Scope } from './vocabulary.ts';

/** When content is past its time. Pure. */

/** Content of days before this one is past its time. */
export function keptSince({ months }: Retention, today: CivilDate): CivilDate {
  return `${addMonths(monthOf(today), -months)}-01`;
}

/** Whether content of a day or period is past its time; what spans the whole history never is. */
export function isExpired(retention: Retention, scope: Scope, today: CivilDate): boolean {
  const { kind } = parseScope(scope);
  if (kind === 'history') return false;
  const last = kind === 'period' ? datesOfPeriod(scope).to : scope;
  return last < keptSince(retention, today);
}

/**
 * Every night, because what is kept for so long and no longer ends with a month, and a store may be
 * away in the first night of the next one. Most nights there is nothing to do.
 */
const RETAIN_SCHEDULE: ScheduleDefinition = {
  id: 'retain',
  title: 'Content that is past its time',
  cron: '40 1 * * *',
  runs: { workflow: 'retain' },
  lagDays: 0,
  catchUpMinutes: 600,
  jitterSeconds: 60,
  overlap: 'skip',
  pauseOnFailure: false,
};

/**
 * The schedules of a pipeline with the one of its retention: whoever gives a table an end need not
 * think of what ends it. A pipeline that declares such a schedule itself keeps its own.
 */
export function withRetainSchedule(
  definition: Pick<PipelineDefinition, 'parts' | 'steps' | 'rollups' | 'schedules'>,
): readonly ScheduleDefinition[] {
  const { parts, steps, rollups, schedules } = definition;
  const isOwn = schedules.some(
    ({ id, runs }) => id === RETAIN_SCHEDULE.id || runs?.workflow === 'retain',
  );
  const outputs = [...steps, ...rollups].flatMap((step) => Object.values(step.outputs));
  const ends =
    outputs.some(({ retention }) => retention !== undefined) ||
    parts.some(({ rawRetention }) => rawRetention !== undefined);
  return ends && !isOwn ? [...schedules, RETAIN_SCHEDULE] : schedules;
}
