import { offsetQuarters, parisDay, QUARTER_MS } from '../synthetic/paris-days.ts';
import type { ParisDay } from '../synthetic/paris-days.ts';

/** Hours and the rhythm of a town. */

/** Of an elapsed hour: a town hour is never longer or shorter. */
export const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const WORKING = [
  ...[0.18, 0.12, 0.09, 0.08, 0.1, 0.2, 0.42, 0.78, 1, 0.95, 0.8, 0.78],
  ...[0.8, 0.82, 0.84, 0.88, 0.95, 1.02, 1, 0.9, 0.7, 0.52, 0.4, 0.28],
];
const WEEKEND = [
  ...[0.34, 0.28, 0.22, 0.16, 0.12, 0.13, 0.18, 0.26, 0.38, 0.52, 0.66, 0.74],
  ...[0.76, 0.78, 0.82, 0.84, 0.85, 0.84, 0.8, 0.74, 0.62, 0.52, 0.46, 0.4],
];

/** One hour of the town with what its publishers do to it. */
export interface TownHour {
  /** Its start and its number since 1970, which noise is drawn by. */
  readonly startMs: number;
  readonly index: number;
  readonly day: ParisDay;
  /** Of the local clock. */
  readonly clock: number;
  /** Demand of the whole town, about 0.1 to 1. */
  readonly demand: number;
  /** The hour of spring that ends at 03:00, published without values. */
  readonly isSpringGap: boolean;
  /** The first of the two hours of autumn that end at 02:00, never published. */
  readonly isAutumnFirst: boolean;
}

/** The Paris day that holds an instant. */
export function dayAt(ms: number): ParisDay {
  const local = ms + offsetQuarters(Math.floor(ms / QUARTER_MS)) * QUARTER_MS;
  return parisDay(Math.floor(local / DAY_MS));
}

/** The hours that start in `[fromMs, toMs)`. */
export function hoursBetween(fromMs: number, toMs: number): TownHour[] {
  const hours: TownHour[] = [];
  for (let ms = Math.ceil(fromMs / HOUR_MS) * HOUR_MS; ms < toMs; ms += HOUR_MS)
    hours.push(hourAt(ms));
  return hours;
}

function hourAt(startMs: number): TownHour {
  const day = dayAt(startMs);
  const [before, after] = [startMs, startMs + HOUR_MS].map((ms) =>
    offsetQuarters(Math.floor(ms / QUARTER_MS)),
  );
  const clock = Math.floor((startMs + (before ?? 4) * QUARTER_MS - day.number * DAY_MS) / HOUR_MS);
  const isWeekend = day.weekday === 0 || day.weekday === 6;
  return {
    startMs,
    index: startMs / HOUR_MS,
    day,
    clock,
    demand: (isWeekend ? WEEKEND : WORKING)[clock] ?? 0,
    isSpringGap: (before ?? 4) < (after ?? 4),
    isAutumnFirst:
      (before ?? 4) === 8 &&
      offsetQuarters(Math.floor((startMs + 2 * HOUR_MS) / QUARTER_MS)) === 4 &&
      clock === 1,
  };
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** An instant as the portal prints it: whole seconds and the offset of the zone. */
export function instantText(ms: number, zone: 'Europe/Paris' | 'UTC'): string {
  const quarters = zone === 'UTC' ? 0 : offsetQuarters(Math.floor(ms / QUARTER_MS));
  return `${new Date(ms + quarters * QUARTER_MS).toISOString().slice(0, 19)}+${two(quarters / 4)}:00`;
}

/** Local time without offset, `YYYY-MM-DDTHH:MM:SS`. */
export function localText(ms: number): string {
  return instantText(ms, 'Europe/Paris').slice(0, 19);
}
