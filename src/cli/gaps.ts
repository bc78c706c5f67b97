import { calendarOfDays } from '../activities/day-calendar.ts';
import { datasetOf } from '../activities/engine.ts';
import { planFromStores } from '../activities/resolve-plan.ts';
import { stalePeriods } from '../activities/stale-periods.ts';
import { PipelineError } from '../errors.ts';
import { rangesOf } from '../pipelines/calendar-of-days.ts';
import type { CalendarDay, DateRange } from '../pipelines/calendar-of-days.ts';
import { addDays, datesBetween, parseCivilDate } from '../pipelines/civil-date.ts';
import { staleSteps } from '../pipelines/execution.ts';
import type { PlannedStep } from '../pipelines/plan.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { civilDateAt } from '../pipelines/zoned-day.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { count } from './measures.ts';
import { findRunningDays } from './running-days.ts';
import { findUnfinished, isFinished, rangeText, unfinishedLines } from './unfinished.ts';
import { printUnreadable } from './unreadable.ts';

export interface RangeCommand {
  readonly pipeline: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const DEFAULT_DAYS = 365;

/** `quotidien gaps`: what is not as it should be, and the backfills that would close it. */
export async function gaps(context: CommandContext, command: RangeCommand): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  const dates = await datesOf(context, command);
  const { days: running } = await findRunningDays(context.config, command.pipeline);
  const days = await calendarOfDays(engine, command.pipeline, dates, running);
  const found = [
    gapOf(command.pipeline, 'missing', days, ({ standing }) => standing === 'missing', '--missing'),
    gapOf(command.pipeline, 'failed', days, isFailed, '--failed'),
    gapOf(command.pipeline, 'degraded', days, ({ standing }) => standing === 'degraded', ''),
    gapOf(command.pipeline, 'incomplete', days, ({ coverage }) => coverage !== null && coverage < 1, '--all'),
    { ...gapOf(command.pipeline, 'unreadable', days, isUnreadable, ''), backfill: repairs(command.pipeline, days) },
  ].filter(({ days: number }) => number > 0);
  const unfinished = await findUnfinished(engine, command.pipeline);
  terminal.data({ pipeline: command.pipeline, from: dates[0], to: dates.at(-1), gaps: found, unfinished });
  for (const { kind, ranges, days: number, backfill } of found) {
    terminal.line(`${kind.padEnd(11)} ${count(number, 'day')}: ${rangeText(ranges)}`);
    terminal.line(`            ${backfill}`);
  }
  for (const line of unfinishedLines(command.pipeline, unfinished)) terminal.line(line);
  const none = found.length === 0 && isFinished(unfinished);
  if (none) terminal.line(`no gap in ${count(days.length, 'day')}`);
  return none ? EXIT.done : EXIT.degraded;
}

function isUnreadable({ remarks }: CalendarDay): boolean {
  return remarks.some(({ kind }) => kind === 'unreadable');
}

function isFailed(day: CalendarDay): boolean {
  return !isUnreadable(day) && (day.standing === 'failed' || day.failure !== null);
}

function repairs(pipeline: string, days: readonly CalendarDay[]): string {
  const dates = days.filter(isUnreadable).map(({ date }) => date);
  return `quotidien repair ${pipeline} ${dates[0] ?? ''} ${dates.at(-1) ?? ''}`;
}

interface Gap {
  readonly kind: string;
  readonly days: number;
  readonly ranges: readonly DateRange[];
  /** The command that would close it. */
  readonly backfill: string;
}

function gapOf(
  pipeline: string,
  kind: string,
  days: readonly CalendarDay[],
  isOne: (day: CalendarDay) => boolean,
  option: string,
): Gap {
  const dates = days.filter(isOne).map(({ date }) => date);
  const ranges = rangesOf(dates);
  const [from, to] = [ranges[0]?.from ?? '', ranges.at(-1)?.to ?? ''];
  return {
    kind,
    days: dates.length,
    ranges,
    backfill: `quotidien backfill ${pipeline} ${from} ${to} ${option}`.trimEnd(),
  };
}

/** `quotidien stale`: finished days and periods with steps that would run again without asking the publisher, and why. */
export async function stale(context: CommandContext, command: RangeCommand): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  const { definition } = datasetOf(engine, command.pipeline);
  const dates = await datesOf(context, command);
  const { plans, manifests, unreadable } = await planFromStores(engine, definition, dates, { offline: true });
  const days = plans
    .filter(({ date }) => manifests.has(date))
    .map(({ date, steps }) => ({
      date,
      steps: staleSteps(definition, steps, manifests.get(date)),
    }))
    .filter(({ steps }) => steps.length > 0);
  const periods = await stalePeriods(engine, command.pipeline, dates);
  const unfinished = await findUnfinished(engine, command.pipeline);
  terminal.data({
    pipeline: command.pipeline,
    days,
    periods,
    unfinished,
    unreadable: Object.fromEntries(unreadable),
  });
  for (const { date, steps } of days) {
    terminal.line(terminal.colours.bold(date));
    for (const step of steps) terminal.line(`  ${staleText(step)}`);
  }
  for (const { period, step, reason } of periods) terminal.line(`${period.padEnd(8)} ${staleText({ step, reason })}`);
  printUnreadable(terminal, unreadable);
  for (const line of unfinishedLines(command.pipeline, unfinished)) terminal.line(line);
  const none = days.length + periods.length + unreadable.size === 0 && isFinished(unfinished);
  if (none) terminal.line('nothing is out of date');
  if (days.length > 0) {
    const [from, to] = [days[0]?.date ?? '', days.at(-1)?.date ?? ''];
    terminal.line(
      `${count(days.length, 'day')} out of date: quotidien backfill ${command.pipeline} ${from} ${to} --stale`,
    );
  }
  if (periods.length > 0) {
    const pending = [...new Set(periods.map(({ date }) => date))];
    const input = JSON.stringify({ pipeline: command.pipeline, debounceMs: 0, pending });
    const start = `temporal workflow start --type rollup --workflow-id rollup/${command.pipeline}`;
    const queue = context.config.settings.QUOTIDIEN_TASK_QUEUE;
    terminal.line(`${count(periods.length, 'period')} out of date: ${start} --task-queue ${queue} --input '${input}'`);
  }
  return none ? EXIT.done : EXIT.degraded;
}

function staleText({ step, reason }: Pick<PlannedStep, 'step' | 'reason'>): string {
  return `${step.padEnd(22)} ${reason}`;
}

/** The asked range, within the days that the pipeline has; without one the last year up to yesterday. */
async function datesOf(context: CommandContext, { pipeline, from, to }: RangeCommand): Promise<CivilDate[]> {
  const engine = await context.engine();
  const { definition } = datasetOf(engine, pipeline);
  const yesterday = addDays(civilDateAt(engine.now(), definition.zone), -1);
  const last = to === undefined ? yesterday : parseCivilDate(to);
  const first = from === undefined ? addDays(last, 1 - DEFAULT_DAYS) : parseCivilDate(from);
  const dates = datesBetween(first < definition.since ? definition.since : first, last);
  if (dates.length > 0) return dates;
  throw new PipelineError('INPUT_INVALID', `the range ${first} … ${last} is empty, or before ${definition.since}`);
}
