import { calendarOfDays } from '../../engine/look/day-calendar.ts';
import { findUnfinished } from '../../engine/look/unfinished.ts';
import { gapsOf, rangesOf } from '../../pipelines/calendar-of-days.ts';
import type { CalendarDay, GapKind } from '../../pipelines/calendar-of-days.ts';
import { addDays, datesBetween } from '../../pipelines/civil-date.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { instantText } from '../shared/instants.ts';
import { count } from '../shared/measures.ts';
import { findRunningDays } from '../temporal/running-days.ts';
import { findTicks } from '../temporal/ticks.ts';
import type { Ticks } from '../temporal/ticks.ts';
import { rangeText } from './unfinished.ts';

/** So far back a person is asked to look; `gaps` looks further. */
const DAYS_LOOKED_AT = 30;

const NAME_WIDTH = 16;

interface Wanted {
  readonly pipeline: string;
  readonly what: string;
  /** What closes it. */
  readonly command: string;
}

interface PipelineStanding {
  readonly pipeline: string;
  readonly title: string;
  /** The newest finished day of the last thirty; null when there is none. */
  readonly newest: Pick<CalendarDay, 'date' | 'verdict' | 'committedAt'> | null;
  readonly finished: number;
  readonly running: number;
  readonly next: { readonly id: string; readonly at: string; readonly date: string } | null;
}

/**
 * `quotidien status` without a pipeline: how all pipelines stand, the next tick of each, and what
 * needs a person today.
 */
export async function overview(context: CommandContext): Promise<ExitCode> {
  const { terminal, config } = context;
  const engine = await context.engine();
  const ticks = await findTicks(config, context.datasets, config.settings.QUOTIDIEN_TASK_QUEUE);
  const standings: PipelineStanding[] = [];
  const wanted: Wanted[] = [...ticks.asks];
  for (const { definition } of Object.values(context.datasets)) {
    const { days: running } = await findRunningDays(config, definition.name);
    const days = await calendarOfDays(
      engine,
      definition.name,
      lastDays(definition, engine.now()),
      running,
    );
    standings.push(standingOf(definition, days, ticks));
    wanted.push(...wantedOf(definition.name, days));
    const { failed } = await findUnfinished(engine, definition.name);
    wanted.push(
      ...failed.map(({ period, step, code }) => ({
        pipeline: definition.name,
        what: `${period}: ${step} failed, ${code}`,
        command: `quotidien show ${definition.name} ${period}`,
      })),
    );
  }
  terminal.data({ pipelines: standings, wanted });
  if (ticks.unknown !== undefined) terminal.note(ticks.unknown);
  for (const standing of standings) {
    const zone = context.datasets[standing.pipeline]?.definition.zone ?? 'UTC';
    for (const line of standingLines(standing, zone)) terminal.line(line);
  }
  terminal.line();
  for (const line of wantedLines(wanted)) terminal.line(line);
  return wanted.length === 0 ? EXIT.done : EXIT.degraded;
}

function lastDays(definition: PipelineDefinition, now: Date): string[] {
  const today = civilDateAt(now, definition.zone);
  return datesBetween(addDays(today, -DAYS_LOOKED_AT), today).filter(
    (date) => date >= firstDayOf(definition),
  );
}

function standingOf(
  { name, title }: PipelineDefinition,
  days: readonly CalendarDay[],
  ticks: Ticks,
): PipelineStanding {
  const finished = days.filter(({ verdict }) => verdict !== null);
  const newest = finished.at(-1);
  return {
    pipeline: name,
    title,
    newest:
      newest === undefined
        ? null
        : { date: newest.date, verdict: newest.verdict, committedAt: newest.committedAt },
    finished: finished.length,
    running: days.filter(({ running }) => running !== null).length,
    next: ticks.next.find(({ id }) => id.startsWith(`${name}/`)) ?? null,
  };
}

const CLOSED_BY: Readonly<
  Partial<Record<GapKind, (pipeline: string, from: string, to: string) => string>>
> = {
  held: (pipeline, from) => `quotidien decide ${pipeline} ${from} --accept --reason "…"`,
  failed: (pipeline, from, to) =>
    from === to
      ? `quotidien run ${pipeline} ${from}`
      : `quotidien backfill ${pipeline} ${from} ${to} --failed`,
  missing: (pipeline, from, to) =>
    from === to
      ? `quotidien run ${pipeline} ${from}`
      : `quotidien backfill ${pipeline} ${from} ${to} --missing`,
  unreadable: (pipeline, from, to) => `quotidien repair ${pipeline} ${from} ${to}`,
};

/**
 * Nobody is asked about a pipeline that has made no day here: it may not be wanted at all. Days
 * before the first one made here were never asked for.
 */
function wantedOf(pipeline: string, days: readonly CalendarDay[]): Wanted[] {
  const first = days.findIndex(
    ({ verdict, failure, running }) => verdict !== null || failure !== null || running !== null,
  );
  if (first < 0) return [];
  const known = days.slice(first);
  return Object.entries(CLOSED_BY).flatMap(([kind, command]) => {
    const dates = known
      .filter((day) => gapsOf(day).includes(kind as GapKind))
      .map(({ date }) => date);
    const [from, to] = [dates[0], dates.at(-1)];
    if (from === undefined || to === undefined) return [];
    const what = `${count(dates.length, 'day')} ${kind}: ${rangeText(rangesOf(dates))}`;
    return [{ pipeline, what, command: command(pipeline, from, to) }];
  });
}

function standingLines(
  { pipeline, newest, finished, running, next }: PipelineStanding,
  zone: string,
): string[] {
  const when = newest?.committedAt ?? null;
  const state =
    newest === null
      ? `no day in the last ${DAYS_LOOKED_AT} days`
      : `${newest.date} ${(newest.verdict ?? '').replace('_', ' ')}, made ${when === null ? '' : instantText(when, zone)}; ` +
        `${finished} of ${DAYS_LOOKED_AT + 1} days finished`;
  const runs = running === 0 ? '' : `, ${count(running, 'day')} running`;
  const tick =
    next === null
      ? []
      : [`${' '.repeat(NAME_WIDTH + 1)}next tick ${instantText(next.at, zone)} for ${next.date}`];
  return [`${pipeline.padEnd(NAME_WIDTH)} ${state}${runs}`, ...tick];
}

function wantedLines(wanted: readonly Wanted[]): string[] {
  if (wanted.length === 0) return ['nothing needs a person'];
  return [
    'needs a person:',
    ...wanted.flatMap(({ pipeline, what, command }) => [
      `  ${pipeline}  ${what}`,
      `    ${command}`,
    ]),
  ];
}
