import { forEachUnit } from '../../kit/index.ts';
import type {
  CheckDefinition,
  JsonObject,
  SqlSession,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { copyTable, parquetOf, pathsOf } from '../tables.ts';
import { clockSql, ZONES } from './clock.ts';
import { SLICE_NAMES } from './columns.ts';

/**
 * `transform/readings`: the published rows of a day, whoever brought them and when, as one row per meter, channel and START. Of several rows the best counts:
 * the later stage of processing (BRUT < COMPLETE < CORRIGE), then the publisher's newer file, then what the rows themselves say, so that neither the order
 * of arrival nor how files were cut makes a difference. What cannot count is in `rejects`, rows of one rank that disagree in `conflicts`.
 */

const READABLE: CheckDefinition = {
  id: 'readings-accepted',
  title: 'every published row has a meter, a time and a finite value that is not negative',
  severity: 'warn',
};
const AGREEING: CheckDefinition = {
  id: 'one-value-per-interval',
  title: 'rows of one meter and interval agree, unless one corrects the other',
  severity: 'warn',
};
/** What cannot count is refused row by row, so that a bad meter does not hold the others. */
export const READING_CHECKS: readonly CheckDefinition[] = [READABLE, AGREEING];

/** Order of arrival makes no difference to the bytes. */
export const transformReadings: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => transformDay(unit, sql)),
};

/** The best row first. A measured value of the same rank goes before an estimate, a larger one before a smaller: losses are usual, inventions are not. */
const RANK = `revision DESC, file_time DESC NULLS LAST, (quality = 'E'), energy_wh DESC, quality, step_min, value_raw, label NULLS LAST,
  avg_past_raw NULLS LAST, temperature_raw, humidity_raw, wind_speed_raw`;

const KEY = 'meter_key, channel, start_s';

/** What a reading holds; `docs/datasets/smart-meter.md` explains each column. */
const READING_COLUMNS = `meter_key, channel, to_timestamp(start_s) AS start_at, CAST(step_min AS SMALLINT) AS step_min,
  CASE WHEN quality <> 'E' THEN energy_wh END AS energy_wh, quality, revision,
  CASE WHEN quality = 'E' THEN energy_wh END AS estimate_wh, CASE WHEN quality = 'E' THEN 'publisher' END AS estimate_method,
  CAST((start_s - day_start_s) // 1800 AS UTINYINT) AS slot, CAST(hour AS UTINYINT) AS hour, zone,
  CASE WHEN (start_s - day_start_s) % (60 * step_min) BETWEEN 61 AND 60 * step_min - 61 THEN 'off_grid' END AS suspect,
  value_raw, temperature_raw, humidity_raw, wind_speed_raw, avg_past_raw, label`;

async function transformDay(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const { scope } = unit;
  await sql.run(
    `CREATE OR REPLACE TEMP VIEW slices AS SELECT ${SLICE_NAMES} FROM ${parquetOf(pathsOf(unit, 'readings', 'head_end'))}`,
  );
  const [{ rejected = 0, accepted = 0, doubled = 0 } = {}] = await sql.rows<Record<string, number>>(
    `SELECT count(*) FILTER (WHERE refused IS NOT NULL) AS rejected, count(*) FILTER (WHERE refused IS NULL) AS accepted,
      count(*) FILTER (WHERE refused IS NULL) - count(DISTINCT hash(${KEY})) FILTER (WHERE refused IS NULL) AS doubled FROM slices`,
  );
  await chooseBest(sql, doubled > 0);
  const readings = await copyTable(
    sql,
    `SELECT ${READING_COLUMNS} FROM best JOIN ${clockSql(scope, ZONES)} USING (zone)
     WHERE slot = (start_s - day_start_s) // 1800 ORDER BY meter_key, channel, start_s`,
    `readings-${scope}`,
  );
  const rejects = await copyTable(
    sql,
    `SELECT DISTINCT file, line, refused AS reason, meter_key, channel, stamp, value, unit, dialect FROM slices WHERE refused IS NOT NULL
     ORDER BY file, line, reason, meter_key, channel, stamp, value, unit, dialect`,
    `rejects-${scope}`,
  );
  const conflicts = await conflictsOf(sql, scope, doubled > 0);
  const reasons = await reasonsOf(sql);
  return {
    scope,
    outputs: { readings, rejects, conflicts },
    checks: [
      {
        check: READABLE.id,
        severity: READABLE.severity,
        tested: rejected + accepted,
        failed: rejected,
        examples: reasons,
      },
      { check: AGREEING.id, severity: AGREEING.severity, tested: accepted, failed: conflicts.rows, examples: [] },
    ],
    facts: {
      rows: readings.rows,
      published_rows: rejected + accepted,
      rejected,
      duplicates: doubled,
      conflicts: conflicts.rows,
    },
  };
}

async function chooseBest(sql: SqlSession, hasTwins: boolean): Promise<void> {
  if (!hasTwins) {
    await sql.run('CREATE OR REPLACE TEMP VIEW best AS SELECT * FROM slices WHERE refused IS NULL');
    return;
  }
  // Twins are few: only they are sorted by rank.
  await sql.run(`CREATE OR REPLACE TEMP TABLE twins AS
    SELECT * FROM slices SEMI JOIN (SELECT ${KEY} FROM slices WHERE refused IS NULL GROUP BY ALL HAVING count(*) > 1) USING (${KEY})
    WHERE refused IS NULL`);
  await sql.run(`CREATE OR REPLACE TEMP VIEW best AS
    SELECT * FROM slices ANTI JOIN (SELECT DISTINCT ${KEY} FROM twins) USING (${KEY}) WHERE refused IS NULL
    UNION ALL SELECT * FROM twins QUALIFY row_number() OVER (PARTITION BY ${KEY} ORDER BY ${RANK}) = 1`);
}

/** Intervals whose rows of the best rank say different things, with the value that counts and the smallest that does not. */
function conflictsOf(sql: SqlSession, scope: string, hasTwins: boolean) {
  const rows = hasTwins ? 'twins' : '(SELECT * FROM slices WHERE false)';
  return copyTable(
    sql,
    `SELECT meter_key, channel, to_timestamp(start_s) AS start_at, max(energy_wh) AS largest_wh, min(energy_wh) AS smallest_wh,
       count(DISTINCT energy_wh) AS values
     FROM (SELECT *, rank() OVER (PARTITION BY ${KEY} ORDER BY revision DESC, file_time DESC NULLS LAST, (quality = 'E')) AS place FROM ${rows})
     WHERE place = 1 GROUP BY ${KEY} HAVING count(DISTINCT energy_wh) > 1 ORDER BY ${KEY}`,
    `conflicts-${scope}`,
  );
}

function reasonsOf(sql: SqlSession): Promise<JsonObject[]> {
  return sql.rows<JsonObject>(
    `SELECT refused AS reason, count(*) AS rows FROM slices WHERE refused IS NOT NULL GROUP BY refused ORDER BY rows DESC, reason LIMIT 20`,
  );
}
