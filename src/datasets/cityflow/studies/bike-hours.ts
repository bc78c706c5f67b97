import { inputOf, previousDayName, quoteList, quoteTexts } from '../../kit/index.ts';
import type { SqlSession, StepUnit } from '../../kit/index.ts';
import { ZONE } from '../zones.ts';

/**
 * What the study of bikes is made of: sums over the hourly counts of sixty days, by the SQL engine,
 * in whole numbers.
 */

/** The day and the 59 before it. */
export const STUDY_DAYS = 60;

/** One counter over the whole window; hourly counts are bikes. */
export interface CounterSums {
  readonly counter_id: string;
  /** As published last. */
  readonly name: string | null;
  /** 1–20; null outside, or without districts. */
  readonly district: number | null;
  /** Hours with a value. */
  readonly n: number;
  readonly total: number;
  /** The smallest count of an hour, beside the largest and the median. */
  readonly least: number;
  readonly most: number;
  readonly median: number;
  /** Sum of the squared counts, for the standard deviation. */
  readonly squares: number;
  /** Elapsed hours from 1970 (UTC) to the start of the last hour with a value. */
  readonly last_hour: number;
}

/** One counter on one civil day that has a value. */
export interface CounterDaySums {
  readonly counter_id: string;
  readonly day: string;
  readonly n: number;
  readonly total: number;
}

/** Counts of one clock hour on one weekday, all counters together. */
export interface ProfileSums {
  /** 1 Monday … 7 Sunday. */
  readonly weekday: number;
  /** 0–23. */
  readonly clock: number;
  readonly n: number;
  readonly total: number;
}

/** One hour with a value. */
export interface CountedHour {
  readonly counter_id: string;
  readonly hour_start_at: string;
  readonly bikes: number;
}

/** What the study of one day is computed from. */
export interface BikeHours {
  readonly counters: readonly CounterSums[];
  readonly days: readonly CounterDaySums[];
  readonly profile: readonly ProfileSums[];
  /** The hours of the day itself. */
  readonly today: readonly CountedHour[];
}

/**
 * Fills the table of all hours that the units read, each file once: the days of a set share nearly
 * all of their sixty. (Measured over a month: twice as fast as each day with its own sixty files.)
 */
export async function loadBikeHours(sql: SqlSession, units: readonly StepUnit[]): Promise<void> {
  const files = [...new Set(units.flatMap(filesOf))];
  const local = `timezone('${ZONE}', hour_start_at)`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE bike_hours AS SELECT filename AS file, counter_id,
    name, district, hour_start_at, bikes,
      strftime(${local}, '%Y-%m-%d') AS day, CAST(isodow(${local}) AS INTEGER) AS weekday,
        CAST(hour(${local}) AS INTEGER) AS clock
    FROM read_parquet(${quoteList(files)}, hive_partitioning = false, filename = true)
      WHERE bikes IS NOT NULL`);
}

function filesOf(unit: StepUnit): string[] {
  const names = [
    'core',
    ...Array.from({ length: STUDY_DAYS - 1 }, (_, index) => previousDayName('core', index + 1)),
  ];
  return names.flatMap((name) => inputOf(unit, name)?.path ?? []);
}

/** What the stored days of a unit's window add up to; days that are not there are left out. */
export async function readBikeHours(sql: SqlSession, unit: StepUnit): Promise<BikeHours> {
  const own = `(FROM bike_hours WHERE file IN (${quoteTexts(filesOf(unit))}))`;
  const sums = 'count(*) AS n, CAST(sum(bikes) AS BIGINT) AS total';
  return {
    counters: await sql.rows(`SELECT counter_id, arg_max(name, hour_start_at) AS name,
        max(district) AS district, ${sums},
        min(bikes) AS least, max(bikes) AS most, median(bikes) AS median,
        CAST(sum(CAST(bikes AS BIGINT) * bikes) AS BIGINT) AS squares,
        CAST(epoch(max(hour_start_at)) // 3600 AS BIGINT) AS last_hour
      FROM ${own} GROUP BY counter_id ORDER BY counter_id`),
    days: await sql.rows(
      `SELECT counter_id, day, ${sums} FROM ${own} GROUP BY ALL ORDER BY counter_id, day`,
    ),
    profile: await sql.rows(
      `SELECT weekday, clock, ${sums} FROM ${own} GROUP BY ALL ORDER BY weekday, clock`,
    ),
    today: await sql.rows(`SELECT counter_id, hour_start_at, bikes
        FROM ${own} WHERE day = '${unit.scope}'
      ORDER BY counter_id, hour_start_at`),
  };
}
