import { PipelineError, quoteText } from '../../kit/index.ts';
import type { CivilDate, Dataset, SliceTask, SqlSession, UnitOutcome } from '../../kit/index.ts';
import type { LinearColumns } from '../flux/linear.ts';
import { LINES_PART } from '../lines/part.ts';
import { sliceLines } from '../lines/slice-lines.ts';
import type { Piece } from './piece.ts';
import { OCCURRENCE_COLUMNS, readPieces } from './piece.ts';
import { copyRows, rowsOfCells, typedCell } from './tables.ts';

/**
 * A slice is what the archives of one day and flux hold: for each archive a row without document
 * that tells of it, and one row per occurrence with its record as JSON. The same archive counts
 * once; of two deliveries of it the one that could be read.
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

/** Cuts the pieces of days that are wanted; those of other days are passed over. */
export const sliceRawFile: Dataset['slice'] = async (task, sql) => {
  if (task.part === LINES_PART) return sliceLines(task, sql);
  const byDay = new Map<CivilDate, Piece[]>();
  for (const piece of await readPieces(task.raw.path)) {
    const { date } = piece.name;
    byDay.set(date, [...(byDay.get(date) ?? []), piece]);
  }
  const outcomes: UnitOutcome[] = [];
  for (const { date } of task.days) outcomes.push(await sliceOf(sql, task, date, byDay.get(date)));
  return outcomes;
};

async function sliceOf(
  sql: SqlSession,
  { part, progress }: SliceTask,
  date: CivilDate,
  delivered: readonly Piece[] | undefined,
): Promise<UnitOutcome> {
  const facts = { rows: 0, published_columns: Object.keys(SLICE_COLUMNS).length };
  if (delivered === undefined) return { scope: date, outputs: {}, checks: [], facts };
  progress(`${delivered.length} archives`);
  const pieces = wholeDeliveries(delivered);
  const slice = await copyRows(sql, rowsOf(pieces), `${part}-${date}`);
  const occurrences = pieces.flatMap(({ end }) =>
    'documents' in end ? end.documents.map((one) => one.occurrences) : [],
  );
  const expected = occurrences.reduce((sum, count) => sum + count, pieces.length);
  if (slice.rows !== expected)
    throw new PipelineError(
      'INTERNAL',
      `of ${expected} rows of ${part} of ${date} ${slice.rows} were written`,
    );
  return { scope: date, outputs: { slice }, checks: [], facts: { ...facts, rows: slice.rows } };
}

/**
 * Of equal deliveries the first that could be read counts; what failed is forgotten when the
 * archive came again and was whole.
 */
function wholeDeliveries(pieces: readonly Piece[]): Piece[] {
  const cameWhole = new Set(
    pieces.flatMap(({ head, end }) => ('documents' in end ? [head.archive] : [])),
  );
  const counted = new Map<string, Piece>();
  for (const piece of pieces) {
    const { head, end } = piece;
    const isWhole = 'documents' in end;
    const delivery = `${head.archive}/${head.sha256}`;
    const before = counted.get(delivery);
    if (!isWhole && cameWhole.has(head.archive)) continue;
    if (before === undefined || (isWhole && 'failure' in before.end)) counted.set(delivery, piece);
  }
  return [...counted.values()];
}

/** A row for each piece, and the rows of its occurrences, which the engine reads from its file. */
function rowsOf(pieces: readonly Piece[]): string {
  const columns = Object.keys(SLICE_COLUMNS);
  const archives = `(VALUES ${pieces.map(archiveRow).join(', ')}) AS pieces (${columns.join(', ')}, occurrences)`;
  const full = pieces.flatMap(({ end, occurrences }) =>
    'documents' in end && end.documents.some((document) => document.occurrences > 0)
      ? [{ file: occurrences, longest: end.longestLine }]
      : [],
  );
  const own = `SELECT ${columns.join(', ')} FROM ${archives}`;
  const order =
    'ORDER BY archive_timestamp, archive, archive_sha256, document NULLS FIRST, occurrence';
  if (full.length === 0) return `${own} ${order}`;
  const files = rowsOfCells(
    full.map(({ file }) => file),
    OCCURRENCE_COLUMNS,
    Math.max(...full.map(({ longest }) => longest)),
    // JSON has quotes of its own.
    `quote = '', escape = '', filename = 'occurrences'`,
  );
  const read = columns.map((column) =>
    column in OCCURRENCE_COLUMNS
      ? `read.${column}`
      : OF_ARCHIVE.includes(column)
        ? `pieces.${column}`
        : `NULL AS ${column}`,
  );
  return `${own} UNION ALL SELECT ${read.join(', ')} FROM ${files} AS read
    JOIN ${archives} USING (occurrences) ${order}`;
}

/** What the row of an occurrence says of its archive. */
const OF_ARCHIVE: readonly string[] = ['archive', 'archive_sha256', 'archive_timestamp'];

function archiveRow({ head, name, end, occurrences }: Piece): string {
  const { sequence, counter } = name;
  const known: Record<string, string | number | undefined> = {
    archive: name.name,
    archive_sha256: head.sha256,
    archive_timestamp: name.timestamp,
    archive_bytes: head.bytes,
    sequence_key: sequence?.key,
    sequence_number: sequence?.number,
    counter_rank: counter?.rank,
    counter_total: counter?.total,
    ...('documents' in end
      ? { documents: JSON.stringify(end.documents) }
      : { failure_cause: end.failure.cause, failure_message: end.failure.message }),
  };
  const cells = Object.entries(SLICE_COLUMNS).map(([column, kind]) =>
    typedCell(known[column], kind),
  );
  return `(${cells.join(', ')}, ${quoteText(occurrences)})`;
}
