import {
  alikeFiles,
  dayOf,
  firstOf,
  quoteIdentifier,
  quoteText,
  quoteTexts,
} from '../kit/index.ts';
import type { LocalArtefact, SqlSession, StepUnit, ZonedDay } from '../kit/index.ts';
import type { ColumnName, MeasureName } from './columns.ts';
import { MEASURES } from './columns.ts';
import type { Header } from './header.ts';
import { mapHeader, missingColumns } from './header.ts';

/**
 * Slices as typed rows: one row of the temporary table `published` for each published row of a set
 * of days.
 *
 * - `unit`: index into the task's units, with its `data_day`, `start_s` (seconds since 1970 of its
 *   start) and `hours`.
 * - `part`; `position`: place in the slice, which is in canonical order.
 * - `second`: seconds since the start of the data day; NULL for a local time that does not exist
 *   (phantoms of RTE's spring days).
 * - `finality`: 0 provisional, 1 consolidated, 2 definitive, by `nature`; `known_nature`: whether
 *   it said so.
 * - the measures; `mask`: bit i is set when measure i of `MEASURES` has a value; `unreadable`:
 *   cells that are no whole number.
 * - `clock_differs`: the published clock is another than that of the instant, as on the phantom
 *   rows that the portal has on some spring days, with the instants of the next hour.
 * - `rank`: the lower, the better: more final first, then the order of `PARTS`, then `position`.
 *   Unique within a unit.
 */

/**
 * The parts, best first among equally final ones: the portal has every column, RTE's files lose an
 * hour in autumn.
 */
export const PARTS = ['cons-def', 'tr', 'rte', 'rte-annual'] as const;
/** `tr` and `cons-def` come from the portal, `rte` and `rte-annual` are imported files. */
export type Part = (typeof PARTS)[number];

/** How final the rows of a part are that do not say so. */
const FINALITY_OF_PART: Readonly<Record<Part, number>> = {
  tr: 0,
  'cons-def': 1,
  rte: 0,
  'rte-annual': 2,
};

/** RTE's words for no value, besides an empty cell. */
export const NO_VALUE = ['ND', '-'] as const;

interface SliceFile {
  readonly unit: number;
  readonly part: Part;
  readonly path: string;
  readonly day: ZonedDay;
}

/** What one query says of the rows of one slice. */
interface SliceTally {
  readonly unit: number;
  readonly part: Part;
  /** Placeholders and phantoms included. */
  readonly rows: number;
  /** Rows with an instant and a value, and the different instants among them. */
  readonly usable: number;
  readonly instants: number;
  readonly is_odd: boolean;
  readonly unknown_natures: number;
}

/** A slice as it was read. */
export interface ReadSlice {
  readonly unit: number;
  readonly part: Part;
  readonly rows: number;
  readonly unknownColumns: readonly string[];
  /** Labels of columns that files of that day usually have. */
  readonly missingColumns: readonly string[];
}

/** What was read into the table `published`. */
export interface PublishedRows {
  readonly slices: readonly ReadSlice[];
  /**
   * Whether every instant of every unit has a single usable row, so that there is nothing to merge.
   */
  readonly isMerged: boolean;
  /** Whether no row has anything that we could not read. */
  readonly isReadable: boolean;
}

/** The slice of a part, when the unit has one. */
export function sliceOf(unit: StepUnit, part: Part): LocalArtefact | undefined {
  return unit.inputs[part]?.[0];
}

/** Creates `published` from the slices of all units; returns what was read. */
export async function loadPublishedRows(
  sql: SqlSession,
  units: readonly StepUnit[],
): Promise<PublishedRows> {
  const files = units.flatMap((unit, index) =>
    PARTS.flatMap((part): SliceFile[] => {
      const slice = sliceOf(unit, part);
      return slice === undefined ? [] : [{ unit: index, part, path: slice.path, day: dayOf(unit) }];
    }),
  );
  const groups = (await alikeFiles(sql, files)).map(
    ({ part, columns, files: alike }): HeaderGroup => {
      const { date } = firstOf(alike).day;
      return { part, files: alike, header: mapHeader(columns, `the ${part} slice of ${date}`) };
    },
  );
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE published AS ${groups.map(selectTyped).join(' UNION ALL ') || NOTHING}`,
  );
  const tallies = await sql.rows<SliceTally>(`SELECT unit, part, count(*) AS rows, count(*)
      FILTER (WHERE ${IS_USABLE}) AS usable,
      count(DISTINCT second) FILTER (WHERE ${IS_USABLE}) AS instants, bool_or(is_odd) AS is_odd,
      count(*) FILTER (WHERE NOT known_nature) AS unknown_natures
    FROM published GROUP BY unit, part`);
  await explainOddRows(sql, groups, tallies);
  const usable = tallies.filter((tally) => tally.usable > 0);
  return {
    slices: groups.flatMap(({ files: members, header }) =>
      members.map(({ unit, part, day }) => {
        const rows = tallies.find((tally) => tally.unit === unit && tally.part === part)?.rows ?? 0;
        // Yearly tables have the load alone.
        const missing = part === 'rte-annual' ? [] : missingColumns(header, day.date);
        return { unit, part, rows, unknownColumns: header.unknown, missingColumns: missing };
      }),
    ),
    isReadable: tallies.every((tally) => !tally.is_odd && tally.unknown_natures === 0),
    isMerged:
      new Set(usable.map(({ unit }) => unit)).size === usable.length &&
      usable.every((tally) => tally.usable === tally.instants),
  };
}

/** Rows that say something about an instant that exists. */
export const IS_USABLE = 'mask <> 0 AND second IS NOT NULL';

interface HeaderGroup {
  readonly header: Header;
  readonly part: Part;
  readonly files: readonly SliceFile[];
}

const VALUE_COLUMNS = MEASURES.map(({ column }) => column).join(', ');
const MASK = MEASURES.map(({ column }, bit) => `((${column} IS NOT NULL)::BIGINT << ${bit})`).join(
  ' | ',
);
const NOTHING = `SELECT 0 AS unit, '' AS data_day, 0::BIGINT AS start_s, 24 AS hours, '' AS part,
  0::BIGINT AS position, 0::BIGINT AS second, 0 AS finality, true AS known_nature,
  ${MEASURES.map(({ column }) => `NULL::INTEGER AS ${column}`).join(', ')}, 0::BIGINT AS mask,
  false AS is_odd,
  false AS clock_differs, NULL::VARCHAR AS unreadable, 0::BIGINT AS rank WHERE false`;

/**
 * The text of a measure, or of `nature`, `heure` or `date_heure`, under a name that no publisher
 * uses.
 */
function textOf(name: ColumnName): string {
  return `text_${name}`;
}

/**
 * The texts of slices that mean something to us, with the `position` of their rows and what
 * `published` says of their unit.
 */
function selectTexts(header: Header, files: readonly SliceFile[]): string {
  const texts = [...header.known].map(
    ([name, published]) => `s.${quoteIdentifier(published)} AS ${textOf(name)}`,
  );
  const unitOf = files.map(({ unit, path, day: { date, startAt, hours } }) => {
    return `(${unit}, ${quoteText(path)}, ${quoteText(date)}, ${Date.parse(startAt) / 1000}::BIGINT, ${hours})`;
  });
  return `SELECT f.unit, f.data_day, f.start_s, f.hours,
    s.file_row_number AS position, ${texts.join(', ')}
    FROM read_parquet([${quoteTexts(files.map(({ path }) => path))}],
      filename = true, file_row_number = true, hive_partitioning = false) AS s
    JOIN (VALUES ${unitOf.join(', ')}) AS f(unit, path, data_day, start_s, hours)
      ON f.path = s.filename`;
}

function selectTyped({ header, part, files }: HeaderGroup): string {
  const saysNature = header.known.has('nature');
  const changesClock = files.some(({ day }) => day.hours !== 24);
  return `SELECT unit, data_day, start_s, hours, ${quoteText(part)} AS part, position, second,
    finality, known_nature, ${VALUE_COLUMNS}, mask, is_odd,
      clock_differs, NULL::VARCHAR AS unreadable,
      (2 - finality) * 1000000000::BIGINT + ${PARTS.indexOf(part)} * 100000000::BIGINT
        + position AS rank
    FROM (
      SELECT *, ${MASK} AS mask, ${isOddSql(header)} AS is_odd, ${changesClock ? clockDiffersSql(header) : 'false'} AS clock_differs,
        coalesce(nature, ${FINALITY_OF_PART[part]}) AS finality, ${saysNature ? 'nature IS NOT NULL' : 'true'} AS known_nature
      FROM (
        SELECT *, ${secondSql(header)} AS second, ${saysNature ? NATURE : 'NULL::INTEGER'} AS nature,
          ${MEASURES.map(({ name, column }) => `${valueSql(header, name)} AS ${column}`).join(', ')}
        FROM (${selectTexts(header, files)})))`;
}

function valueSql(header: Header, name: MeasureName): string {
  if (!header.known.has(name)) return 'NULL::INTEGER';
  const value = `TRY_CAST(${textOf(name)} AS INTEGER)`;
  // Zero grams is the provider's "unknown": no hour of the mainland was ever free of carbon.
  return name === 'taux_co2' ? `nullif(${value}, 0)` : value;
}

/** Minutes since local midnight of a published clock `HH:MM`. */
const CLOCK_TIME = `TRY_CAST(${textOf('heure')} AS TIME)`;
const CLOCK_MINUTES = `(date_part('hour', ${CLOCK_TIME}) * 60 + date_part('minute', ${CLOCK_TIME}))`;

/**
 * Seconds since the start of the data day. Clocks change at 01:00 UTC, that is 02:00 → 03:00 in
 * spring and 03:00 → 02:00 in autumn.
 *
 * RTE's tables have 96 local rows on every day. In spring 02:00–02:59 does not exist: these rows
 * are phantoms and get no instant. In autumn four quarters are missing, and the values tell which:
 * the load falls from 02:00 to 02:30 by 2,333 MW on 2018-10-28 and by 4,513 MW on 2015-10-25,
 * against 538 to 881 MW on the nights before, and runs smoothly on both sides. So 02:00 is the
 * first one (summer time), 02:30 the second one (winter time), and what is lost is the hour between
 * them.
 */
function secondSql(header: Header): string {
  if (header.known.has('date_heure'))
    return `epoch(TRY_CAST(${textOf('date_heure')} AS TIMESTAMPTZ))::BIGINT - start_s`;
  return `60 * CASE
      WHEN hours = 23 AND ${CLOCK_MINUTES} >= 180 THEN ${CLOCK_MINUTES} - 60
      WHEN hours = 23 AND ${CLOCK_MINUTES} >= 120 THEN NULL
      WHEN hours = 25 AND ${CLOCK_MINUTES} >= 150 THEN ${CLOCK_MINUTES} + 60
      ELSE ${CLOCK_MINUTES} END`;
}

function clockDiffersSql(header: Header): string {
  if (!header.known.has('heure') || !header.known.has('date_heure')) return 'false';
  const elapsed = 'second // 60';
  const local = `CASE WHEN hours = 23 AND ${elapsed} >= 120 THEN ${elapsed} + 60
    WHEN hours = 25 AND ${elapsed} >= 180 THEN ${elapsed} - 60 ELSE ${elapsed} END`;
  return `coalesce(${CLOCK_MINUTES} <> ${local}, false)`;
}

/**
 * SQL of 0, 1 or 2 by the words of `nature`, of which we look at what survives a lost accent; NULL
 * when it says nothing.
 */
export function natureSql(text: string): string {
  const words = `lower(${text})`;
  return `CASE WHEN contains(${words}, 'temps') THEN 0 WHEN contains(${words}, 'consolid') THEN 1
  WHEN contains(${words}, 'finitive') THEN 2 END`;
}
const NATURE = natureSql(textOf('nature'));

/**
 * Whether the values of a row, written again, are not what was published: only then are its cells
 * looked at one by one.
 */
function isOddSql(header: Header): string {
  const present = MEASURES.filter(({ name }) => header.known.has(name));
  const texts = present.map(({ name }) =>
    name === 'taux_co2' ? `nullif(${textOf(name)}, '0')` : textOf(name),
  );
  return `concat_ws(' ', ${texts.join(', ')}) <> concat_ws(' ', ${present.map(({ column }) => column).join(', ')})`;
}

/**
 * Fills `unreadable` of odd rows: every row of RTE's files with `ND`, next to none of the portal's.
 */
async function explainOddRows(
  sql: SqlSession,
  groups: readonly HeaderGroup[],
  tallies: readonly SliceTally[],
): Promise<void> {
  for (const { header, part, files } of groups) {
    const isOdd = ({ unit }: SliceFile): boolean =>
      tallies.some((tally) => tally.is_odd && tally.unit === unit && tally.part === part);
    const members = files.filter(isOdd);
    if (members.length === 0) continue;
    const cells = MEASURES.filter(({ name }) => header.known.has(name)).map(({ name }) => {
      const text = textOf(name);
      const isFine = `${text} IN (${quoteTexts(NO_VALUE)}) OR TRY_CAST(${text} AS INTEGER) = TRY_CAST(${text} AS DOUBLE)`;
      return `CASE WHEN NOT coalesce(${isFine}, ${text} IS NULL) THEN ${quoteText(`${name}=`)} || ${text} END`;
    });
    await sql.run(`UPDATE published SET unreadable = nullif(found.cells, '') FROM (
        SELECT unit, position, concat_ws(', ', ${cells.join(', ')}) AS cells
          FROM (${selectTexts(header, members)})
      ) AS found WHERE is_odd AND part = ${quoteText(part)} AND published.unit = found.unit
        AND published.position = found.position`);
  }
}
