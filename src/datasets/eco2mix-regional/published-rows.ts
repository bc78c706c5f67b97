import { alikeFiles, dayOf, mapColumns, oddColumns, quoteText, quoteTexts } from '../kit/index.ts';
import type { ColumnsOf, CsvHeader, LocalArtefact, SqlSession, StepUnit } from '../kit/index.ts';
import type { ColumnName } from './columns.ts';
import { LAYOUT, MEASURES, NO_VALUE, RATES } from './columns.ts';
import { instantSql, published, regionSql } from './raw-rows.ts';
import { ZONE } from './regions.ts';
import { finalitySql } from './row-meaning.ts';
import type { Part } from './source.ts';

/**
 * Slices as typed rows: one row of the temporary table `published` for each published row of a set
 * of days.
 *
 * - `unit`: index into the task's units, with its `data_day`, `start_s` (seconds since 1970 of its
 *   start) and `hours`.
 * - `part`, `region_code`, `second` since the start of the data day.
 * - `finality`: 0 provisional, 1 consolidated, 2 definitive.
 * - the measures in MW and the rates in percent; `unreadable`: cells that are no number.
 * - `rank`: the lower, the better: more final first, then a clock that agrees with the instant (on
 *   spring days the portal repeats an hour that does not exist, with the instants of the next),
 *   then `cons-def` before `tr`, then the place in the slice.
 */

/** Best first among equally final ones. */
export const PARTS: readonly Part[] = ['cons-def', 'tr'];

const FINALITY_OF_PART: Readonly<Record<Part, number>> = { tr: 0, 'cons-def': 1 };

/** Undefined where nothing of the part was delivered for the day. */
export function sliceOf(unit: StepUnit, part: Part): LocalArtefact | undefined {
  return unit.inputs[part]?.[0];
}

interface SliceFile {
  readonly unit: number;
  readonly part: Part;
  readonly path: string;
  readonly day: ReturnType<typeof dayOf>;
}

/** Creates `published`; returns the columns that nobody knows, by unit. */
export async function loadPublishedRows(
  sql: SqlSession,
  units: readonly StepUnit[],
): Promise<ReadonlyMap<number, readonly ColumnsOf[]>> {
  const files = units.flatMap((unit, index) =>
    PARTS.flatMap((part): SliceFile[] => {
      const slice = sliceOf(unit, part);
      return slice === undefined ? [] : [{ unit: index, part, path: slice.path, day: dayOf(unit) }];
    }),
  );
  const groups = (await alikeFiles(sql, files)).map((alike) => ({
    ...alike,
    header: mapColumns(alike.columns, LAYOUT.names),
  }));
  const selects = groups.map(({ part, header, files: alike }) => selectTyped(part, header, alike));
  await sql.run(`CREATE OR REPLACE TEMP TABLE published AS ${selects.join(' UNION ALL ')}`);
  const columns = new Map<number, readonly ColumnsOf[]>();
  for (const { part, header, files: alike } of groups)
    for (const { unit } of alike)
      columns.set(unit, [
        ...(columns.get(unit) ?? []),
        { of: part, usual: LAYOUT.usual.length, ...oddColumns(header, LAYOUT) },
      ]);
  return columns;
}

const COLUMNS = [...MEASURES, ...RATES].map(({ column }) => column).join(', ');

function selectTyped(
  part: Part,
  header: CsvHeader<ColumnName>,
  files: readonly SliceFile[],
): string {
  const named = { known: header.known, what: `the ${part} slice` };
  const text = (name: ColumnName): string => `trim(s.${published(named, name)})`;
  const has = (name: ColumnName): boolean => header.known.has(name);
  const unitOf = files.map(({ unit, path, day: { date, startAt, hours } }) => {
    return `(${unit}, ${quoteText(path)}, ${quoteText(date)}, ${Date.parse(startAt) / 1000}::BIGINT, ${hours})`;
  });
  const value = (name: ColumnName, type: string): string =>
    has(name) ? `TRY_CAST(nullif(${text(name)}, '') AS ${type})` : `CAST(NULL AS ${type})`;
  const clock = has('heure')
    ? `coalesce(strftime(timezone(${quoteText(ZONE)}, ${instantSql(text('date_heure'))}),
      '%H:%M') <> ${text('heure')}[1:5], false)`
    : 'false';
  const nature = has('nature') ? finalitySql(text('nature')) : 'NULL';
  return `SELECT unit, data_day, start_s, hours, part, region_code, second, finality,
    known_nature, ${COLUMNS}, unreadable,
      (2 - finality) * 1000000000::BIGINT + clock_differs::BIGINT * 100000000
        + ${PARTS.indexOf(part)} * 10000000 + position AS rank
    FROM (SELECT f.unit, f.data_day, f.start_s, f.hours, ${quoteText(part)} AS part,
        ${regionSql(`s.${published(named, 'code_insee_region')}`)} AS region_code,
        epoch(${instantSql(text('date_heure'))})::BIGINT - f.start_s AS second,
        coalesce(${nature}, ${FINALITY_OF_PART[part]}) AS finality,
        (${nature}) IS NOT NULL AS known_nature,
        ${MEASURES.map(({ name, column }) => `${value(name, 'INTEGER')} AS ${column}`).join(', ')},
        ${RATES.map(({ name, column }) => `${value(name, 'DECIMAL(12, 4)')} AS ${column}`).join(', ')},
        ${unreadableSql(header, text)} AS unreadable, ${clock} AS clock_differs,
        s.file_row_number AS position
      FROM read_parquet([${quoteTexts(files.map(({ path }) => path))}],
        filename = true, file_row_number = true, hive_partitioning = false) AS s
      JOIN (VALUES ${unitOf.join(', ')}) AS f(unit, path, data_day, start_s, hours)
        ON f.path = s.filename)`;
}

function unreadableSql(header: CsvHeader<ColumnName>, text: (name: ColumnName) => string): string {
  const cells = [...MEASURES, ...RATES]
    .filter(({ name }) => header.known.has(name))
    .map(({ name }) => {
      const cell = text(name);
      return `CASE WHEN ${cell} NOT IN (${quoteTexts(NO_VALUE)})
        AND TRY_CAST(${cell} AS DOUBLE) IS NULL
        THEN ${quoteText(`${name}=`)} || ${cell} END`;
    });
  return `nullif(concat_ws(', ', ${cells.join(', ')}), '')`;
}
