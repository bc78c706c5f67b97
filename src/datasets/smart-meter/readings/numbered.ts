import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { quoteText, shardsOf } from '../../kit/index.ts';
import type { Shard, SqlSession } from '../../kit/index.ts';
import { PUBLISHED_COLUMNS } from '../dialects/dialect.ts';
import type { PublishedColumn } from '../dialects/dialect.ts';
import { shardNumberSql } from '../shards.ts';
import { parquetOf } from '../tables.ts';
import type { Constants } from './columns.ts';

/**
 * The rows of a large file by shard, as they were published but with each id, stamp and value as its number: what is written and read again between the
 * file and its slices is a third of its texts, and keys, instants and energies are looked up by small integers, one shard at a time.
 */

/** Texts of `published` that become numbers, and the table that says what each means; a text that no table has, or none, is null. */
const NUMBERED = [
  { column: 'meter_id', type: 'meter_numbers', table: 'meter_keys', text: 'published_id', order: 'meter_key' },
  { column: 'stamp', type: 'stamp_numbers', table: 'times', text: 'published_stamp', order: 'published_stamp' },
  { column: 'value', type: 'value_numbers', table: 'amounts', text: 'published_value', order: 'published_value' },
] as const;

/** The rows of one shard. */
export interface NumberedRows {
  readonly shard: Shard;
  /** A query with the columns of `published`. */
  readonly select: string;
}

/** Few enough that the unwritten rows of all shards fit into memory. */
const ROWS_BEFORE_WRITING = 32_768;

/**
 * Cuts `published`, which is read once, and puts numbers for texts into `meter_keys`, `times` and `amounts`. Shards without rows are left out.
 */
export async function cutNumbered(sql: SqlSession, constants: Constants, of: number): Promise<NumberedRows[]> {
  for (const { type, table, text, order } of NUMBERED)
    await sql.run(`CREATE OR REPLACE TEMP TYPE ${type} AS ENUM (SELECT text FROM
      (SELECT ${text} AS text, min(${order}) AS place FROM ${table} WHERE ${text} IS NOT NULL GROUP BY ${text}) ORDER BY place, text)`);
  const own = Object.entries(PUBLISHED_COLUMNS).filter(([name]) => constantOf(constants, name) === undefined);
  const columns = own.map(([name]) => {
    const numbered = NUMBERED.find(({ column }) => column === name);
    return numbered === undefined ? name : `${numberSql(numbered.type, name)} AS ${name}`;
  });
  const shard = await shardByNumberSql(sql, of);
  const rows = `SELECT *, ${shard} AS shard FROM (SELECT ${columns.join(', ')} FROM published)`;
  const parts = await cutByShard(sql, rows, of);
  for (const { type, table, text } of NUMBERED)
    await sql.run(
      `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT * REPLACE (${numberSql(type, text)} AS ${text}) FROM ${table}`,
    );
  const all = Object.entries(PUBLISHED_COLUMNS).map(([name, type]) => {
    const constant = constantOf(constants, name);
    return constant === undefined ? name : `CAST(${constant} AS ${type}) AS ${name}`;
  });
  return parts.map(({ shard: one, from }) => ({ shard: one, select: `SELECT ${all.join(', ')} FROM ${from}` }));
}

/** Rows of a query with a column `shard`, each shard in files of its own, which are table functions. Shards without rows are left out. */
export async function cutByShard(
  sql: SqlSession,
  rows: string,
  of: number,
): Promise<{ readonly shard: Shard; readonly from: string }[]> {
  const folder = path.join(sql.scratch, 'shards');
  await sql.run(`SET partitioned_write_flush_threshold = ${ROWS_BEFORE_WRITING}`);
  await sql.run(
    `COPY (${rows}) TO ${quoteText(folder)} (FORMAT PARQUET, COMPRESSION LZ4_RAW, PARTITION_BY (shard), OVERWRITE)`,
  );
  const found = await readdir(folder);
  return shardsOf(of).flatMap((shard) => {
    const name = `shard=${shard.index}`;
    return found.includes(name) ? [{ shard, from: parquetOf([path.join(folder, name, '*.parquet')]) }] : [];
  });
}

function numberSql(type: string, text: string): string {
  return `enum_code(TRY_CAST(${text} AS ${type}))`;
}

function constantOf(constants: Constants, name: string): string | undefined {
  return (constants as Partial<Record<PublishedColumn, string>>)[name as PublishedColumn];
}

/** Numbers of meters are in the order of their keys, so that those of a shard follow each other. Rows of no meter are in the first. */
async function shardByNumberSql(sql: SqlSession, of: number): Promise<string> {
  const counted = await sql.rows<{ shard: number; meters: number }>(
    `SELECT shard, count(*) AS meters FROM (SELECT published_id, min(${shardNumberSql(of)}) AS shard FROM meter_keys GROUP BY published_id)
     GROUP BY shard ORDER BY shard`,
  );
  let below = 0;
  const cases = counted.map(({ shard, meters }) => `WHEN meter_id < ${(below += meters)} THEN ${shard}`);
  return `CASE ${cases.join(' ')} ELSE 1 END`;
}
