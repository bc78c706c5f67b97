import path from 'node:path';
import { errorCodeOf } from '../../errors.ts';
import { cutOtherwise } from '../../pipelines/ledger.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { unsharded } from '../../pipelines/shard.ts';
import { quoteText } from '../../pipelines/sql-text.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { openContent } from '../content-store.ts';
import type { Engine } from '../engine.ts';
import {
  addedRowsSql,
  columnsOfSlice,
  compareSlices,
  joinedRowsSql,
  nearSql,
  NOTHING_DIFFERS,
  rowsCompared,
  rowsOfSliceSql,
  togetherDiffer,
} from './compare-slices.ts';
import type { ReadableSlice, SliceComparison } from './compare-slices.ts';
import { SLICE } from './cut-slices.ts';
import type { Download, ShardsBeside } from './cut-slices.ts';
import type { ContestedDay } from './judge-day.ts';

/**
 * Days of a part that adds up and comes in shards: only the shards of which a delivery has rows are
 * held against what is known, and only those with new rows are written. One corrected unit costs
 * one shard, however many units there are.
 */

/** Rows of both slices, to be cut: files one after the other. */
export interface JoinedPiece {
  readonly paths: readonly string[];
  readonly rows: number;
  readonly columns: readonly string[];
}

/** What is known of a day and what was given, shard by shard. */
export interface JoinedShards {
  readonly comparison: SliceComparison;
  readonly pieces: readonly JoinedPiece[];
  /** The shards that stay as they are. */
  readonly beside: ShardsBeside;
}

/**
 * Whether the shards of a day can be joined one by one: where what is known came in the same ones.
 */
export function joinsByShard({ part, step }: Download, { known }: ContestedDay): boolean {
  return (
    part.addsUp === true && part.shards !== undefined && cutOtherwise(step, known) === undefined
  );
}

/** Undefined where what was given cannot be read. */
export async function joinShards(
  download: Download,
  sql: SqlSession,
  { known, fresh, delivery }: ContestedDay,
): Promise<JoinedShards | undefined> {
  const stays = new Map(Object.entries(known.outputs));
  const pieces: JoinedPiece[] = [];
  let comparison = lackedBy(fresh, known);
  for (const [output, ref] of Object.entries(fresh.outputs)) {
    const before = known.outputs[output];
    if (before?.sha256 === ref.sha256) continue;
    const given = await readable(download, sql, { outputs: { [output]: ref } });
    const there = before && (await readable(download, sql, { outputs: { [output]: before } }));
    if (given === undefined) return undefined;
    const own =
      there === undefined
        ? { ...NOTHING_DIFFERS, added: ref.rows ?? 1 }
        : await compareNear(sql, there, given, {
            rowsThere: before?.rows ?? 0,
            rowsGiven: ref.rows ?? 0,
          });
    comparison = togetherDiffer(comparison, own);
    if (own.added === 0) continue;
    const piece = await pieceOf(sql, `joined-${fresh.scope}-${output}`, {
      there,
      given,
      rowsThere: before?.rows ?? 0,
    });
    if (piece === undefined) continue;
    pieces.push(piece);
    stays.delete(output);
  }
  const raws = [...stays.keys()].map(
    (output) => [output, delivery.shards?.[output] ?? delivery.raw] as const,
  );
  return {
    comparison,
    pieces,
    beside: { slices: Object.fromEntries(stays), raws: Object.fromEntries(raws) },
  };
}

/** A shard as it is known and as it was given. */
interface BothShards {
  readonly there: ReadableSlice | undefined;
  readonly given: ReadableSlice;
  readonly rowsThere: number;
}

/**
 * A tenth of a shard is found among its rows for less than what it costs to compare all of them.
 */
const FEW_ROWS = 0.1;

/**
 * Where a shard gets few rows, only those that they may be the same as are looked at; all others
 * are known, and not given.
 */
async function compareNear(
  sql: SqlSession,
  there: ReadableSlice,
  given: ReadableSlice,
  { rowsThere, rowsGiven }: { readonly rowsThere: number; readonly rowsGiven: number },
): Promise<SliceComparison> {
  const where = rowsGiven <= FEW_ROWS * rowsThere ? nearSql(there, given) : undefined;
  if (where === undefined) return compareSlices(sql, there, given);
  const near = { ...there, where };
  const own = await compareSlices(sql, near, given);
  const others = rowsThere - (await rowsCompared(sql, near));
  return others === 0 ? own : togetherDiffer(own, { ...NOTHING_DIFFERS, lost: { rows: others } });
}

/**
 * What the shard is to be cut from; undefined where nothing is new. Known rows stay in the file in
 * which they are.
 */
async function pieceOf(
  sql: SqlSession,
  name: string,
  { there, given, rowsThere }: BothShards,
): Promise<JoinedPiece | undefined> {
  if (there === undefined) return writeRows(sql, name, rowsOfSliceSql(given));
  if (there.columns.join() !== given.columns.join()) {
    const piece = await writeRows(sql, name, joinedRowsSql(there, given));
    return piece.rows > rowsThere ? piece : undefined;
  }
  const { paths, rows, columns } = await writeRows(sql, name, addedRowsSql(there, given));
  return rows === 0
    ? undefined
    : { paths: [...there.paths, ...paths], rows: rowsThere + rows, columns };
}

/** Shards that are known and of which nothing was given: all their rows. */
function lackedBy(fresh: LedgerEntry, known: LedgerEntry): SliceComparison {
  const lacked = Object.entries(known.outputs).filter(([output]) => !(output in fresh.outputs));
  const rows = lacked.reduce((sum, [, ref]) => sum + (ref.rows ?? 1), 0);
  return rows === 0 ? NOTHING_DIFFERS : { ...NOTHING_DIFFERS, lost: { rows } };
}

/**
 * A slice whose rows can be held against others; undefined where nothing says what they mean, or
 * where it is gone or damaged.
 */
export async function readable(
  { engine, dataset, part }: Download,
  sql: SqlSession,
  { outputs }: Pick<LedgerEntry, 'outputs'>,
): Promise<ReadableSlice | undefined> {
  const files = await Promise.all(slicesIn(outputs).map((ref) => openUndamaged(engine, ref)));
  const paths = files.filter((file) => file !== undefined);
  if (paths.length === 0 || paths.length < files.length) return undefined;
  const columns = await columnsOfSlice(sql, paths);
  const meaning = dataset.rowsOf?.(part.id, columns);
  return meaning === undefined ? undefined : { paths, columns, meaning };
}

/** The slice of a day, or its shards, ascending. */
export function slicesIn(outputs: LedgerEntry['outputs']): ArtefactRef[] {
  const names = Object.keys(outputs).filter((name) => unsharded(name) === SLICE);
  return names.sort().flatMap((name) => outputs[name] ?? []);
}

async function openUndamaged(
  { objects }: Pick<Engine, 'objects'>,
  ref: ArtefactRef,
): Promise<string | undefined> {
  try {
    return await openContent(objects, ref);
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    return undefined;
  }
}

/** Writes rows that are to be cut. */
export async function writeRows(sql: SqlSession, name: string, rows: string): Promise<JoinedPiece> {
  const file = path.join(sql.scratch, `${name}.parquet`);
  const [copied] = await sql.rows<{ Count: number }>(
    `COPY (${rows}) TO ${quoteText(file)} (FORMAT PARQUET)`,
  );
  return { paths: [file], rows: copied?.Count ?? 0, columns: await columnsOfSlice(sql, [file]) };
}
