import { forEachUnit, required, utf8 } from '../../kit/index.ts';
import type {
  CheckDefinition,
  LocalArtefact,
  SqlSession,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import type { Delivered } from '../decode/archive-name.ts';
import { READERS } from '../flux/readers.ts';
import { makeRows } from './linear-rows.ts';
import type { MadeRows } from './linear-rows.ts';
import { copyRows, PLACE_ORDER } from './tables.ts';

/** `transform/<flux>`: the linear tables of a day's archives, and what came of each archive. */

/** Warns: an archive that cannot be read stops nothing that others say. */
export const ARCHIVE_CHECK: CheckDefinition = {
  id: 'archives-read',
  title: 'every archive of the day could be read',
  severity: 'warn',
};

/**
 * Of the slices that are read by one statement, unless one has more: their rows are on the scratch
 * disk together, in some 20 times as many.
 */
const SLICE_BYTES_TOGETHER = 2 ** 23;

/** The step of one flux; rows come from disk and go there in batches. */
export function transformOf(flux: Delivered): StepImplementation {
  return { kind: 'sql', run: (task, sql) => transformDays(flux, task, sql) };
}

async function transformDays(flux: Delivered, task: StepTask, sql: SqlSession) {
  const groups = groupsOf(task.units);
  let made: ReadonlyMap<string, MadeRows> = new Map();
  return forEachUnit(task, async (unit) => {
    const slice = sliceOf(unit);
    if (slice === undefined)
      return { scope: unit.scope, outputs: {}, checks: [], facts: { rows: 0 } };
    const group = groups.get(unit);
    if (group !== undefined) made = await makeTogether(sql, flux, group);
    const own = made.get(slice.path) ?? (await makeRows(sql, flux, [slice])).get(slice.path);
    return transformDay(flux, unit, required(own, 'the rows of a slice'), sql);
  });
}

function sliceOf({ inputs }: StepUnit): LocalArtefact | undefined {
  return inputs['slice']?.[0];
}

/** Slices that are read together, by the first of their units. */
function groupsOf(units: readonly StepUnit[]): ReadonlyMap<StepUnit, readonly LocalArtefact[]> {
  const groups = new Map<StepUnit, LocalArtefact[]>();
  let group: LocalArtefact[] = [];
  let free = 0;
  for (const unit of units) {
    const slice = sliceOf(unit);
    if (slice === undefined) continue;
    if (slice.ref.bytes > free) {
      group = [];
      groups.set(unit, group);
      free = SLICE_BYTES_TOGETHER;
    }
    group.push(slice);
    free -= slice.ref.bytes;
  }
  return groups;
}

/** What is wrong with one of the slices is to cost no other day: then each is read by itself. */
async function makeTogether(
  sql: SqlSession,
  flux: Delivered,
  slices: readonly LocalArtefact[],
): Promise<ReadonlyMap<string, MadeRows>> {
  try {
    return await makeRows(sql, flux, slices);
  } catch (error) {
    if (slices.length === 1) throw error;
    return new Map();
  }
}

async function transformDay(
  flux: Delivered,
  unit: StepUnit,
  { tables, archives, leftOut }: MadeRows,
  sql: SqlSession,
): Promise<UnitResult> {
  const outputs: Record<string, { path: string; rows: number }> = {};
  for (const { name } of READERS[flux].tables) {
    const rows = required(tables[name], 'the rows of a table');
    outputs[name] = await copyRows(sql, `SELECT * FROM ${rows} ORDER BY ${PLACE_ORDER}`, name);
  }
  const failed = archives.filter(({ failure_cause: cause }) => cause !== null);
  return {
    scope: unit.scope,
    outputs: {
      ...outputs,
      archives: {
        bytes: utf8(archives.map((line) => `${JSON.stringify(line)}\n`).join('')),
        rows: archives.length,
      },
    },
    checks: [
      {
        check: ARCHIVE_CHECK.id,
        severity: ARCHIVE_CHECK.severity,
        tested: archives.length,
        failed: failed.length,
        examples: failed
          .slice(0, 3)
          .map(({ archive, failure_cause: cause }) => ({ archive, cause })),
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
