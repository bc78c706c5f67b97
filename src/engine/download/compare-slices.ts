import type { RowMeaning } from '../../pipelines/dataset.ts';
import { quoteIdentifier, quoteList, quoteText } from '../../pipelines/sql-text.ts';
import type { SqlSession } from '../../ports/sql.ts';

/**
 * What one slice of a day knows that another does not: values are counted by key and column,
 * whatever their rows look like.
 */

/** A slice as local files, one per shard, and what its rows say. */
export interface ReadableSlice {
  readonly paths: readonly string[];
  readonly columns: readonly string[];
  readonly meaning: RowMeaning;
  /** SQL that is true for the rows that are compared; absent: for all. */
  readonly where?: string;
}

/** How a new slice differs from the known one of the same day, value by value. */
export interface SliceComparison {
  /**
   * Values that are known and that the new slice does not have, by column; only columns with such
   * values.
   */
  readonly lost: Readonly<Record<string, number>>;
  /**
   * Those of them that nothing makes up for: their subject has fewer values of the column than
   * before.
   */
  readonly missing: Readonly<Record<string, number>>;
  /** Values that are new. */
  readonly added: number;
  /** Values that both have, and that differ. */
  readonly changed: number;
  /** The first of them, in words, where rows have any. */
  readonly disagreeing: readonly string[];
  /** The new slice is a later revision. */
  readonly isRevised: boolean;
}

/** Of slices that are the same, and of a sum before anything is added. */
export const NOTHING_DIFFERS: SliceComparison = {
  lost: {},
  missing: {},
  added: 0,
  changed: 0,
  disagreeing: [],
  isRevised: false,
};

/** What several slices differ by together. */
export function togetherDiffer(one: SliceComparison, other: SliceComparison): SliceComparison {
  return {
    lost: sumsOf(one.lost, other.lost),
    missing: sumsOf(one.missing, other.missing),
    added: one.added + other.added,
    changed: one.changed + other.changed,
    disagreeing: [...one.disagreeing, ...other.disagreeing].slice(0, VALUES_NAMED),
    isRevised: one.isRevised || other.isRevised,
  };
}

function sumsOf(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Record<string, number> {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(names.map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]));
}

/**
 * The table with the keys that the last comparison was made by: `value_known`, `value_new` and so
 * on.
 */
const COMPARED = 'quotidien_compared';

/** The columns of a slice. */
export async function columnsOfSlice(sql: SqlSession, paths: readonly string[]): Promise<string[]> {
  const described = await sql.rows<{ column_name: string }>(
    `DESCRIBE SELECT * FROM ${sliceSql(paths)}`,
  );
  return described.map(({ column_name }) => column_name);
}

/**
 * Holds a new slice of a day against the one that is known; leaves the keys in a table for
 * `rowsToAddSql`.
 */
export async function compareSlices(
  sql: SqlSession,
  known: ReadableSlice,
  fresh: ReadableSlice,
): Promise<SliceComparison> {
  const names = namesOf(known, fresh);
  const pairs = names.map((_, i) => `k.v${i} AS k${i}, f.v${i} AS f${i}`).join(', ');
  await sql.run(`CREATE OR REPLACE TEMP TABLE ${COMPARED} AS
    SELECT coalesce(k.row_key, f.row_key) AS row_key, coalesce(f.called, k.called) AS called,
      coalesce(k.subject, f.subject) AS subject,
      k.finality AS k_finality, f.finality AS f_finality, ${pairs}
    FROM (${valuesSql(known, names)}) k FULL JOIN (${valuesSql(fresh, names)}) f
      ON k.row_key = f.row_key`);
  const counts = names.flatMap((_, i) => [
    `count(*) FILTER (WHERE k${i} IS NOT NULL AND f${i} IS NULL) AS lost${i}`,
    `count(k${i}) - count(f${i}) AS fewer${i}`,
    `count(*) FILTER (WHERE k${i} IS NULL AND f${i} IS NOT NULL) AS added${i}`,
    `count(*) FILTER (WHERE k${i} <> f${i}) AS changed${i}`,
  ]);
  const sums = names.flatMap((_, i) => [
    `CAST(sum(lost${i}) AS BIGINT) AS lost${i}`,
    `CAST(sum(least(lost${i}, greatest(fewer${i}, 0))) AS BIGINT) AS missing${i}`,
  ]);
  const total = (what: string): string => names.map((_, i) => `sum(${what}${i})`).join(' + ');
  const [found = {}] = await sql.rows<
    Record<string, number | boolean | null>
  >(`SELECT ${sums.join(', ')},
      CAST(${total('added')} AS BIGINT) AS added, CAST(${total('changed')} AS BIGINT) AS changed,
      coalesce(max(f_finality) > max(k_finality), false) AS is_revised
    FROM (SELECT subject, max(k_finality) AS k_finality,
      max(f_finality) AS f_finality, ${counts.join(', ')} FROM ${COMPARED} GROUP BY subject)`);
  const count = (what: string, i: number): number => Number(found[`${what}${i}`] ?? 0);
  const byName = (what: string): Record<string, number> =>
    Object.fromEntries(
      names.flatMap((name, i) => (count(what, i) > 0 ? [[name, count(what, i)] as const] : [])),
    );
  return {
    lost: byName('lost'),
    missing: byName('missing'),
    added: Number(found['added'] ?? 0),
    changed: Number(found['changed'] ?? 0),
    disagreeing: Number(found['changed'] ?? 0) === 0 ? [] : await disagreeingValues(sql, names),
    isRevised: found['is_revised'] === true,
  };
}

const VALUES_NAMED = 3;

/** `flow of arc 7 at 2025-11-04T09:00:00+01:00: 582.0 is known, 99000.0 was given` */
async function disagreeingValues(sql: SqlSession, names: readonly string[]): Promise<string[]> {
  const each = names.map((name, i) => {
    const text = `${quoteText(`${name} of `)} || called || ': ' || k${i} || ' is known, ' || f${i} || ' was given'`;
    return `SELECT row_key, ${i} AS place, ${text} AS text
      FROM ${COMPARED} WHERE k${i} <> f${i} AND called IS NOT NULL`;
  });
  const rows = await sql.rows<{ text: string }>(
    `SELECT text FROM (${each.join(' UNION ALL ')}) ORDER BY row_key, place LIMIT ${VALUES_NAMED}`,
  );
  return rows.map(({ text }) => text);
}

/**
 * SQL of the rows of both slices that were compared last: all that are known, and of the new ones
 * those that say something new and contradict nothing. Where the two name their columns
 * differently, the same names win whichever of the two was there first.
 */
export function joinedRowsSql(known: ReadableSlice, fresh: ReadableSlice): string {
  const [first, second] =
    JSON.stringify(known.columns) <= JSON.stringify(fresh.columns)
      ? [known, fresh]
      : [fresh, known];
  const rows = (slice: ReadableSlice): string =>
    slice === known
      ? `SELECT ${renamed(known, first).join(', ')} FROM ${sliceSql(known.paths)}`
      : newRowsSql(known, fresh, first);
  return `SELECT DISTINCT * FROM (${rows(first)} UNION ALL BY NAME ${rows(second)}) ORDER BY ALL`;
}

/**
 * SQL of those rows that `joinedRowsSql` adds to the known ones, where both have the same columns:
 * millions of known rows need not be sorted, nor written, for one that is new.
 */
export function addedRowsSql(known: ReadableSlice, fresh: ReadableSlice): string {
  return `SELECT DISTINCT * FROM (${newRowsSql(known, fresh, known)}) ORDER BY ALL`;
}

/**
 * The new rows that say something and contradict nothing, under the names of the columns of a
 * slice.
 */
function newRowsSql(known: ReadableSlice, fresh: ReadableSlice, named: ReadableSlice): string {
  const names = namesOf(known, fresh);
  const each = (rule: (i: number) => string): string => names.map((_, i) => rule(i)).join(' OR ');
  const adds = each((i) => `(k${i} IS NULL AND f${i} IS NOT NULL)`);
  const contradicts = each((i) => `coalesce(k${i} <> f${i}, false)`);
  const keys = `SELECT row_key FROM ${COMPARED} WHERE (${adds}) AND NOT (${contradicts})`;
  return `SELECT ${renamed(fresh, named).join(', ')} FROM ${sliceSql(fresh.paths)} WHERE ${fresh.meaning.key} IN (${keys})`;
}

/** All rows of a slice, in one order. */
export function rowsOfSliceSql({ paths }: ReadableSlice): string {
  return `SELECT DISTINCT * FROM ${sliceSql(paths)} ORDER BY ALL`;
}

/** What the rows of either tell, in one order. */
function namesOf(known: ReadableSlice, fresh: ReadableSlice): string[] {
  return [...new Set([...Object.keys(known.meaning.values), ...Object.keys(fresh.meaning.values)])];
}

/** The columns of a slice under the names that they have in another. */
function renamed({ columns, meaning }: ReadableSlice, other: ReadableSlice): string[] {
  const ours = new Map(Object.entries(meaning.names).map(([name, published]) => [published, name]));
  return columns.map((column) => {
    const published = ours.get(column);
    const name = published === undefined ? column : (other.meaning.names[published] ?? column);
    return `${quoteIdentifier(column)} AS ${quoteIdentifier(name)}`;
  });
}

/**
 * SQL that is true for the known rows that a row of the other slice may be the same as; undefined
 * where that is not known beforehand.
 */
export function nearSql(
  { meaning: { within, subject } }: ReadableSlice,
  fresh: ReadableSlice,
): string | undefined {
  if (within === undefined || subject !== undefined) return undefined;
  return `(${within} IN (SELECT ${fresh.meaning.within ?? 'NULL'} FROM ${sliceSql(fresh.paths)})
    OR ${within} IS NULL)`;
}

/** How many rows of a slice are compared. */
export async function rowsCompared(
  sql: SqlSession,
  { paths, where = 'true' }: ReadableSlice,
): Promise<number> {
  const [found] = await sql.rows<{ rows: number }>(
    `SELECT count(*) AS rows FROM ${sliceSql(paths)} WHERE ${where}`,
  );
  return found?.rows ?? 0;
}

/** One row per key with its values; of rows with the same key the greatest. */
function valuesSql(
  { paths, meaning, where = 'true' }: ReadableSlice,
  names: readonly string[],
): string {
  const {
    key,
    called = 'NULL::VARCHAR',
    subject = `''`,
    finality = 'NULL::INTEGER',
    values,
  } = meaning;
  const columns = names.map((name, i) => `max(${values[name] ?? 'NULL::VARCHAR'}) AS v${i}`);
  return `SELECT ${key} AS row_key, min(${called}) AS called, any_value(${subject}) AS subject,
    max(${finality}) AS finality, ${columns.join(', ')}
    FROM ${sliceSql(paths)} WHERE ${where} AND ${key} IS NOT NULL GROUP BY row_key`;
}

function sliceSql(paths: readonly string[]): string {
  return `read_parquet(${quoteList(paths)}, hive_partitioning = false)`;
}
