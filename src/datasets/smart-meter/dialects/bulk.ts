import { PipelineError, quoteText } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';
import type { Dialect, FileHead, OpenFile, SameInAll } from './dialect.ts';
import { publishedRows, revisionSql } from './dialect.ts';
import {
  columnSql,
  csvRows,
  hasColumn,
  headerOf,
  rawColumnSql,
  requireColumns,
  unnumberedRows,
} from './csv.ts';

/**
 * Many meters and days in one file, as a head-end delivers them: `meter_id`, `start_at` or
 * `end_at`, `wh` or `kwh`; and, where the file has them, `quality`, `channel`, `step_min`,
 * `revision` (BRUT, COMPLETE, CORRIGE) and `file_time`. CSV or Parquet; a time without offset is
 * that of Paris.
 */
export const bulk: Dialect = {
  id: 'bulk',
  title: 'readings of many meters (head-end)',
  matches: ({ text, lines }) => text.startsWith('PAR1') || isBulk(splitHeader(lines[0])),
  open: (head, sql) =>
    head.text.startsWith('PAR1') ? openParquet(head, sql) : Promise.resolve(openCsv(head)),
};

function splitHeader(line: string): string[] {
  return line.split(delimiterOf(line));
}

function delimiterOf(line: string): ',' | ';' {
  return line.includes(';') ? ';' : ',';
}

function isBulk(names: readonly string[]): boolean {
  return (
    hasColumn(names, 'meter_id') &&
    (hasColumn(names, 'start_at') || hasColumn(names, 'end_at')) &&
    (hasColumn(names, 'wh') || hasColumn(names, 'kwh'))
  );
}

function openCsv(head: FileHead): OpenFile {
  const shape = { delimiter: delimiterOf(head.lines[0]), skip: 0 } as const;
  const names = headerOf(head, shape);
  return {
    select: bulkRows(names, csvRows(head.path, names, shape)),
    unnumbered: bulkRows(names, unnumberedRows(head.path, names, shape), 'NULL'),
    isCheap: true,
    same: sameInAll(names),
    extension: 'csv',
    mediaType: 'text/csv',
  };
}

async function openParquet({ path, name }: FileHead, sql: SqlSession): Promise<OpenFile> {
  const from = `read_parquet(${quoteText(path)}, hive_partitioning = false)`;
  const described = await sql.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE SELECT * FROM ${from}`,
  );
  const names = described.map(({ column_name }) => column_name);
  requireColumns(names, ['meter_id'], name);
  if (!isBulk(names)) {
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      `${name} needs start_at or end_at, and wh or kwh; it has ${names.join(', ')}`,
    );
  }
  const select = described.map(({ column_name: column, column_type: type }) =>
    type.startsWith('TIMESTAMP WITH TIME ZONE')
      ? `strftime(timezone('UTC', "${column}"), '%Y-%m-%dT%H:%M:%SZ') AS "${column}"`
      : `CAST("${column}" AS VARCHAR) AS "${column}"`,
  );
  const rows = (more = ''): string => `(SELECT ${select.join(', ')}${more} FROM ${from})`;
  return {
    select: bulkRows(names, rows(', row_number() OVER () AS line')),
    unnumbered: bulkRows(names, rows(), 'NULL'),
    isCheap: true,
    same: sameInAll(names),
    extension: 'parquet',
    mediaType: 'application/vnd.apache.parquet',
  };
}

function bulkRows(names: readonly string[], from: string, line = 'line'): string {
  const of = (name: string): string => columnSql(names, name);
  const raw = (name: string): string => rawColumnSql(names, name);
  const channel = `CASE lower(coalesce(${of('channel')}, 'import')) WHEN 'export' THEN 'export'
    ELSE 'import' END`;
  return publishedRows(
    {
      line,
      meter_id: raw('meter_id'),
      channel: usualSql(raw('channel'), { import: `'import'`, export: `'export'` }, channel),
      stamp: raw(hasColumn(names, 'end_at') ? 'end_at' : 'start_at'),
      value: raw(hasColumn(names, 'wh') ? 'wh' : 'kwh'),
      step_min: `TRY_CAST(${of('step_min')} AS INTEGER)`,
      quality: usualSql(
        raw('quality'),
        { A: `'A'`, E: `'E'`, C: `'C'` },
        `coalesce(upper(${of('quality')}), 'A')`,
      ),
      revision: usualSql(
        raw('revision'),
        { BRUT: '0', CORRIGE: '2', COMPLETE: '1' },
        revisionSql(of('revision')),
      ),
      file_time: of('file_time'),
      ...sameInAll(names),
    },
    from,
  );
}

function sameInAll(names: readonly string[]): SameInAll {
  const labelled = [
    'temperature_raw',
    'humidity_raw',
    'wind_speed_raw',
    'avg_past_raw',
    'label',
  ] as const;
  return {
    is_end: String(hasColumn(names, 'end_at')),
    zone: `'Europe/Paris'`,
    unit: hasColumn(names, 'wh') ? `'Wh'` : `'kWh'`,
    refused: 'NULL',
    ...Object.fromEntries(labelled.map((name) => [name, 'NULL'])),
    ...(hasColumn(names, 'step_min') ? {} : { step_min: '30' }),
    ...(hasColumn(names, 'file_time') ? {} : { file_time: 'NULL' }),
  };
}

/**
 * The usual texts of a column are compared as they are: letters and spaces of millions of rows are
 * dear to change.
 */
function usualSql(column: string, usual: Readonly<Record<string, string>>, other: string): string {
  const cases = Object.entries(usual).map(
    ([text, value]) => `WHEN ${column} = ${quoteText(text)} THEN ${value}`,
  );
  return `CASE ${cases.join(' ')} ELSE ${other} END`;
}
