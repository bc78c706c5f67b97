import { writeFile } from 'node:fs/promises';
import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { quoteIdentifier, quoteText } from '../../pipelines/sql-text.ts';
import { rowsSql } from '../../pipelines/tables.ts';
import type {
  AnswerRow,
  ColumnType,
  TableColumn,
  TableDefinition,
} from '../../pipelines/tables.ts';
import type { SqlEngine, SqlSession } from '../../ports/sql.ts';
import { openContent } from '../content-store.ts';
import { sqlOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { holdingFiles } from '../held-objects.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { Turns } from '../turns.ts';
import type { TableCut, TablePiece } from './table-cut.ts';

/**
 * The rows of a cut, in one order whatever files hold them: by scope, then by the table's own
 * order.
 */

const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  instant: 'TIMESTAMPTZ',
  date: 'DATE',
  boolean: 'BOOLEAN',
};

/** Of one statement: of so many files, or of files with at least so many rows. */
interface SetSize {
  readonly files: number;
  readonly rows: number;
}

/** Enough for speed, little enough for the first rows to come soon. */
const SETS: SetSize = { files: 31, rows: 3_000 };
/** A year of days. */
const WHOLE_SETS: SetSize = { files: 366, rows: 40_000 };
/**
 * Small enough for a text not to be a large object of V8, which stays in memory until all of the
 * heap is collected.
 */
const ROWS_OF_TEXT = 256;
const OPEN_AT_ONCE = 16;
/** Sets of rows that are read at the same time: one thread of the SQL engine each. */
const SETS_AT_ONCE = 2;
/**
 * Readers that wait for their first rows; a set takes some hundredths of a second. Further ones are
 * told to come again.
 */
const MAX_WAITING = 64;

/** Which of a cut's rows and columns are read. */
export interface RowsRequest {
  /** Default: all columns of the table. */
  readonly columns?: readonly string[] | undefined;
  /** Rows before these are left out. */
  readonly skip?: number;
  readonly signal?: AbortSignal;
}

/**
 * The declared columns of these names, in the order of the names, each once; `INPUT_INVALID` lists
 * those there are.
 */
export function columnsNamed(
  table: TableDefinition,
  names: readonly string[] | undefined,
): readonly TableColumn[] {
  if (names === undefined) return table.columns;
  return names.map((name, index) => {
    if (names.indexOf(name) !== index)
      throw new PipelineError(
        'INPUT_INVALID',
        `the column ${JSON.stringify(name)} is asked for twice`,
      );
    const column = table.columns.find((candidate) => candidate.name === name);
    if (column !== undefined) return column;
    const known = table.columns.map((one) => one.name).join(', ');
    throw new PipelineError(
      'INPUT_INVALID',
      `${table.id} has no column ${JSON.stringify(name)}; it has ${known}`,
    );
  });
}

/** A file where the SQL engine can read it. */
interface LocalPiece {
  readonly scope: string;
  readonly path: string;
}

/**
 * Gives the rows set by set, as many files at a time as one statement reads. The consumer's pace is
 * the reader's: nothing is read ahead, and nothing is kept.
 */
export async function* readRowSets(
  engine: Engine,
  cut: TableCut,
  request: RowsRequest = {},
): AsyncGenerator<readonly AnswerRow[]> {
  const names = namesOf(columnsNamed(cut.table, request.columns));
  let skip = request.skip ?? 0;
  let hasBegun = false;
  for (const pieces of batches(cut.table, cut.pieces)) {
    const known = countOf(cut.table, pieces);
    if (known !== undefined && known <= skip) {
      skip -= known;
      continue;
    }
    const read = (session: SqlSession, local: readonly LocalPiece[]): Promise<AnswerRow[]> =>
      session.rows<AnswerRow>(orderedSql(cut.table, names, local));
    const rows = await readSet(engine, { pieces, read, hasBegun }, request.signal);
    hasBegun = true;
    if (rows.length > skip) yield skip === 0 ? rows : rows.slice(skip);
    skip = Math.max(0, skip - rows.length);
  }
}

/** Some rows as one text, and how many they are. */
export interface RowsText {
  readonly text: string;
  readonly rows: number;
}

/**
 * The same rows as text that the engine writes, on threads of its own: `line` is SQL of a row over
 * the columns in their declared types, and NULL leaves the row out.
 */
export async function* readTexts(
  engine: Engine,
  { table, pieces }: TableCut,
  line: string,
  signal?: AbortSignal,
): AsyncGenerator<RowsText> {
  const read = textReader(table, line);
  let hasBegun = false;
  for (const batch of batches(table, pieces)) {
    yield* await readSet(engine, { pieces: batch, read, hasBegun }, signal);
    hasBegun = true;
  }
}

/**
 * All of that, for answers that are made whole: of a year at a time, because a statement costs as
 * much as a thousand rows.
 */
export async function readAllTexts(
  engine: Engine,
  { table, pieces }: TableCut,
  line: string,
  signal?: AbortSignal,
): Promise<readonly RowsText[]> {
  const read = textReader(table, line);
  const texts: RowsText[] = [];
  for (const batch of batches(table, pieces, WHOLE_SETS))
    texts.push(
      ...(await readSet(engine, { pieces: batch, read, hasBegun: texts.length > 0 }, signal)),
    );
  return texts;
}

type SetReader<T> = (session: SqlSession, local: readonly LocalPiece[]) => Promise<readonly T[]>;

/**
 * Texts of a set in the order of the table. Where that order names each row, as it should, no other
 * column is read for it: most texts are of three columns of forty.
 */
function textReader(table: TableDefinition, line: string): SetReader<RowsText> {
  const named = table.order.map(quoteIdentifier).join(', ');
  return async (session, local) => {
    const rows = `SELECT *, ${line} AS "row text" FROM (${tableSql(table, table.columns, local)})`;
    const texts = await session.rows<RowsText & { readonly tied: boolean }>(
      textsSql(rows, named, named),
    );
    return texts.some(({ tied }) => tied)
      ? session.rows<RowsText>(textsSql(rows, named, orderOf(table)))
      : texts;
  };
}

/**
 * `tied` says of a text that a row has the same `names` as the one before it. A condition on the
 * text would have it made twice.
 */
function textsSql(rows: string, names: string, order: string): string {
  const isTied = `lag((${names})) OVER in_order IS NOT DISTINCT FROM (${names})`;
  return `SELECT coalesce(string_agg("row text", '' ORDER BY place), '') AS text,
    count("row text") AS rows,
      bool_or("is tied") AS tied
    FROM (SELECT "row text", row_number() OVER in_order AS place, ${isTied} AS "is tied"
      FROM (${rows})
      WINDOW in_order AS (ORDER BY ${order}))
    GROUP BY place // ${ROWS_OF_TEXT} ORDER BY place // ${ROWS_OF_TEXT}`;
}

interface SetRequest<T> {
  readonly pieces: readonly TablePiece[];
  readonly read: SetReader<T>;
  /** The reader has rows already, and is not refused in their middle. */
  readonly hasBegun: boolean;
}

/** Reads the files of a set in its turn; `BUSY` where too many wait for their first. */
async function readSet<T>(
  engine: Engine,
  { pieces, read, hasBegun }: SetRequest<T>,
  signal: AbortSignal | undefined,
): Promise<readonly T[]> {
  const work = (): Promise<readonly T[]> =>
    holdingFiles(engine, async (held) => {
      signal?.throwIfAborted();
      const local = await openPieces(held, pieces);
      return sqlOf(engine).session((session) => read(session, local), definedMembers({ signal }));
    });
  return hasBegun ? turnsOf(engine).take(work) : turnsOf(engine).begin(work);
}

function namesOf(columns: readonly TableColumn[]): string {
  return columns.map(({ name }) => quoteIdentifier(name)).join(', ');
}

const turns = new WeakMap<SqlEngine, Turns>();

/**
 * Readers of one SQL engine go on set by set, in turn: twenty of them need no more memory than two.
 */
function turnsOf(engine: Engine): Turns {
  const sql = sqlOf(engine);
  const known = turns.get(sql) ?? new Turns(SETS_AT_ONCE, MAX_WAITING);
  turns.set(sql, known);
  return known;
}

/**
 * Rows of the files as their records tell; a table that is made from documents has another number.
 */
function countOf(table: TableDefinition, pieces: readonly TablePiece[]): number | undefined {
  if (table.from !== undefined) return undefined;
  let rows = 0;
  for (const { ref } of pieces) {
    if (ref.rows === undefined) return undefined;
    rows += ref.rows;
  }
  return rows;
}

/**
 * Scopes whose rows follow each other in time are read together; those of other orders one by one.
 */
function* batches(
  table: TableDefinition,
  pieces: readonly TablePiece[],
  size = SETS,
): Generator<readonly TablePiece[]> {
  const maxFiles = isTimeOrdered(table) ? size.files : 1;
  let batch: TablePiece[] = [];
  let rows = 0;
  for (const ofScope of byScope(pieces)) {
    batch.push(...ofScope);
    rows += ofScope.reduce((sum, { ref }) => sum + (ref.rows ?? 0), 0);
    if (batch.length < maxFiles && rows < size.rows) continue;
    yield batch;
    [batch, rows] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

/**
 * The files of each scope: one, or those of its shards, which are read together because their rows
 * have one order.
 */
function byScope<T extends { readonly scope: string }>(pieces: readonly T[]): T[][] {
  const scopes = new Map<string, T[]>();
  for (const piece of pieces) scopes.set(piece.scope, [...(scopes.get(piece.scope) ?? []), piece]);
  return [...scopes.values()];
}

function isTimeOrdered({ columns, order }: TableDefinition): boolean {
  return columns.find(({ name }) => name === order[0])?.type === 'instant';
}

async function openPieces(
  { objects }: Pick<Engine, 'objects'>,
  pieces: readonly TablePiece[],
): Promise<LocalPiece[]> {
  return mapConcurrent(pieces, OPEN_AT_ONCE, async ({ scope, ref }) => {
    const path = await openContent(objects, ref);
    if (path !== undefined) return { scope, path };
    throw new PipelineError(
      'STORE_CORRUPT',
      `${ref.key}, of ${scope}, is not there; "quotidien verify" says more`,
    );
  });
}

/**
 * The table as SQL with the declared types, so that every format has the same values. `where` is
 * over the columns of the files.
 */
function tableSql(
  table: TableDefinition,
  columns: readonly TableColumn[],
  pieces: readonly LocalPiece[],
  where?: string,
): string {
  const typed = columns.map((column) => `${valueSql(column)} AS ${quoteIdentifier(column.name)}`);
  const condition = where === undefined || pieces.length === 0 ? '' : ` WHERE ${where}`;
  return `SELECT ${typed.join(', ')} FROM ${sourceSql(table, pieces)}${condition}`;
}

/**
 * What is no number and what has no end are missing in every format, because JSON cannot tell them.
 */
function valueSql({ name, type }: TableColumn): string {
  const value = `CAST(${quoteIdentifier(name)} AS ${SQL_TYPES[type]})`;
  return type === 'number' ? `CASE WHEN isfinite(${value}) THEN ${value} END` : value;
}

function sourceSql(table: TableDefinition, pieces: readonly LocalPiece[]): string {
  if (pieces.length === 0) {
    const none = table.columns.map(
      ({ name, type }) => `CAST(NULL AS ${SQL_TYPES[type]}) AS ${quoteIdentifier(name)}`,
    );
    return `(SELECT ${none.join(', ')} WHERE false)`;
  }
  if (table.scoped !== true)
    return `(${rowsSql(
      table,
      pieces.map(({ path }) => path),
    )})`;
  const scoped = pieces.map(
    ({ scope, path }) => `SELECT ${quoteText(scope)} AS scope, * FROM (${rowsSql(table, [path])})`,
  );
  return `(${scoped.join(' UNION ALL ')})`;
}

function orderedSql(
  table: TableDefinition,
  selected: string,
  pieces: readonly LocalPiece[],
): string {
  return `SELECT ${selected} FROM (${tableSql(table, table.columns, pieces)})
    ORDER BY ${orderOf(table)}`;
}

/**
 * Ties are broken by all other columns, so that pages never overlap: by their hash, because to sort
 * by forty columns takes longer than everything else that the engine does with the rows.
 */
function orderOf({ order, columns }: TableDefinition): string {
  const rest = columns.map(({ name }) => name).filter((name) => !order.includes(name));
  const ties = rest.length === 0 ? [] : [`hash(${rest.map(quoteIdentifier).join(', ')})`];
  return [...order.map(quoteIdentifier), ...ties].join(', ');
}

/** Rows of a cut, of which `where` (SQL over the columns as the files have them) takes some. */
export interface ViewedCut extends TableCut {
  readonly where?: string | undefined;
}

/** Views of tables by their ids, each over the rows of its cut, for the SQL of a question. */
export async function withViews<T>(
  engine: Engine,
  cuts: readonly ViewedCut[],
  work: (sql: SqlSession) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return turnsOf(engine).begin(() =>
    holdingFiles(engine, (held) =>
      sqlOf(engine).session(async (sql) => {
        for (const { table, pieces, where } of cuts) {
          const rows = tableSql(table, table.columns, await openPieces(held, pieces), where);
          await sql.run(`CREATE TEMP VIEW ${quoteIdentifier(table.id)} AS ${rows}`);
        }
        return work(sql);
      }, definedMembers({ signal })),
    ),
  );
}

/**
 * Writes the whole cut as one Parquet file of the declared types. Files whose rows do not follow
 * each other in time keep the order of their scopes. Returns the number of rows.
 */
export async function writeParquet(
  engine: Engine,
  cut: TableCut,
  columnNames: readonly string[] | undefined,
  path: string,
): Promise<number> {
  const columns = columnsNamed(cut.table, columnNames);
  const write = (): Promise<number> =>
    holdingFiles(engine, async (held) => {
      const local = await openPieces(held, cut.pieces);
      const names = namesOf(columns);
      const select = isTimeOrdered(cut.table)
        ? orderedSql(cut.table, names, local)
        : inTurn(cut.table, names, local);
      const format = `(FORMAT PARQUET, COMPRESSION ZSTD)`;
      const copy = `COPY (${select}) TO ${quoteText(path)} ${format}`;
      const [copied] = await sqlOf(engine).session((sql) => sql.rows<{ Count: number }>(copy));
      return copied?.Count ?? 0;
    });
  return turnsOf(engine).begin(write);
}

/** Writes rows that are at hand as one Parquet file of the declared types. */
export async function writeParquetOf(
  sql: SqlSession,
  columns: readonly TableColumn[],
  rows: readonly AnswerRow[],
  path: string,
): Promise<void> {
  const file = `${sql.scratch}/rows-at-hand.ndjson`;
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const types = columns
    .map(({ name, type }) => `${quoteText(name)}: ${quoteText(SQL_TYPES[type])}`)
    .join(', ');
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const from = `read_json(${quoteText(file)}, format = 'newline_delimited', columns = {${types}})`;
  await sql.run(
    `COPY (SELECT ${names} FROM ${from}) TO ${quoteText(path)} (FORMAT PARQUET, COMPRESSION ZSTD)`,
  );
}

function inTurn(table: TableDefinition, selected: string, pieces: readonly LocalPiece[]): string {
  const scopes = byScope(pieces);
  if (scopes.length <= 1) return orderedSql(table, selected, pieces);
  const all = scopes.map(
    (files, index) =>
      `SELECT ${index} AS "piece at", * FROM (${tableSql(table, table.columns, files)})`,
  );
  return `SELECT ${selected} FROM (${all.join(' UNION ALL ')})
    ORDER BY "piece at", ${orderOf(table)}`;
}
