import { datesOfMonth, zonedDay } from '../kit/index.ts';
import type { Period } from '../kit/index.ts';

/** Data days of French electricity begin and end at the midnights of Paris. */
export const ZONE = 'Europe/Paris';

/** The length of a whole month, an hour less in March and more in October. */
export function hoursOfMonth(month: Period): number {
  return datesOfMonth(month).reduce((hours, date) => hours + zonedDay(date, ZONE).hours, 0);
}
