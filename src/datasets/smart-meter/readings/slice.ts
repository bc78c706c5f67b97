import path from 'node:path';
import { definedMembers, shardsOf } from '../../kit/index.ts';
import type {
  RecognisedFile,
  RowMeaning,
  SliceTask,
  SqlSession,
  UnitOutcome,
} from '../../kit/index.ts';
import { readHead } from '../dialects/dialects.ts';
import type { FileHead } from '../dialects/dialect.ts';
import { shardNumberSql, sliceOutput } from '../shards.ts';
import { copyTable } from '../tables.ts';
import { orderedSql, ownColumns, SLICE_COLUMNS, textsOf } from './columns.ts';
import type { CarriedTypes, Constants } from './columns.ts';
import { extentOf, extentOfSpans, inDaySql } from './days.ts';
import { CARRIED_TYPES, cutByShard, cutNumbered } from './numbered.ts';
import { readFile } from './read-file.ts';
import type { ReadFile } from './read-file.ts';

/** How files are cut. */
export interface CutOptions {
  readonly secret: string;
  /** In how many shards; 1 for whole slices. */
  readonly shards: number;
  /** See `ReadOptions`. */
  readonly maxKeptRows?: number;
}

/**
 * Readings of any dialect as slices of days, or of their shards. A row without a time is kept with
 * the first day of its file, so that it is told of.
 */
export async function sliceReadings(
  task: SliceTask,
  sql: SqlSession,
  { shards, ...options }: CutOptions,
): Promise<UnitOutcome[]> {
  const head = await readHead(task.raw.path, path.basename(task.raw.path));
  const isOneSlice = task.days.length === 1 && shards === 1;
  const isReadOnce = isOneSlice || shards > 1;
  const read = await readFile(sql, head, { ...options, sha256: task.raw.sha256, isReadOnce });
  const { constants, zones } = read;
  // Only rows without a time make a difference to the first day, and to look for it is to read all
  // of the file.
  const extent = zones === undefined ? await extentOf(sql) : { from: undefined, zones };
  const isWhole = isOneSlice && !(read.isByItself && read.isLarge);
  const parts = isWhole ? [whole] : await partsOf(sql, read, shards);
  const outcomes: UnitOutcome[] = [];
  for (const { date } of task.days) {
    task.progress(`readings of ${date}`);
    const undated = date === extent.from ? ' OR start_s IS NULL' : '';
    const where = `${inDaySql(date, extent.zones)}${undated}`;
    const outputs: Record<string, { readonly path: string; readonly rows: number }> = {};
    for (const { output, from, carried } of parts) {
      const texts = await textsOf(sql, from, where, constants);
      const ordered = orderedSql(from, where, { constants, texts, ...definedMembers({ carried }) });
      const slice = await copyTable(sql, ordered, `${output}-${date}`);
      if (slice.rows > 0) outputs[output] = slice;
    }
    const rows = Object.values(outputs).reduce((sum, slice) => sum + slice.rows, 0);
    const facts = { rows, published_columns: Object.keys(SLICE_COLUMNS).length };
    outcomes.push({ scope: date, outputs, checks: [], facts });
  }
  return outcomes;
}

/** The rows of the file that belong to one output. */
interface PartOfRows {
  readonly output: string;
  readonly from: string;
  readonly carried?: CarriedTypes;
}

const whole: PartOfRows = { output: 'slice', from: 'readings_read' };

async function partsOf(sql: SqlSession, read: ReadFile, shards: number): Promise<PartOfRows[]> {
  if (!read.isKept) return partRows(sql, read, shards);
  return shards === 1 ? [whole] : keptParts(sql, shards);
}

/** The rows by shard of a table that is cheap to read, of those shards that it has rows of. */
async function keptParts(sql: SqlSession, of: number): Promise<PartOfRows[]> {
  const shard = shardNumberSql(of);
  const found = await sql.rows<{ shard: number }>(
    `SELECT DISTINCT ${shard} AS shard FROM readings_read`,
  );
  const there = new Set(found.map((row) => row.shard));
  const from = (index: number): string =>
    there.size === 1 ? 'readings_read' : `(SELECT * FROM readings_read WHERE ${shard} = ${index})`;
  return shardsOf(of)
    .filter(({ index }) => there.has(index))
    .map((one) => ({ output: sliceOutput(one), from: from(one.index) }));
}

/**
 * The rows by shard, each in files of its own and in no order: then a day of one shard at a time is
 * sorted, which fits into memory, and the file itself is read once. So are the days of a large file
 * without shards: its rows are found by their numbers, a group of those that lie together after the
 * other.
 */
async function partRows(
  sql: SqlSession,
  { constants, published, isByItself }: Pick<ReadFile, 'constants' | 'published' | 'isByItself'>,
  shards: number,
): Promise<PartOfRows[]> {
  if (!isByItself) return partReadings(sql, constants, shards);
  const parts = await cutNumbered(sql, published, shards);
  return parts.map(({ shard, from }) => ({
    output: sliceOutput(shard),
    from,
    carried: CARRIED_TYPES,
  }));
}

async function partReadings(
  sql: SqlSession,
  constants: Constants,
  of: number,
): Promise<PartOfRows[]> {
  const zone = constants.zone === undefined ? '' : `, ${constants.zone} AS zone`;
  const rows = `SELECT ${ownColumns(constants)}, ${shardNumberSql(of)} AS shard FROM readings_read`;
  const parts = await cutByShard(sql, rows, of);
  return parts.map(({ shard, from }) => ({
    output: sliceOutput(shard),
    from: `(SELECT *${zone} FROM ${from})`,
  }));
}

/** What a file of readings holds. */
export async function recogniseReadings(
  head: FileHead,
  sql: SqlSession,
  secret: string,
): Promise<RecognisedFile> {
  const read = await readFile(sql, head, { sha256: '', secret, isReadOnce: true });
  const { dialect, extension, mediaType, spans } = read;
  const { from, to, rows } = spans === undefined ? await extentOf(sql) : extentOfSpans(spans);
  return {
    part: 'readings',
    kind: dialect?.title ?? 'joined readings',
    from,
    to,
    rows,
    extension,
    mediaType,
  };
}

/**
 * Any file may bring any reading of any day: rows are the same when all that they say is the same,
 * and no row takes another's place. Which of them counts is decided later, by rank. Hashes keep the
 * comparison of millions of rows small; that two of a day's rows have one hash by chance is one in
 * a million.
 */
export const READING_ROWS: RowMeaning = {
  key: `hash(meter_key, channel, start_s, step_min, revision, file_time, energy_wh, quality,
    refused,
    CASE WHEN refused IS NOT NULL THEN concat_ws('|', stamp, value, unit) END, label,
      avg_past_raw)`,
  within: 'meter_key',
  values: { reading: `'1'` },
  names: {},
};
