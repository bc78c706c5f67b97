import { calendarOfDays } from '../../engine/look/day-calendar.ts';
import { datasetOf } from '../../engine/engine.ts';
import { PipelineError } from '../../errors.ts';
import type { CalendarDay } from '../../pipelines/calendar-of-days.ts';
import { addMonths, monthOf } from '../../pipelines/civil-date.ts';
import type { Period } from '../../pipelines/vocabulary.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { askAgainLine, renderCalendar } from './calendar.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { findRunningDays } from '../temporal/running-days.ts';
import { findUnfinished } from '../../engine/look/unfinished.ts';
import { unfinishedLines } from './unfinished.ts';
import { parseDatesOfPeriod } from '../shared/scope-argument.ts';

/** The calendar of one pipeline. */
export interface StatusCommand {
  readonly pipeline: string;
  /** `YYYY-MM` or `YYYY`; without it the current month and the one before. */
  readonly period?: string | undefined;
}

/** `quotidien status`: the calendar of days. */
export async function status(
  context: CommandContext,
  { pipeline, period }: StatusCommand,
): Promise<ExitCode> {
  const engine = await context.engine();
  const { definition } = datasetOf(engine, pipeline);
  const thisMonth = monthOf(civilDateAt(engine.now(), definition.zone));
  const asked = period === undefined ? [addMonths(thisMonth, -1), thisMonth] : [period];
  const days = await readDays(context, pipeline, asked);
  if (days.length === 0) {
    throw new PipelineError(
      'PLAN_INVALID',
      `${pipeline} has no data before ${firstDayOf(definition)}; ${asked.join(' and ')} was asked for`,
    );
  }
  context.terminal.data(days);
  await print(context, days);
  for (const line of unfinishedLines(pipeline, await findUnfinished(engine, pipeline)))
    context.terminal.line(line);
  return EXIT.done;
}

async function print(context: CommandContext, days: readonly CalendarDay[]): Promise<void> {
  const { terminal } = context;
  for (const line of renderCalendar(days, terminal)) terminal.line(line);
  const asked = askAgainLine(days, (await context.engine()).now());
  if (asked !== undefined) terminal.line(asked);
}

async function readDays(
  context: CommandContext,
  pipeline: string,
  periods: readonly Period[],
): Promise<CalendarDay[]> {
  const dates = periods.flatMap(parseDatesOfPeriod);
  const { days, unknown } = await findRunningDays(context.config, pipeline);
  if (unknown !== undefined) context.terminal.note(unknown);
  return calendarOfDays(await context.engine(), pipeline, dates, days);
}
