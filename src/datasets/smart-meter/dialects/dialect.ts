import type { SqlSession } from '../../kit/index.ts';

/**
 * What every reader of a dialect gives: the rows of a file as text, with what the dialect itself
 * says of them. One row per published value; nothing is converted, filtered or rounded here. Spaces
 * around ids, stamps and values may stay: they are taken away once for each different one.
 *
 * | column | meaning |
 * |---|---|
 * | `line` | place of the row in the file, from 1 |
 * | `meter_id` | the publisher's id, as text |
 * | `channel` | `import` or `export` |
 * | `stamp`, `is_end` | the time as published, and whether it ends its interval |
 * | `zone` | zone of times without an offset, and of the meter's day |
 * | `value`, `unit` | the value as published; `W` (mean power), `Wh` or `kWh` |
 * | `step_min` | declared length of the interval; null where the file does not say it |
 * | `quality` | A actual, E estimated, C corrected, S suspect, U actual and unverified |
 * | `revision` | 0 BRUT, 1 COMPLETE, 2 CORRIGE |
 * | `file_time` | the publisher's time of the file, as text that sorts; null where the file does not say it |
 * | `refused` | why the dialect itself refuses the row |
 * | `temperature_raw` … `label` | further columns of the labelled file; null elsewhere |
 */
export const PUBLISHED_COLUMNS = {
  line: 'BIGINT',
  meter_id: 'VARCHAR',
  channel: 'VARCHAR',
  stamp: 'VARCHAR',
  is_end: 'BOOLEAN',
  zone: 'VARCHAR',
  value: 'VARCHAR',
  unit: 'VARCHAR',
  step_min: 'INTEGER',
  quality: 'VARCHAR',
  revision: 'TINYINT',
  file_time: 'VARCHAR',
  refused: 'VARCHAR',
  temperature_raw: 'DOUBLE',
  humidity_raw: 'DOUBLE',
  wind_speed_raw: 'DOUBLE',
  avg_past_raw: 'DOUBLE',
  label: 'VARCHAR',
} as const;

/** A column of the table above; the SQL of a dialect leaves out what its files do not say. */
export type PublishedColumn = keyof typeof PUBLISHED_COLUMNS;

/**
 * Columns that are the same in all rows of a file, as far as its header tells, with the SQL of what
 * they are.
 */
export type SameInAll = Readonly<Partial<Record<PublishedColumn, string>>>;

/** The beginning of a file, as text without byte order mark. */
export interface FileHead {
  readonly path: string;
  readonly name: string;
  readonly text: string;
  /** The first lines, without their line ends; an empty file has one empty line. */
  readonly lines: readonly [string, ...string[]];
}

/** A file in one of the dialects, ready to be read. */
export interface OpenFile {
  /** A query whose columns are `PUBLISHED_COLUMNS`. */
  readonly select: string;
  /** The same rows with `line` null, where they cost less. */
  readonly unnumbered?: string;
  /** Reading the file again costs less than keeping its rows in memory. */
  readonly isCheap?: boolean;
  readonly same?: SameInAll;
  readonly extension: string;
  readonly mediaType: string;
}

/** A way in which somebody publishes readings. */
export interface Dialect {
  readonly id: string;
  readonly title: string;
  /** Whether a file is of this dialect, by its beginning. */
  matches(head: FileHead): boolean;
  /** @throws `SRC_SHAPE_CHANGED` where the file turns out not to be what its beginning promised */
  open(head: FileHead, sql: SqlSession): Promise<OpenFile>;
}

/** The query of a dialect: what it does not name has its default. */
export function publishedRows(
  columns: Partial<Record<PublishedColumn, string>>,
  from: string,
): string {
  const defaults: Partial<Record<PublishedColumn, string>> = {
    channel: `'import'`,
    is_end: 'false',
    quality: `'A'`,
    revision: '0',
  };
  const select = Object.entries(PUBLISHED_COLUMNS).map(([name, type]) => {
    const own = columns[name as PublishedColumn] ?? defaults[name as PublishedColumn] ?? 'NULL';
    return `CAST(${own} AS ${type}) AS ${name}`;
  });
  return `SELECT ${select.join(', ')} FROM ${from}`;
}

/** Minutes of an ISO-8601 duration such as `PT30M` or `PT1H`. */
export function minutesSql(duration: string): string {
  return `CASE WHEN ${duration} LIKE 'PT%M' THEN TRY_CAST(replace(replace(${duration}, 'PT', ''),
    'M', '') AS INTEGER)
    WHEN ${duration} LIKE 'PT%H' THEN TRY_CAST(replace(replace(${duration}, 'PT', ''), 'H',
      '') AS INTEGER) * 60 END`;
}

/** The stage of processing of Enedis as a number. */
export function revisionSql(stage: string): string {
  return `CASE upper(strip_accents(coalesce(${stage}, ''))) WHEN 'COMPLETE' THEN 1
    WHEN 'CORRIGE' THEN 2 ELSE 0 END`;
}
