import { z } from 'zod';
import { instantMs, wallTime } from '../../../pipelines/zoned-day.ts';
import type { CivilDate } from '../../../pipelines/vocabulary.ts';

/** How requests of the earlier system say things, and answers of it. */

/** As many as an address has room for. */
const MAX_LISTED = 100;
const MAX_ITEMS = 10_000;

/** A parameter that may come several times. */
export const listed = z
  .preprocess(
    (value) => (Array.isArray(value) ? (value as unknown[]) : [value]),
    z.array(z.string().min(1).max(64)).max(MAX_LISTED),
  )
  .describe('May come several times');

/** The items of an order: each is answered. */
export const items = z.array(z.string().max(64)).max(MAX_ITEMS);

const PARIS = 'Europe/Paris';

/** The instant at which a day begins in Paris, with its offset: `2025-10-01T00:00:00+02:00`. */
export function startOfDay(day: CivilDate): string {
  return wallTime(instantMs(day, PARIS), PARIS);
}

/** The day of a date, or of an instant, in Paris. */
export function dayInParis(given: string): CivilDate {
  return wallTime(instantMs(given, PARIS), PARIS).slice(0, 10);
}
