import { firstOf, lastOf } from '../../given.ts';
import { datasetOf } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import { calendarOfDays } from '../../engine/look/day-calendar.ts';
import { findUnfinished, isFinished } from '../../engine/look/unfinished.ts';
import { rangeOfDays } from '../../engine/look/range-of-days.ts';
import { staleDays } from '../../engine/look/stale-days.ts';
import { selectSpans } from '../../engine/plan/plan-backfill.ts';
import { whyNotAsked } from '../../pipelines/part-days.ts';
import { stalePeriods } from '../../engine/derive/stale-periods.ts';
import { GAP_KINDS, gapsOf, publishersOf, rangesOf } from '../../pipelines/calendar-of-days.ts';
import type { CalendarDay, DateRange, GapKind } from '../../pipelines/calendar-of-days.ts';
import { reasonsTold, shareText, tellTogether } from '../../pipelines/in-shards.ts';
import type { ToldStep } from '../../pipelines/in-shards.ts';
import type { PlannedStep } from '../../pipelines/planned-step.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { count } from '../shared/measures.ts';
import { findRunningDays } from '../temporal/running-days.ts';
import { rangeText, unfinishedLines } from './unfinished.ts';
import { printUnreadable } from '../shared/unreadable.ts';

/** Both ends are included; without them the last year. */
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
  const found: Gap[] = [];
  for (const kind of GAP_KINDS)
    found.push(...(await gapsOfKind(engine, command.pipeline, kind, days)));
  const unfinished = await findUnfinished(engine, command.pipeline);
  terminal.data({
    pipeline: command.pipeline,
    from: dates[0],
    to: dates.at(-1),
    gaps: found,
    unfinished,
  });
  for (const { kind, ranges, days: number, backfill, why = '', publishers = {} } of found) {
    terminal.line(
      `${kind.replace('_', ' ').padEnd(11)} ${count(number, 'day')}: ${rangeText(ranges)}`,
    );
    for (const [heard, some] of Object.entries(publishers))
      terminal.line(`            ${heard} (${count(some, 'day')})`);
    terminal.line(`            ${backfill ?? why}`);
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
  /** The command that would close it; null where none of ours can. */
  readonly backfill: string | null;
  /** Why no command is proposed. */
  readonly why?: string;
  /**
   * What came of parts without rows, by part and words, on how many days: an unreached publisher is
   * not one that has nothing.
   */
  readonly publishers?: Readonly<Record<string, number>>;
}

/** Days of one kind: those that a command can close, and those that none can. */
export async function gapsOfKind(
  engine: Engine,
  pipeline: string,
  kind: GapKind,
  days: readonly CalendarDay[],
): Promise<Gap[]> {
  const own = days.filter((day) => gapsOf(day).includes(kind));
  const open = await openAmong(engine, pipeline, kind, own);
  const gap = (some: readonly CalendarDay[], closed: Pick<Gap, 'backfill' | 'why'>): Gap[] =>
    some.length === 0
      ? []
      : [
          {
            kind,
            days: some.length,
            ranges: rangesOf(some.map(({ date }) => date)),
            ...closed,
            ...heardOf(some),
          },
        ];
  const closable = own.filter(({ date }) => open.has(date));
  const [from = '', to = ''] = [closable[0]?.date, closable.at(-1)?.date];
  return [
    ...gap(closable, { backfill: closing(kind, pipeline, from, to) }),
    ...gap(
      own.filter(({ date }) => !open.has(date)),
      { backfill: null, why: NOTHING_CLOSES },
    ),
  ];
}

function heardOf(days: readonly CalendarDay[]): Pick<Gap, 'publishers'> {
  const publishers = publishersOf(days);
  return Object.keys(publishers).length === 0 ? {} : { publishers };
}

const NOTHING_CLOSES =
  'no command closes it: nothing is left to ask or to make; "quotidien show" tells what the days lack';

/**
 * The days of a kind for which its command has something to do: degraded ones that a backfill would
 * take, days without data and incomplete ones of which a publisher can still be asked for what they
 * lack; all days of the other kinds.
 */
async function openAmong(
  engine: Engine,
  pipeline: string,
  kind: GapKind,
  days: readonly CalendarDay[],
): Promise<ReadonlySet<CivilDate>> {
  const [from, to] = [days[0]?.date, days.at(-1)?.date];
  if (from === undefined || to === undefined) return new Set();
  if (kind === 'degraded') {
    const open = new Set<CivilDate>();
    for await (const { selected } of selectSpans(engine, { pipeline, from, to }))
      for (const { date } of selected) open.add(date);
    return open;
  }
  if (kind !== 'no_data' && kind !== 'incomplete') return new Set(days.map(({ date }) => date));
  const { definition } = datasetOf(engine, pipeline);
  const canBeAsked = ({ date, lacks }: CalendarDay): boolean => {
    const lacking = lacks.flatMap(({ part }) => part?.split(' or ') ?? []);
    return definition.parts
      .filter(({ id }) => lacking.length === 0 || lacking.includes(id))
      .some((part) => whyNotAsked(definition, part, date, engine.now()) === undefined);
  };
  return new Set(days.filter(canBeAsked).map(({ date }) => date));
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
    // Nothing of them is open: only asking the publisher again may change what it has delivered so
    // far.
    case 'no_data':
    case 'incomplete':
      return `${backfill} --all`;
    case 'held':
      return `quotidien decide ${pipeline} ${from} --accept --reason "…"`;
    case 'unreadable':
      return `quotidien repair ${pipeline} ${from} ${to}`;
    case 'unknown':
      return 'quotidien doctor';
  }
}

/**
 * `quotidien stale`: finished days and periods with steps that would run again without asking the
 * publisher, and why.
 */
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
    for (const told of tellTogether(steps, ({ step }) => step))
      terminal.line(`  ${staleText(staleOf(told))}`);
    for (const name of unpublished) terminal.line(`  ${name} does not show the newest version`);
  }
  for (const { period, step, reason } of periods)
    terminal.line(`${period.padEnd(8)} ${staleText({ step, reason })}`);
  printUnreadable(terminal, unreadable);
  for (const line of unfinishedLines(command.pipeline, unfinished)) terminal.line(line);
  const none = days.length + periods.length + unreadable.size === 0 && isFinished(unfinished);
  if (none) terminal.line('nothing is out of date');
  if (days.length > 0) {
    const [from, to] = [firstOf(days).date, lastOf(days).date];
    terminal.line(
      `${count(days.length, 'day')} out of date: quotidien backfill ${command.pipeline} ${from} ${to} --stale`,
    );
  }
  if (periods.length > 0) {
    const pending = [...new Set(periods.map(({ date }) => date))];
    const input = JSON.stringify({ pipeline: command.pipeline, debounceMs: 0, pending });
    const start = `temporal workflow start --type rollup --workflow-id rollup/${command.pipeline}`;
    const queue = context.config.settings.QUOTIDIEN_TASK_QUEUE;
    terminal.line(
      `${count(periods.length, 'period')} out of date: ${start} --task-queue ${queue} --input '${input}'`,
    );
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
