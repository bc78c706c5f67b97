import path from 'node:path';
import {
  addDays,
  copyToParquet,
  csvRowsSql,
  openCsv,
  PipelineError,
  quoteIdentifier,
  quoteText,
  required,
} from '../../kit/index.ts';
import type {
  CivilDate,
  CsvFile,
  RowsFile,
  SliceTask,
  SqlSession,
  UnitOutcome,
} from '../../kit/index.ts';
import { NETWORK, WORKS } from '../columns.ts';
import type { NetworkColumn, WorkColumn } from '../columns.ts';

/**
 * Slices of the two small tables. The network has no date: every day has all of it. Of the
 * roadworks a day has those that it, or the days around it, may speak of, and those whose dates say
 * nothing; so a new edition of the file re-runs only days whose works changed.
 */

/**
 * Works that end or start within this many days of the day are in its slice; the report looks no
 * further.
 */
export const WORKS_AROUND_DAYS = 14;

/**
 * Reads the header; `SRC_SHAPE_CHANGED` names a column that is missing or belongs to another file.
 */
export function openNetwork(file: string, what: string): Promise<CsvFile<NetworkColumn>> {
  return openCsv(file, what, NETWORK);
}

/**
 * Reads the header; `SRC_SHAPE_CHANGED` names a column that is missing or belongs to another file.
 */
export function openWorks(file: string, what: string): Promise<CsvFile<WorkColumn>> {
  return openCsv(file, what, WORKS);
}

/**
 * The rows of a list of things that have a name each; a list of nothing, and rows that name
 * nothing, are no list.
 * @throws `SRC_SHAPE_CHANGED`
 */
export async function countListed<Column extends string>(
  sql: SqlSession,
  file: CsvFile<Column>,
  id: Column,
): Promise<number> {
  const published = required(file.known.get(id), `the column ${id}`);
  const name = quoteIdentifier(published);
  const [found] = await sql.rows<{
    rows: number;
    nameless: number;
    headers: number;
  }>(`SELECT count(*) AS rows,
      count(*) FILTER (WHERE coalesce(trim(${name}), '') = '') AS nameless,
      count(*) FILTER (WHERE ${name} = ${quoteText(published)}) AS headers
        FROM ${csvRowsSql(file)}`);
  const { rows, nameless, headers } = found ?? { rows: 0, nameless: 0, headers: 0 };
  const refuse = (why: string): never => {
    throw new PipelineError('SRC_SHAPE_CHANGED', `${file.what} ${why}`);
  };
  if (rows === 0) return refuse('has a header and no row');
  if (headers > 0)
    return refuse(
      `has its header ${headers + 1} times: several files were joined; give them one by one`,
    );
  if (nameless > 0) return refuse(`has ${nameless} rows without ${JSON.stringify(published)}`);
  return rows;
}

/** One file for all days of the task: rows without repeats, in an order of their own. */
export async function sliceNetwork(
  task: SliceTask,
  sql: SqlSession,
): Promise<readonly UnitOutcome[]> {
  const file = await openNetwork(task.raw.path, `the road network ${path.basename(task.raw.path)}`);
  await countListed(sql, file, 'arc');
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE published AS SELECT DISTINCT * FROM ${csvRowsSql(file)}`,
  );
  const slice = await copyToParquet(
    sql,
    `SELECT * FROM published ORDER BY ${orderOf(file)}`,
    'network',
  );
  return task.days.map(({ date }) => outcomeOf(date, file, slice));
}

/** A day on which no work comes near has a slice without rows: nothing is also an answer. */
export async function sliceWorks(
  task: SliceTask,
  sql: SqlSession,
): Promise<readonly UnitOutcome[]> {
  const file = await openWorks(task.raw.path, `the roadworks ${path.basename(task.raw.path)}`);
  await countListed(sql, file, 'id');
  const [start, end] = [
    quoteIdentifier(required(file.known.get('starts_on'), 'the column starts_on')),
    quoteIdentifier(required(file.known.get('ends_on'), 'the column ends_on')),
  ];
  await sql.run(`CREATE OR REPLACE TEMP TABLE published AS SELECT DISTINCT *,
      TRY_CAST(${start}[:10] AS DATE) AS quotidien_start,
      TRY_CAST(${end}[:10] AS DATE) AS quotidien_end FROM ${csvRowsSql(file)}`);
  const outcomes: UnitOutcome[] = [];
  for (const { date } of task.days) {
    const where = worksOf(date);
    const columns = file.published.map(quoteIdentifier).join(', ');
    const select = `SELECT ${columns} FROM published WHERE ${where} ORDER BY ${orderOf(file)}`;
    // No work at all is an answer too: the day has a slice without rows.
    const slice = await copyToParquet(sql, select, `works-${date}`);
    outcomes.push(outcomeOf(date, file, slice));
  }
  return outcomes;
}

/** SQL of the works that a day may speak of: those whose dates cannot be used are everybody's. */
function worksOf(date: CivilDate): string {
  const from = quoteText(addDays(date, -WORKS_AROUND_DAYS));
  const to = quoteText(addDays(date, WORKS_AROUND_DAYS));
  const unusable =
    'quotidien_start IS NULL OR quotidien_end IS NULL OR quotidien_start > quotidien_end';
  return `${unusable} OR (quotidien_end >= DATE ${from} AND quotidien_start <= DATE ${to})`;
}

function orderOf(file: CsvFile<string>): string {
  return file.published.map(quoteIdentifier).join(', ');
}

function outcomeOf(scope: CivilDate, file: CsvFile<string>, slice: RowsFile): UnitOutcome {
  return {
    scope,
    outputs: { slice },
    checks: [],
    facts: {
      rows: slice.rows,
      published_columns: file.published.length,
      unknown_columns: file.unknown,
    },
  };
}
