import { civilDateAt, PipelineError, quoteIdentifier } from '../kit/index.ts';
import type { GivenFile, RecognisedFile, SqlSession } from '../kit/index.ts';
import { isSchoolCalendar, recogniseSchoolHolidays } from './calendar/school-holidays.ts';
import { missingColumns, requireColumn } from './header.ts';
import { ZONE } from './local-time.ts';
import type { Part } from './published-rows.ts';
import type { RawFile } from './raw-file.ts';
import { openRawFile } from './raw-file.ts';
import {
  loadLocalLines,
  localDateSql,
  portalRowsSql,
  portalTimeSql,
  refuseUnreadableTimes,
} from './raw-rows.ts';

interface Kind {
  readonly part: Part;
  readonly kind: string;
  readonly extension: string;
  readonly mediaType: string;
}

const KINDS = {
  tr: {
    part: 'tr',
    kind: 'portal export of eco2mix-national-tr',
    extension: 'csv',
    mediaType: 'text/csv',
  },
  consDef: {
    part: 'cons-def',
    kind: 'portal export of eco2mix-national-cons-def',
    extension: 'csv',
    mediaType: 'text/csv',
  },
  rte: {
    part: 'rte',
    kind: 'RTE’s eCO2mix table',
    extension: 'xls',
    mediaType: 'text/tab-separated-values',
  },
  annual: {
    part: 'rte-annual',
    kind: 'RTE’s yearly definitive load',
    extension: 'csv',
    mediaType: 'text/csv',
  },
} as const satisfies Record<string, Kind>;

/**
 * `Dataset.recognise` of eCO2mix: says by its content what a file is and which days it holds.
 * @throws `INPUT_INVALID` with what was found and what would be recognised.
 */
export async function recogniseFile(file: GivenFile, sql: SqlSession): Promise<RecognisedFile> {
  try {
    if (await isSchoolCalendar(file)) return await recogniseSchoolHolidays(file, sql);
    const raw = await openRawFile(file.path, file.name);
    return await (raw.layout === 'portal'
      ? recognisePortalExport(raw, sql)
      : recogniseLocalTable(raw, sql));
  } catch (cause) {
    if (!(cause instanceof PipelineError) || !cause.code.startsWith('SRC_')) throw cause;
    throw new PipelineError(
      'INPUT_INVALID',
      `${cause.message}. What can be imported: a CSV export of eco2mix-national-tr or -cons-def, RTE’s eCO2mix table ` +
        '(tab-separated .xls), RTE’s yearly load (Date;Heures;Consommation), or the school calendar of data.education.gouv.fr',
      { cause },
    );
  }
}

interface Extent {
  readonly rows: number;
  readonly first: string | null;
  readonly last: string | null;
}

function describe(raw: RawFile, kind: Kind, { rows, first, last }: Extent): RecognisedFile {
  if (first === null || last === null) {
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      `${raw.what} has a header and no rows with a readable time`,
    );
  }
  const { part, kind: name, extension, mediaType } = kind;
  // Yearly tables have the load alone.
  const columns = {
    unknown: raw.header.unknown,
    missing: part === 'rte-annual' ? [] : missingColumns(raw.header, last),
  };
  return { part, kind: name, from: first, to: last, rows, columns, extension, mediaType };
}

/** Both datasets have the same columns: the nature of the rows tells them apart. */
async function recognisePortalExport(raw: RawFile, sql: SqlSession): Promise<RecognisedFile> {
  const nature = raw.header.known.get('nature');
  const realTime =
    nature === undefined
      ? '0'
      : `count(*) FILTER (WHERE contains(lower(${quoteIdentifier(nature)}), 'temps'))`;
  const [found] = await sql.rows<
    Extent & { real_time: number }
  >(`SELECT count(*) AS rows, min(time) AS first, max(time) AS last,
      ${realTime} AS real_time FROM (SELECT *, ${portalTimeSql(raw)} AS time
        FROM ${portalRowsSql(raw)})`);
  const extent = found ?? { rows: 0, first: null, last: null, real_time: 0 };
  if (extent.first === null) await refuseUnreadableTimes(sql, raw);
  const day = (instant: string | null): string | null =>
    instant === null ? null : civilDateAt(new Date(instant), ZONE);
  const kind = extent.real_time * 2 >= extent.rows ? KINDS.tr : KINDS.consDef;
  return describe(raw, kind, {
    rows: extent.rows,
    first: day(extent.first),
    last: day(extent.last),
  });
}

async function recogniseLocalTable(raw: RawFile, sql: SqlSession): Promise<RecognisedFile> {
  await loadLocalLines(sql, raw);
  const place = raw.published.indexOf(requireColumn(raw.header, 'date', raw.what)) + 1;
  const [extent] =
    await sql.rows<Extent>(`SELECT count(*) AS rows, strftime(min(day), '%Y-%m-%d') AS first,
      strftime(max(day), '%Y-%m-%d') AS last
        FROM (SELECT ${localDateSql(`fields[${place}]`)} AS day FROM published_lines)`);
  if (extent?.first === null) await refuseUnreadableTimes(sql, raw);
  const kind = raw.header.known.has('nature') ? KINDS.rte : KINDS.annual;
  return describe(raw, kind, extent ?? { rows: 0, first: null, last: null });
}
