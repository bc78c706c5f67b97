import {
  copyToParquet,
  countedCheck,
  dayOf,
  daysAtOnce,
  mapColumns,
  parquetSql,
  quoteIdentifier,
  quoteText,
  neededInput,
  oddColumns,
  LOST_COLUMNS,
  lostColumns,
} from '../../kit/index.ts';
import type {
  CheckDefinition,
  CheckResult,
  ColumnsOf,
  JsonObject,
  SqlSession,
  StepUnit,
  UnitResult,
  ZonedDay,
} from '../../kit/index.ts';
import { COUNT_COLUMNS, COUNTS } from '../columns.ts';
import type { CountColumn } from '../columns.ts';
import { ZONE } from '../zones.ts';
import { stateSql, STATES, thresholdsOf } from '../thresholds.ts';
import type { Thresholds } from '../thresholds.ts';

/**
 * `transform/comptages`: the published rows of a day → `core`, one row per arc and hour, and
 * `arcs`, one row per arc. The key is (arc, instant). Flow and occupancy are null independently of
 * each other, and each is kept. `Etat arc` is carried and never filters: real files call 97–100 %
 * of good rows "Invalide".
 */

const READABLE: CheckDefinition = {
  id: 'readable-values',
  title: 'every published flow and occupancy is a number or empty',
  severity: 'hold',
};
const PLAUSIBLE: CheckDefinition = {
  id: 'plausible-values',
  title: 'flow is 0–12,000 vehicles per hour, occupancy is 0–100 %',
  severity: 'warn',
};
const AGREEING: CheckDefinition = {
  id: 'one-value-per-hour',
  title: 'rows of one arc and hour agree',
  severity: 'warn',
};
const PLAUSIBLE_TWINS: CheckDefinition = {
  id: 'plausible-duplicates',
  title: 'of several rows of one arc and hour none is implausible',
  severity: 'hold',
};
const NAMED: CheckDefinition = {
  id: 'named-arcs',
  title: 'every row names its arc',
  severity: 'warn',
};
const FOLLOWING: CheckDefinition = {
  id: 'state-follows-occupancy',
  title: 'the published state is the one that the occupancy means',
  severity: 'warn',
};
const ON_GRID: CheckDefinition = {
  id: 'hour-grid',
  title: 'every row is an hour of its day',
  severity: 'hold',
};
/** Also checks of what the table does not show: rows without arc, twins that disagree. */
export const COUNT_CHECKS: readonly CheckDefinition[] = [
  READABLE,
  PLAUSIBLE,
  FOLLOWING,
  ON_GRID,
  NAMED,
  AGREEING,
  PLAUSIBLE_TWINS,
  LOST_COLUMNS,
];

/** Flows are whole numbers and occupancies have five decimals in every file seen. */
const FLOW = 'DECIMAL(10, 3)';
const OCCUPANCY = 'DECIMAL(10, 6)';
/** Six lanes of 2,000 vehicles: no road of the city carries more. */
const MAX_VEHICLES_PER_HOUR = 12_000;

/**
 * Which of several rows of one arc and hour counts, in any order of the file: one without an
 * implausible value, then the fuller one, then the one with the larger values, as loops miss
 * vehicles and do not invent them.
 */
const BEST_TWIN = `QUALIFY row_number() OVER (PARTITION BY arc, hour ORDER BY implausible,
  (flow IS NOT NULL)::INT + (occupancy IS NOT NULL)::INT DESC, flow DESC NULLS LAST,
  occupancy DESC NULLS LAST, barred) = 1`;

/** Twins of one arc and hour become one; impossible values are left out and counted. */
export const transformCounts = daysAtOnce(async (unit, task, sql) =>
  transform(unit, thresholdsOf(task.params), sql),
);

async function transform(
  unit: StepUnit,
  thresholds: Thresholds,
  sql: SqlSession,
): Promise<Omit<UnitResult, 'scope'>> {
  const day = dayOf(unit);
  const source = await sourceOf(sql, neededInput(unit, 'comptages').path);
  await loadRows(sql, source, day, thresholds);
  const { checks, hasTwins } = await runChecks(sql);
  const rows = `(SELECT arc, hour, flow, occupancy, state, barred FROM counts WHERE NOT off_grid
    AND NOT nameless ${hasTwins ? BEST_TWIN : ''})`;
  const startSecond = Date.parse(day.startAt) / 1000;
  const core = await copyToParquet(
    sql,
    `SELECT arc AS arc_id, CAST(hour AS TINYINT) AS hour,
      to_timestamp(${startSecond} + 3600 * hour) AS hour_start_at, flow AS flow_vehicles,
      occupancy AS occupancy_pct, CAST(state AS TINYINT) AS state, barred AS published_arc_state
        FROM ${rows} ORDER BY arc, hour`,
    `core-${unit.scope}`,
  );
  const { column, from } = source;
  const arcs = await copyToParquet(
    sql,
    `SELECT ${column('arc')} AS arc_id, min(${column('label')}) AS label,
      min(${column('upstream')}) AS upstream_node,
      min(${column('downstream')}) AS downstream_node, min(${column('shape')}) AS shape
      FROM ${from} WHERE NOT ${namelessSql(column('arc'))} GROUP BY 1 ORDER BY 1`,
    `arcs-${unit.scope}`,
  );
  return {
    outputs: { core, arcs },
    checks: [...checks, ...lostColumns([source.columns])],
    facts: {
      rows: core.rows,
      arcs: arcs.rows,
      ...(await coverageOf(sql, rows, arcs.rows * day.hours)),
      ...(await droppedFrom(sql, core.rows)),
    },
  };
}

function namelessSql(arc: string): string {
  return `(coalesce(trim(${arc}), '') = '')`;
}

/** What the published rows of a day said and the table does not. */
export type Dropped = Readonly<Record<(typeof DROPPED)[number], number>>;
/** Names of facts: how many rows are left out, in whole or in part. */
export const DROPPED = [
  'nameless_rows',
  'rows_outside',
  'duplicate_rows',
  'implausible_rows',
] as const;

async function droppedFrom(sql: SqlSession, kept: number): Promise<Dropped> {
  const [found] = await sql.rows<Dropped>(`SELECT count(*) FILTER (WHERE nameless) AS nameless_rows,
      count(*) FILTER (WHERE off_grid AND NOT nameless) AS rows_outside,
      count(*) FILTER (WHERE NOT off_grid AND NOT nameless) - ${kept} AS duplicate_rows,
      count(*) FILTER (WHERE implausible AND NOT off_grid AND NOT nameless) AS implausible_rows
        FROM counts`);
  return found ?? { nameless_rows: 0, rows_outside: 0, duplicate_rows: 0, implausible_rows: 0 };
}

interface Source {
  readonly from: string;
  /** SQL of a column of the slice, whatever it was published as; NULL for one that it lacks. */
  readonly column: (name: CountColumn) => string;
  readonly columns: ColumnsOf;
}

async function sourceOf(sql: SqlSession, slice: string): Promise<Source> {
  const from = parquetSql(slice);
  const described = await sql.rows<{ column_name: string }>(`DESCRIBE SELECT * FROM ${from}`);
  const header = mapColumns(
    described.map(({ column_name }) => column_name),
    COUNT_COLUMNS,
  );
  const column = (name: CountColumn): string => {
    const published = header.known.get(name);
    return published === undefined ? 'NULL::VARCHAR' : quoteIdentifier(published);
  };
  return {
    from,
    column,
    columns: { of: 'comptages', usual: COUNTS.usual.length, ...oddColumns(header, COUNTS) },
  };
}

/**
 * Fills `counts`: a row per published row, typed, with what is wrong with it; the view `texts` has
 * the words that were published as well. `hour` counts the hours since the start of the day, also
 * over a change of the clock. A day has some 24 different times and 50,000 rows, so each time is
 * read once.
 */
async function loadRows(
  sql: SqlSession,
  { from, column }: Source,
  day: ZonedDay,
  thresholds: Thresholds,
): Promise<void> {
  const at = column('at');
  const start = Date.parse(day.startAt) / 1000;
  await sql.run(`CREATE OR REPLACE TEMP TABLE times AS SELECT at_text, CASE
    WHEN second % 3600 = 0 THEN second // 3600 - 1 END AS hour
    FROM (SELECT at_text, CAST(epoch(${endInstantSql('at_text')}) AS BIGINT) - ${start} AS second
      FROM (SELECT DISTINCT ${at} AS at_text FROM ${from}))`);
  const wrong = RULES.map(({ flag, failed }) => `coalesce(${failed}, false) AS ${flag}`);
  await sql.run(`CREATE OR REPLACE TEMP VIEW texts AS
    WITH words AS (SELECT ${column('arc')} AS arc, ${at} AS at_text, ${column('flow')} AS flow_text, ${column('occupancy')} AS occupancy_text,
        ${publishedStateSql(column('state'))} AS published_state, ${barredSql(column('barred'))} AS barred FROM ${from}),
      numbers AS (SELECT *, TRY_CAST(flow_text AS ${FLOW}) AS flow_read,
        TRY_CAST(occupancy_text AS ${OCCUPANCY}) AS occupancy_read FROM words),
      plausible AS (SELECT *, CASE WHEN flow_read BETWEEN 0
        AND ${MAX_VEHICLES_PER_HOUR} THEN flow_read END AS flow,
        CASE WHEN occupancy_read BETWEEN 0 AND 100 THEN occupancy_read END AS occupancy
          FROM numbers),
      typed AS (SELECT *, ${stateSql('occupancy', thresholds)} AS state, hour IS NULL
        OR hour NOT BETWEEN 0 AND ${day.hours - 1} AS is_outside
        FROM plausible LEFT JOIN times USING (at_text))
    SELECT *, ${wrong.join(', ')} FROM typed`);
  const flags = RULES.map(({ flag }) => flag).join(', ');
  await sql.run(`CREATE OR REPLACE TEMP TABLE counts AS
    SELECT arc, hour, flow, occupancy, state, barred,
      published_state IS NOT NULL AS has_state, ${flags} FROM texts`);
}

/**
 * The instant at which the hour of a row ends. A naive time is that of Paris; the repeated hour of
 * autumn counts as the second one, as the publisher itself writes `02:00+01:00` and never
 * `02:00+02:00`.
 */
export function endInstantSql(at: string): string {
  return `CASE WHEN length(${at}) = 19 THEN timezone(${quoteText(ZONE)},
    TRY_CAST(${at} AS TIMESTAMP)) ELSE TRY_CAST(${at} AS TIMESTAMPTZ) END`;
}

/**
 * The place in `STATES` of what was published, a code or a word; null when it says something else.
 */
function publishedStateSql(state: string): string {
  const words = STATES.map(
    (word, code) => `WHEN ${state} IN (${quoteText(word)}, '${code}') THEN ${code}`,
  ).join(' ');
  return `CASE ${words} END`;
}

function barredSql(barred: string): string {
  return `CASE ${barred} WHEN '0' THEN 'Inconnu' WHEN '1' THEN 'Ouvert' WHEN '2' THEN 'Barré' WHEN '3' THEN 'Invalide' ELSE ${barred} END`;
}

interface Rule {
  readonly check: CheckDefinition;
  /** The column of `counts` that is true where the rule is broken. */
  readonly flag: string;
  /** SQL on a row of `texts`, of the rows that are looked at, and of those that break the rule. */
  readonly tested: string;
  readonly failed: string;
}

function unreadSql(text: string, read: string): string {
  return `(${read} IS NULL AND coalesce(${text}, '') <> '')`;
}

const RULES: readonly Rule[] = [
  {
    check: READABLE,
    flag: 'unreadable',
    tested: 'true',
    failed: `(${unreadSql('flow_text', 'flow_read')} OR ${unreadSql('occupancy_text', 'occupancy_read')})`,
  },
  {
    check: PLAUSIBLE,
    flag: 'implausible',
    tested: 'true',
    failed: `(flow_read NOT BETWEEN 0 AND ${MAX_VEHICLES_PER_HOUR} OR occupancy_read NOT BETWEEN 0 AND 100)`,
  },
  {
    check: FOLLOWING,
    flag: 'other_state',
    tested: 'has_state',
    failed: 'published_state <> state',
  },
  { check: ON_GRID, flag: 'off_grid', tested: 'true', failed: 'is_outside' },
  { check: NAMED, flag: 'nameless', tested: 'true', failed: namelessSql('arc') },
];

async function runChecks(
  sql: SqlSession,
): Promise<{ readonly checks: CheckResult[]; readonly hasTwins: boolean }> {
  const counts = RULES.map(
    ({ tested, flag }) =>
      `count(*) FILTER (WHERE ${tested}) AS ${flag}_tested, count(*)
        FILTER (WHERE ${flag}) AS ${flag}`,
  );
  const [found] = await sql.rows<Record<string, number>>(
    `SELECT ${counts.join(', ')}, count(*) AS rows, count(DISTINCT hash(arc, hour)) AS keys
      FROM counts`,
  );
  const results: CheckResult[] = [];
  for (const { check, flag } of RULES) {
    const broken = found?.[flag] ?? 0;
    const shown = `SELECT arc, at_text, flow_text, occupancy_text, published_state FROM texts
      WHERE ${flag} ORDER BY ALL LIMIT 3`;
    const examples = broken === 0 ? [] : await sql.rows<JsonObject>(shown);
    results.push(countedCheck(check, found?.[`${flag}_tested`] ?? 0, broken, examples));
  }
  const rows = found?.['rows'] ?? 0;
  const hasTwins = rows > (found?.['keys'] ?? 0);
  results.push(countedCheck(AGREEING, rows, ...(await disagreements(sql, hasTwins))));
  results.push(countedCheck(PLAUSIBLE_TWINS, rows, ...(await implausibleTwins(sql, hasTwins))));
  return { checks: results, hasTwins };
}

const TWIN_VALUES = `arc, hour, min(flow_text) AS least_flow, max(flow_text) AS greatest_flow,
  min(occupancy_text) AS least_occupancy, max(occupancy_text) AS greatest_occupancy`;

/** Arcs and hours with several rows that say different things, and a few of them. */
async function disagreements(sql: SqlSession, hasTwins: boolean): Promise<[number, JsonObject[]]> {
  if (!hasTwins) return [0, []];
  const rows = await sql.rows<JsonObject>(`SELECT arc, hour, min(flow) AS least_flow,
      max(flow) AS greatest_flow,
      min(occupancy) AS least_occupancy, max(occupancy) AS greatest_occupancy FROM counts
        WHERE NOT nameless GROUP BY arc, hour
    HAVING min(flow) <> max(flow) OR min(occupancy) <> max(occupancy) ORDER BY ALL`);
  return [rows.length, rows];
}

/**
 * Arcs and hours with several rows, one of which cannot be: whether the others can be believed is
 * for a person to say.
 */
async function implausibleTwins(
  sql: SqlSession,
  hasTwins: boolean,
): Promise<[number, JsonObject[]]> {
  if (!hasTwins) return [0, []];
  const rows = await sql.rows<JsonObject>(`SELECT ${TWIN_VALUES} FROM texts WHERE NOT nameless
    GROUP BY arc, hour HAVING count(*) > 1 AND bool_or(implausible) ORDER BY ALL`);
  return [rows.length, rows];
}

async function coverageOf(
  sql: SqlSession,
  rows: string,
  expected: number,
): Promise<Readonly<Record<string, number>>> {
  const [found] = await sql.rows<
    Record<string, number>
  >(`SELECT count(flow) AS with_flow, count(occupancy) AS with_occupancy,
      count(*) FILTER (WHERE flow IS NOT NULL OR occupancy IS NOT NULL) AS observed FROM ${rows}`);
  const coverage =
    expected === 0 ? 0 : Math.round(((found?.['observed'] ?? 0) / expected) * 1e4) / 1e4;
  return { ...found, expected_hours: expected, coverage };
}
