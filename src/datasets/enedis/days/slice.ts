import type { CivilDate, Dataset, SliceTask, SqlSession, UnitOutcome } from '../../kit/index.ts';
import type { ArchiveName } from '../decode/archive-name.ts';
import type { LinearColumns } from '../flux/linear.ts';
import { LINES_PART } from '../lines/part.ts';
import { sliceLines } from '../lines/slice-lines.ts';
import type { PieceEnd, PieceHead } from './piece.ts';
import { readPieces } from './piece.ts';
import { copyRows, joinedLine, openRows } from './tables.ts';
import type { RowSink } from './tables.ts';

/**
 * A slice is what the archives of one day and flux hold: for each archive a row without document that tells of it, and one row per occurrence with its
 * record as JSON. The same archive counts once; of two deliveries of it the one that could be read.
 */
export const SLICE_COLUMNS: LinearColumns = {
  archive: 'text',
  archive_sha256: 'text',
  archive_timestamp: 'text',
  archive_bytes: 'integer',
  sequence_key: 'text',
  sequence_number: 'integer',
  counter_rank: 'integer',
  counter_total: 'integer',
  documents: 'text',
  failure_cause: 'text',
  failure_message: 'text',
  document: 'text',
  occurrence: 'integer',
  head: 'text',
  record: 'text',
};

/** Of equal deliveries the first that could be read counts; what failed is forgotten when the archive came again and was whole. */
const WHOLE_DELIVERIES = `
  WITH counted AS (
    SELECT *, dense_rank() OVER (PARTITION BY archive, archive_sha256 ORDER BY is_failed, delivery) AS choice,
      bool_or(NOT is_failed) OVER (PARTITION BY archive) AS came_whole FROM pieces
  )
  SELECT * EXCLUDE (choice, came_whole, is_failed, delivery) FROM counted
  WHERE choice = 1 AND NOT (is_failed AND came_whole)
  ORDER BY archive_timestamp, archive, archive_sha256, document NULLS FIRST, occurrence`;

/** Reads the pieces once for all days; rows of other days are passed over. */
export const sliceRawFile: Dataset['slice'] = async (task, sql) => {
  if (task.part === LINES_PART) return sliceLines(task, sql);
  const wanted = new Set(task.days.map(({ date }) => date));
  const sinks = new Map<CivilDate, RowSink>();
  await distribute(task, (date) => {
    if (!wanted.has(date)) return undefined;
    const sink = sinks.get(date) ?? openRows(sql, `${task.part}-${date}`);
    sinks.set(date, sink);
    return sink;
  });
  const outcomes: UnitOutcome[] = [];
  for (const { date } of task.days) outcomes.push(await sliceOf(sql, task, date, sinks.get(date)));
  return outcomes;
};

async function sliceOf(
  sql: SqlSession,
  { part }: SliceTask,
  date: CivilDate,
  sink: RowSink | undefined,
): Promise<UnitOutcome> {
  const facts = { rows: 0, published_columns: Object.keys(SLICE_COLUMNS).length };
  if (sink === undefined) return { scope: date, outputs: {}, checks: [], facts };
  const rows = await sink.close({ ...SLICE_COLUMNS, is_failed: 'boolean', delivery: 'integer' });
  await sql.run(`CREATE OR REPLACE TEMP TABLE pieces AS SELECT * FROM ${rows}`);
  const slice = await copyRows(sql, WHOLE_DELIVERIES, `${part}-${date}`);
  return { scope: date, outputs: { slice }, checks: [], facts: { ...facts, rows: slice.rows } };
}

/** Gives each archive with its occurrences to the sink of its day. */
async function distribute(
  { raw, progress }: SliceTask,
  sinkOf: (date: CivilDate) => RowSink | undefined,
): Promise<void> {
  let delivery = 0;
  let open: { head: PieceHead; name: ArchiveName } | undefined;
  for await (const event of readPieces(raw.path)) {
    if (event.kind === 'head') {
      delivery += 1;
      open = event;
      progress(`archive ${delivery}`);
      continue;
    }
    const sink = open === undefined ? undefined : sinkOf(open.name.date);
    if (open === undefined || sink === undefined) continue;
    const { head, name } = open;
    const own = { archive: name.name, archive_sha256: head.sha256, archive_timestamp: name.timestamp, delivery };
    // Only the last line says whether the archive could be read; an archive that could not has no occurrences.
    if (event.kind === 'record') await sink.writeLines(joinedLine({ ...own, is_failed: false }, event.line));
    else await sink.write({ ...own, is_failed: 'failure' in event.end, ...archiveRow(head, name, event.end) });
  }
}

function archiveRow({ bytes }: PieceHead, { sequence, counter }: ArchiveName, end: PieceEnd): object {
  const known = {
    archive_bytes: bytes,
    sequence_key: sequence?.key ?? null,
    sequence_number: sequence?.number ?? null,
    counter_rank: counter?.rank ?? null,
    counter_total: counter?.total ?? null,
  };
  if ('documents' in end) return { ...known, documents: JSON.stringify(end.documents) };
  return { ...known, failure_cause: end.failure.cause, failure_message: end.failure.message };
}
