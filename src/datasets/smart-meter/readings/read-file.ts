import { quoteText } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';
import type { Dialect, FileHead, PublishedColumn, SameInAll } from '../dialects/dialect.ts';
import { PUBLISHED_COLUMNS } from '../dialects/dialect.ts';
import { requireDialect } from '../dialects/dialects.ts';
import type { Constants } from './columns.ts';
import type { ZoneSpan } from './days.ts';
import { constantsOfJoined, openJoined } from './joined.ts';
import { fillMeterKeys } from './meter-key.ts';

/** From a file in any dialect to `readings_read`, the rows of a slice of all its days. */

/** What was found out while a file was read. */
export interface ReadFile {
  /** Undefined for rows of slices that were joined before. */
  readonly dialect: Dialect | undefined;
  readonly extension: string;
  readonly mediaType: string;
  readonly constants: Constants;
  /** Columns of `published` that are the same in all rows. */
  readonly published: SameInAll;
  /**
   * Zones of the meters, where every row has a time that nobody can mistake; undefined otherwise.
   */
  readonly zones: readonly string[] | undefined;
  /** The rows of each zone, where that can be told without looking at them again. */
  readonly spans: readonly ZoneSpan[] | undefined;
  /** The rows may be read as often as one likes. */
  readonly isKept: boolean;
  /**
   * What a row is follows from its own texts: it can be told by their numbers, without the other
   * rows.
   */
  readonly isByItself: boolean;
  /** Of more rows than are kept where the file is cheap to read again. */
  readonly isLarge: boolean;
}

/** Short, and still the same file on every machine. */
const FILE_HASH_CHARACTERS = 12;

/** How a file is read. */
export interface ReadOptions {
  readonly sha256: string;
  readonly secret: string;
  /** One statement alone reads all of `readings_read`. */
  readonly isReadOnce: boolean;
  /**
   * Of more rows a file that is cheap to read again is never all in memory; else `MAX_KEPT_ROWS`.
   */
  readonly maxKeptRows?: number;
}

/** Some hundred megabytes of memory. */
const MAX_KEPT_ROWS = 500_000;

/**
 * Reads a file whole. Every published row becomes one row of `readings_read`; one that cannot count
 * says why in `refused`, and has no energy.
 * @throws `SRC_SHAPE_CHANGED`, `SRC_TRUNCATED` for a file that is of no dialect
 */
export async function readFile(
  sql: SqlSession,
  head: FileHead,
  { sha256, secret, isReadOnce, maxKeptRows = MAX_KEPT_ROWS }: ReadOptions,
): Promise<ReadFile> {
  const joined = await openJoined(head, sql);
  if (joined !== undefined) {
    const { select, isCheap, extension, mediaType } = joined;
    await makeRows(sql, 'readings_read', select, isCheap);
    const constants = await constantsOfJoined(sql);
    return {
      dialect: undefined,
      extension,
      mediaType,
      constants,
      published: {},
      zones: undefined,
      spans: undefined,
      isKept: true,
      isByItself: false,
      isLarge: false,
    };
  }
  const dialect = requireDialect(head);
  const opened = await dialect.open(head, sql);
  const {
    select,
    unnumbered,
    extension,
    mediaType,
    isCheap = false,
    same: published = {},
  } = opened;
  await makeRows(sql, 'published', select, isCheap);
  await fillSaid(sql, unnumbered === undefined ? 'published' : `(${unnumbered})`, published);
  await fillMeterKeys(sql, secret, 'said');
  await fillTimes(sql);
  const isTwice = await fillPlaced(sql);
  const isDeclared = await fillSteps(sql);
  await fillAmounts(sql, isDeclared);
  const file = quoteText(sha256.slice(0, FILE_HASH_CHARACTERS));
  const isLarge = (await countSaid(sql)) > maxKeptRows;
  const isView = isCheap && (isReadOnce || isLarge);
  await makeRows(sql, 'readings_read', readingsSql(file, quoteText(dialect.id)), isView);
  if (!isView) await sql.run('DROP TABLE IF EXISTS published_kept');
  const constants = {
    dialect: quoteText(dialect.id),
    file,
    ...(await constantsOf(sql, published)),
  };
  return {
    dialect,
    extension,
    mediaType,
    constants,
    published: { ...constants, ...published },
    ...(await zonesOf(sql, leadOf(published, constants))),
    isKept: !isView,
    isByItself: isView && !isTwice && isDeclared,
    isLarge,
  };
}

async function zonesOf(
  sql: SqlSession,
  lead: number | undefined,
): Promise<Pick<ReadFile, 'zones' | 'spans'>> {
  const found = await sql.rows<{
    zone: string;
    first: number;
    last: number;
    rows: number;
    odd: number;
  }>(
    `SELECT zone, min(at_s) AS first, max(at_s) AS last, CAST(sum(rows) AS BIGINT) AS rows,
      count(problem) + count(second_s) AS odd
      FROM times GROUP BY zone ORDER BY zone`,
  );
  if (found.length === 0 || found.some(({ odd }) => odd > 0))
    return { zones: undefined, spans: undefined };
  const spans =
    lead === undefined
      ? undefined
      : found.map(({ zone, first, last, rows }) => ({
          zone,
          first: first - lead,
          last: last - lead,
          rows,
        }));
  return { zones: found.map(({ zone }) => zone), spans };
}

/** Seconds by which intervals start before their stamps; undefined where rows differ in it. */
function leadOf(
  { is_end: isEnd }: SameInAll,
  { step_min: minutes }: Constants,
): number | undefined {
  if (isEnd === 'false') return 0;
  return isEnd === 'true' && minutes !== undefined ? 60 * Number(minutes) : undefined;
}

/** Rows of a file under a name: kept, or read from the file anew by every statement. */
async function makeRows(
  sql: SqlSession,
  name: 'published' | 'readings_read',
  select: string,
  isView: boolean,
): Promise<void> {
  if (!isView) await sql.run(`CREATE OR REPLACE TEMP TABLE ${name}_kept AS ${select}`);
  await sql.run(
    `CREATE OR REPLACE TEMP VIEW ${name} AS ${isView ? select : `SELECT * FROM ${name}_kept`}`,
  );
}

/** What rows say that is worked out once for each different one, with what it means beside it. */
const SAID = [
  ['meter_id'],
  ['stamp', 'zone'],
  ['value', 'unit', 'step_min'],
  ['quality', 'refused'],
] as const;

/**
 * `said`: each different id, stamp, value, and quality with refusal of the file once with its
 * `rows`, each kind with nulls in the columns of the others. What is in here is worked out once,
 * however many of the millions of rows say it. What is the same in all rows is beside every kind:
 * to count rows by one column costs half as much as by two.
 */
async function fillSaid(sql: SqlSession, rows: string, same: SameInAll): Promise<void> {
  const kinds = SAID.map((kind) => kind.filter((name) => same[name] === undefined).join(', '));
  const columns = SAID.flat().map((name) =>
    same[name] === undefined
      ? name
      : `CAST(${same[name]} AS ${PUBLISHED_COLUMNS[name]}) AS ${name}`,
  );
  await sql.run(`CREATE OR REPLACE TEMP TABLE said AS
    SELECT grouping(stamp) = 0 AS is_stamp, grouping(value) = 0 AS is_value,
      grouping(quality) = 0 AS is_quality, ${columns.join(', ')}, count(*) AS rows
    FROM ${rows} GROUP BY GROUPING SETS (${kinds.map((kind) => `(${kind})`).join(', ')})`);
}

/** The rows of the file. */
async function countSaid(sql: SqlSession): Promise<number> {
  const [found] = await sql.rows<{ rows: number }>(
    'SELECT CAST(sum(rows) AS BIGINT) AS rows FROM said WHERE is_stamp',
  );
  return found?.rows ?? 0;
}

const HAS_OFFSET = `regexp_matches(stamp, '(Z|[+-][0-9]{2}:?[0-9]{2})$')`;
const IS_EPOCH = `regexp_matches(stamp, '^[0-9]{9,11}$')`;
const NAIVE_FORMATS = `['%Y-%m-%d %H:%M:%S', '%Y-%m-%dT%H:%M:%S', '%Y-%m-%d %H:%M', '%Y-%m-%dT%H:%M', '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S']`;

/**
 * `times`: each different stamp once with its `rows`, as seconds since 1970. A local time that a
 * clock shows twice has a second instant; one that it never shows has a `problem`. A file of
 * millions of rows has some fifty stamps a day.
 */
async function fillTimes(sql: SqlSession): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE times AS
    WITH stamps AS (SELECT stamp AS published_stamp, nullif(trim(stamp), '') AS stamp, zone, rows
      FROM said WHERE is_stamp),
      parsed AS (SELECT published_stamp, stamp, zone, rows,
          CASE WHEN ${IS_EPOCH} THEN to_timestamp(CAST(stamp AS BIGINT))
            WHEN ${HAS_OFFSET} THEN TRY_CAST(stamp AS TIMESTAMPTZ) END AS absolute,
          CASE WHEN NOT ${HAS_OFFSET} AND NOT ${IS_EPOCH} THEN try_strptime(stamp, ${NAIVE_FORMATS}) END AS naive FROM stamps),
      placed AS (SELECT published_stamp, stamp, zone, rows, absolute, naive,
        timezone(zone, naive) AS shown FROM parsed),
      known AS (SELECT *, timezone(zone, shown) = naive AS exists,
          timezone(zone, shown - INTERVAL 1 HOUR) = naive AS has_earlier,
            timezone(zone, shown + INTERVAL 1 HOUR) = naive AS has_later FROM placed)
    SELECT published_stamp, stamp, zone, rows,
      CAST(floor(epoch(coalesce(absolute, CASE WHEN has_earlier THEN shown - INTERVAL 1 HOUR
      ELSE shown END))) AS BIGINT) AS at_s,
      CASE WHEN has_earlier OR has_later
        THEN CAST(floor(epoch(CASE WHEN has_later THEN shown + INTERVAL 1 HOUR
          ELSE shown END)) AS BIGINT) END AS second_s,
      CASE WHEN stamp IS NULL THEN 'no_stamp' WHEN absolute IS NULL
        AND naive IS NULL THEN 'bad_stamp' WHEN naive IS NOT NULL
        AND NOT exists THEN 'no_such_time' END AS problem
    FROM known`);
}

/**
 * `placed`: rows with their key and their instant. Local times of the repeated hour of autumn are
 * told apart by their order in the file, where the file is in order and has both; otherwise nobody
 * can say which hour a row was, and it is refused. Returns whether there are such.
 */
async function fillPlaced(sql: SqlSession): Promise<boolean> {
  const [found] = await sql.rows<{ doubled: number }>(
    'SELECT count(second_s) AS doubled FROM times',
  );
  const hasTwice = (found?.doubled ?? 0) > 0;
  if (hasTwice) {
    await sql.run(`CREATE OR REPLACE TEMP TABLE twice AS
    WITH doubled AS (SELECT p.meter_id, p.channel, p.stamp, p.line, t.at_s, t.second_s,
          row_number() OVER (PARTITION BY p.meter_id, p.channel, p.stamp ORDER BY p.line) AS nth,
          count(*) OVER (PARTITION BY p.meter_id, p.channel, p.stamp) AS times
        FROM published p JOIN times t ON p.stamp = t.published_stamp AND p.zone = t.zone
          WHERE t.second_s IS NOT NULL AND t.problem IS NULL),
      chosen AS (SELECT *, CASE WHEN times = 2 THEN CASE nth WHEN 1 THEN at_s
        ELSE second_s END END AS chosen_s FROM doubled),
      ordered AS (SELECT *, coalesce(chosen_s > lag(chosen_s)
        OVER (PARTITION BY meter_id, channel, at_s // 86400 ORDER BY line), true) AS follows
        FROM chosen)
    SELECT line, CASE WHEN bool_and(follows)
      OVER (PARTITION BY meter_id, channel, at_s // 86400) THEN chosen_s END AS chosen_s
      FROM ordered`);
  }
  const twice = hasTwice
    ? 'LEFT JOIN twice w ON p.line = w.line'
    : 'CROSS JOIN (SELECT NULL::BIGINT AS chosen_s) w';
  await sql.run(`CREATE OR REPLACE TEMP VIEW placed AS
    SELECT p.* EXCLUDE (t, stamp), t.stamp AS stamp, CASE WHEN t.second_s IS NULL THEN t.at_s
      ELSE chosen_s END AS at_s,
      CASE WHEN p.refused IS NOT NULL THEN p.refused WHEN meter_key IS NULL THEN 'no_meter'
        WHEN t.problem IS NOT NULL THEN t.problem WHEN t.second_s IS NOT NULL
          AND chosen_s IS NULL THEN 'ambiguous_time' END AS reason
    FROM ${lookedUp('published', ['meter_key', 't'])} p ${twice}`);
  return hasTwice;
}

/** What small tables say of a row. */
const LOOKED_UP = {
  meter_key: {
    table: 'meter_keys',
    value: 'found.meter_key',
    on: ['found.published_id = p.meter_id'],
  },
  t: {
    table: 'times',
    value: `{'stamp': found.stamp, 'at_s': found.at_s, 'second_s': found.second_s, 'problem': found.problem}`,
    on: ['found.published_stamp IS NOT DISTINCT FROM p.stamp', 'found.zone = p.zone'],
  },
  a: {
    table: 'amounts',
    value: `{'value': found.value, 'value_raw': found.value_raw, 'energy_wh': found.energy_wh, 'why': found.why}`,
    on: [
      'found.published_value IS NOT DISTINCT FROM p.value',
      'found.unit IS NOT DISTINCT FROM p.unit',
      'found.step = p.step',
    ],
  },
} as const;

/**
 * Rows of `from` with what is looked up for them. Of a CSV file the engine expects some forty rows,
 * and of a join it would make a table of its millions: so each is a subquery, which costs twice as
 * much as a join.
 */
function lookedUp(from: string, names: readonly (keyof typeof LOOKED_UP)[]): string {
  return names.reduce((rows, name) => {
    const { table, value, on } = LOOKED_UP[name];
    return `(SELECT *, (SELECT ${value} FROM ${table} found
      WHERE ${on.join(' AND ')}) AS ${name} FROM ${rows} p)`;
  }, from);
}

/** The longest interval that two neighbours can tell of; what is longer is a gap. */
const LONGEST_STEP_S = 3_600;
const DEFAULT_STEP_MIN = 30;

/**
 * `stepped`: rows with `step`, the length of their interval in minutes. What the file does not
 * declare is known by the nearer neighbour of each row. Returns whether it declares all.
 */
async function fillSteps(sql: SqlSession): Promise<boolean> {
  const [found] = await sql.rows<{ unsaid: number }>(
    'SELECT count(*) AS unsaid FROM said WHERE is_value AND step_min IS NULL',
  );
  if ((found?.unsaid ?? 0) === 0) {
    await sql.run('CREATE OR REPLACE TEMP VIEW stepped AS SELECT *, step_min AS step FROM placed');
    return true;
  }
  await sql.run(`CREATE OR REPLACE TEMP TABLE steps AS
    WITH near AS (SELECT line, is_end, at_s - lag(at_s) OVER in_time AS before_s, lead(at_s)
      OVER in_time - at_s AS after_s FROM placed
        WHERE step_min IS NULL AND reason IS NULL
          WINDOW in_time AS (PARTITION BY meter_key, channel ORDER BY at_s, line)),
      own AS (SELECT line, CASE WHEN is_end THEN before_s ELSE after_s END AS own_s, CASE
        WHEN is_end THEN after_s ELSE before_s END AS other_s FROM near)
    SELECT line, CAST(coalesce(CASE WHEN own_s BETWEEN 60 AND ${LONGEST_STEP_S} THEN own_s END,
      CASE WHEN other_s BETWEEN 60
        AND ${LONGEST_STEP_S} THEN other_s END, ${DEFAULT_STEP_MIN * 60}) // 60 AS INTEGER) AS step_min FROM own`);
  await sql.run(`CREATE OR REPLACE TEMP VIEW stepped AS
    SELECT p.*, coalesce(p.step_min, s.step_min, ${DEFAULT_STEP_MIN}) AS step FROM placed p
      LEFT JOIN steps s ON p.line = s.line`);
  return false;
}

/** Above this no meter of a customer measures in an interval; also what a DECIMAL(12, 5) holds. */
const HIGHEST_WH = 9_999_999;

/**
 * Integers of 10⁻⁹ of the unit, and the divisor that makes them 10⁻⁵ Wh: W × minutes / 60, kWh ×
 * 1000.
 */
const NUMERATOR = `CASE unit WHEN 'W' THEN units * step ELSE units END`;
const DIVISOR = `CASE unit WHEN 'W' THEN 600000 WHEN 'Wh' THEN 10000 WHEN 'kWh' THEN 10 WHEN '10kWh' THEN 1 END`;

/** Half-even, as everywhere in accounts: rounding half up would make energy of nothing. */
const HALF_EVEN = `whole + CASE WHEN 2 * rest > divisor
  OR (2 * rest = divisor AND whole % 2 = 1) THEN 1 ELSE 0 END`;

/**
 * `amounts`: each different value of a unit once, as exact energy of an interval of each length
 * that the file has, or with the reason why it is none. Exact arithmetic is dear, and a million
 * readings have some thousand different values.
 */
async function fillAmounts(sql: SqlSession, isDeclared: boolean): Promise<void> {
  const undeclared = `UNION SELECT 0, ${DEFAULT_STEP_MIN} UNION SELECT 0, step_min FROM steps`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE amounts AS
    WITH lengths AS (SELECT DISTINCT coalesce(step_min, 0) AS said_min, step_min AS step FROM said
      WHERE is_value AND step_min IS NOT NULL
        ${isDeclared ? '' : undeclared}),
      read AS (SELECT DISTINCT value AS published_value, nullif(trim(value), '') AS value, unit,
        step
        FROM said JOIN lengths ON coalesce(step_min, 0) = said_min WHERE is_value),
      parsed AS (SELECT *, TRY_CAST(value AS DECIMAL(18, 9)) AS exact FROM read),
      judged AS (SELECT *, CASE WHEN value IS NULL THEN 'no_value'
          WHEN unit NOT IN ('W', 'Wh', 'kWh', '10kWh') THEN 'unknown_unit' WHEN exact IS NULL
            AND coalesce(isfinite(TRY_CAST(value AS DOUBLE)), false) THEN 'out_of_range'
          WHEN exact IS NULL THEN 'not_finite' WHEN exact < 0 THEN 'negative'
            WHEN exact > ${HIGHEST_WH} THEN 'out_of_range' END AS why FROM parsed),
      counted AS (SELECT *, CASE WHEN why IS NULL THEN CAST(CAST(exact AS DECIMAL(28,
        9)) * CAST(1000000000 AS DECIMAL(10, 0)) AS BIGINT) END AS units FROM judged),
      divided AS (SELECT *, CAST(${DIVISOR} AS BIGINT) AS divisor, ${NUMERATOR} AS numerator
        FROM counted),
      split AS (SELECT *, numerator // divisor AS whole, numerator % divisor AS rest FROM divided),
      energies AS (SELECT *, ${HALF_EVEN} AS hundred_thousandths FROM split)
    SELECT published_value, value, unit, step, CASE
      WHEN unit = '10kWh' THEN CAST(exact AS DOUBLE) END AS value_raw,
      CASE WHEN hundred_thousandths <= ${HIGHEST_WH}00000 THEN CAST(CAST(hundred_thousandths AS DECIMAL(17, 0)) * 0.00001 AS DECIMAL(12, 5)) END AS energy_wh,
      CASE WHEN why IS NULL AND hundred_thousandths > ${HIGHEST_WH}00000 THEN 'out_of_range'
        ELSE why END AS why
    FROM energies`);
}

/**
 * A row that counts says in our words what was published; the text of the others is kept beside the
 * reason.
 */
function readingsSql(file: string, dialect: string): string {
  const text = (column: string): string =>
    `CASE WHEN coalesce(reason, a.why) IS NOT NULL THEN ${column} END`;
  return `SELECT meter_key, channel, CASE WHEN is_end THEN at_s - 60 * step
    ELSE at_s END AS start_s, zone, step AS step_min,
      CASE WHEN reason IS NULL THEN a.energy_wh END AS energy_wh, quality, revision, file_time,
        a.value_raw AS value_raw,
      temperature_raw, humidity_raw, wind_speed_raw, avg_past_raw, label,
      coalesce(reason, a.why) AS refused,
      ${text('stamp')} AS stamp, ${text('a.value')} AS value,
      unit, ${dialect} AS dialect, ${file} AS file, line
    FROM ${lookedUp('stepped', ['a'])}`;
}

/** What all rows have in common, as far as the small tables and the dialect tell. */
async function constantsOf(sql: SqlSession, published: SameInAll): Promise<Constants> {
  const [found] = await sql.rows<
    Record<'unit' | 'step_min' | 'zone' | 'shares', string | number | null>
  >(
    `SELECT CASE WHEN count(DISTINCT unit) = 1
      AND count(*) = count(unit) THEN min(unit) END AS unit,
      CASE WHEN count(DISTINCT step) = 1 THEN min(step) END AS step_min, count(value_raw) AS shares,
      (SELECT CASE WHEN count(DISTINCT zone) = 1 THEN min(zone) END FROM times) AS zone
        FROM amounts`,
  );
  const { unit = null, step_min: step = null, zone = null, shares = 0 } = found ?? {};
  // Rows are refused for what the dialect does not know as well.
  const lacking = Object.keys(published).filter(
    (name) => name !== 'refused' && published[name as PublishedColumn] === 'NULL',
  );
  return {
    ...Object.fromEntries(lacking.map((column) => [column, 'NULL'])),
    ...(shares === 0 ? { value_raw: 'NULL' } : {}),
    ...(unit === null ? {} : { unit: quoteText(String(unit)) }),
    ...(step === null ? {} : { step_min: String(step) }),
    ...(zone === null ? {} : { zone: quoteText(String(zone)) }),
  };
}
