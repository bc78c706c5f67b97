import { forEachUnit } from '../../kit/index.ts';
import type { SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { LEAST_METERS } from '../marts/fleet.ts';
import { columnsOfSide } from '../side/parts.ts';
import { copyTable, inputOrEmpty, parquetOf, pathsOf } from '../tables.ts';
import { LARGEST_LAG } from './clock-lags.ts';
import type { QualityRule } from './rules.ts';

/**
 * `metrics/fleet-rules`: rules that hold a meter against others, or a group against what is expected of all its meters. They read the whole
 * fleet, where the other rules read a meter at a time.
 */

/** A group with less than this share of its readings is left out. */
const LEAST_OF_GROUP = 0.9;
/** Days of the last seven that a clock is judged by. */
const LEAST_DAYS = 5;
/** A meter that follows its segment no better than this, in hundredths, has a clock that nobody can read from its curve. */
const LEAST_FIT = 50;
/** So much better, in hundredths, must a moved day fit. */
const BETTER_BY = 2;

/** As SQL over the views `members`, `daily` and `lags`. */
export const FLEET_RULES: readonly QualityRule[] = [
  {
    id: 'group_is_complete',
    suite: 'staging_readings_suite',
    title: {
      fr: 'un groupe de dix compteurs ou plus a envoyé neuf dixièmes des relevés attendus',
      en: 'a group of ten meters or more sent nine tenths of its expected readings',
    },
    severity: 'hold',
    tested: `SELECT count(*) FROM (SELECT unit FROM members GROUP BY unit HAVING count(*) >= ${LEAST_METERS})`,
    failing: `WITH short AS (SELECT unit, CAST(sum(observed) AS DOUBLE) / sum(expected) AS share FROM members GROUP BY unit
        HAVING count(*) >= ${LEAST_METERS} AND sum(observed) < ${LEAST_OF_GROUP} * sum(expected))
      SELECT meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at, share AS observed, ${LEAST_OF_GROUP} AS allowed
      FROM members JOIN short USING (unit) WHERE sent`,
  },
  {
    id: 'clock_in_step',
    suite: 'marts_metrics_suite',
    title: {
      fr: 'sur sept jours, aucun compteur ne suit mieux son segment décalé de demi-heures : son horloge est juste',
      en: 'over seven days no meter follows its segment better when it is moved by half-hours: its clock is right',
    },
    severity: 'warn',
    tested: `SELECT count(*) FROM (SELECT meter_key FROM lags GROUP BY meter_key HAVING count(*) >= ${LEAST_DAYS})`,
    failing: `SELECT meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at,
        CAST(list_position(fits, list_max(fits)) - ${LARGEST_LAG + 1} AS DOUBLE) AS observed, CAST(0 AS DOUBLE) AS allowed
      FROM (SELECT meter_key, count(*) AS days, [${Array.from(
        { length: 2 * LARGEST_LAG + 1 },
        (_, place) => `sum(fits[${place + 1}])`,
      ).join(', ')}] AS fits FROM lags GROUP BY meter_key HAVING count(*) >= ${LEAST_DAYS})
      WHERE list_max(fits) >= ${LEAST_FIT} * days AND list_max(fits) > fits[${LARGEST_LAG + 1}] + ${BETTER_BY} * days`,
  },
];

/** The name of the input that has the fits of so many days before. */
export function lagsBefore(days: number): string {
  return days === 0 ? 'lags' : `lags_${days}`;
}

/** The day and the six before it. */
export const CLOCK_DAYS = 7;

/** Failing rows, and how many were looked at, in the columns of the rules of single meters. */
export const metricsFleetRules: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => fleetRulesOf(unit, sql)),
};

async function fleetRulesOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  await openViews(sql, unit);
  const failing = FLEET_RULES.map(
    ({ id, failing: found }) => `SELECT '${id}' AS rule, meter_key, failed_at, observed, allowed FROM (${found})`,
  );
  const tested = FLEET_RULES.map(({ id, tested: of }) => `SELECT '${id}' AS rule, CAST((${of}) AS BIGINT) AS tested`);
  const outputs = {
    failing: await copyTable(
      sql,
      `${failing.join(' UNION ALL ')} ORDER BY rule, meter_key`,
      `fleet-failing-${unit.scope}`,
    ),
    tested: await copyTable(sql, `${tested.join(' UNION ALL ')} ORDER BY rule`, `fleet-tested-${unit.scope}`),
  };
  return { scope: unit.scope, outputs, checks: [], facts: { failures: outputs.failing.rows } };
}

/** Meters of the list that sent nothing count as well; who sends what he produces and nothing else is not waited for. */
async function openViews(sql: SqlSession, unit: StepUnit): Promise<void> {
  const daily = parquetOf(pathsOf(unit, 'daily'));
  const meters = inputOrEmpty(unit, 'meters', columnsOfSide('meters'));
  const expected = 2 * (unit.day?.hours ?? 24);
  const lags = pathsOf(unit, ...Array.from({ length: CLOCK_DAYS }, (_, days) => lagsBefore(days)));
  const part = `'part ' || lpad(CAST((meter_key >> 60) + 1 AS VARCHAR), 2, '0') || ' of 16'`;
  await sql.run(`CREATE OR REPLACE TEMP VIEW members AS
    WITH sent AS (SELECT meter_key, observed, expected FROM ${daily} WHERE channel = 'import'),
      known AS (SELECT meter_key, transformer FROM ${meters}),
      silent AS (SELECT meter_key FROM known WHERE meter_key NOT IN (SELECT meter_key FROM ${daily}))
    SELECT meter_key, coalesce(transformer, ${part}) AS unit, observed, expected, sent FROM (
      SELECT meter_key, observed, expected, true AS sent FROM sent UNION ALL
      SELECT meter_key, 0 AS observed, ${expected} AS expected, false AS sent FROM silent) LEFT JOIN known USING (meter_key)`);
  await sql.run(
    `CREATE OR REPLACE TEMP VIEW lags AS SELECT * FROM ${
      lags.length === 0
        ? '(SELECT CAST(NULL AS UBIGINT) AS meter_key, CAST([] AS TINYINT[]) AS fits WHERE false)'
        : parquetOf(lags)
    }`,
  );
}
