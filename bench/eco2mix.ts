import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { mapConcurrent } from '../src/engine/map-concurrent.ts';
import { DATASETS } from '../src/datasets/registry.ts';
import { datesOfMonth } from '../src/pipelines/civil-date.ts';
import type { LocalArtefact, StagedOutput, UnitOutcome } from '../src/pipelines/dataset.ts';
import { zonedDay } from '../src/pipelines/zoned-day.ts';
import { createDuckDbEngine } from '../src/storage/sql/duckdb.ts';
import { answerOf } from './child-answer.ts';
import { MEMORY_MB, bareCopy, bareLayout } from './bare-days.ts';
import type { Cost } from './bare-days.ts';
import { peakMemoryMb, report } from './figures.ts';
import { writeMonthFiles } from './month-files.ts';
import type { MonthFile } from './month-files.ts';
import { pandasDaysSeconds } from './pandas-days.ts';
import { monthTables } from './month-tables.ts';
import type { ThroughWindows } from './through-windows.ts';

/**
 * Bulk transformation and the whole way through `window` workflows, against bare DuckDB on the same
 * files.
 */

const FIRST_YEAR = 2012;
const YEARS = Number(process.env['BENCH_YEARS'] ?? 14);
const PART = 'cons-def';
/** SQL sessions that a worker has at once unless configured otherwise. */
const MONTHS_AT_ONCE = 2;

export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-bench-'));
  try {
    const files = await writeMonthFiles(path.join(folder, 'months'), FIRST_YEAR, YEARS);
    // First, because a journalling file system is slow to make files for minutes after many were
    // removed, as by the others.
    const through = await throughWindows(path.join(folder, 'months'));
    let bare: Cost = { seconds: 0, cpu: 0 };
    for (const years of new Set([1, YEARS])) {
      const chosen = files.slice(0, years * 12);
      bare = await bareCopy(chosen, path.join(folder, `floor-${years}`));
      const floor = bare.seconds;
      const name = `bulk transform of ${years} year${years === 1 ? '' : 's'}: slices and core`;
      const value = await bulkTransform(chosen, path.join(folder, `bulk-${years}`), MONTHS_AT_ONCE);
      const note = `${MONTHS_AT_ONCE} months at once: as many SQL sessions as a worker has`;
      report({ name, value, unit: 's', floor, target: 2, bounds: 'ratio', note });
      const alone = await bulkTransform(chosen, path.join(folder, `alone-${years}`), 1);
      report({ name: `${name}, one month at a time`, value: alone, unit: 's', floor });
    }
    await reportMonthTables(files.slice(0, 12), path.join(folder, 'tables'));
    report({
      name: 'memory peak of the transforms and their floor',
      value: peakMemoryMb(),
      unit: 'MB',
      target: 700,
    });
    const name = `${YEARS} years through windows, raw to rollups`;
    const value = through.windows + through.rollups;
    reportThroughWindows(name, through, bare, await bareLayout(files, path.join(folder, 'layout')));
    await besidePandas(name, value, path.join(folder, 'months'), path.join(folder, 'pandas'));
    report({ name: 'worker memory peak of that', value: through.peakMb, unit: 'MB', target: 700 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Beside the bare `COPY`, which is the aim, and beside the layout alone, which says how much of it
 * is the layout's and how much is ours.
 */
function reportThroughWindows(
  name: string,
  through: ThroughWindows,
  bare: Cost,
  layout: Cost,
): void {
  const value = through.windows + through.rollups;
  const parts = `windows ${through.windows.toFixed(1)} s, rollups ${through.rollups.toFixed(1)} s`;
  report({
    name,
    value,
    unit: 's',
    floor: bare.seconds,
    target: 3.5,
    bounds: 'ratio',
    note: parts,
  });
  const cpuNote =
    'without the Temporal server; with other work on the machine this says more than the time';
  report({ name: `${name}, CPU`, value: through.cpu, unit: 's', floor: bare.cpu, note: cpuNote });
  const ours =
    'floor: the same files of days and months, made by bare DuckDB and Node.js: the ratio is what our code costs';
  report({
    name: `${name}, beside its layout`,
    value,
    unit: 's',
    floor: layout.seconds,
    note: ours,
  });
  report({
    name: `${name}, beside its layout, CPU`,
    value: through.cpu,
    unit: 's',
    floor: layout.cpu,
    note: ours,
  });
  const theirs = 'floor: the bare COPY; the ratio is what the layout costs';
  report({
    name: 'that layout alone',
    value: layout.seconds,
    unit: 's',
    floor: bare.seconds,
    note: theirs,
  });
  report({
    name: 'that layout alone, CPU',
    value: layout.cpu,
    unit: 's',
    floor: bare.cpu,
    note: theirs,
  });
}

/**
 * What months could gain if they read a file that their window left, instead of day files; see the
 * handbook of benches.
 */
async function reportMonthTables(files: readonly MonthFile[], folder: string): Promise<void> {
  const { fromDays, fromOne, leavingOne } = await monthTables(files, folder);
  const note = `floor: from one file with their rows; leaving it costs the window ${leavingOne.toFixed(2)} s`;
  report({
    name: 'month tables of a year from day files, CPU',
    value: fromDays,
    unit: 's',
    floor: fromOne,
    note,
  });
}

/**
 * The target in seconds is for a machine on which that script takes 11: elsewhere the ratio says
 * the same.
 */
async function besidePandas(
  name: string,
  value: number,
  months: string,
  days: string,
): Promise<void> {
  const floor = await pandasDaysSeconds(months, days);
  if (floor === undefined) return;
  const note =
    'floor: a pandas script that makes day files and daily sums alone; target: 45 s beside 11 s';
  report({
    name: `${name}, beside bare pandas`,
    value,
    unit: 's',
    floor,
    target: 4.1,
    bounds: 'ratio',
    note,
  });
}

/** Slices and core of the same files by the dataset's own steps, with the hashes that key them. */
async function bulkTransform(
  files: readonly MonthFile[],
  folder: string,
  atOnce: number,
): Promise<number> {
  const dataset = DATASETS['eco2mix'];
  const transform = dataset?.steps['transform/national'];
  if (dataset === undefined || transform?.kind !== 'sql')
    throw new Error('eco2mix has no SQL transform');
  const engine = createDuckDbEngine({ memoryLimitMb: MEMORY_MB, threads: 2, scratchRoot: folder });
  const start = performance.now();
  await mapConcurrent(files, atOnce, async ({ month, path: file }) => {
    const days = datesOfMonth(month).map((date) => zonedDay(date, dataset.definition.zone));
    const quiet = { progress: () => undefined };
    await engine.session(async (sql) => {
      const raw = { path: file, sha256: month, bytes: 0 };
      const slices = await dataset.slice({ part: PART, raw, days, ...quiet }, sql);
      const units = await Promise.all(
        slices.map(async (slice, index) => ({
          scope: slice.scope,
          day: days[index]!,
          inputs: { [PART]: [await artefactOf(slice, 'slice')] },
        })),
      );
      const signal = new AbortController().signal;
      const cores = await transform.run(
        { step: 'transform/national', params: {}, units, signal, ...quiet },
        sql,
      );
      await Promise.all(cores.map((core) => artefactOf(core, 'core')));
    });
  });
  await engine.close();
  return (performance.now() - start) / 1000;
}

async function artefactOf(outcome: UnitOutcome, name: string): Promise<LocalArtefact> {
  if ('failure' in outcome) throw new Error(`${outcome.scope}: ${outcome.failure.message}`);
  const staged = outcome.outputs[name] as StagedOutput & { path: string };
  const bytes = await readFile(staged.path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const ref = {
    key: staged.path,
    sha256,
    bytes: bytes.byteLength,
    mediaType: 'application/vnd.apache.parquet',
  };
  return { scope: outcome.scope, path: staged.path, ref };
}

/**
 * The product itself, in a process of its own with the memory settings that the handbook gives for
 * a worker.
 */
async function throughWindows(months: string): Promise<ThroughWindows> {
  const script = fileURLToPath(new URL('./through-windows.ts', import.meta.url));
  const child = fork(script, [months, String(FIRST_YEAR), String(YEARS)], {
    execArgv: ['--import', 'tsx', '--max-old-space-size=320'],
    env: { ...process.env, MALLOC_ARENA_MAX: '2' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return answerOf(child, 'the run through windows');
}
