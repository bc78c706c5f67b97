import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { quoteText, required, shardsOf } from '../../kit/index.ts';
import type { Shard, SqlSession } from '../../kit/index.ts';
import { PUBLISHED_COLUMNS } from '../dialects/dialect.ts';
import type { PublishedColumn, SameInAll } from '../dialects/dialect.ts';
import { shardNumberSql } from '../shards.ts';
import { fewTextsSql, parquetOf } from '../tables.ts';
import { CHANNELS } from './columns.ts';
import type { CarriedTypes } from './columns.ts';

/**
 * The rows of a large file by shard, as they were published but with each id, stamp and value as its number: what is written and read again between the
 * file and its slices is a third of its texts, and keys, instants and energies are looked up by small integers, one shard at a time.
 */

const PUBLISHED = Object.keys(PUBLISHED_COLUMNS) as PublishedColumn[];

/** Why a row is refused, as the number of its text. */
const REFUSAL = 'refusal_texts';

/**
 * Texts of `published` that become numbers, and the table that says what each means, with the types of what it says; a text that no table
 * has, or none, is null.
 */
const NUMBERED = [
  {
    column: 'meter_id',
    type: 'meter_numbers',
    table: 'meter_keys',
    text: 'published_id',
    order: 'meter_key',
    says: {},
  },
  {
    ...{ column: 'stamp', type: 'stamp_numbers', table: 'times', text: 'published_stamp', order: 'published_stamp' },
    says: { stamp: 'stamp_texts', problem: REFUSAL },
  },
  {
    ...{ column: 'value', type: 'value_numbers', table: 'amounts', text: 'published_value', order: 'published_value' },
    says: { value: 'value_texts', why: REFUSAL },
  },
] as const;

/**
 * Texts of a slice that are numbers of these types while its rows are sorted: then all that is sorted has one length, which takes a sixth
 * of the time off the whole. `from`: all texts that there are.
 */
const CARRIED = [
  { column: 'stamp', type: 'stamp_texts', from: 'SELECT stamp AS text FROM times' },
  { column: 'value', type: 'value_texts', from: 'SELECT value AS text FROM amounts' },
  { column: 'quality', type: 'quality_texts', from: 'SELECT quality AS text FROM said WHERE is_quality' },
  {
    column: 'refused',
    type: REFUSAL,
    from: `SELECT unnest(['no_meter', 'ambiguous_time']) AS text UNION SELECT problem FROM times UNION SELECT why FROM amounts
      UNION SELECT refused FROM said WHERE is_quality`,
  },
] as const;

/** The types of columns while rows are sorted. */
export const CARRIED_TYPES: CarriedTypes = Object.fromEntries(CARRIED.map(({ column, type }) => [column, type]));

/** The rows of one shard. */
export interface NumberedRows {
  readonly shard: Shard;
  /** A query with the columns of `published`. */
  readonly select: string;
  /** Which of `meter_keys` are of the shard, as SQL: of a million, the others need not be looked through for each shard. */
  readonly meters: string;
  /** The SQL type of why a row is refused. */
  readonly refusal: string;
}

/** Few enough that the unwritten rows of all shards fit into memory. */
const ROWS_BEFORE_WRITING = 32_768;

/**
 * Cuts `published`, which is read once, and puts numbers for texts into `meter_keys`, `times` and `amounts`. Shards without rows are left out.
 */
export async function cutNumbered(sql: SqlSession, same: SameInAll, of: number): Promise<NumberedRows[]> {
  for (const { type, table, text, order } of NUMBERED)
    await sql.run(`CREATE OR REPLACE TEMP TYPE ${type} AS ENUM (SELECT text FROM
      (SELECT ${text} AS text, min(${order}) AS place FROM ${table} WHERE ${text} IS NOT NULL GROUP BY ${text}) ORDER BY place, text)`);
  for (const { type, from } of CARRIED)
    await sql.run(
      `CREATE OR REPLACE TEMP TYPE ${type} AS ENUM (SELECT DISTINCT text FROM (${from}) WHERE text IS NOT NULL ORDER BY text)`,
    );
  const own = PUBLISHED.filter((name) => same[name] === undefined);
  const columns = own.map((name) => `${inNumbersSql(name)} AS ${name}`);
  const ranges = await rangesOfNumbers(sql, of);
  const shard =
    ranges.length === 0
      ? '1'
      : `CASE ${ranges.map(({ shard: one, to }) => `WHEN meter_id < ${to} THEN ${one}`).join(' ')} ELSE 1 END`;
  const rows = `SELECT *, ${shard} AS shard FROM (SELECT ${columns.join(', ')} FROM published)`;
  const parts = await cutByShard(sql, rows, of);
  for (const numbered of NUMBERED) await putNumbers(sql, numbered);
  const all = PUBLISHED.map((name) => {
    const value = same[name] ?? name;
    if (name === 'refused') return `CAST(${value} AS ${REFUSAL}) AS ${name}`;
    return value === name ? name : `CAST(${value} AS ${PUBLISHED_COLUMNS[name]}) AS ${name}`;
  });
  return parts.map(({ shard: one, from }) => {
    const range = ranges.find((candidate) => candidate.shard === one.index) ?? { from: 0, to: 0 };
    const meters = `published_id >= ${range.from} AND published_id < ${range.to}`;
    return { shard: one, select: `SELECT ${all.join(', ')} FROM ${from}`, meters, refusal: REFUSAL };
  });
}

/** Puts numbers for what is looked up in a table, and the types of `CARRIED` for what it says: then it is not looked at again row by row. */
async function putNumbers(sql: SqlSession, { type, table, text, says }: (typeof NUMBERED)[number]): Promise<void> {
  const typed = Object.entries(says).map(([name, carried]) => `CAST(${name} AS ${carried}) AS ${name}`);
  const columns = [`${numberSql(type, text)} AS ${text}`, ...typed];
  await sql.run(`CREATE OR REPLACE TEMP TABLE ${table} AS SELECT * REPLACE (${columns.join(', ')}) FROM ${table}`);
}

/** Rows of a query with a column `shard`, each shard in files of its own, which are table functions. Shards without rows are left out. */
export async function cutByShard(
  sql: SqlSession,
  rows: string,
  of: number,
): Promise<{ readonly shard: Shard; readonly from: string }[]> {
  const folder = path.join(sql.scratch, 'shards');
  await sql.run(`SET partitioned_write_flush_threshold = ${ROWS_BEFORE_WRITING}`);
  // Rows with their numbers come one after the other.
  await sql.runOnOneThread(
    `COPY (${rows}) TO ${quoteText(folder)} (FORMAT PARQUET, COMPRESSION LZ4_RAW, DICTIONARY_SIZE_LIMIT 1,
      PARTITION_BY (shard), OVERWRITE)`,
  );
  const found = await readdir(folder);
  return shardsOf(of).flatMap((shard) => {
    const name = `shard=${shard.index}`;
    return found.includes(name) ? [{ shard, from: parquetOf([path.join(folder, name, '*.parquet')]) }] : [];
  });
}

/** A column as it is written between the file and its slices. */
function inNumbersSql(name: string): string {
  const numbered = NUMBERED.find(({ column }) => column === name);
  if (numbered !== undefined) return numberSql(numbered.type, name);
  if (name === 'channel') return fewTextsSql(name, CHANNELS);
  return name === 'quality' ? `CAST(${name} AS ${required(CARRIED_TYPES.quality, 'the type of qualities')})` : name;
}

function numberSql(type: string, text: string): string {
  return `enum_code(TRY_CAST(${text} AS ${type}))`;
}

/** The numbers of the meters of each shard, `[from, to)`: they are in the order of keys. Rows of no meter are in the first. */
async function rangesOfNumbers(sql: SqlSession, of: number): Promise<{ shard: number; from: number; to: number }[]> {
  const counted = await sql.rows<{ shard: number; meters: number }>(
    `SELECT shard, count(*) AS meters FROM (SELECT published_id, min(${shardNumberSql(of)}) AS shard FROM meter_keys GROUP BY published_id)
     GROUP BY shard ORDER BY shard`,
  );
  let below = 0;
  return counted.map(({ shard, meters }) => ({ shard, from: below, to: (below += meters) }));
}
