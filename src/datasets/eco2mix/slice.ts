import { quoteIdentifier, quoteText, quoteTexts, writeDayFiles } from '../kit/index.ts';
import type { CivilDate, SliceTask, SqlSession, UnitOutcome } from '../kit/index.ts';
import { requireColumn } from './header.ts';
import type { RawFile, RawLayout } from './raw-file.ts';
import { openRawFile } from './raw-file.ts';
import {
  isClockSql,
  loadLocalLines,
  localDateSql,
  portalRowsSql,
  portalTimeSql,
  refuseUnreadableTimes,
} from './raw-rows.ts';

/**
 * Cuts raw files into slices: the rows of one civil day of Paris exactly as published, every
 * published column as text under its published name, in order of time and then of all columns,
 * exact duplicates once. Placeholder rows stay in. So a day has the same slice whatever file
 * brought it, in whatever order.
 */

/** How the files of a part are laid out. */
const LAYOUTS: Readonly<Record<string, RawLayout>> = {
  tr: 'portal',
  'cons-def': 'portal',
  rte: 'local',
  'rte-annual': 'local',
};

/** Our own columns beside the published ones; no publisher uses such names. */
const DAY = 'quotidien_day';
const TIME = 'quotidien_time';

/** About a year of the portal: what a session may well hold as a table. */
const BYTES_TAKEN_WHOLE = 8 * 1024 * 1024;

/** The facts that a slice records. */
export interface SliceFacts {
  readonly rows: number;
  readonly published_columns: number;
  readonly unknown_columns: readonly string[];
  readonly duplicates_removed: number;
}

interface DayCount {
  readonly rows: number;
  readonly duplicates: number;
}

/** `Dataset.slice` of eCO2mix; see there. */
export async function sliceRawFile(
  task: SliceTask,
  sql: SqlSession,
): Promise<readonly UnitOutcome[]> {
  const file = await openRawFile(
    task.raw.path,
    `the eCO2mix ${task.part} file`,
    LAYOUTS[task.part],
  );
  const days = task.days.map((day) => day.date);
  const zone = task.days[0]?.zone;
  if (zone === undefined) return [];
  if (!file.hasRows) return days.map((scope) => outcomeOf(scope, file, undefined, undefined));
  await (file.layout === 'portal'
    ? loadPortalRows(sql, file, days, zone)
    : loadLocalRows(sql, file, days));
  const { counts, total } = await removeDuplicates(sql, file);
  task.progress(`read ${total} rows of ${counts.size} days`);
  const published = file.published.map(quoteIdentifier).join(', ');
  const files = await writeDayFiles(sql, {
    table: 'published_cut',
    dayColumn: DAY,
    columns: published,
    // Without two rows at one time, time alone is the same order, and cheaper to sort by than forty
    // texts.
    orderBy: [...counts.values()].some(({ twins }) => twins) ? `${TIME}, ${published}` : TIME,
    days: days.map((date) => ({ date, rows: counts.get(date)?.rows ?? 0 })),
  });
  return days.map((scope) => outcomeOf(scope, file, counts.get(scope), files.get(scope)));
}

function outcomeOf(
  scope: CivilDate,
  file: RawFile,
  count: DayCount | undefined,
  path: string | undefined,
): UnitOutcome {
  const facts: SliceFacts = {
    rows: count?.rows ?? 0,
    published_columns: file.published.length,
    unknown_columns: file.header.unknown,
    duplicates_removed: count?.duplicates ?? 0,
  };
  const outputs = path === undefined ? {} : { slice: { path, rows: facts.rows } };
  return { scope, outputs, checks: [], facts: { ...facts } };
}

/** Creates `published_cut` from an export of the portal. */
async function loadPortalRows(
  sql: SqlSession,
  file: RawFile,
  days: readonly CivilDate[],
  zone: string,
): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE published_cut AS
    SELECT *, strftime(timezone(${quoteText(zone)}, ${TIME}), '%Y-%m-%d') AS ${DAY}
    FROM (SELECT *, ${portalTimeSql(file)} AS ${TIME} FROM ${portalRowsSql(file)}) ${whereWanted(file, days)}`);
}

/**
 * The same from a table in local time, whose clock stays the text that it is: which instant it
 * means is decided when it is typed.
 */
async function loadLocalRows(
  sql: SqlSession,
  file: RawFile,
  days: readonly CivilDate[],
): Promise<void> {
  const date = quoteIdentifier(requireColumn(file.header, 'date', file.what));
  const clock = quoteIdentifier(requireColumn(file.header, 'heure', file.what));
  await loadLocalLines(sql, file);
  const columns = file.published.map(
    (name, index) => `nullif(fields[${index + 1}], '') AS ${quoteIdentifier(name)}`,
  );
  await sql.run(`CREATE OR REPLACE TEMP TABLE published_cut AS
    SELECT *, CASE WHEN ${isClockSql(clock)} AND ${DAY} IS NOT NULL THEN ${clock} END AS ${TIME}
    FROM (SELECT *, strftime(${localDateSql(date)}, '%Y-%m-%d') AS ${DAY}
      FROM (SELECT ${columns.join(', ')} FROM published_lines)) ${whereWanted(file, days)}`);
}

/**
 * Other days are left out of the table only where they could be many: a download holds the days
 * that were asked for, and a filter over forty columns costs a quarter of reading them.
 */
function whereWanted({ bytes }: RawFile, days: readonly CivilDate[]): string {
  return bytes <= BYTES_TAKEN_WHOLE
    ? ''
    : `WHERE ${TIME} IS NULL OR ${DAY} IN (${quoteTexts(days)})`;
}

interface CutCounts {
  readonly total: number;
  readonly counts: ReadonlyMap<CivilDate, DayCount & { readonly twins: boolean }>;
}

interface CountRow {
  /** Null for the rows whose time cannot be read. */
  readonly day: string | null;
  readonly rows: number;
  readonly times: number;
}

/**
 * Counts the rows of each day; where a time occurs twice, removes rows that are equal in every
 * column.
 * @throws `SRC_SHAPE_CHANGED` when the time of a row cannot be read.
 */
async function removeDuplicates(sql: SqlSession, file: RawFile): Promise<CutCounts> {
  const count = (): Promise<CountRow[]> =>
    sql.rows(`SELECT CASE WHEN ${TIME} IS NOT NULL THEN ${DAY} END AS day, count(*) AS rows,
      count(DISTINCT ${TIME}) AS times
      FROM published_cut GROUP BY ALL`);
  const before = await count();
  if (before.some(({ day }) => day === null)) await refuseUnreadableTimes(sql, file);
  const hasTwins = before.some(({ rows, times }) => rows > times);
  if (hasTwins)
    await sql.run(
      'CREATE OR REPLACE TEMP TABLE published_cut AS SELECT DISTINCT * FROM published_cut',
    );
  const after = hasTwins ? await count() : before;
  const rowsBefore = new Map(before.map(({ day, rows }) => [day, rows]));
  return {
    total: after.reduce((sum, { rows }) => sum + rows, 0),
    counts: new Map(
      after.map(({ day, rows, times }) => {
        return [
          day ?? '',
          { rows, duplicates: (rowsBefore.get(day) ?? rows) - rows, twins: rows > times },
        ];
      }),
    ),
  };
}
