import { PipelineError } from '../../errors.ts';
import { canonicalJson, sha256Hex } from '../../canonical-json.ts';
import { datesOfMonth, monthOf } from '../../pipelines/civil-date.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { ledgerKey } from '../../pipelines/ledger.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { periodsOf } from '../../pipelines/period.ts';
import { revisionOf } from '../../pipelines/revision.ts';
import { WHOLE_HISTORY } from '../../pipelines/scope.ts';
import { unsharded } from '../../pipelines/shard.ts';
import type { DaySpan, RowsOutput, TableDefinition } from '../../pipelines/tables.ts';
import { REVISIONS } from '../../pipelines/vocabulary.ts';
import type { CivilDate, Revision, Scope } from '../../pipelines/vocabulary.ts';
import { afterDayEnd } from '../../pipelines/zoned-day.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import type { Engine } from '../engine.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { monthsOf } from './known-versions.ts';
import type { KnownVersion, KnownVersions } from './known-versions.ts';
import { daysAtOnce } from './range-of-days.ts';

/**
 * Which files hold the rows of a table in a range of days, and what is to be said of them, without
 * reading one of them.
 */

/** A file of rows: of one scope, or of the days of a month together. */
export interface TablePiece {
  readonly scope: Scope;
  readonly ref: ArtefactRef;
}

/** The rows of a table over a span, found and not yet read. */
export interface TableCut {
  readonly table: TableDefinition;
  readonly span: DaySpan;
  /** Ascending by scope. */
  readonly pieces: readonly TablePiece[];
  /** The versions whose rows these are, ascending by scope. */
  readonly versions: readonly KnownVersion[];
  /** Scopes of the range that are due, and have no rows. */
  readonly missing: readonly Scope[];
  /**
   * Part of the due scopes that have rows, weighted by how much of each was observed; null where
   * none is due.
   */
  readonly coverage: number | null;
  /** The least final of all. */
  readonly revision: Revision | null;
  /** The last commit among the versions, ISO instant. */
  readonly committedAt: string | null;
  /**
   * Hash of the table, the range and the content of every file: equal rows, whatever files hold
   * them together.
   */
  readonly hash: string;
}

/** Both ends are included; days before the pipeline's first are left out. */
export interface CutRequest extends DaySpan {
  /** ISO instant: the data as they were known then. */
  readonly asOf?: string | undefined;
}

/** A table of the installation with its pipeline. */
export interface PlacedTable {
  readonly pipeline: string;
  readonly dataset: Dataset;
  readonly table: TableDefinition;
}

/** Every table of the datasets, by id; `PLAN_INVALID` when two have one id. */
export function tablesOf(
  datasets: Readonly<Record<string, Dataset>>,
): ReadonlyMap<string, PlacedTable> {
  const tables = new Map<string, PlacedTable>();
  for (const [pipeline, dataset] of Object.entries(datasets)) {
    for (const table of dataset.tables ?? []) {
      if (tables.has(table.id))
        throw new PipelineError('PLAN_INVALID', `two tables have the name ${table.id}`);
      tables.set(table.id, { pipeline, dataset, table });
    }
  }
  return tables;
}

/**
 * Files of whole months are taken where their rollup read exactly the files of the days.
 * `RANGE_TOO_LARGE` beyond thirty years of the pipeline.
 */
export async function cutTable(
  engine: Engine,
  known: KnownVersions,
  { pipeline, dataset, table }: PlacedTable,
  { from, to, asOf }: CutRequest,
): Promise<TableCut> {
  const { definition } = dataset;
  const begin = firstDayOf(definition);
  const dates = daysAtOnce(from < begin ? begin : from, to);
  const scopes = table.rows.each === 'day' ? dates : periodsOf(table.rows.each, dates);
  const newest = await known.newest(pipeline, scopes, asOf);
  const found = scopes.flatMap((scope) => {
    const version = newest.get(scope);
    return version === undefined
      ? []
      : filesOf(version, table.rows).map((ref) => ({ scope, ref, version }));
  });
  const versions = [...new Set(found.map(({ version }) => version))];
  const missing = missingOf(engine, definition, scopes, new Set(found.map(({ scope }) => scope)));
  return {
    table,
    span: { from, to },
    pieces: await withMonths(engine, known, { pipeline, table, dates, found, asOf }),
    versions,
    missing,
    coverage: coverageOf(versions, missing.length),
    revision: leastFinal(engine, definition, versions),
    committedAt: versions.reduce<string | null>(
      (last, { committedAt }) => (last === null || committedAt > last ? committedAt : last),
      null,
    ),
    hash: sha256Hex(
      canonicalJson([table.id, from, to, ...found.map(({ scope, ref }) => [scope, ref.sha256])]),
    ),
  };
}

/** The file of an output of a version, or those of its shards, ascending. */
export function filesOf(
  { outputs }: Pick<KnownVersion, 'outputs'>,
  { step, output }: RowsOutput,
): ArtefactRef[] {
  const own = outputs[`${step}:${output}`];
  if (own !== undefined) return [own];
  const shards = Object.entries(outputs).filter(([name]) => {
    const [id = '', of] = name.split(':');
    return of === output && unsharded(id) === step;
  });
  return shards.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ref]) => ref);
}

/** The first day of a scope, from which on it can have rows. */
function firstDateOf(definition: PipelineDefinition, scope: Scope): CivilDate {
  return scope === WHOLE_HISTORY ? firstDayOf(definition) : scope.padEnd(10, '-01');
}

function missingOf(
  engine: Engine,
  definition: PipelineDefinition,
  scopes: readonly Scope[],
  have: ReadonlySet<Scope>,
): Scope[] {
  const { zone, publication } = definition;
  const now = engine.now();
  const isDue = (scope: Scope): boolean =>
    afterDayEnd(firstDateOf(definition, scope), zone, publication.expectedAfter) <= now;
  return scopes.filter((scope) => !have.has(scope) && isDue(scope));
}

function coverageOf(versions: readonly KnownVersion[], missing: number): number | null {
  const all = versions.length + missing;
  if (all === 0) return null;
  const sum = versions.reduce((total, { facts }) => {
    const own = facts['coverage'];
    return total + (typeof own === 'number' ? own : 1);
  }, 0);
  return Math.floor((sum / all) * 10_000) / 10_000;
}

function leastFinal(
  engine: Engine,
  definition: PipelineDefinition,
  versions: readonly KnownVersion[],
): Revision | null {
  const now = engine.now();
  const are = new Set(
    versions.map(({ scope, facts }) =>
      revisionOf(definition, { scope: firstDateOf(definition, scope), facts }, now),
    ),
  );
  return REVISIONS.find((revision) => are.has(revision)) ?? null;
}

interface Days {
  readonly pipeline: string;
  readonly table: TableDefinition;
  readonly dates: readonly CivilDate[];
  readonly found: readonly TablePiece[];
  readonly asOf: string | undefined;
}

const LOOKS_AT_ONCE = 8;

/**
 * Whole months from their rollup, where that was made from exactly the files that the days have.
 */
async function withMonths(
  engine: Engine,
  known: KnownVersions,
  days: Days,
): Promise<readonly TablePiece[]> {
  const { pipeline, table, dates, found, asOf } = days;
  if (table.months === undefined) return found.map(({ scope, ref }) => ({ scope, ref }));
  const asked = new Set(dates);
  const whole = monthsOf(dates).filter((month) =>
    datesOfMonth(month).every((date) => asked.has(date)),
  );
  const rollups = await known.newest(pipeline, whole, asOf);
  const byMonth = new Map<string, TablePiece[]>();
  for (const piece of found)
    byMonth.set(monthOf(piece.scope), [...(byMonth.get(monthOf(piece.scope)) ?? []), piece]);
  const pieces = await mapConcurrent([...byMonth], LOOKS_AT_ONCE, async ([month, own]) => {
    const ref = await monthFile(engine, days, rollups.get(month), own);
    return ref === undefined
      ? own.map(({ scope, ref: day }) => ({ scope, ref: day }))
      : [{ scope: month, ref }];
  });
  return pieces.flat();
}

async function monthFile(
  engine: Engine,
  { pipeline, table }: Days,
  rollup: KnownVersion | undefined,
  days: readonly TablePiece[],
): Promise<ArtefactRef | undefined> {
  const { months } = table;
  const key = months === undefined ? undefined : rollup?.keys[months.step];
  if (months === undefined || rollup === undefined || key === undefined) return undefined;
  const entry = await engine.documents.get<LedgerEntry>(
    ledgerKey(pipeline, rollup.scope, months.step, key),
  );
  const read = entry?.body.inputs[months.input];
  const same =
    read?.length === days.length && days.every(({ ref }, index) => read[index] === ref.sha256);
  return same ? rollup.outputs[`${months.step}:${months.output}`] : undefined;
}
