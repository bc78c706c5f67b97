import type { SqlSession, StepUnit } from '../../kit/index.ts';
import { parquetOf, pathsOf } from '../tables.ts';
import { WEEK_DAYS } from './week.ts';

/**
 * Four weeks of each meter beside the six before them. A ratio is to the meter's own reference
 * (median of the six weeks) and to what its segment did meanwhile, so that seasons and cold spells
 * are nobody's fault; "three of four weeks" is the third smallest of four.
 */

/** Weeks that are judged, and weeks that they are held against. */
export const JUDGED_WEEKS = 4;
/** The weeks before the judged ones, whose median is the meter's own reference. */
export const REFERENCE_WEEKS = 6;
/** All weeks that are read. */
export const WEEKS = JUDGED_WEEKS + REFERENCE_WEEKS;

/** The input of the week that ended so many weeks ago. */
export function weekBefore(name: string, weeks: number): string {
  return `${name}_w${weeks}`;
}

/** Less than this of a reference is no reference: ratios of nearly nothing are noise. Wh a day. */
const LEAST_REFERENCE_WH = 500;
/** Days of reference and of judged weeks that must be there. */
const LEAST_REFERENCE_DAYS = 28;
const LEAST_JUDGED_DAYS = 18;

/**
 * Weeks of meters that are worked on at once: those of a hundred thousand meters. More of them,
 * with their lists, do not fit into memory.
 */
const ROWS_AT_ONCE = 1_000_000;
const KEYS = 2n ** 64n;

/**
 * Conditions that cut the meters into ranges of their keys, which are hashes, so that each has as
 * many.
 */
async function keyRanges(sql: SqlSession, rowsAtOnce: number): Promise<string[]> {
  const [found] = await sql.rows<{ rows: number }>('SELECT count(*) AS rows FROM weeks');
  const parts = BigInt(Math.max(1, Math.ceil((found?.rows ?? 0) / rowsAtOnce)));
  return Array.from({ length: Number(parts) }, (_, part) => {
    const [from, to] = [(KEYS * BigInt(part)) / parts, (KEYS * BigInt(part + 1)) / parts - 1n];
    return `BETWEEN ${from}::UBIGINT AND ${to}::UBIGINT`;
  });
}

/**
 * The lower median of a column over the reference weeks, what `quantile_disc(…, 0.5)` is: for few
 * values of many meters it costs half as much to keep the smallest ones.
 */
export function medianOf(column: string): string {
  return `CAST(min(${column}, ${Math.ceil(REFERENCE_WEEKS / 2)})[(count(${column})
    + 1) // 2] AS DOUBLE)`;
}

const MEDIANS = ['use_wh', 'base_wh', 'evening_wh', 'use_wh - evening_wh'].map(medianOf).join(', ');

/** What each meter of a range used in its reference weeks. */
function referenceSql(range: string): string {
  return `SELECT meter_key, arg_min(segment, w) AS segment,
    arg_min(transformer, w) AS transformer, ${MEDIANS}
    FROM weeks WHERE w >= ${JUDGED_WEEKS} AND meter_key ${range} GROUP BY meter_key
    HAVING sum(days) >= ${LEAST_REFERENCE_DAYS} AND median(use_wh) >= ${LEAST_REFERENCE_WH}`;
}

/** Ratios of the weeks of a meter to its reference. */
const TO_REFERENCE = {
  use: 'CAST(k.use_wh AS DOUBLE) / nullif(r.use_wh, 0)',
  base: 'CAST(k.base_wh AS DOUBLE) / nullif(r.base_wh, 0)',
  evening: 'CAST(k.evening_wh AS DOUBLE) / nullif(r.evening_wh, 0)',
  other: 'CAST(k.use_wh - k.evening_wh AS DOUBLE) / nullif(r.other_wh, 0)',
} as const;
type Ratio = keyof typeof TO_REFERENCE;
const RATIOS = Object.keys(TO_REFERENCE) as Ratio[];

/** A ratio of a week to the meter's reference and to the segment's course. */
function ratio(name: Ratio): string {
  return `${TO_REFERENCE[name]} / nullif(c.${name}, 0) AS ${name}`;
}

/**
 * Weeks of which some ratios of a segment are known; of the weeks before the judged ones nobody
 * asks for more than the use.
 */
interface Course {
  readonly weeks: readonly number[];
  readonly ratios: readonly Ratio[];
}
const ALL_WEEKS = Array.from({ length: WEEKS }, (_, week) => week);
const COURSES: readonly Course[] = [
  { weeks: ALL_WEEKS.slice(0, JUDGED_WEEKS), ratios: RATIOS },
  { weeks: ALL_WEEKS.slice(JUDGED_WEEKS), ratios: ['use'] },
];

/** The same week by week: what is in memory is the ratios of one. */
function weekByWeek({ weeks, ratios }: Course): Course[] {
  return weeks.map((week) => ({ weeks: [week], ratios }));
}

/** The median of a segment's ratios: thieves and travellers are too few to move it. */
function courseSql({ weeks, ratios }: Course): string {
  const medians = ratios.map((name) => `median(${TO_REFERENCE[name]}) AS "${name}"`);
  return `SELECT k.segment, k.w, ${medians.join(', ')}
    FROM weeks k JOIN reference r USING (meter_key) WHERE k.w IN (${weeks.join(', ')})
    GROUP BY k.segment, k.w`;
}

/**
 * Of most meters the four judged weeks say that they are none of those asked for: what is listed of
 * all weeks is listed of the others.
 */
function featuresSql(range: string, where: string): string {
  const third = (column: string): string => `min(coalesce(${column}, 1), 3)[3]`;
  const besides =
    'JOIN reference r USING (meter_key) JOIN course c ON c.segment = k.segment AND c.w = k.w';
  return `WITH ratios AS (
      SELECT k.meter_key, k.days, k.zero_days, ${RATIOS.map(ratio).join(', ')}
      FROM weeks k ${besides} WHERE k.w < ${JUDGED_WEEKS} AND k.meter_key ${range}),
    judged AS (SELECT * FROM (
        SELECT meter_key, ${third('use')} AS use_ratio, ${third('base')} AS base_ratio, ${third('evening')} AS evening_ratio,
          ${third('other')} AS other_ratio, CAST(sum(zero_days) AS INTEGER) AS zero_days
        FROM ratios GROUP BY meter_key HAVING sum(days) >= ${LEAST_JUDGED_DAYS})
      WHERE ${where}),
    chosen AS MATERIALIZED (SELECT * FROM weeks k SEMI JOIN judged ON k.meter_key = judged.meter_key
      WHERE k.meter_key ${range}),
    listed AS (
      SELECT k.meter_key, list(coalesce(r.use_wh * c.use - CAST(k.use_wh AS DOUBLE), 0)
        ORDER BY k.w) AS short_wh, list(k.w ORDER BY k.w) AS weeks,
        list(CAST(k.use_wh AS DOUBLE) ORDER BY k.w) AS week_wh,
          list(CAST(k.use_days AS DOUBLE[]) ORDER BY k.w) AS use_days
      FROM chosen k ${besides} GROUP BY k.meter_key)
    SELECT meter_key, r.segment, r.transformer, r.use_wh AS reference_wh, use_ratio, base_ratio,
      evening_ratio, other_ratio, zero_days,
      short_wh, weeks, week_wh, use_days
    FROM judged JOIN listed USING (meter_key) JOIN reference r USING (meter_key)`;
}

/**
 * `meter_features`: one row per meter that has a reference and of which a condition over its ratios
 * and `zero_days` is true. A range of keys after the other, and of several ranges the courses of
 * segments week by week: what is in memory does not grow with the fleet.
 */
export async function fillFeatures(
  sql: SqlSession,
  where: string,
  rowsAtOnce = ROWS_AT_ONCE,
): Promise<void> {
  const ranges = await keyRanges(sql, rowsAtOnce);
  await sql.run(`CREATE OR REPLACE TEMP TABLE reference (meter_key UBIGINT, segment VARCHAR,
    transformer VARCHAR, use_wh DOUBLE, base_wh DOUBLE,
    evening_wh DOUBLE, other_wh DOUBLE)`);
  for (const range of ranges) await sql.run(`INSERT INTO reference ${referenceSql(range)}`);
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE course (segment VARCHAR, w INTEGER, use DOUBLE, base DOUBLE,
      evening DOUBLE, other DOUBLE)`,
  );
  for (const course of ranges.length === 1 ? COURSES : COURSES.flatMap(weekByWeek))
    await sql.run(`INSERT INTO course BY NAME ${courseSql(course)}`);
  for (const [place, range] of ranges.entries()) {
    const into =
      place === 0 ? 'CREATE OR REPLACE TEMP TABLE meter_features AS' : 'INSERT INTO meter_features';
    await sql.run(`${into} ${featuresSql(range, where)}`);
  }
}

/**
 * Wh that a transformer lost beyond its technical losses, day by day from the newest; undefined
 * where a side is not known.
 */
export type ExcessByDay = readonly (number | undefined)[];

/** By transformer; `ago` shifts the window by whole weeks into the past. */
export async function excessLosses(
  sql: SqlSession,
  unit: StepUnit,
  ago = 0,
): Promise<Map<string, ExcessByDay>> {
  const weeks = Array.from({ length: WEEKS }, (_, week) => ({
    week,
    paths: pathsOf(unit, weekBefore('balance', week + ago)),
  })).filter(({ paths }) => paths.length > 0);
  const each = weeks.map(
    ({ week, paths }) =>
      `SELECT ${week} AS week, transformer, excess_days FROM ${parquetOf(paths)}`,
  );
  const found = new Map<string, (number | undefined)[]>();
  if (each.length === 0) return found;
  const rows = await sql.rows<{
    week: number;
    transformer: string;
    excess_days: (number | null)[];
  }>(each.join(' UNION ALL '));
  for (const { week, transformer, excess_days: days } of rows) {
    const own =
      found.get(transformer) ?? new Array<number | undefined>(WEEKS * WEEK_DAYS).fill(undefined);
    for (const [back, excess] of days.entries()) own[week * WEEK_DAYS + back] = excess ?? undefined;
    found.set(transformer, own);
  }
  return found;
}
