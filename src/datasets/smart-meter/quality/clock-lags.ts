import { forEachUnit } from '../../kit/index.ts';
import type {
  SqlSession,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { LEAST_METERS } from '../marts/fleet.ts';
import { metersOf } from '../side/list-of-meters.ts';
import { copyTable, parquetOf, pathsOf } from '../tables.ts';

/**
 * `metrics/curves`: the course of the day of each segment. `metrics/lags`: how well the day of a
 * meter fits that of its segment, as it is and moved by up to four half-hours. A clock that is
 * wrong shows as a better fit when it is moved back, day after day. Integers alone are added up, so
 * that bytes do not depend on threads.
 */

/** Half-hours by which a day is moved, both ways. */
export const LARGEST_LAG = 4;
/** A curve is told in this many steps from its mean. */
const SCALE = 1_000;

const LAGS = Array.from({ length: 2 * LARGEST_LAG + 1 }, (_, place) => place - LARGEST_LAG);

/**
 * `meter_key` and `fits`: hundred times the correlation for each lag, from `-LARGEST_LAG`; only of
 * full days of half-hours.
 */
export const metricsLags: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => lagsOf(unit, task, sql)),
};

/** Of segments with readings of enough meters in every half-hour. */
export const metricsCurves: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => curvesOf(unit, sql)),
};

async function curvesOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const select = curvesSql(parquetOf(pathsOf(unit, 'slots')), slotsOf(unit));
  const curves = await copyTable(sql, select, `curves-${unit.scope}`);
  return { scope: unit.scope, outputs: { curves }, checks: [], facts: { rows: curves.rows } };
}

function slotsOf({ day }: StepUnit): number {
  return 2 * (day?.hours ?? 24);
}

async function lagsOf(unit: StepUnit, task: StepTask, sql: SqlSession): Promise<UnitResult> {
  const slots = slotsOf(unit);
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE curves AS SELECT * FROM ${parquetOf(pathsOf(unit, 'curves'))}`,
  );
  await sql.run('CREATE OR REPLACE TEMP TABLE fits (meter_key UBIGINT, fits TINYINT[])');
  const meters = metersOf(unit, task);
  // File by file: a shard is all of its meters, and the sums of a million at once need more memory
  // than there is.
  for (const file of pathsOf(unit, 'readings'))
    await sql.run(`INSERT INTO fits ${fitsSql(parquetOf([file]), meters, slots)}`);
  const lags = await copyTable(sql, 'SELECT * FROM fits ORDER BY meter_key', `lags-${unit.scope}`);
  return { scope: unit.scope, outputs: { lags }, checks: [], facts: { rows: lags.rows } };
}

const column = (lag: number): string => `c${lag + LARGEST_LAG}`;

/** Of each segment and half-hour the segment's course, and as it would be some half-hours later. */
function curvesSql(from: string, slots: number): string {
  const moved = LAGS.map(
    (lag) =>
      `CAST(max(c) FILTER (WHERE (own.slot
        + ${lag + slots}) % ${slots} = later.slot) AS INTEGER) AS ${column(lag)}`,
  );
  return `WITH sums AS (SELECT segment, slot, CAST(sum(total_wh) AS DECIMAL(38, 5)) AS wh
    FROM ${from}
        WHERE channel = 'import' GROUP BY segment, slot HAVING sum(observed) >= ${LEAST_METERS}),
      whole AS (SELECT segment, CAST(sum(wh) AS DOUBLE) / count(*) AS mean FROM sums
        GROUP BY segment HAVING count(*) = ${slots}),
      centred AS (SELECT segment, slot, CAST(wh AS DOUBLE) - mean AS wh FROM sums
        JOIN whole USING (segment)),
      own AS (SELECT segment, slot, CAST(round(${SCALE} * wh / nullif(max(abs(wh))
        OVER (PARTITION BY segment), 0)) AS INTEGER) AS c FROM centred)
    SELECT own.segment, later.slot, ${moved.join(', ')}, sqrt(CAST(sum(c * c) AS DOUBLE)) AS size
    FROM own CROSS JOIN range(${slots}) AS later(slot) GROUP BY own.segment, later.slot
      HAVING sum(abs(c)) > 0
    ORDER BY own.segment, later.slot`;
}

/**
 * Products of a meter's day and the courses, as lists: half of what it costs to join each reading
 * with its place in each course. All are sums of whole numbers below 2^53, which numbers of 64 bits
 * have exactly in any order.
 */
function fitsSql(from: string, meters: string, slots: number): string {
  const courses = LAGS.map(
    (lag) => `list(CAST(${column(lag)} AS DOUBLE) ORDER BY slot) AS ${column(lag)}`,
  );
  const fits = LAGS.map(
    (lag) =>
      `CAST(round(100 * list_inner_product(day, ${column(lag)}) / (size * spread)) AS TINYINT)`,
  );
  const all = `CAST(range(${slots}) AS UTINYINT[])`;
  return `WITH courses AS (SELECT segment,
    any_value(size) AS size, ${courses.join(', ')} FROM curves GROUP BY segment),
      listed AS (SELECT meter_key, list(slot) AS slots, list(CAST(energy_wh AS INTEGER)) AS whs
        FROM ${from}
        WHERE channel = 'import' AND step_min = 30 AND energy_wh IS NOT NULL AND slot < ${slots}
        GROUP BY meter_key HAVING count(*) = ${slots}),
      full_days AS (SELECT meter_key, CAST(CASE WHEN slots = ${all} THEN whs
        ELSE [wh[2] FOR wh IN list_sort(list_zip(slots, whs))] END AS DOUBLE[]) AS day
        FROM listed WHERE slots = ${all} OR list_sort(slots) = ${all}),
      sums AS (SELECT d.*, sqrt(CAST(${slots} * CAST(list_inner_product(day, day) AS HUGEINT)
        - CAST(list_sum(day) AS HUGEINT) * CAST(list_sum(day) AS HUGEINT) AS DOUBLE) / ${slots}) AS spread
        FROM full_days d),
      placed AS (SELECT s.*, coalesce(m.segment, 'unknown') AS segment FROM sums s
        LEFT JOIN ${meters} m ON s.meter_key = m.meter_key)
    SELECT meter_key, [${fits.join(', ')}] FROM placed JOIN courses USING (segment)
      WHERE spread > 0`;
}
