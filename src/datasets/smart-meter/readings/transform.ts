import { forEachUnit, quoteTexts, required } from '../../kit/index.ts';
import type {
  CheckDefinition,
  CivilDate,
  JsonObject,
  SqlSession,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { copyTable, DENSE, fewTextsSql, parquetOf, pathsOf } from '../tables.ts';
import { clockSql, ZONES } from './clock.ts';
import { NAMES, SLICE_NAMES } from './columns.ts';

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

/** What readings and their rank are made of; what was published beside it is for rejects. */
const SLICE_COLUMNS_USED = NAMES.filter(
  (name) => !['refused', 'stamp', 'value', 'unit', 'dialect', 'file', 'line'].includes(name),
);

const OFF_GRID = 'off_grid';

/** What a reading holds; `docs/datasets/smart-meter.md` explains each column. */
const READING_COLUMNS: Readonly<Record<string, string>> = {
  meter_key: 'meter_key',
  channel: 'channel',
  start_at: 'to_timestamp(start_s)',
  step_min: 'CAST(step_min AS SMALLINT)',
  energy_wh: `CASE WHEN quality <> 'E' THEN energy_wh END`,
  quality: 'quality',
  revision: 'revision',
  estimate_wh: `CASE WHEN quality = 'E' THEN energy_wh END`,
  estimate_method: `CASE WHEN quality = 'E' THEN 'publisher' END`,
  slot: 'CAST(slot AS UTINYINT)',
  hour: 'CAST(hour AS UTINYINT)',
  zone: 'zone',
  suspect: `CASE WHEN (start_s - day_start_s) % (60 * step_min) BETWEEN 61 AND 60 * step_min - 61 THEN '${OFF_GRID}' END`,
  value_raw: 'value_raw',
  temperature_raw: 'temperature_raw',
  humidity_raw: 'humidity_raw',
  wind_speed_raw: 'wind_speed_raw',
  avg_past_raw: 'avg_past_raw',
  label: 'label',
};

/** Columns that few dialects fill. */
const OF_FEW = ['value_raw', 'temperature_raw', 'humidity_raw', 'wind_speed_raw', 'avg_past_raw'] as const;

/** Columns of a few texts, which all rows say again. */
const FEW_TEXTS = ['channel', 'quality', 'zone'] as const;

/** What is counted over the rows of a day before it is made; of columns of few texts, each text once, in order; `step_min` is null where it differs. */
type Counted = Readonly<
  Record<'rejected' | 'accepted' | 'estimates' | 'labels' | (typeof OF_FEW)[number], number> &
    Record<(typeof FEW_TEXTS)[number], readonly string[] | null>
> & { readonly step_min: number | null };

/** The readings in order. What all rows have in common is put beside them after they are sorted: it is half of their columns. */
function readingsSql(scope: string, counted: Counted): string {
  const texts: Readonly<Record<string, readonly string[]>> = {
    ...Object.fromEntries(FEW_TEXTS.map((name) => [name, counted[name] ?? []])),
    suspect: [OFF_GRID],
  };
  const constants: Readonly<Record<string, string>> = {
    ...(counted.estimates === 0 && { estimate_wh: 'NULL::DECIMAL(12, 5)', estimate_method: 'NULL::VARCHAR' }),
    ...(counted.labels === 0 && { label: 'NULL::VARCHAR' }),
    ...(counted.step_min !== null && { step_min: `${counted.step_min}::SMALLINT` }),
    ...(counted.zone?.length === 1 && { zone: fewTextsSql(quoteTexts(counted.zone), counted.zone) }),
    ...Object.fromEntries(OF_FEW.filter((name) => counted[name] === 0).map((name) => [name, 'NULL::DOUBLE'])),
  };
  // The order is by the second of the START: an instant made of it afterwards is not sorted beside it.
  const later: Readonly<Record<string, string>> = {
    ...constants,
    start_at: required(READING_COLUMNS['start_at'], 'start_at'),
  };
  const all = Object.keys(READING_COLUMNS).map((name) => `${later[name] ?? name} AS ${name}`);
  const own = Object.entries(READING_COLUMNS).filter(([name]) => later[name] === undefined);
  return `SELECT ${all.join(', ')} FROM (SELECT start_s, ${own.map(([name, value]) => `${fewTextsSql(value, texts[name] ?? [])} AS ${name}`).join(', ')}
    FROM (SELECT *, start_s // 1800 AS half_hours FROM best) ${clockJoin(scope, counted.zone ?? [])}
    ORDER BY meter_key, channel, start_s)`;
}

/** Where all rows are of one zone their clock is found by a number alone, which is in an array. */
function clockJoin(scope: CivilDate, zones: readonly string[]): string {
  return zones.length === 1
    ? `JOIN (SELECT * EXCLUDE (zone) FROM ${clockSql(scope, zones)}) USING (half_hours)`
    : `JOIN ${clockSql(scope, ZONES)} USING (zone, half_hours)`;
}

async function transformDay(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const { scope } = unit;
  await sql.run(
    `CREATE OR REPLACE TEMP VIEW slices AS SELECT ${SLICE_NAMES} FROM ${parquetOf(pathsOf(unit, 'readings', 'head_end'))}`,
  );
  const counted = await countRows(sql);
  const { rejected, accepted } = counted;
  const doubled = await chooseBest(sql, pathsOf(unit, 'readings', 'head_end').length === 1);
  const readings = await copyTable(sql, readingsSql(scope, counted), `readings-${scope}`, DENSE);
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

async function countRows(sql: SqlSession): Promise<Counted> {
  const [found] = await sql.rows<Counted>(
    `SELECT count(refused) AS rejected, count(*) - count(refused) AS accepted, count(*) FILTER (WHERE quality = 'E') AS estimates,
      count(label) AS labels, CASE WHEN min(step_min) = max(step_min) THEN min(step_min) END AS step_min, ${OF_FEW.map((name) => `count(${name}) AS ${name}`).join(', ')},
      ${FEW_TEXTS.map((name) => `list_sort(list(DISTINCT ${name})) AS ${name}`).join(', ')} FROM slices`,
  );
  return required(found, 'counts of the slices');
}

/**
 * Makes `best`, and returns how many rows are not in it because another one counts. One slice is in the order of the key, so that twins stand beside
 * each other; of several slices all keys are counted, which costs five times as much.
 */
async function chooseBest(sql: SqlSession, isOrdered: boolean): Promise<number> {
  const rows = 'slices WHERE refused IS NULL';
  const beside = `SELECT ${KEY} FROM (SELECT ${KEY}, lag(meter_key) OVER () AS key_before, lag(channel) OVER () AS channel_before,
      lag(start_s) OVER () AS start_before FROM ${rows})
    WHERE meter_key = key_before AND start_s = start_before AND channel = channel_before`;
  const twinKeys = isOrdered
    ? `SELECT ${KEY}, count(*) + 1 AS rows FROM (${beside}) GROUP BY ${KEY}`
    : `SELECT ${KEY}, count(*) AS rows FROM ${rows} GROUP BY ${KEY} HAVING count(*) > 1`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE twin_keys AS ${twinKeys}`);
  const [found] = await sql.rows<{ doubled: number | null }>(
    'SELECT CAST(sum(rows - 1) AS BIGINT) AS doubled FROM twin_keys',
  );
  const doubled = found?.doubled ?? 0;
  if (doubled === 0) {
    await sql.run('CREATE OR REPLACE TEMP VIEW best AS SELECT * FROM slices WHERE refused IS NULL');
    return 0;
  }
  // Twins are few: only rows of their meters are sorted by rank. To look for a meter costs less than to look for an interval of it.
  await sql.run(`CREATE OR REPLACE TEMP TABLE twin_meters AS SELECT DISTINCT meter_key FROM twin_keys`);
  const columns = SLICE_COLUMNS_USED.join(', ');
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE twins AS SELECT ${columns} FROM slices SEMI JOIN twin_meters USING (meter_key) WHERE refused IS NULL`,
  );
  await sql.run(`CREATE OR REPLACE TEMP VIEW best AS
    SELECT ${columns} FROM slices ANTI JOIN twin_meters USING (meter_key) WHERE refused IS NULL
    UNION ALL SELECT ${columns} FROM twins QUALIFY row_number() OVER (PARTITION BY ${KEY} ORDER BY ${RANK}) = 1`);
  return doubled;
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
