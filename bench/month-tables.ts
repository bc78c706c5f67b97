import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DATASETS } from '../src/datasets/registry.ts';
import { datesOfMonth } from '../src/pipelines/civil-date.ts';
import type {
  Dataset,
  LocalArtefact,
  StepImplementation,
  StepTask,
  UnitOutcome,
} from '../src/pipelines/dataset.ts';
import { zonedDay } from '../src/pipelines/zoned-day.ts';
import type { SqlSession } from '../src/ports/sql.ts';
import { createDuckDbEngine } from '../src/storage/sql/duckdb.ts';
import { ownCpuSeconds } from './process-usage.ts';
import type { MonthFile } from './month-files.ts';

/**
 * Processor seconds of the month tables of published rows and core; both ways give the same bytes.
 */
export interface MonthTables {
  /** From one file for each day, as the product makes them. */
  readonly fromDays: number;
  /** From one file with the rows of all days, as a window could leave it. */
  readonly fromOne: number;
  /** What such a file costs the window that leaves it. */
  readonly leavingOne: number;
}

const QUIET = { progress: () => undefined, signal: new AbortController().signal };

/**
 * Times `rollup/month` of eCO2mix over the months, each from day files and from a file of all their
 * rows.
 */
export async function monthTables(
  files: readonly MonthFile[],
  folder: string,
): Promise<MonthTables> {
  const dataset = DATASETS['eco2mix'];
  if (dataset === undefined) throw new Error('there is no eco2mix');
  const engine = createDuckDbEngine({ memoryLimitMb: 384, threads: 2, scratchRoot: folder });
  const sum = { fromDays: 0, fromOne: 0, leavingOne: 0 };
  for (const file of files) {
    await engine.session(async (sql) => {
      const days = await dayFiles(dataset, file, sql);
      const joined: Record<string, LocalArtefact[]> = {};
      for (const [name, artefacts] of Object.entries(days)) {
        await loadRows(sql, name, artefacts);
        sum.leavingOne += await cpuOf(
          async () => (joined[name] = [await leaveOne(sql, name, file.month)]),
        );
      }
      let [many, one]: UnitOutcome[] = [];
      sum.fromDays += await cpuOf(
        async () => ([many] = await month(dataset, file.month, days, sql)),
      );
      sum.fromOne += await cpuOf(
        async () => ([one] = await month(dataset, file.month, joined, sql)),
      );
      if ((await hashesOf(many)) !== (await hashesOf(one)))
        throw new Error(`${file.month} has other bytes from one file`);
    });
  }
  await engine.close();
  return sum;
}

async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = ownCpuSeconds();
  await work();
  return ownCpuSeconds() - before;
}

function month(
  dataset: Dataset,
  scope: string,
  inputs: Readonly<Record<string, LocalArtefact[]>>,
  sql: SqlSession,
) {
  return sqlStep(dataset, 'rollup/month').run(
    { step: 'rollup/month', params: {}, units: [{ scope, inputs }], ...QUIET },
    sql,
  );
}

function sqlStep(dataset: Dataset, id: string): Extract<StepImplementation, { kind: 'sql' }> {
  const step = dataset.steps[id];
  if (step?.kind !== 'sql') throw new Error(`${id} is no step in SQL`);
  return step;
}

/** Slices and core of a month's days, as the inputs of the month. */
async function dayFiles(dataset: Dataset, { month, path: file }: MonthFile, sql: SqlSession) {
  const days = datesOfMonth(month).map((date) => zonedDay(date, dataset.definition.zone));
  const raw = { path: file, sha256: month, bytes: 0 };
  const slices = (await dataset.slice({ part: 'cons-def', raw, days, ...QUIET }, sql)).map((one) =>
    artefactOf(one, 'slice'),
  );
  const units = slices.map((slice, index) => ({
    scope: slice.scope,
    day: days[index]!,
    inputs: { 'cons-def': [slice] },
  }));
  const transform: StepTask = { step: 'transform/national', params: {}, units, ...QUIET };
  const cores = await sqlStep(dataset, 'transform/national').run(transform, sql);
  return { raw_cons_def: slices, core: cores.map((one) => artefactOf(one, 'core')) };
}

function artefactOf(outcome: UnitOutcome, name: string): LocalArtefact {
  const staged = 'failure' in outcome ? undefined : outcome.outputs[name];
  if (staged === undefined || !('path' in staged))
    throw new Error(`${outcome.scope} has no ${name}`);
  return artefact(outcome.scope, staged.path);
}

function artefact(scope: string, file: string): LocalArtefact {
  return {
    scope,
    path: file,
    ref: { key: file, sha256: file, bytes: 0, mediaType: 'application/vnd.apache.parquet' },
  };
}

/** The rows of all days as a table, as the session of a window has them. */
async function loadRows(
  sql: SqlSession,
  name: string,
  artefacts: readonly LocalArtefact[],
): Promise<void> {
  const list = artefacts.map((one) => `'${one.path}'`).join(', ');
  await sql.run(`CREATE OR REPLACE TEMP TABLE rows_of_${name} AS
    SELECT * FROM read_parquet([${list}], hive_partitioning = false)`);
}

async function leaveOne(sql: SqlSession, name: string, scope: string): Promise<LocalArtefact> {
  const file = path.join(sql.scratch, `joined-${name}.parquet`);
  await sql.run(`COPY rows_of_${name} TO '${file}' (FORMAT parquet)`);
  return artefact(scope, file);
}

async function hashesOf(outcome: UnitOutcome | undefined): Promise<string> {
  const hashes: string[] = [];
  for (const name of ['core', 'raw_cons_def']) {
    const bytes = outcome === undefined ? '' : await readFile(artefactOf(outcome, name).path);
    hashes.push(createHash('sha256').update(bytes).digest('hex'));
  }
  return hashes.join();
}
