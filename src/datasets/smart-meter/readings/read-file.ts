import { quoteText } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';
import type { Dialect, FileHead } from '../dialects/dialect.ts';
import { requireDialect } from '../dialects/dialects.ts';
import { SLICE_COLUMNS, SLICE_NAMES } from './columns.ts';
import { fillMeterKeys } from './meter-key.ts';

/** From a file in any dialect to `readings_read`, the rows of a slice of all its days. */

/** What was found out while a file was read. */
export interface ReadFile {
  /** Undefined for rows of slices that were joined before. */
  readonly dialect: Dialect | undefined;
  readonly extension: string;
  readonly mediaType: string;
}

/** A file of rows that were slices before: several files of one day, joined by the engine. */
function isJoined({ lines }: FileHead): boolean {
  return lines[0] === Object.keys(SLICE_COLUMNS).join(';');
}

/** Short, and still the same file on every machine. */
const FILE_HASH_CHARACTERS = 12;

/**
 * Reads a file whole. Every published row becomes one row of `readings_read`; one that cannot count says why in `refused`, and has no energy.
 * @throws `SRC_SHAPE_CHANGED`, `SRC_TRUNCATED` for a file that is of no dialect
 */
export async function readFile(
  sql: SqlSession,
  head: FileHead,
  { sha256, secret }: { readonly sha256: string; readonly secret: string },
): Promise<ReadFile> {
  if (isJoined(head)) {
    const columns = Object.entries(SLICE_COLUMNS).map(([name, type]) => `${quoteText(name)}: ${quoteText(type)}`);
    await sql.run(`CREATE OR REPLACE TEMP TABLE readings_read AS SELECT ${SLICE_NAMES} FROM read_csv(${quoteText(head.path)}, delim = ';',
      quote = '"', escape = '"', header = true, nullstr = '', auto_detect = false, columns = {${columns.join(', ')}})`);
    return { dialect: undefined, extension: 'csv', mediaType: 'text/csv' };
  }
  const dialect = requireDialect(head);
  const { select, extension, mediaType } = await dialect.open(head, sql);
  await sql.run(`CREATE OR REPLACE TEMP TABLE published AS ${select}`);
  await fillMeterKeys(sql, secret, 'published');
  await fillTimes(sql);
  await fillPlaced(sql);
  await fillSteps(sql);
  const file = quoteText(sha256.slice(0, FILE_HASH_CHARACTERS));
  await sql.run(`CREATE OR REPLACE TEMP TABLE readings_read AS ${energiesSql(file, quoteText(dialect.id))}`);
  for (const table of ['published', 'placed', 'times', 'steps']) await sql.run(`DROP TABLE IF EXISTS ${table}`);
  return { dialect, extension, mediaType };
}

const HAS_OFFSET = `regexp_matches(stamp, '(Z|[+-][0-9]{2}:?[0-9]{2})$')`;
const IS_EPOCH = `regexp_matches(stamp, '^[0-9]{9,11}$')`;
const NAIVE_FORMATS = `['%Y-%m-%d %H:%M:%S', '%Y-%m-%dT%H:%M:%S', '%Y-%m-%d %H:%M', '%Y-%m-%dT%H:%M', '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S']`;

/**
 * `times`: each different stamp once, as seconds since 1970. A local time that a clock shows twice has a second instant; one that it never shows has a
 * `problem`. A file of millions of rows has some fifty stamps a day.
 */
async function fillTimes(sql: SqlSession): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE times AS
    WITH stamps AS (SELECT DISTINCT stamp, zone FROM published WHERE stamp IS NOT NULL),
      parsed AS (SELECT stamp, zone,
          CASE WHEN ${IS_EPOCH} THEN to_timestamp(CAST(stamp AS BIGINT)) WHEN ${HAS_OFFSET} THEN TRY_CAST(stamp AS TIMESTAMPTZ) END AS absolute,
          CASE WHEN NOT ${HAS_OFFSET} AND NOT ${IS_EPOCH} THEN try_strptime(stamp, ${NAIVE_FORMATS}) END AS naive FROM stamps),
      placed AS (SELECT stamp, zone, absolute, naive, timezone(zone, naive) AS shown FROM parsed),
      known AS (SELECT *, timezone(zone, shown) = naive AS exists,
          timezone(zone, shown - INTERVAL 1 HOUR) = naive AS has_earlier, timezone(zone, shown + INTERVAL 1 HOUR) = naive AS has_later FROM placed)
    SELECT stamp, zone, CAST(floor(epoch(coalesce(absolute, CASE WHEN has_earlier THEN shown - INTERVAL 1 HOUR ELSE shown END))) AS BIGINT) AS at_s,
      CASE WHEN has_earlier OR has_later
        THEN CAST(floor(epoch(CASE WHEN has_later THEN shown + INTERVAL 1 HOUR ELSE shown END)) AS BIGINT) END AS second_s,
      CASE WHEN absolute IS NULL AND naive IS NULL THEN 'bad_stamp' WHEN naive IS NOT NULL AND NOT exists THEN 'no_such_time' END AS problem
    FROM known`);
}

/**
 * `placed`: rows with their instant. Local times of the repeated hour of autumn are told apart by their order in the file, where the file is in order and has
 * both; otherwise nobody can say which hour a row was, and it is refused.
 */
async function fillPlaced(sql: SqlSession): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE twice AS
    WITH doubled AS (SELECT p.meter_id, p.channel, p.stamp, p.line, t.at_s, t.second_s,
          row_number() OVER (PARTITION BY p.meter_id, p.channel, p.stamp ORDER BY p.line) AS nth,
          count(*) OVER (PARTITION BY p.meter_id, p.channel, p.stamp) AS times
        FROM published p JOIN times t ON p.stamp = t.stamp AND p.zone = t.zone WHERE t.second_s IS NOT NULL AND t.problem IS NULL),
      chosen AS (SELECT *, CASE WHEN times = 2 THEN CASE nth WHEN 1 THEN at_s ELSE second_s END END AS chosen_s FROM doubled),
      ordered AS (SELECT *, coalesce(chosen_s > lag(chosen_s) OVER (PARTITION BY meter_id, channel, at_s // 86400 ORDER BY line), true) AS follows
        FROM chosen)
    SELECT line, CASE WHEN bool_and(follows) OVER (PARTITION BY meter_id, channel, at_s // 86400) THEN chosen_s END AS chosen_s FROM ordered`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE placed AS
    SELECT p.*, CASE WHEN t.second_s IS NULL THEN t.at_s ELSE w.chosen_s END AS at_s,
      CASE WHEN p.refused IS NOT NULL THEN p.refused WHEN p.meter_id IS NULL THEN 'no_meter' WHEN p.stamp IS NULL THEN 'no_stamp'
        WHEN t.problem IS NOT NULL THEN t.problem WHEN t.second_s IS NOT NULL AND w.chosen_s IS NULL THEN 'ambiguous_time' END AS reason
    FROM published p LEFT JOIN times t ON p.stamp = t.stamp AND p.zone = t.zone LEFT JOIN twice w ON p.line = w.line`);
  await sql.run('DROP TABLE twice');
}

/** The longest interval that two neighbours can tell of; what is longer is a gap. */
const LONGEST_STEP_S = 3_600;
const DEFAULT_STEP_MIN = 30;

/** `steps`: the lengths of intervals that the file does not declare, by the nearer neighbour of each row. */
async function fillSteps(sql: SqlSession): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE steps AS
    WITH near AS (SELECT line, is_end, at_s - lag(at_s) OVER in_time AS before_s, lead(at_s) OVER in_time - at_s AS after_s FROM placed
        WHERE step_min IS NULL AND reason IS NULL WINDOW in_time AS (PARTITION BY meter_id, channel ORDER BY at_s, line)),
      own AS (SELECT line, CASE WHEN is_end THEN before_s ELSE after_s END AS own_s, CASE WHEN is_end THEN after_s ELSE before_s END AS other_s FROM near)
    SELECT line, CAST(coalesce(CASE WHEN own_s BETWEEN 60 AND ${LONGEST_STEP_S} THEN own_s END,
      CASE WHEN other_s BETWEEN 60 AND ${LONGEST_STEP_S} THEN other_s END, ${DEFAULT_STEP_MIN * 60}) // 60 AS INTEGER) AS step_min FROM own`);
}

/** Above this no meter of a customer measures in an interval; also what a DECIMAL(12, 5) holds. */
const HIGHEST_WH = 9_999_999;

/** Integers of 10⁻⁹ of the unit, and the divisor that makes them 10⁻⁵ Wh: W × minutes / 60, kWh × 1000. */
const NUMERATOR = `CASE unit WHEN 'W' THEN units * step ELSE units END`;
const DIVISOR = `CASE unit WHEN 'W' THEN 600000 WHEN 'Wh' THEN 10000 WHEN 'kWh' THEN 10 WHEN '10kWh' THEN 1 END`;

/** Half-even, as everywhere in accounts: rounding half up would make energy of nothing. */
const HALF_EVEN = `whole + CASE WHEN 2 * rest > divisor OR (2 * rest = divisor AND whole % 2 = 1) THEN 1 ELSE 0 END`;

function energiesSql(file: string, dialect: string): string {
  return `
    WITH read AS (SELECT p.*, coalesce(p.step_min, s.step_min, ${DEFAULT_STEP_MIN}) AS step, TRY_CAST(p.value AS DECIMAL(18, 9)) AS exact
        FROM placed p LEFT JOIN steps s ON p.line = s.line),
      judged AS (SELECT *, CASE WHEN reason IS NOT NULL THEN reason WHEN value IS NULL THEN 'no_value'
          WHEN unit NOT IN ('W', 'Wh', 'kWh', '10kWh') THEN 'unknown_unit' WHEN exact IS NULL AND coalesce(isfinite(TRY_CAST(value AS DOUBLE)), false) THEN 'out_of_range'
          WHEN exact IS NULL THEN 'not_finite' WHEN exact < 0 THEN 'negative' WHEN exact > ${HIGHEST_WH} THEN 'out_of_range' END AS why FROM read),
      counted AS (SELECT *, CASE WHEN why IS NULL THEN CAST(CAST(exact AS DECIMAL(28, 9)) * CAST(1000000000 AS DECIMAL(10, 0)) AS BIGINT) END AS units FROM judged),
      divided AS (SELECT *, CAST(${DIVISOR} AS BIGINT) AS divisor, ${NUMERATOR} AS numerator FROM counted),
      split AS (SELECT *, numerator // divisor AS whole, numerator % divisor AS rest FROM divided),
      energies AS (SELECT *, ${HALF_EVEN} AS hundred_thousandths FROM split)
    SELECT k.meter_key, channel, CASE WHEN is_end THEN at_s - 60 * step ELSE at_s END AS start_s, zone, step AS step_min,
      CASE WHEN hundred_thousandths <= ${HIGHEST_WH}00000 THEN CAST(CAST(hundred_thousandths AS DECIMAL(17, 0)) * 0.00001 AS DECIMAL(12, 5)) END AS energy_wh,
      quality, revision, file_time, CASE WHEN unit = '10kWh' THEN CAST(exact AS DOUBLE) END AS value_raw,
      temperature_raw, humidity_raw, wind_speed_raw, avg_past_raw, label,
      CASE WHEN why IS NULL AND hundred_thousandths > ${HIGHEST_WH}00000 THEN 'out_of_range' ELSE why END AS refused,
      stamp, value, unit, ${dialect} AS dialect, ${file} AS file, line
    FROM energies e LEFT JOIN meter_keys k ON e.meter_id = k.meter_id`;
}
