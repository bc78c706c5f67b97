import { addDays } from '../../kit/index.ts';
import type { CivilDate } from '../../kit/index.ts';

/**
 * The public holidays of mainland France by rule: eight of a fixed date and three that follow
 * Easter (code du travail, article L3133-1). The three departments of Alsace-Moselle have two more
 * (article L3134-13). Whit Monday stays a holiday, though some work on it for solidarity.
 */

const FIXED: Readonly<Record<string, string>> = {
  '01-01': 'Jour de l’An',
  '05-01': 'Fête du Travail',
  '05-08': 'Victoire 1945',
  '07-14': 'Fête nationale',
  '08-15': 'Assomption',
  '11-01': 'Toussaint',
  '11-11': 'Armistice 1918',
  '12-25': 'Noël',
};

/** By days after Easter Sunday. */
const AFTER_EASTER: Readonly<Record<number, string>> = {
  1: 'Lundi de Pâques',
  39: 'Ascension',
  50: 'Lundi de Pentecôte',
};

const DAYS_TO_GOOD_FRIDAY = -2;

/**
 * Easter Sunday of a Gregorian year by the anonymous algorithm (Nature, 20 April 1876; Meeus,
 * Astronomical Algorithms, chapter 8). The letters are those of the source.
 */
export function easterSunday(year: number): CivilDate {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const g = Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3);
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const n = h + l - 7 * m + 114;
  const monthAndDay = [Math.floor(n / 31), (n % 31) + 1].map((part) =>
    String(part).padStart(2, '0'),
  );
  return [year, ...monthAndDay].join('-');
}

/** The holidays of a year by date, with their French names. */
export interface HolidaysOfYear {
  readonly mainland: ReadonlyMap<CivilDate, string>;
  /** Those of the mainland and the two of Alsace-Moselle. */
  readonly alsaceMoselle: ReadonlyMap<CivilDate, string>;
}

/** Names by date, of one year; a rule of today is applied to every year. */
export function holidaysOf(year: number): HolidaysOfYear {
  const easter = easterSunday(year);
  const mainland = new Map<CivilDate, string>(
    Object.entries(FIXED).map(([day, name]) => [`${year}-${day}`, name] as const),
  );
  // The Ascension of 2008 fell on the first of May: one day, two names.
  for (const [days, name] of Object.entries(AFTER_EASTER)) {
    const date = addDays(easter, Number(days));
    const other = mainland.get(date);
    mainland.set(date, other === undefined ? name : `${other}, ${name}`);
  }
  return {
    mainland,
    alsaceMoselle: new Map<CivilDate, string>([
      ...mainland,
      [addDays(easter, DAYS_TO_GOOD_FRIDAY), 'Vendredi saint'],
      [`${year}-12-26`, 'Saint-Étienne'],
    ]),
  };
}
