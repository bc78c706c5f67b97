import { parisDay, parisDayNumberAt } from '../synthetic/paris-days.ts';
import { clamp, cosTurn, seriesKey, smooth } from '../synthetic/noise.ts';

/**
 * The made-up fleet of the made-up grid: what is installed grows with the years, as in the
 * synthetic generation. The register tells of it on 31 December of each year; RTE's pages tell what
 * it produced in a month and at which load factor, rounded as RTE rounds.
 */

/** What RTE's pages give a load factor of. */
export const RATED = ['eolien_terrestre', 'eolien_en_mer', 'solaire'] as const;
/** As in the register, but with wind parted into land and sea. */
export type Rated = (typeof RATED)[number];

const FIRST_YEAR = 2012;
/** The first turbines at sea. */
const FIRST_YEAR_AT_SEA = 2022;

/** Years since the beginning of 2012. */
function age(year: number, month: number): number {
  return year - FIRST_YEAR + month / 12;
}

/** Mean installed capacity of a month in MW; null before there was any. `month` 1–12. */
export function capacityOf(source: Rated, year: number, month: number): number | null {
  const middle = age(year, month - 0.5);
  if (source === 'eolien_en_mer') return year < FIRST_YEAR_AT_SEA ? null : 480 + 40 * (middle - 10);
  return source === 'solaire' ? 3_500 + 1_750 * middle : 7_500 + 1_250 * middle;
}

/** Capacity on 31 December in MW. */
function capacityAtEnd(source: Rated, year: number): number {
  const end = age(year, 12);
  if (source === 'eolien_en_mer') return year < FIRST_YEAR_AT_SEA ? 0 : 480 + 40 * (end - 10);
  return source === 'solaire' ? 3_500 + 1_750 * end : 7_500 + 1_250 * end;
}

/** Load factor of a month, percent with two decimals. */
export function factorOf(source: Rated, seed: number, year: number, month: number): number {
  const swing = 3 * smooth(seriesKey(seed, `factor/${source}`), year * 12 + month, 2);
  const season = cosTurn((month - 0.5) / 12);
  const mean = {
    eolien_terrestre: 24 + 8 * season,
    eolien_en_mer: 38 + 9 * season,
    solaire: 14 - 8 * season,
  }[source];
  return Math.round(clamp(mean + swing, 2, 60) * 100) / 100;
}

/** The last month that is over and published: RTE needs a few days. */
export function lastMonth(now: Date): { readonly year: number; readonly month: number } {
  const day = parisDay(parisDayNumberAt(now.getTime()) - 5);
  return day.month === 1
    ? { year: day.year - 1, month: 12 }
    : { year: day.year, month: day.month - 1 };
}

/** Every month that is told, ascending. */
export function* monthsUntil(
  now: Date,
): Generator<{ readonly year: number; readonly month: number }> {
  const last = lastMonth(now);
  for (let year = FIRST_YEAR; year <= last.year; year += 1)
    for (let month = 1; month <= (year === last.year ? last.month : 12); month += 1)
      yield { year, month };
}

/** The hours of a civil month of Paris. */
export function hoursOf(year: number, month: number): number {
  const first = parisDay(Date.UTC(year, month - 1, 1) / 86_400_000);
  const next = parisDay(Date.UTC(year, month, 1) / 86_400_000);
  return (next.firstQuarter - first.firstQuarter) / 4;
}

/** A year of the register, in the order of its columns, whole MW. */
export function registerRow(year: number): number[] {
  const old = age(year, 12);
  const wind = capacityAtEnd('eolien_terrestre', year) + capacityAtEnd('eolien_en_mer', year);
  const [oil, coal, gas] = [
    Math.max(2_500, 9_000 - 500 * old),
    Math.max(1_800, 8_000 - 480 * old),
    10_400 + 170 * old,
  ];
  return [
    year,
    oil + coal + gas,
    oil,
    coal,
    gas,
    25_400 + 30 * old,
    year < 2020 ? 63_130 : 61_370,
    capacityAtEnd('solaire', year),
    wind,
    1_400 + 70 * old,
  ].map(Math.round);
}

/** The years that are registered: a year is published in March of the next. */
export function* registeredYears(now: Date): Generator<number> {
  const day = parisDay(parisDayNumberAt(now.getTime()));
  const last = day.month >= 3 ? day.year - 1 : day.year - 2;
  for (let year = FIRST_YEAR - 1; year <= last; year += 1) yield year;
}
