import { forEachUnit, parquetSql, required, utf8 } from '../../kit/index.ts';
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
import { copyRows, DOCUMENT_PLACE, openRows, PLACE_ORDER, ROW_PLACE } from './tables.ts';

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

/** Where occurrences stand, and what their document says of all of them. */
interface Surroundings {
  readonly archive: string;
  readonly archive_sha256: string;
  readonly archive_timestamp: string;
  readonly document: string;
  readonly head: string;
}

const SURROUNDINGS = ['archive', 'archive_sha256', 'archive_timestamp', 'document', 'head'] as const;

/** A member is null where it is that of the row before. */
type SliceRow = { readonly occurrence: number; readonly record: string } & {
  readonly [Member in keyof Surroundings]: string | null;
};

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
  const sink = openRows(sql, table.name, table.columns, DOCUMENT_PLACE, ROW_PLACE);
  let around: (Surroundings & { readonly parsed: TreeObject }) | undefined;
  for await (const batch of recordsOf(sql, slice)) {
    for (const row of batch) {
      const { occurrence, record } = row;
      around = goOn(around, row);
      const source = { occurrence, head: around.parsed, record: JSON.parse(record) as TreeObject };
      const made = table.linear(source, around.document);
      for (const name in made.leftOut) {
        const count = made.leftOut[name] ?? 0;
        if (count > 0) leftOut[`${table.name}_${name}`] = (leftOut[`${table.name}_${name}`] ?? 0) + count;
      }
      for (const [index, own] of made.rows.entries()) sink.write(own, around, { occurrence, position: index + 1 });
    }
    await sink.drained();
  }
  return copyRows(sql, `SELECT * FROM ${await sink.close()} ORDER BY ${PLACE_ORDER}`, table.name);
}

function goOn(
  before: (Surroundings & { readonly parsed: TreeObject }) | undefined,
  row: SliceRow,
): Surroundings & { readonly parsed: TreeObject } {
  const changed = SURROUNDINGS.filter((member) => row[member] !== null);
  if (changed.length === 0) return required(before, 'what the first occurrence stands in');
  const now = { ...before, ...Object.fromEntries(changed.map((member) => [member, row[member]])) } as Surroundings;
  return { ...now, parsed: JSON.parse(now.head) as TreeObject };
}

/**
 * In any order: rows are put in theirs when all are there, and the engine need not hold the records to sort them. A text takes longer from the engine than
 * its share of the work, so those that come again are left out.
 */
function recordsOf(sql: SqlSession, slice: LocalArtefact): AsyncIterable<SliceRow[]> {
  const changes = SURROUNDINGS.map(
    (member) => `CASE WHEN ${member} IS DISTINCT FROM lag(${member}) OVER () THEN ${member} END AS ${member}`,
  );
  return sql.batches<SliceRow>(
    `SELECT CAST(occurrence AS INTEGER) AS occurrence, record, ${changes.join(', ')} FROM ${parquetSql(slice.path)}
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
