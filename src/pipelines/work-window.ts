import { isOfPreviousDays } from './lookback.ts';
import { monthOf, yearOf } from './civil-date.ts';
import type { CivilDate, StepId } from './vocabulary.ts';

/** The sets of days that are made together, by one `window` run of a backfill. */

/** The span of the calendar that one set may cover. */
export type WorkWindow = 'week' | 'month' | 'quarter' | 'half-year';

/**
 * Its calendar months, and how many days it has at most; a week is a quarter of a month, for
 * pipelines with many shards.
 */
const WORK_WINDOWS = {
  week: { months: 1, days: 8 },
  month: { months: 1, days: 31 },
  quarter: { months: 3, days: 92 },
  'half-year': { months: 6, days: 184 },
} as const satisfies Record<WorkWindow, object>;

/** Cuts days into sets, ascending. */
export function workWindows(
  { workWindow = 'month' }: { readonly workWindow?: WorkWindow },
  dates: readonly CivilDate[],
): CivilDate[][] {
  if (workWindow === 'week') {
    const { days } = WORK_WINDOWS.week;
    return byCalendar(
      dates,
      (date) => `${monthOf(date)}/${Math.ceil(Number(date.slice(8)) / days)}`,
    );
  }
  const { months } = WORK_WINDOWS[workWindow];
  return byCalendar(
    dates,
    (date) => `${yearOf(date)}/${Math.ceil(Number(date.slice(5, 7)) / months)}`,
  );
}

/** The wanted days of each calendar month, ascending. */
export function daysByMonth(dates: readonly CivilDate[]): CivilDate[][] {
  return byCalendar(dates, monthOf);
}

/** The wanted days of each span of a calendar, ascending. */
export function byCalendar(
  dates: readonly CivilDate[],
  pieceOf: (date: CivilDate) => string,
): CivilDate[][] {
  const spans = new Map<string, CivilDate[]>();
  for (const date of [...dates].sort()) {
    const span = pieceOf(date);
    const known = spans.get(span);
    if (known === undefined) spans.set(span, [date]);
    else known.push(date);
  }
  return [...spans.values()];
}

/**
 * No argument and no answer of an activity is larger: Temporal keeps each in the history of its
 * run.
 */
export const PAYLOAD_BYTES = 64 * 1024;

const KEY = 'f'.repeat(64);
const DATE = '2024-01-15';

interface ReadInput {
  readonly name: string;
  readonly step: StepId;
  readonly daysBefore?: number;
  readonly asOf?: { readonly pipeline?: string; readonly withinDays: number };
}

/**
 * The request for a step of a full set at its largest: the keys of all its inputs, and those of the
 * steps that it reads of previous days.
 */
export function requestBytes(
  { inputs }: { readonly inputs: readonly ReadInput[] },
  workWindow: WorkWindow,
): number {
  const own = inputs.filter((input) => !isOfPreviousDays(input)).map(({ name }) => [name, KEY]);
  const read = new Set(
    inputs
      .filter((input) => isOfPreviousDays(input) && input.asOf?.pipeline === undefined)
      .map(({ step }) => step),
  );
  const day = JSON.stringify({ date: DATE, inputs: Object.fromEntries(own) as object }).length + 1;
  return WORK_WINDOWS[workWindow].days * (day + read.size * JSON.stringify({ [DATE]: KEY }).length);
}
