import { forEachUnit, quoteText, required } from '../../kit/index.ts';
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
import { clockSql, HALF_HOUR_S, halfHoursOf, ZONES } from './clock.ts';
import { NAMES, SLICE_COLUMNS, SLICE_NAMES } from './columns.ts';
import { secondsOf } from './days.ts';

/**
 * `transform/readings`: the published rows of a day, whoever brought them and when, as one row per
 * meter, channel and START. Of several rows the best counts: the later stage of processing (BRUT <
 * COMPLETE < CORRIGE), then the publisher's newer file, then what the rows themselves say, so that
 * neither the order of arrival nor how files were cut makes a difference. What cannot count is in
 * `rejects`, rows of one rank that disagree in `conflicts`.
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

/**
 * The best row first. A measured value of the same rank goes before an estimate, a larger one
 * before a smaller: losses are usual, inventions are not.
 */
const RANK = `revision DESC, file_time DESC NULLS LAST, (quality = 'E'), energy_wh DESC, quality, step_min, value_raw, label NULLS LAST,
  avg_past_raw NULLS LAST, temperature_raw, humidity_raw, wind_speed_raw`;

const KEY = 'meter_key, channel, start_s';

/** What readings and their rank are made of; what was published beside it is for rejects. */
const SLICE_COLUMNS_USED = NAMES.filter(
  (name) => !['refused', 'stamp', 'value', 'unit', 'dialect', 'file', 'line'].includes(name),
);

const ACCEPTED = `(SELECT ${[...SLICE_COLUMNS_USED, 'place'].join(', ')} FROM slices
  WHERE refused IS NULL)`;

/** Intervals of several rows. */
const TWIN_KEYS = `SELECT ${KEY} FROM ${ACCEPTED} GROUP BY ${KEY} HAVING count(*) > 1`;

/**
 * The same where rows are in order of the key, so that twins stand beside each other: a fifth of
 * the cost.
 */
const TWIN_KEYS_IN_ORDER = `SELECT ${KEY} FROM (SELECT ${KEY}, lag(meter_key) OVER () AS key_before,
  lag(channel) OVER () AS channel_before,
      lag(start_s) OVER () AS start_before FROM ${ACCEPTED})
    WHERE meter_key = key_before AND start_s = start_before AND channel = channel_before`;

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
  suspect: suspectSql('day_start_s'),
  value_raw: 'value_raw',
  temperature_raw: 'temperature_raw',
  humidity_raw: 'humidity_raw',
  wind_speed_raw: 'wind_speed_raw',
  avg_past_raw: 'avg_past_raw',
  label: 'label',
};

function suspectSql(dayStart: string): string {
  const lengthS = '(60 * CAST(step_min AS INTEGER))';
  return `CASE WHEN (start_s - ${dayStart}) % ${lengthS} BETWEEN 61
    AND ${lengthS} - 61 THEN CAST('${OFF_GRID}' AS ENUM('${OFF_GRID}')) END`;
}

/** Columns that few dialects fill. */
const OF_FEW = [
  'value_raw',
  'temperature_raw',
  'humidity_raw',
  'wind_speed_raw',
  'avg_past_raw',
  'label',
] as const;

/** Columns of a few texts, which all rows say again. */
const FEW_TEXTS = ['channel', 'quality', 'zone'] as const;

/**
 * What is counted over the rows of a day before it is made; of columns of few texts, each text
 * once, in order; `step_min` is null where it differs.
 */
type Counted = Readonly<
  Record<'rejected' | 'accepted' | (typeof OF_FEW)[number], number> &
    Record<(typeof FEW_TEXTS)[number], readonly string[] | null>
> & { readonly step_min: number | null };

/**
 * The readings in order. What all rows have in common, and what follows from their second, is put
 * beside them after they are sorted: it is half of their columns.
 */
function readingsSql(scope: CivilDate, counted: Counted): string {
  const [zone, ...others] = counted.zone ?? [];
  const only = others.length === 0 ? zone : undefined;
  const clock = only === undefined ? clockOfZones(scope) : clockOfZone(scope, only);
  const constants: Readonly<Record<string, string>> = {
    ...(counted.quality?.includes('E') !== true && {
      estimate_wh: 'NULL::DECIMAL(12, 5)',
      estimate_method: 'NULL::VARCHAR',
    }),
    ...(counted.step_min !== null && { step_min: `${counted.step_min}::SMALLINT` }),
    ...(only !== undefined && { zone: fewTextsSql(quoteText(only), [only]) }),
    ...unfilledOf(counted),
  };
  const later: Readonly<Record<string, string>> = {
    ...constants,
    ...clock.later,
    start_at: required(READING_COLUMNS['start_at'], 'start_at'),
  };
  const all = Object.keys(READING_COLUMNS).map((name) => `${later[name] ?? name} AS ${name}`);
  const texts: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
    FEW_TEXTS.map((name) => [name, counted[name] ?? []]),
  );
  const own = Object.entries(READING_COLUMNS)
    .filter(([name]) => later[name] === undefined)
    .map(([name, value]) => `${fewTextsSql(value, texts[name] ?? [])} AS ${name}`);
  return `SELECT ${all.join(', ')} FROM (SELECT start_s, ${own.join(', ')} FROM ${clock.best} ORDER BY ${KEY})`;
}

/** Rows with what the clock of their zone shows: `slot`, `hour`, and when their day began. */
interface ClockOfRows {
  /** A table function. */
  readonly best: string;
  /** SQL of columns that follow from the second. */
  readonly later: Readonly<Record<string, string>>;
}

/** Where all rows are of one zone, half-hours are counted from the beginning of its day. */
function clockOfZone(scope: CivilDate, zone: string): ClockOfRows {
  const [from, to] = secondsOf(scope, zone);
  const slot = `(start_s - ${from}) // ${HALF_HOUR_S}`;
  const hours = halfHoursOf(scope, zone).map(({ hour }) => hour);
  return {
    best: `(SELECT * FROM best WHERE start_s >= ${from} AND start_s < ${to})`,
    later: {
      slot: `CAST(${slot} AS UTINYINT)`,
      hour: `CAST([${hours.join(', ')}][${slot} + 1] AS UTINYINT)`,
      suspect: suspectSql(String(from)),
    },
  };
}

function clockOfZones(scope: CivilDate): ClockOfRows {
  const rows = `(SELECT *, start_s // ${HALF_HOUR_S} AS half_hours FROM best)`;
  return { best: `${rows} JOIN ${clockSql(scope, ZONES)} USING (zone, half_hours)`, later: {} };
}

async function transformDay(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const { scope } = unit;
  const files = pathsOf(unit, 'readings', 'head_end');
  const counted = await openSlices(sql, files);
  const { rejected, accepted } = counted;
  const doubled = await chooseBest(sql, files.length === 1);
  const readings = await copyTable(sql, readingsSql(scope, counted), `readings-${scope}`, DENSE);
  const rejects = await copyTable(
    sql,
    `SELECT DISTINCT file, line, refused AS reason, meter_key, channel, stamp, value, unit, dialect
      FROM slices WHERE refused IS NOT NULL
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
      {
        check: AGREEING.id,
        severity: AGREEING.severity,
        tested: accepted,
        failed: conflicts.rows,
        examples: [],
      },
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

/**
 * Makes `slices`, with the `place` of each row among all of them, and counts what is in it. Columns
 * that no row fills are not read again.
 */
async function openSlices(sql: SqlSession, files: readonly string[]): Promise<Counted> {
  const rows: string[] = [];
  let before = 0;
  for (const file of files) {
    rows.push(
      `SELECT ${SLICE_NAMES}, file_row_number + ${before} AS place FROM ${parquetOf([file])}`,
    );
    before += await rowsOf(sql, file);
  }
  const all = rows.join(' UNION ALL ');
  await sql.run(`CREATE OR REPLACE TEMP VIEW slices AS ${all}`);
  const counted = await countRows(sql);
  const unfilled = Object.entries(unfilledOf(counted)).map(([name, none]) => `${none} AS ${name}`);
  if (unfilled.length > 0)
    await sql.run(
      `CREATE OR REPLACE TEMP VIEW slices AS SELECT * REPLACE (${unfilled.join(', ')})
        FROM (${all})`,
    );
  return counted;
}

/** SQL of the columns that no row fills. */
function unfilledOf(counted: Counted): Record<string, string> {
  return Object.fromEntries(
    OF_FEW.filter((name) => counted[name] === 0).map((name) => [
      name,
      `CAST(NULL AS ${SLICE_COLUMNS[name]})`,
    ]),
  );
}

async function rowsOf(sql: SqlSession, file: string): Promise<number> {
  const [found] = await sql.rows<{ rows: number }>(
    `SELECT count(*) AS rows FROM ${parquetOf([file])}`,
  );
  return required(found, 'the rows of a slice').rows;
}

/** Files say where a column has no value, so that what is never filled is not read. */
async function countRows(sql: SqlSession): Promise<Counted> {
  const few = OF_FEW.map(
    (name) => `(SELECT count(*) FROM slices WHERE ${name} IS NOT NULL) AS ${name}`,
  );
  const [found] = await sql.rows<Counted>(
    `SELECT count(refused) AS rejected, count(*) - count(refused) AS accepted, ${few.join(', ')},
      CASE WHEN min(step_min) = max(step_min) THEN min(step_min) END AS step_min,
      ${FEW_TEXTS.map((name) => `list_sort(list(DISTINCT ${name})) AS ${name}`).join(', ')} FROM slices`,
  );
  return required(found, 'counts of the slices');
}

/**
 * Makes `best`, and returns how many rows are not in it because another one counts. Twins are few:
 * all rows of their meters are ranked, because to look for a meter costs less than to look for an
 * interval of it.
 */
async function chooseBest(sql: SqlSession, isOrdered: boolean): Promise<number> {
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE twin_meters AS SELECT DISTINCT meter_key
      FROM (${isOrdered ? TWIN_KEYS_IN_ORDER : TWIN_KEYS})`,
  );
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE twins AS SELECT * FROM ${ACCEPTED} SEMI JOIN twin_meters
      USING (meter_key)`,
  );
  await sql.run(`CREATE OR REPLACE TEMP TABLE worse AS
    SELECT place FROM twins QUALIFY row_number() OVER (PARTITION BY ${KEY} ORDER BY ${RANK}) > 1`);
  await sql.run(
    'CREATE OR REPLACE TEMP VIEW best AS SELECT * FROM slices ANTI JOIN worse USING (place) WHERE refused IS NULL',
  );
  const [found] = await sql.rows<{ doubled: number }>('SELECT count(*) AS doubled FROM worse');
  return found?.doubled ?? 0;
}

/**
 * Intervals whose rows of the best rank say different things, with the value that counts and the
 * smallest that does not.
 */
function conflictsOf(sql: SqlSession, scope: string, hasTwins: boolean) {
  const rows = hasTwins ? 'twins' : '(SELECT * FROM slices WHERE false)';
  return copyTable(
    sql,
    `SELECT meter_key, channel, to_timestamp(start_s) AS start_at, max(energy_wh) AS largest_wh,
      min(energy_wh) AS smallest_wh,
       count(DISTINCT energy_wh) AS values
     FROM (SELECT *, rank() OVER (PARTITION BY ${KEY} ORDER BY revision DESC,
       file_time DESC NULLS LAST, (quality = 'E')) AS nth FROM ${rows})
     WHERE nth = 1 GROUP BY ${KEY} HAVING count(DISTINCT energy_wh) > 1 ORDER BY ${KEY}`,
    `conflicts-${scope}`,
  );
}

function reasonsOf(sql: SqlSession): Promise<JsonObject[]> {
  return sql.rows<JsonObject>(
    `SELECT refused AS reason, count(*) AS rows FROM slices WHERE refused IS NOT NULL
      GROUP BY refused ORDER BY rows DESC, reason LIMIT 20`,
  );
}
