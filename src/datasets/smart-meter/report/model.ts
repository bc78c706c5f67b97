import type { FleetDay } from '../marts/day.ts';
import type { WeekLoad } from './week-load.ts';

/** What the report of a day holds; the page, the CSV and the tables are renderings of it. */
export interface MeterReport {
  readonly date: string;
  readonly fleet: FleetDay;
  /** The load by weekday and hour over four weeks; absent in earlier reports. */
  readonly week?: WeekLoad;
  /** The parts whose rows a sample portal made up; absent for real days. */
  readonly sample_data?: readonly string[];
}
