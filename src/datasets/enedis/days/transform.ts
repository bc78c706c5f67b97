import { forEachUnit, parquetSql, utf8 } from '../../kit/index.ts';
import type {
  CheckDefinition,
  LocalArtefact,
  SqlSession,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import type { Delivered } from '../decode/archive-name.ts';
import type { LinearTable } from '../flux/linear.ts';
import { READERS } from '../flux/readers.ts';
import type { TreeObject } from '../flux/shape.ts';
import type { ArchiveLine } from '../report/model.ts';
import { copyRows, joinedLine, openRows, PLACE_COLUMNS, PLACE_ORDER } from './tables.ts';

/** `transform/<flux>`: the linear tables of a day's archives, and what came of each archive. */

/** Warns: an archive that cannot be read stops nothing that others say. */
export const ARCHIVE_CHECK: CheckDefinition = {
  id: 'archives-read',
  title: 'every archive of the day could be read',
  severity: 'warn',
};

/** The step of one flux, day by day; rows come from disk and go there in batches. */
export function transformOf(flux: Delivered): StepImplementation {
  return { kind: 'sql', run: (task, sql) => forEachUnit(task, (unit) => transformDay(flux, unit, sql)) };
}

interface SliceRow {
  readonly archive: string;
  readonly archive_sha256: string;
  readonly archive_timestamp: string;
  readonly document: string;
  readonly occurrence: number;
  readonly head: string;
  readonly record: string;
}

async function transformDay(flux: Delivered, unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const [slice] = unit.inputs['slice'] ?? [];
  if (slice === undefined) return { scope: unit.scope, outputs: {}, checks: [], facts: { rows: 0 } };
  const outputs: Record<string, { path: string; rows: number }> = {};
  const leftOut: Record<string, number> = {};
  for (const table of READERS[flux].tables) outputs[table.name] = await linearTable(sql, slice, table, leftOut);
  const archives = await archivesOf(sql, flux, slice);
  const failed = archives.filter(({ failure_cause: cause }) => cause !== null);
  return {
    scope: unit.scope,
    outputs: {
      ...outputs,
      archives: { bytes: utf8(archives.map((line) => `${JSON.stringify(line)}\n`).join('')), rows: archives.length },
    },
    checks: [
      {
        check: ARCHIVE_CHECK.id,
        severity: ARCHIVE_CHECK.severity,
        tested: archives.length,
        failed: failed.length,
        examples: failed.slice(0, 3).map(({ archive, failure_cause: cause }) => ({ archive, cause })),
      },
    ],
    facts: {
      rows: Object.values(outputs).reduce((sum, { rows }) => sum + rows, 0),
      archives: archives.length,
      failed_archives: failed.length,
      left_out: leftOut,
    },
  };
}

async function linearTable(
  sql: SqlSession,
  slice: LocalArtefact,
  table: LinearTable,
  leftOut: Record<string, number>,
): Promise<{ path: string; rows: number }> {
  const sink = openRows(sql, table.name);
  const headOf = lastHead();
  for await (const batch of recordsOf(sql, slice)) {
    let lines = '';
    for (const { head, record, ...place } of batch) {
      const { occurrence, document } = place;
      const source = { occurrence, head: headOf(head), record: JSON.parse(record) as TreeObject };
      const made = table.linear(source, document);
      for (const [name, count] of Object.entries(made.leftOut ?? {})) {
        if (count > 0) leftOut[`${table.name}_${name}`] = (leftOut[`${table.name}_${name}`] ?? 0) + count;
      }
      for (const [index, row] of made.rows.entries()) {
        lines += joinedLine({ ...place, position: index + 1 }, JSON.stringify(row));
      }
    }
    await sink.writeLines(lines);
  }
  const rows = await sink.close({ ...table.columns, ...PLACE_COLUMNS });
  return copyRows(sql, `SELECT * FROM ${rows} ORDER BY ${PLACE_ORDER}`, table.name);
}

/** The occurrences of a document have one head after the other, nearly always the same. */
function lastHead(): (json: string) => TreeObject {
  let last: { readonly json: string; readonly head: TreeObject } | undefined;
  return (json) => {
    if (last?.json !== json) last = { json, head: JSON.parse(json) as TreeObject };
    return last.head;
  };
}

/** In any order: rows are put in theirs when all are there, and the engine need not hold the records to sort them. */
function recordsOf(sql: SqlSession, slice: LocalArtefact): AsyncIterable<SliceRow[]> {
  return sql.batches<SliceRow>(
    `SELECT archive, archive_sha256, archive_timestamp, document, occurrence, head, record FROM ${parquetSql(slice.path)}
     WHERE document IS NOT NULL`,
  );
}

async function archivesOf(sql: SqlSession, flux: Delivered, slice: LocalArtefact): Promise<ArchiveLine[]> {
  const rows = await sql.rows<Omit<ArchiveLine, 'flux' | 'documents'> & { documents: string | null }>(
    `SELECT archive, archive_sha256, archive_timestamp, archive_bytes, sequence_key, sequence_number, counter_rank, counter_total,
       documents, failure_cause, failure_message FROM ${parquetSql(slice.path)} WHERE document IS NULL
     ORDER BY archive_timestamp, archive, archive_sha256`,
  );
  return rows.map((row) => {
    const documents = JSON.parse(row.documents ?? '[]') as ArchiveLine['documents'];
    return { flux, ...row, documents };
  });
}
