import path from 'node:path';
import { definedMembers, firstOf, lastOf, required } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { cutOtherwise, isEmptyEntry } from '../../pipelines/ledger.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { newestDeliveries } from '../../pipelines/receipt.ts';
import type { Delivery, KeptDay, Receipt } from '../../pipelines/receipt.ts';
import { quoteList, quoteText } from '../../pipelines/sql-text.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { compareSlices, joinedRowsSql, rowsOfSliceSql } from './compare-slices.ts';
import type { ReadableSlice, SliceComparison } from './compare-slices.ts';
import { putContent } from '../content-store.ts';
import { sliceAndCommit } from './cut-slices.ts';
import type { Download, ShardsBeside } from './cut-slices.ts';
import { sqlOf } from '../engine.ts';
import type { RawAnswer } from './fetch-raw.ts';
import { judgeDay, lackingOf } from './judge-day.ts';
import type { ContestedDay, DayRemark, GivenAnswer, JudgedDay, Noted } from './judge-day.ts';
import { joinsByShard, joinShards, readable, slicesIn, writeRows } from './join-shards.ts';
import type { JoinedPiece } from './join-shards.ts';
import { listDateOf, nearnessOf } from './nearer-list.ts';
import { readLedger } from '../records/ledger-reader.ts';

/**
 * What becomes of days after an answer. What is known of a day stays until an answer has as much:
 * publishers clear what grew old, files are cut off, columns are renamed, and none of that says
 * that what was published never was. Invariants, cited by
 * `test/unit/activities-read/smaller-answers.test.ts` and `test/unit/cityflow/adding-up.test.ts`:
 * 1. An answer with as many values of each column and subject counts as it is: a correction, or a
 *    withdrawal with a replacement.
 * 2. Of a part that adds up, rows that are new and contradict nothing are added to the known ones,
 *    whoever came first.
 * 3. Otherwise the day stays as it was, and a note says what the answer lacks. Who knows better
 *    forces the step, or the import.
 */

/** What stands for a day in place of what an answer alone gives. */
export interface KeptEntry extends KeptDay {
  readonly entry: LedgerEntry;
  readonly how: 'ran' | 'reused';
}

/** The days that do not take the answer as it is; all others do. */
export interface SettledAnswer {
  readonly kept: ReadonlyMap<CivilDate, KeptEntry>;
  readonly remarks: readonly DayRemark[];
}

/** Holds the slices of an answer against what the receipts say is known of their days. */
export async function settleAnswer(
  download: Download,
  receipts: readonly Receipt[],
  entries: readonly LedgerEntry[],
  answer: GivenAnswer,
): Promise<SettledAnswer> {
  const contested = await contestedDays(download, receipts, entries);
  const kept = new Map<CivilDate, KeptEntry>();
  for (const { known, delivery, fresh } of contested.filter((day) => isEmptyEntry(day.fresh))) {
    kept.set(fresh.scope, { ...stayed(delivery), entry: known, how: 'reused' });
  }
  const { nearer, full } = byNearness(download, receipts, contested, answer);
  for (const { day } of nearer)
    kept.set(day.fresh.scope, { ...stayed(day.delivery), entry: day.known, how: 'reused' });
  const remarks = nearer.map(({ remark }) => remark);
  if (full.length === 0 || download.dataset.rowsOf === undefined) return { kept, remarks };
  const { judged, joined } = await compareDays(download, full, answer);
  for (const { day, keeps } of judged) {
    if (keeps)
      kept.set(day.fresh.scope, {
        ...stayed(day.delivery),
        ...day.noted,
        entry: day.known,
        how: 'reused',
      });
  }
  for (const { raw, days } of joined) {
    for (const entry of await sliceJoined(download, days, raw, answer)) {
      const day = days.find(({ date }) => date === entry.scope);
      const shards = day?.beside?.raws;
      kept.set(entry.scope, {
        key: entry.key,
        raw,
        ...definedMembers({ shards }),
        ...day?.noted,
        entry,
        how: 'ran',
      });
    }
  }
  return { kept, remarks: [...remarks, ...judged.flatMap(({ remark }) => remark ?? [])] };
}

interface NearerDay {
  readonly day: ContestedDay;
  readonly remark: DayRemark;
}

/**
 * Of lists: the days whose known list is nearer, which stays, and those of which both tell alike.
 * Other answers are held against each other.
 */
function byNearness(
  { part }: Download,
  receipts: readonly Receipt[],
  contested: readonly ContestedDay[],
  { origin }: GivenAnswer,
): { nearer: readonly NearerDay[]; full: readonly ContestedDay[] } {
  const filled = contested.filter(({ fresh }) => !isEmptyEntry(fresh));
  if (part.listed === undefined) return { nearer: [], full: filled };
  const nearer: NearerDay[] = [];
  const full: ContestedDay[] = [];
  for (const day of filled) {
    const { scope: date } = day.fresh;
    const known = listDateOf(receipts, day.delivery.raw);
    const nearness = nearnessOf(date, known, origin);
    if (nearness === 'same') full.push(day);
    if (nearness !== 'farther') continue;
    const [stays, came] = [
      required(known, 'the day of the list'),
      required(origin.asOf, 'the day of the new list'),
    ];
    const text = `the list of ${stays} stays, which is nearer to the day than that of ${came}`;
    nearer.push({ day, remark: { date, text } });
  }
  return { nearer, full };
}

async function contestedDays(
  { engine, dataset, step }: Download,
  receipts: readonly Receipt[],
  entries: readonly LedgerEntry[],
): Promise<ContestedDay[]> {
  const standing = newestDeliveries(receipts);
  const others = entries.filter(({ scope, key }) => {
    const delivery = standing.get(scope);
    return delivery !== undefined && delivery.key !== key;
  });
  if (others.length === 0) return [];
  const dates = others.map(({ scope }) => scope);
  const ledger = await readLedger(engine.documents, dataset.definition.name, dates);
  return others.flatMap((fresh) => {
    const delivery = standing.get(fresh.scope);
    const known = ledger
      .get(fresh.scope)
      ?.find(({ step: id, key }) => id === step.id && key === delivery?.key);
    return delivery === undefined || known === undefined || isEmptyEntry(known)
      ? []
      : [{ delivery, known, fresh }];
  });
}

function stayed({ key, raw, shards, note }: Delivery): KeptDay {
  return { key, raw, ...definedMembers({ shards, note }) };
}

interface JoinedDay {
  readonly date: CivilDate;
  readonly noted: Noted;
  /** Of all rows, or one for each shard that has new ones. */
  readonly pieces: readonly JoinedPiece[];
  /** The shards that stay as they are. */
  readonly beside?: ShardsBeside;
}

/** Days whose joined rows are stored as one raw file. */
interface JoinedFile {
  readonly raw: ArtefactRef;
  readonly days: readonly JoinedDay[];
}

async function compareDays(
  download: Download,
  days: readonly ContestedDay[],
  answer: GivenAnswer,
): Promise<{ judged: readonly JudgedDay[]; joined: readonly JoinedFile[] }> {
  const { engine, control } = download;
  return sqlOf(engine).session(
    async (sql) => {
      const judged: JudgedDay[] = [];
      const joined: JoinedDay[] = [];
      const compare = comparedOnce(download, sql);
      for (const day of days) {
        const inShards = joinsByShard(download, day);
        const found = inShards ? await joinShards(download, sql, day) : await compare(day);
        if (found === undefined) continue;
        const { comparison } = found;
        const lacking =
          'known' in found ? lackingOf(download, found.known, comparison) : comparison.lost;
        const verdict = judgeDay(download, day, lacking, { ...comparison, ...answer });
        judged.push(verdict);
        const { noted } = verdict.day;
        const more = 'known' in found ? await joinWhole(download, sql, day, found) : found;
        if (verdict.keeps && more.pieces.length > 0)
          joined.push({ date: day.fresh.scope, noted, ...more });
        control.progress(`compared ${judged.length} of ${days.length} days with what is known`);
      }
      return { judged, joined: await storeJoined(download, sql, joined) };
    },
    { signal: control.signal },
  );
}

interface Compared {
  readonly known: ReadableSlice;
  readonly fresh: ReadableSlice;
  readonly comparison: SliceComparison;
}

/**
 * Slices that thousands of days share are compared once; joining needs the rows that were compared
 * last.
 */
function comparedOnce(
  download: Download,
  sql: SqlSession,
): (day: ContestedDay) => Promise<Compared | undefined> {
  const compared = new Map<string, Promise<Compared | undefined>>();
  const compare = async ({
    known: before,
    fresh: after,
  }: ContestedDay): Promise<Compared | undefined> => {
    const [known, fresh] = [
      await readable(download, sql, before),
      await readable(download, sql, after),
    ];
    if (known === undefined || fresh === undefined) return undefined;
    return { known, fresh, comparison: await compareSlices(sql, known, fresh) };
  };
  return (day) => {
    if (download.part.addsUp === true) return compare(day);
    const hashes = (entry: LedgerEntry) => slicesIn(entry.outputs).map(({ sha256 }) => sha256);
    const pair = `${hashes(day.known).join()} ${hashes(day.fresh).join()}`;
    const found = compared.get(pair) ?? compare(day);
    compared.set(pair, found);
    return found;
  };
}

/**
 * All rows of both slices, of a part that adds up and where there are more than before. Slices that
 * came whole, or in other shards, are written anew also without new rows.
 */
async function joinWhole(
  { part, step }: Download,
  sql: SqlSession,
  day: ContestedDay,
  { known, fresh, comparison }: Compared,
): Promise<{ readonly pieces: readonly JoinedPiece[] }> {
  const isOtherwise = cutOtherwise(step, day.known) !== undefined;
  const adds = part.addsUp === true;
  if (!isOtherwise && (!adds || comparison.added === 0)) return { pieces: [] };
  const rows = adds ? joinedRowsSql(known, fresh) : rowsOfSliceSql(known);
  const piece = await writeRows(sql, `joined-${day.fresh.scope}`, rows);
  return { pieces: isOtherwise || piece.rows > rowsOf(day.known) ? [piece] : [] };
}

function rowsOf({ outputs }: LedgerEntry): number {
  return slicesIn(outputs).reduce((sum, { rows = 0 }) => sum + rows, 0);
}

const JOINED_FORMS = {
  csv: {
    extension: 'csv',
    mediaType: 'text/csv',
    format: `FORMAT CSV, HEADER, DELIMITER ';', QUOTE '"', ESCAPE '"'`,
  },
  parquet: {
    extension: 'parquet',
    mediaType: 'application/vnd.apache.parquet',
    format: 'FORMAT PARQUET, COMPRESSION ZSTD, ROW_GROUP_SIZE 122880',
  },
} as const;

/**
 * Stores the joined rows of days as raw files, one for all days with the same columns. Cut from
 * such a file, a joined day has the bytes that one file with all its rows would give, and can be
 * cut again like any other.
 */
async function storeJoined(
  { engine, dataset, part }: Download,
  sql: SqlSession,
  joined: readonly JoinedDay[],
): Promise<JoinedFile[]> {
  const alike = new Map<string, JoinedDay[]>();
  for (const day of joined) {
    const columns = [...new Set(day.pieces.map((piece) => JSON.stringify(piece.columns)))].join();
    alike.set(columns, [...(alike.get(columns) ?? []), day]);
  }
  const files: JoinedFile[] = [];
  for (const days of alike.values()) {
    const { extension, mediaType, format } = JOINED_FORMS[part.joinedAs ?? 'csv'];
    const file = path.join(sql.scratch, `joined-${files.length}.${extension}`);
    const paths = days.flatMap(({ pieces }) => pieces.flatMap((piece) => piece.paths));
    const rows = `read_parquet(${quoteList(paths)}, union_by_name = true, hive_partitioning = false)`;
    await sql.run(`COPY (FROM ${rows}) TO ${quoteText(file)} (${format})`);
    const folder = `raw/${dataset.definition.name}/${part.id}/${firstOf(days).date}_${lastOf(days).date}`;
    files.push({
      raw: await putContent(engine.objects, { folder, extension, mediaType }, { path: file }),
      days,
    });
  }
  return files;
}

async function sliceJoined(
  download: Download,
  days: readonly JoinedDay[],
  raw: ArtefactRef,
  answer: RawAnswer,
): Promise<readonly LedgerEntry[]> {
  const origin = {
    ...answer.origin,
    url: `joined:${answer.origin.url}`,
    etag: null,
    lastModified: null,
    raw,
  };
  const dates = days.map(({ date }) => date);
  const beside = new Map(
    days.flatMap((day) => (day.beside === undefined ? [] : [[day.date, day.beside] as const])),
  );
  const { entries } = await sliceAndCommit(download, dates, { ...answer, origin }, { beside });
  if (entries.length === dates.length) return entries;
  throw new PipelineError(
    'INTERNAL',
    `the joined rows of ${dates.join(', ')} in ${raw.key} cannot all be cut`,
  );
}
