import { forEachUnit } from '../../kit/index.ts';
import type {
  CivilDate,
  SqlSession,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { TECHNICAL_LOSS } from '../marts/losses.ts';
import { metersOf } from '../side/list-of-meters.ts';
import { columnsOfSide } from '../side/parts.ts';
import { copyTable, inputOrEmpty, parquetOf, pathsOf } from '../tables.ts';

/**
 * `metrics/week`: seven days of each meter in one row. What later steps compare is weeks: they have
 * one of each weekday, and a twelfth of the rows. `metrics/balance`: what each transformer gave and
 * delivered in them, over all its meters.
 */

/** The day and the six before it. */
export const WEEK_DAYS = 7;
/**
 * A day counts when this share of its readings is there, and a balance when this share of its
 * meters is.
 */
const LEAST_OF_DAY = 0.9;
const LEAST_OF_TRANSFORMER = 0.98;

/** The names of an input and of the same input of the six days before. */
export function namesOfWeek(name: string): string[] {
  return Array.from({ length: WEEK_DAYS }, (_, days) => (days === 0 ? name : `${name}_${days}`));
}

/** Days without enough readings count for nothing; they are not filled. */
export const metricsWeek: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => weekOf(unit, task, sql)),
};

async function weekOf(unit: StepUnit, task: StepTask, sql: SqlSession): Promise<UnitResult> {
  const daily = parquetOf(pathsOf(unit, ...namesOfWeek('daily')));
  const meters = metersOf(unit, task);
  const week = await copyTable(sql, weekSql(unit.scope, daily, meters), `week-${unit.scope}`);
  return { scope: unit.scope, outputs: { week }, checks: [], facts: { rows: week.rows } };
}

/** Transformers of which enough readings are there on both sides. */
export const metricsBalance: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => balanceOf(unit, sql)),
};

async function balanceOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const daily = parquetOf(pathsOf(unit, ...namesOfWeek('daily')));
  const meters = inputOrEmpty(unit, 'meters', columnsOfSide('meters'));
  const injectedPaths = pathsOf(unit, ...namesOfWeek('injected'));
  const injected =
    injectedPaths.length === 0
      ? inputOrEmpty(unit, 'injected', columnsOfSide('injected'))
      : parquetOf(injectedPaths);
  const balance = await copyTable(
    sql,
    balanceSql(unit.scope, daily, meters, injected),
    `balance-${unit.scope}`,
  );
  return {
    scope: unit.scope,
    outputs: { balance },
    checks: [],
    facts: { transformers: balance.rows },
  };
}

/** A value of each day, the newest first; null for a day without it. */
function byDay(scope: CivilDate, value: string): string {
  const days = Array.from(
    { length: WEEK_DAYS },
    (_, back) => `max(${value}) FILTER (WHERE date = DATE '${scope}' - ${back})`,
  );
  return `[${days.join(', ')}]`;
}

/** Means of the full days of each meter, in Wh a day, and each of these days. */
export function weekSql(scope: CivilDate, daily: string, meters: string): string {
  const mean = (column: string): string => `CAST(sum(${column}) / count(*) AS DECIMAL(18, 1))`;
  return `SELECT d.meter_key, coalesce(min(m.segment), 'unknown') AS segment,
    min(m.transformer) AS transformer,
      CAST(count(*) AS TINYINT) AS days, ${mean('total_wh')} AS use_wh, ${mean('base_wh')} AS base_wh, ${mean('evening_wh')} AS evening_wh,
      ${mean('night_wh')} AS night_wh, ${mean('peak_wh')} AS peak_wh,
      CAST(sum(zeros) AS SMALLINT) AS zeros,
      CAST(count(*) FILTER (WHERE zeros * 2 > observed) AS TINYINT) AS zero_days,
      ${byDay(scope, 'total_wh')} AS use_days
    FROM ${daily} d LEFT JOIN ${meters} m USING (meter_key)
    WHERE channel = 'import' AND observed >= ${LEAST_OF_DAY} * expected GROUP BY d.meter_key
      ORDER BY d.meter_key`;
}

/**
 * Energies of the days that are known on both sides, in Wh, and what was lost on each of them
 * beyond technical losses.
 */
export function balanceSql(
  scope: CivilDate,
  daily: string,
  meters: string,
  injected: string,
): string {
  const given = '(injected_wh + export_wh)';
  return `
    WITH fleet AS (SELECT transformer, count(*) AS meters
      FROM ${meters} WHERE transformer IS NOT NULL GROUP BY transformer),
      days AS (SELECT m.transformer, d.date, sum(total_wh)
        FILTER (WHERE channel = 'import') AS delivered_wh,
          coalesce(sum(total_wh) FILTER (WHERE channel = 'export'), 0) AS export_wh,
          CAST(sum(observed)
            FILTER (WHERE channel = 'import') AS DOUBLE) / max(expected) AS full_meters
        FROM ${daily} d JOIN ${meters} m USING (meter_key) WHERE m.transformer IS NOT NULL
          GROUP BY m.transformer, d.date)
    SELECT transformer, CAST(count(*) AS TINYINT) AS days,
      CAST(sum(injected_wh) AS DECIMAL(24, 5)) AS injected_wh,
      CAST(sum(export_wh) AS DECIMAL(24, 5)) AS export_wh,
        CAST(sum(delivered_wh) AS DECIMAL(24, 5)) AS delivered_wh,
      ${byDay(scope, `CAST(${given} - delivered_wh AS DOUBLE) - ${TECHNICAL_LOSS / (1 + TECHNICAL_LOSS)} * CAST(${given} AS DOUBLE)`)} AS excess_days
    FROM days JOIN ${injected} i USING (transformer, date) JOIN fleet USING (transformer)
    WHERE full_meters >= ${LEAST_OF_TRANSFORMER} * fleet.meters GROUP BY transformer
      ORDER BY transformer`;
}
