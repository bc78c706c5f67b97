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
 * The rows of a large file by shard, as they were published but with each id, stamp and value as
 * its number: what is written and read again between the file and its slices is a third of its
 * texts, and keys, instants and energies are looked up by small integers, one shard at a time.
 */

const PUBLISHED = Object.keys(PUBLISHED_COLUMNS) as PublishedColumn[];

/** Why a row is refused, and its quality, as the numbers of their texts. */
const REFUSAL = 'refusal_texts';
const QUALITY = 'quality_texts';

/**
 * Texts of `published` that become numbers, and the table that says what each means, with the types
 * of what it says. No text at all has a number too, and an id without a meter: the first that is
 * left.
 */
const NUMBERED = [
  {
    column: 'meter_id',
    type: 'meter_numbers',
    table: 'meter_keys',
    text: 'published_id',
    texts: 'SELECT published_id AS text, meter_key AS place FROM meter_keys',
    says: {},
  },
  {
    column: 'stamp',
    type: 'stamp_numbers',
    table: 'times',
    text: 'published_stamp',
    texts:
      'SELECT DISTINCT published_stamp AS text, published_stamp AS place FROM times WHERE published_stamp IS NOT NULL',
    says: { stamp: 'stamp_texts', problem: REFUSAL },
  },
  {
    column: 'value',
    type: 'value_numbers',
    table: 'amounts',
    text: 'published_value',
    texts:
      'SELECT DISTINCT published_value AS text, published_value AS place FROM amounts WHERE published_value IS NOT NULL',
    says: { value: 'value_texts', why: REFUSAL },
  },
] as const;

/**
 * How many texts there are of each column that is numbered, which is also the number of no text;
 * and all qualities, in order.
 */
type Texts = Readonly<Record<(typeof NUMBERED)[number]['column'], number>> & {
  readonly qualities: readonly string[];
};

/**
 * Texts of a slice that are numbers of these types while its rows are sorted: then all that is
 * sorted has one length, which takes a sixth of the time off the whole. `from`: all texts that
 * there are.
 */
const CARRIED = [
  { column: 'stamp', type: 'stamp_texts', from: 'SELECT stamp AS text FROM times' },
  { column: 'value', type: 'value_texts', from: 'SELECT value AS text FROM amounts' },
  { column: 'quality', type: QUALITY, from: 'SELECT quality AS text FROM said WHERE is_quality' },
  {
    column: 'refused',
    type: REFUSAL,
    from: `SELECT unnest(['no_meter', 'ambiguous_time']) AS text UNION SELECT problem FROM times
      UNION SELECT why FROM amounts
      UNION SELECT refused FROM said WHERE is_quality`,
  },
] as const;

/** The types of columns while rows are sorted. */
export const CARRIED_TYPES: CarriedTypes = Object.fromEntries(
  CARRIED.map(({ column, type }) => [column, type]),
);

/** The rows of one shard. */
export interface NumberedRows {
  readonly shard: Shard;
  /**
   * As a table function, the columns of a slice that its rows do not have in common; texts have the
   * types of `CARRIED_TYPES`.
   */
  readonly from: string;
}

/** Few enough that the unwritten rows of all shards fit into memory. */
const ROWS_BEFORE_WRITING = 32_768;

/**
 * Cuts `published`, which is read once, and puts numbers for texts into `meter_keys`, `times` and
 * `amounts`. Shards without rows are left out.
 */
export async function cutNumbered(
  sql: SqlSession,
  same: SameInAll,
  of: number,
): Promise<NumberedRows[]> {
  const texts = await makeTypes(sql);
  const ranges = await rangesOfNumbers(sql, of);
  const parts = await cutByShard(sql, numberedSql(same, texts, ranges), of);
  for (const numbered of NUMBERED) await putNumbers(sql, numbered, texts);
  await sql.run(`INSERT INTO meter_keys BY NAME SELECT ${texts.meter_id} AS published_id`);
  return parts.map(({ shard, from }) => {
    const range = ranges.find((candidate) => candidate.shard === shard.index) ?? { from: 0, to: 0 };
    const ofNone = shard.index === 1 ? ` OR published_id = ${texts.meter_id}` : '';
    const meters = `(published_id >= ${range.from} AND published_id < ${range.to})${ofNone}`;
    return { shard, from: `(${readingsSql(from, meters, same, texts)})` };
  });
}

/** The types by which texts are numbers, with how many texts are numbered. */
async function makeTypes(sql: SqlSession): Promise<Texts> {
  for (const { type, texts } of NUMBERED)
    await sql.run(
      `CREATE OR REPLACE TEMP TYPE ${type} AS ENUM
        (SELECT text FROM (${texts}) ORDER BY place, text)`,
    );
  for (const { type, from } of CARRIED)
    await sql.run(
      `CREATE OR REPLACE TEMP TYPE ${type} AS ENUM
        (SELECT DISTINCT text FROM (${from}) WHERE text IS NOT NULL ORDER BY text)`,
    );
  const each = NUMBERED.map(
    ({ column, texts }) => `(SELECT count(*) FROM (${texts})) AS ${column}`,
  );
  const [found] = await sql.rows<Texts>(
    `SELECT ${each.join(', ')}, enum_range(CAST(NULL AS ${QUALITY})) AS qualities`,
  );
  return required(found, 'counts of texts');
}

/**
 * Puts numbers for what is looked up in a table, and the types of `CARRIED` for what it says: then
 * it is not looked at again row by row.
 */
async function putNumbers(
  sql: SqlSession,
  { column, type, table, text, says }: (typeof NUMBERED)[number],
  texts: Texts,
): Promise<void> {
  const typed = Object.entries(says).map(
    ([name, carried]) => `CAST(${name} AS ${carried}) AS ${name}`,
  );
  const columns = [`${numberSql(type, text, texts[column])} AS ${text}`, ...typed];
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT * REPLACE (${columns.join(', ')})
      FROM ${table}`,
  );
}

/** What rows do not have in common, with numbers for texts and the number of the shard. */
function numberedSql(same: SameInAll, texts: Texts, ranges: readonly NumbersOfShard[]): string {
  const own = PUBLISHED.filter((name) => same[name] === undefined);
  const columns = own.map((name) => `${inNumbersSql(name, texts)} AS ${name}`);
  const shard =
    ranges.length === 0
      ? '1'
      : `CASE ${ranges.map(({ shard: one, to }) => `WHEN meter_id < ${to} THEN ${one}`).join(' ')} ELSE 1 END`;
  return `SELECT *, ${shard} AS shard FROM (SELECT ${columns.join(', ')} FROM published)`;
}

/**
 * Numbered rows as those of a slice. Each row has its own in all three tables, so that nothing but
 * numbers is compared and most look-ups are places in an array: half of what a LEFT JOIN costs,
 * which also asks about nulls.
 */
function readingsSql(from: string, meters: string, same: SameInAll, { qualities }: Texts): string {
  const all = PUBLISHED.map((name) => {
    const value = same[name] ?? name;
    if (name === 'refused') return `CAST(${value} AS ${REFUSAL}) AS ${name}`;
    if (name === 'quality') return `${fewTextsSql(value, qualities, QUALITY)} AS ${name}`;
    return value === name ? name : `CAST(${value} AS ${PUBLISHED_COLUMNS[name]}) AS ${name}`;
  });
  const beside = (table: string, names: readonly PublishedColumn[]): string =>
    names
      .filter((name) => same[name] === undefined)
      .map(
        (name) =>
          ` AND ${table}.${name === 'step_min' ? 'step' : name} IS NOT DISTINCT FROM p.${name}`,
      )
      .join('');
  const start =
    same.is_end === 'false'
      ? 't.at_s'
      : 'CASE WHEN p.is_end THEN t.at_s - 60 * p.step_min ELSE t.at_s END';
  return `SELECT * REPLACE (CASE WHEN reason IS NULL THEN energy_wh END AS energy_wh, CASE
    WHEN refused IS NOT NULL THEN stamp END AS stamp,
      CASE WHEN refused IS NOT NULL THEN value END AS value)
    FROM (SELECT *, coalesce(reason, why) AS refused
      FROM (SELECT p.* EXCLUDE (stamp, value, refused), k.meter_key, ${start} AS start_s, t.stamp,
        a.value, a.value_raw, a.energy_wh, a.why,
          coalesce(p.refused, CASE WHEN k.meter_key IS NULL THEN CAST('no_meter' AS ${REFUSAL}) END,
          t.problem) AS reason
        FROM (SELECT ${all.join(', ')} FROM ${from}) p
          JOIN (SELECT * FROM meter_keys WHERE ${meters}) k ON k.published_id = p.meter_id
          JOIN times t ON t.published_stamp = p.stamp${beside('t', ['zone'])}
          JOIN amounts a ON a.published_value = p.value${beside('a', ['unit', 'step_min'])}))`;
}

/**
 * Rows of a query with a column `shard`, each shard in files of its own, which are table functions.
 * Shards without rows are left out.
 */
export async function cutByShard(
  sql: SqlSession,
  rows: string,
  of: number,
): Promise<{ readonly shard: Shard; readonly from: string }[]> {
  const folder = path.join(sql.scratch, 'shards');
  await sql.run(`SET partitioned_write_flush_threshold = ${ROWS_BEFORE_WRITING}`);
  // Rows with their numbers come one after the other.
  await sql.runOnOneThread(
    `COPY (${rows}) TO ${quoteText(folder)} (FORMAT PARQUET, COMPRESSION LZ4_RAW,
      DICTIONARY_SIZE_LIMIT 1,
      PARTITION_BY (shard), OVERWRITE)`,
  );
  const found = await readdir(folder);
  return shardsOf(of).flatMap((shard) => {
    const name = `shard=${shard.index}`;
    return found.includes(name)
      ? [{ shard, from: parquetOf([path.join(folder, name, '*.parquet')]) }]
      : [];
  });
}

/** A column as it is written between the file and its slices. */
function inNumbersSql(name: string, texts: Texts): string {
  const numbered = NUMBERED.find(({ column }) => column === name);
  if (numbered !== undefined) return numberSql(numbered.type, name, texts[numbered.column]);
  if (name === 'channel') return fewTextsSql(name, CHANNELS);
  return name === 'quality' ? fewTextsSql(name, texts.qualities, QUALITY) : name;
}

function numberSql(type: string, text: string, ofNone: number): string {
  return `coalesce(enum_code(TRY_CAST(${text} AS ${type})), ${ofNone})`;
}

/** The numbers of the meters of a shard, `[from, to)`. */
interface NumbersOfShard {
  readonly shard: number;
  readonly from: number;
  readonly to: number;
}

/** They are in the order of keys. Rows of no meter are in the first shard. */
async function rangesOfNumbers(sql: SqlSession, of: number): Promise<NumbersOfShard[]> {
  const counted = await sql.rows<{ shard: number; meters: number }>(
    `SELECT ${shardNumberSql(of)} AS shard, count(*) AS meters FROM meter_keys GROUP BY shard
      ORDER BY shard`,
  );
  let below = 0;
  return counted.map(({ shard, meters }) => ({ shard, from: below, to: (below += meters) }));
}
