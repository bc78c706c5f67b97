import { calendarOfDays } from '../../engine/look/day-calendar.ts';
import { findUnfinished, isFinished } from '../../engine/look/unfinished.ts';
import { rangeOfDays } from '../../engine/look/range-of-days.ts';
import { staleDays } from '../../engine/look/stale-days.ts';
import { stalePeriods } from '../../engine/derive/stale-periods.ts';
import { GAP_KINDS, gapsOf, rangesOf } from '../../pipelines/calendar-of-days.ts';
import type { CalendarDay, DateRange, GapKind } from '../../pipelines/calendar-of-days.ts';
import { reasonsTold, shareText, tellTogether } from '../../pipelines/in-shards.ts';
import type { ToldStep } from '../../pipelines/in-shards.ts';
import type { PlannedStep } from '../../pipelines/plan.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { count } from '../shared/measures.ts';
import { decideCommand } from '../temporal/day-waits.ts';
import { findRunningDays } from '../temporal/running-days.ts';
import { rangeText, unfinishedLines } from './unfinished.ts';
import { printUnreadable } from '../shared/unreadable.ts';

export interface RangeCommand {
  readonly pipeline: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** `quotidien gaps`: what is not as it should be, and the backfills that would close it. */
export async function gaps(context: CommandContext, command: RangeCommand): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  const dates = rangeOfDays(engine, command.pipeline, command);
  const { days: running } = await findRunningDays(context.config, command.pipeline);
  const days = await calendarOfDays(engine, command.pipeline, dates, running);
  const found = GAP_KINDS.flatMap((kind) => gapOf(command.pipeline, kind, days));
  const unfinished = await findUnfinished(engine, command.pipeline);
  terminal.data({ pipeline: command.pipeline, from: dates[0], to: dates.at(-1), gaps: found, unfinished });
  for (const { kind, ranges, days: number, backfill } of found) {
    terminal.line(`${kind.replace('_', ' ').padEnd(11)} ${count(number, 'day')}: ${rangeText(ranges)}`);
    terminal.line(`            ${backfill}`);
  }
  for (const line of unfinishedLines(command.pipeline, unfinished)) terminal.line(line);
  const none = found.length === 0 && isFinished(unfinished);
  if (none) terminal.line(`no gap in ${count(days.length, 'day')}`);
  return none ? EXIT.done : EXIT.degraded;
}

interface Gap {
  readonly kind: GapKind;
  readonly days: number;
  readonly ranges: readonly DateRange[];
  /** The command that would close it. */
  readonly backfill: string;
}

function gapOf(pipeline: string, kind: GapKind, days: readonly CalendarDay[]): Gap[] {
  const dates = days.filter((day) => gapsOf(day).includes(kind)).map(({ date }) => date);
  const ranges = rangesOf(dates);
  const [from, to] = [dates[0], dates.at(-1)];
  if (from === undefined || to === undefined) return [];
  return [{ kind, days: dates.length, ranges, backfill: closing(kind, pipeline, from, to) }];
}

function closing(kind: GapKind, pipeline: string, from: CivilDate, to: CivilDate): string {
  const backfill = `quotidien backfill ${pipeline} ${from} ${to}`;
  switch (kind) {
    case 'missing':
      return `${backfill} --missing`;
    case 'failed':
      return `${backfill} --failed`;
    case 'degraded':
      return backfill;
    // Nothing of them is open: only asking the publisher again may change what it has delivered so far.
    case 'no_data':
    case 'incomplete':
      return `${backfill} --all`;
    case 'held':
      return decideCommand(pipeline, from);
    case 'unreadable':
      return `quotidien repair ${pipeline} ${from} ${to}`;
    case 'unknown':
      return 'quotidien doctor';
  }
}

/** `quotidien stale`: finished days and periods with steps that would run again without asking the publisher, and why. */
export async function stale(context: CommandContext, command: RangeCommand): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  const dates = rangeOfDays(engine, command.pipeline, command);
  const { days, unreadable } = await staleDays(engine, command.pipeline, dates);
  const periods = await stalePeriods(engine, command.pipeline, dates);
  const unfinished = await findUnfinished(engine, command.pipeline);
  terminal.data({
    pipeline: command.pipeline,
    days,
    periods,
    unfinished,
    unreadable: Object.fromEntries(unreadable),
  });
  for (const { date, steps, unpublished } of days) {
    terminal.line(terminal.colours.bold(date));
    for (const told of tellTogether(steps, ({ step }) => step)) terminal.line(`  ${staleText(staleOf(told))}`);
    for (const name of unpublished) terminal.line(`  ${name} does not show the newest version`);
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

function staleOf(told: ToldStep<PlannedStep>): Pick<PlannedStep, 'step' | 'reason'> {
  const share = told.of === undefined ? '' : `${shareText(told)}, `;
  return { step: told.step, reason: `${share}${reasonsTold(told.members)}` };
}

function staleText({ step, reason }: Pick<PlannedStep, 'step' | 'reason'>): string {
  return `${step.padEnd(22)} ${reason}`;
}
