import { firstOf } from '../../given.ts';
import { decimalDifference } from '../../pipelines/document-diff.ts';
import { quoteIdentifier, quoteText } from '../../pipelines/sql-text.ts';
import type { NameRows } from '../../pipelines/dataset.ts';
import { MAX_NAMED } from '../../pipelines/version-diff.ts';
import type {
  ColumnDiff,
  LargestChange,
  NamedRow,
  TableDiff,
} from '../../pipelines/version-diff.ts';
import type { JsonObject, JsonValue } from '../../ports/json.ts';
import type { SqlSession } from '../../ports/sql.ts';

/**
 * Compares two Parquet files row by row inside the SQL engine; no row leaves it but the ones with
 * the largest changes.
 */

/** Two Parquet files of the same output. */
export interface TablePair {
  /** Local paths. */
  readonly before: string;
  readonly after: string;
  /** Where the dataset says which columns name a row. */
  readonly keyColumns?: readonly string[];
  /** Names rows by those columns. */
  readonly nameRows?: NameRows;
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/**
 * What both sides have in common: by which columns rows are matched, and which columns are
 * compared.
 */
interface Match {
  readonly key: readonly string[];
  readonly compared: readonly (Column & { readonly sameType: boolean })[];
}

/**
 * Rows are told apart by `keyColumns`, or by columns that name every row in both files; else whole
 * rows are compared.
 */
export async function compareTables(sql: SqlSession, pair: TablePair): Promise<TableDiff> {
  await sql.run(
    `CREATE OR REPLACE VIEW old AS SELECT * FROM read_parquet(${quoteText(pair.before)})`,
  );
  await sql.run(
    `CREATE OR REPLACE VIEW new AS SELECT * FROM read_parquet(${quoteText(pair.after)})`,
  );
  const [before, after] = [await columnsOf(sql, 'old'), await columnsOf(sql, 'new')];
  const common = before.filter(({ name }) => after.some((column) => column.name === name));
  const key = await findKey(sql, common, pair.keyColumns);
  const compared = common
    .filter(({ name }) => !key.includes(name))
    .map((column) => ({
      ...column,
      sameType: after.some(({ name, type }) => name === column.name && type === column.type),
    }));
  const [rows] = await sql.rows<{ before: number; after: number }>(
    'SELECT (SELECT count(*) FROM old) AS before, (SELECT count(*) FROM new) AS after',
  );
  const namesOnlyIn = (columns: readonly Column[], others: readonly Column[]): string[] =>
    columns
      .filter(({ name }) => !others.some((other) => other.name === name))
      .map(({ name }) => name);
  return {
    keyColumns: key,
    rowsBefore: rows?.before ?? 0,
    rowsAfter: rows?.after ?? 0,
    columnsAdded: namesOnlyIn(after, before),
    columnsRemoved: namesOnlyIn(before, after),
    ...(key.length === 0
      ? await compareWholeRows(sql, common)
      : await compareByKey(sql, { key, compared })),
    // Columns that were guessed are not those that the names are made of.
    ...(pair.nameRows !== undefined && key === pair.keyColumns
      ? { named: await nameDiffering(sql, { key, compared }, pair.nameRows) }
      : {}),
  };
}

async function columnsOf(sql: SqlSession, view: string): Promise<Column[]> {
  const rows = await sql.rows<{ column_name: string; column_type: string }>(`DESCRIBE ${view}`);
  return rows.map((row) => ({ name: row.column_name, type: row.column_type }));
}

/** Columns that look like names of rows are tried in this order, alone and then together. */
async function findKey(
  sql: SqlSession,
  common: readonly Column[],
  declared: readonly string[] | undefined,
): Promise<readonly string[]> {
  const declaredHere =
    declared?.every((name) => common.some((column) => column.name === name)) === true;
  const candidates = [...(declaredHere ? [declared] : []), ...keyCandidates(common)];
  for (const candidate of candidates) {
    if ((await isKey(sql, 'old', candidate)) && (await isKey(sql, 'new', candidate)))
      return candidate;
  }
  return [];
}

const MAX_SINGLE_CANDIDATES = 8;
const MAX_KEY_COLUMNS = 4;

/**
 * Instants before dates before text; a whole number only when it is the first column, because later
 * ones are measures.
 */
function keyCandidates(common: readonly Column[]): string[][] {
  const named = (test: (column: Column, index: number) => boolean): string[] =>
    common.filter(test).map(({ name }) => name);
  const names = [
    ...named(({ type }) => type === 'TIMESTAMP WITH TIME ZONE'),
    ...named(({ type }) => type === 'DATE' || type === 'TIMESTAMP'),
    ...named(({ type }) => type === 'VARCHAR'),
    ...named(({ type }, index) => index === 0 && type.includes('INT')),
  ];
  const singles = names.slice(0, MAX_SINGLE_CANDIDATES).map((name) => [name]);
  const pairs = names.slice(1, MAX_SINGLE_CANDIDATES).map((name) => [firstOf(names), name]);
  const several = names.slice(2, MAX_KEY_COLUMNS).map((_, index) => names.slice(0, index + 3));
  return [...singles, ...pairs, ...several];
}

async function isKey(sql: SqlSession, view: string, names: readonly string[]): Promise<boolean> {
  const columns = names.map(quoteIdentifier);
  const filled = columns.map((column) => `${column} IS NOT NULL`).join(' AND ');
  const [found] = await sql.rows<{ rows: number; keys: number }>(
    `SELECT count(*) AS rows, count(DISTINCT (${columns.join(', ')})) FILTER (${filled}) AS keys
      FROM ${view}`,
  );
  return found?.rows === found?.keys;
}

type RowCounts = Pick<TableDiff, 'added' | 'removed' | 'changed' | 'columns'>;

/** Without a key a changed row is one that is gone and another that came. */
async function compareWholeRows(sql: SqlSession, common: readonly Column[]): Promise<RowCounts> {
  const columns =
    common.length === 0
      ? '1'
      : common.map(({ name }) => `${quoteIdentifier(name)}::VARCHAR`).join(', ');
  const onlyIn = (view: string, other: string): string =>
    `(SELECT count(*) FROM (SELECT ${columns} FROM ${view} EXCEPT ALL
      SELECT ${columns} FROM ${other}))`;
  const [found] = await sql.rows<{ added: number; removed: number }>(
    `SELECT ${onlyIn('new', 'old')} AS added, ${onlyIn('old', 'new')} AS removed`,
  );
  return { added: found?.added ?? 0, removed: found?.removed ?? 0, changed: 0, columns: [] };
}

/** What arg_max keeps of the row with the largest change. */
interface LargestRow {
  readonly before: JsonValue;
  readonly after: JsonValue;
  readonly difference: number;
  readonly at: JsonObject;
}

/** Marks the side that has the row; a name that no table of ours or of a publisher has. */
const PRESENT = quoteIdentifier('this side has the row');

async function compareByKey(sql: SqlSession, { key, compared }: Match): Promise<RowCounts> {
  const differs = differing(compared);
  const perColumn = compared.flatMap((column, index) => [
    `count(*) FILTER (${differs[index] ?? 'false'}) AS ${quoteIdentifier(`changed ${index}`)}`,
    `${largestOf(column, key, differs[index] ?? 'false')} AS ${quoteIdentifier(`largest ${index}`)}`,
  ]);
  const [found] = await sql.rows(
    `SELECT count(*) FILTER (o.${PRESENT} IS NULL) AS added, count(*)
      FILTER (n.${PRESENT} IS NULL) AS removed,
       count(*) FILTER (${anyOf(differs)}) AS changed${perColumn.map((text) => `, ${text}`).join('')}
     FROM ${joined(key)}`,
  );
  const columns = compared.map(({ name }, index): ColumnDiff => {
    const largest = found?.[`largest ${index}`] as LargestRow | null | undefined;
    return {
      column: name,
      changed: Number(found?.[`changed ${index}`] ?? 0),
      largest: rounded(largest),
    };
  });
  const counted = (name: string): number => Number(found?.[name] ?? 0);
  return {
    added: counted('added'),
    removed: counted('removed'),
    changed: counted('changed'),
    columns: columns.filter(({ changed }) => changed > 0),
  };
}

/** The first rows that differ, under their names; no other row leaves the engine. */
async function nameDiffering(
  sql: SqlSession,
  { key, compared }: Match,
  nameRows: NameRows,
): Promise<NamedRow[]> {
  const at = key
    .map((name) => `${quoteText(name)}: coalesce(${sides(name, '').join(', ')})`)
    .join(', ');
  const rows = await sql.rows<Pick<NamedRow, 'change'> & { named_by: JsonObject }>(
    `SELECT CASE WHEN n.${PRESENT} IS NULL THEN 'removed' WHEN o.${PRESENT} IS NULL THEN 'added'
      ELSE 'changed' END AS change, {${at}} AS named_by
     FROM ${joined(key)} WHERE o.${PRESENT} IS NULL OR n.${PRESENT} IS NULL
       OR ${anyOf(differing(compared))}
     ORDER BY change = 'added', change = 'removed', named_by LIMIT ${MAX_NAMED}`,
  );
  const names = await nameRows(rows.map((row) => row.named_by));
  return rows.flatMap(({ change }, index) => {
    const name = names[index];
    return name === undefined ? [] : [{ name, change }];
  });
}

/** Both sides, `o` and `n`, of every row that either has. */
function joined(key: readonly string[]): string {
  const on = key.map((name) => sides(name, '').join(' = ')).join(' AND ');
  return `(SELECT *, true AS ${PRESENT} FROM old) o
    FULL JOIN (SELECT *, true AS ${PRESENT} FROM new) n ON ${on}`;
}

/** For each column, whether both sides have the row and it is not the same. */
function differing(compared: Match['compared']): string[] {
  return compared.map(({ name, sameType }) => {
    const [old, now] = sides(name, sameType ? '' : '::VARCHAR');
    return `(o.${PRESENT} AND n.${PRESENT} AND ${old} IS DISTINCT FROM ${now})`;
  });
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'false' : conditions.join(' OR ');
}

function sides(name: string, cast: string): [string, string] {
  return [`o.${quoteIdentifier(name)}${cast}`, `n.${quoteIdentifier(name)}${cast}`];
}

/** Text counts when it is a number, because slices hold what the publisher wrote. */
const NUMERIC = /INT|DECIMAL|DOUBLE|FLOAT|VARCHAR/;

/**
 * Of equal changes the one with the largest key, so that the answer does not depend on the engine's
 * threads.
 */
function largestOf({ name, type }: Column, key: readonly string[], differs: string): string {
  if (!NUMERIC.test(type)) return 'NULL';
  const [old, now] = sides(name, '');
  const difference = `(TRY_CAST(${now} AS DOUBLE) - TRY_CAST(${old} AS DOUBLE))`;
  const at = key.map((column) => `${quoteText(column)}: o.${quoteIdentifier(column)}`).join(', ');
  const row = `{'before': ${old}, 'after': ${now}, 'difference': ${difference}, 'at': {${at}}}`;
  const rank = `{'size': abs(${difference}), 'at': {${at}}}`;
  return `arg_max(${row}, ${rank}) FILTER (${differs} AND isfinite(${difference}))`;
}

function rounded(largest: LargestRow | null | undefined): LargestChange | null {
  if (largest === null || largest === undefined) return null;
  return {
    ...largest,
    difference: decimalDifference(Number(largest.before), Number(largest.after)),
  };
}
