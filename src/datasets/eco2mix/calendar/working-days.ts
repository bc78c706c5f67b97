import { addDays, datesBetween, weekdayOf } from '../../kit/index.ts';
import type { CivilDate } from '../../kit/index.ts';
import { holidaysOf } from './public-holidays.ts';

/**
 * The French calendar of working days. A *jour ouvrable* may be worked by law: Monday to Saturday
 * without public holidays (code du travail, articles L3132-3 and L3133-1). A *jour ouvré* is one
 * that most people work: Monday to Friday without public holidays. A *pont* is a jour ouvré between
 * a public holiday and a weekend.
 */
export interface CalendarDay {
  readonly date: CivilDate;
  /** 1 Monday … 7 Sunday. */
  readonly iso_weekday: number;
  /** French name; null on any other day. */
  readonly public_holiday: string | null;
  readonly is_ouvrable: boolean;
  readonly is_ouvre: boolean;
  readonly is_pont: boolean;
  /** The same with the holidays of Alsace-Moselle. */
  readonly public_holiday_alsace_moselle: string | null;
  readonly is_ouvrable_alsace_moselle: boolean;
  readonly is_ouvre_alsace_moselle: boolean;
}

const SATURDAY = 6;
const SUNDAY = 7;

/** The days from the first of a year to the last of another, both included, in their order. */
export function calendarOfYears(from: number, to: number): CalendarDay[] {
  const mainland = new Map<CivilDate, string>();
  const alsaceMoselle = new Map<CivilDate, string>();
  // The days before and after are looked at for bridges.
  for (let year = from - 1; year <= to + 1; year += 1) {
    const holidays = holidaysOf(year);
    for (const [date, name] of holidays.mainland) mainland.set(date, name);
    for (const [date, name] of holidays.alsaceMoselle) alsaceMoselle.set(date, name);
  }
  return datesBetween(`${from}-01-01`, `${to}-12-31`).map((date): CalendarDay => {
    const weekday = isoWeekday(date);
    const isOuvrable = weekday !== SUNDAY && !mainland.has(date);
    const isOuvrableThere = weekday !== SUNDAY && !alsaceMoselle.has(date);
    return {
      date,
      iso_weekday: weekday,
      public_holiday: mainland.get(date) ?? null,
      is_ouvrable: isOuvrable,
      is_ouvre: isOuvrable && weekday !== SATURDAY,
      is_pont: isBridge(date, weekday, mainland),
      public_holiday_alsace_moselle: alsaceMoselle.get(date) ?? null,
      is_ouvrable_alsace_moselle: isOuvrableThere,
      is_ouvre_alsace_moselle: isOuvrableThere && weekday !== SATURDAY,
    };
  });
}

function isoWeekday(date: CivilDate): number {
  return weekdayOf(date) === 0 ? SUNDAY : weekdayOf(date);
}

/** A Monday before a holiday, or a Friday after one. */
function isBridge(
  date: CivilDate,
  weekday: number,
  holidays: ReadonlyMap<CivilDate, string>,
): boolean {
  if (holidays.has(date)) return false;
  return (
    (weekday === 1 && holidays.has(addDays(date, 1))) ||
    (weekday === 5 && holidays.has(addDays(date, -1)))
  );
}
