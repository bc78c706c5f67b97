import { addDays, addMonths, datesBetween, monthOf, yearOf } from './civil-date.ts';
import type { PipelineDefinition, RollupDefinition, RollupInput } from './definition.ts';
import { datesOfPeriod, periodsOf } from './period.ts';
import { WHOLE_HISTORY } from './scope.ts';
import type { CivilDate, Period, Scope, StepId } from './vocabulary.ts';

/**
 * The graph of what is made from days: which days and periods a period reads, and which periods a
 * changed day can reach. It names candidates; what is made again is decided by the content hashes
 * of what each of them reads, so a change ends where bytes stay the same. Pure.
 */

/** The days that can have data: from the first one of the pipeline to today, both included. */
export interface Span {
  readonly since: CivilDate;
  readonly today: CivilDate;
}

/** The span of a pipeline at an instant. Today is that of UTC: a day later than it has no data. */
export function spanAt({ since }: Pick<PipelineDefinition, 'since'>, now: Date): Span {
  return { since, today: now.toISOString().slice(0, 10) };
}

const GRAINS: readonly RollupInput['each'][] = ['day', 'month', 'year', 'history'];

/** Whether an input is a part of the period itself: its days, or the months or years in it. */
export function isWithin(grain: RollupDefinition['grain'], { each, asOf }: RollupInput): boolean {
  return asOf === undefined && GRAINS.indexOf(each) < GRAINS.indexOf(grain);
}

/** Whether the periods of a rollup read earlier periods of the same rollup. */
export function readsItself({ id, inputs }: Pick<RollupDefinition, 'id' | 'inputs'>): boolean {
  return inputs.some(({ step, asOf }) => step === id && asOf?.pipeline === undefined);
}

/**
 * The days or periods that an input of a period is made from. Without `asOf` all of them are read,
 * ascending; with it they are tried in this order, the nearest first, and one is read.
 */
export function scopesRead({ each, asOf }: RollupInput, period: Period, span: Span): Scope[] {
  const { from, to } = datesOf(period, span);
  if (asOf === undefined)
    return each === 'day' ? datesBetween(from, to) : periodsBetween(each, from, to);
  const { lag = 0, within } = asOf;
  return Array.from({ length: within - lag + 1 }, (_, index) => scopeBefore(each, to, lag + index));
}

function datesOf(
  period: Period,
  { since, today }: Span,
): { readonly from: CivilDate; readonly to: CivilDate } {
  return period === WHOLE_HISTORY ? { from: since, to: today } : datesOfPeriod(period);
}

/** The periods with any of the days from `from` to `to`, ascending. */
function periodsBetween(
  grain: RollupDefinition['grain'],
  from: CivilDate,
  to: CivilDate,
): Period[] {
  if (grain === 'history') return [WHOLE_HISTORY];
  const periods = new Set<Period>();
  for (let month = monthOf(from); month <= monthOf(to); month = addMonths(month, 1)) {
    periods.add(grain === 'month' ? month : yearOf(month));
  }
  return [...periods];
}

/** The day, month or year that is `count` before that of a date; there is one history. */
function scopeBefore(each: RollupInput['each'], date: CivilDate, count: number): Scope {
  switch (each) {
    case 'day':
      return addDays(date, -count);
    case 'month':
      return addMonths(monthOf(date), -count);
    case 'year':
      return yearOf(addMonths(monthOf(date), -12 * count));
    case 'history':
      return WHOLE_HISTORY;
  }
}

/**
 * By rollup, in their order, the periods that changes of these days can reach, ascending: those
 * with the days, and those that read one of them or of the periods reached so far. A change of
 * another pipeline reaches nothing: nobody is told of it.
 */
export function periodsReached(
  { rollups }: Pick<PipelineDefinition, 'rollups'>,
  span: Span,
  changed: readonly CivilDate[],
): Map<StepId, Period[]> {
  const reached = new Map<StepId, Set<Scope>>();
  const days: ReadonlySet<Scope> = new Set(changed);
  const last = [...changed, span.today].reduce((one, other) => (one < other ? other : one));
  for (const { id, grain, inputs } of rollups) {
    const own = new Set<Scope>(periodsOf(grain, changed));
    reached.set(id, own);
    const others = inputs.filter(
      (input) => !isWithin(grain, input) && input.asOf?.pipeline === undefined,
    );
    const isReached = (input: RollupInput, scope: Scope): boolean =>
      (input.each === 'day' ? days : reached.get(input.step))?.has(scope) === true;
    // Ascending, so that a period that reads the one before it is reached with it.
    const all = others.length === 0 ? [] : periodsBetween(grain, span.since, last);
    for (const period of all) {
      const isRead = others.some((input) =>
        scopesRead(input, period, span).some((scope) => isReached(input, scope)),
      );
      if (isRead) own.add(period);
    }
  }
  return new Map([...reached].map(([id, periods]) => [id, [...periods].sort()]));
}

/** By other pipeline, the days and periods whose state these periods may have read. */
export function statesRead(
  rollup: Pick<RollupDefinition, 'inputs'>,
  period: Period,
  span: Span,
): Map<string, Scope[]> {
  const others = new Map<string, Scope[]>();
  for (const input of rollup.inputs) {
    const name = input.asOf?.pipeline;
    if (name !== undefined)
      others.set(name, [...(others.get(name) ?? []), ...scopesRead(input, period, span)]);
  }
  return others;
}

/** What is wrong with what rollups say that they read. */
export function graphProblems({
  steps,
  rollups,
}: Pick<PipelineDefinition, 'steps' | 'rollups'>): string[] {
  const grainOf = (id: StepId): string | undefined =>
    steps.some((step) => step.id === id)
      ? 'day'
      : rollups.find((rollup) => rollup.id === id)?.grain;
  return rollups.flatMap((rollup, place) => {
    const { id, grain, inputs } = rollup;
    const own = inputs.filter(({ asOf }) => asOf?.pipeline === undefined);
    const later = own.filter(({ step }) => rollups.findIndex((other) => other.id === step) > place);
    const itself = own.filter(({ step, asOf }) => step === id && (asOf?.lag ?? 0) < 1);
    const states = inputs.flatMap(({ name, each, asOf }) =>
      asOf === undefined ||
      (each !== 'history' && (asOf.lag ?? 0) >= 0 && asOf.within >= (asOf.lag ?? 0))
        ? []
        : [
            `${id} reads ${name} as of nothing: of days, months or years, lag from 0, within not less`,
          ],
    );
    return [
      ...own
        .filter(({ step, each }) => grainOf(step) !== each)
        .map(({ step, each }) => `${id} reads ${step} for each ${each}, which it is not made for`),
      ...later.map(({ step }) => `${id} reads ${step}, which does not come before it`),
      ...itself.map(() => `${id} reads itself: only as of earlier periods, lag from 1`),
      ...states,
      ...(inputs.some((input) => isWithin(grain, input))
        ? []
        : [`${id} reads nothing of what is in its period`]),
    ];
  });
}
