import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { mapConcurrent } from '../src/activities/map-concurrent.ts';
import { finishRollup } from '../src/cli/runs.ts';
import { runDays } from '../src/cli/run.ts';
import { createTerminal } from '../src/cli/terminal.ts';
import { DATASETS } from '../src/datasets/registry.ts';
import { datesBetween, datesOfMonth } from '../src/pipelines/civil-date.ts';
import type { LocalArtefact, StagedOutput, UnitOutcome } from '../src/pipelines/dataset.ts';
import { zonedDay } from '../src/pipelines/zoned-day.ts';
import { createDuckDbEngine } from '../src/storage/duckdb.ts';
import { peakMemoryMb, report } from './figures.ts';
import { openInstallation } from './installation.ts';
import { serveMonthFiles, writeMonthFiles } from './month-files.ts';
import type { MonthFile } from './month-files.ts';

/** Bulk transformation and the whole way through `window` workflows, against bare DuckDB on the same files. */

const FIRST_YEAR = 2012;
const YEARS = 14;
const PART = 'cons-def';
/** SQL sessions that a worker has at once unless configured otherwise. */
const MONTHS_AT_ONCE = 2;

export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-bench-'));
  try {
    const files = await writeMonthFiles(path.join(folder, 'months'), FIRST_YEAR, YEARS);
    let floor = 0;
    for (const years of [1, YEARS]) {
      const chosen = files.slice(0, years * 12);
      floor = await bareDuckDb(chosen, path.join(folder, `floor-${years}`));
      const name = `bulk transform of ${years} year${years === 1 ? '' : 's'}: slices and core`;
      const value = await bulkTransform(chosen, path.join(folder, `bulk-${years}`), MONTHS_AT_ONCE);
      const note = `${MONTHS_AT_ONCE} months at once, as windows run`;
      report({ name, value, unit: 's', floor, target: 2, bounds: 'ratio', note });
      const alone = await bulkTransform(chosen, path.join(folder, `alone-${years}`), 1);
      report({ name: `${name}, one month at a time`, value: alone, unit: 's', floor });
    }
    const value = await throughWindows(path.join(folder, 'months'));
    report({ name: `${YEARS} years through windows, raw to rollups`, value, unit: 's', floor, target: 45 });
    report({ name: 'process memory peak', value: peakMemoryMb(), unit: 'MB', target: 700 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The floor: each month's CSV read and written as one Parquet file per day, by DuckDB alone. */
async function bareDuckDb(files: readonly MonthFile[], folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '1024MiB', threads: '2' });
  const connection = await instance.connect();
  const start = performance.now();
  for (const { month, path: file } of files) {
    await connection.run(
      `COPY (SELECT *, date AS day FROM read_csv('${file}', delim = ';', header = true))
       TO '${path.join(folder, month)}' (FORMAT parquet, PARTITION_BY (day))`,
    );
  }
  const seconds = (performance.now() - start) / 1000;
  connection.closeSync();
  instance.closeSync();
  return seconds;
}

/** Slices and core of the same files by the dataset's own steps, with the hashes that key them. */
async function bulkTransform(files: readonly MonthFile[], folder: string, atOnce: number): Promise<number> {
  const dataset = DATASETS['eco2mix'];
  const transform = dataset?.steps['transform/national'];
  if (dataset === undefined || transform?.kind !== 'sql') throw new Error('eco2mix has no SQL transform');
  const engine = createDuckDbEngine({ memoryLimitMb: 1024, threads: 2, scratchRoot: folder });
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
      const cores = await transform.run({ step: 'transform/national', params: {}, units, signal, ...quiet }, sql);
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
  const ref = { key: staged.path, sha256, bytes: bytes.byteLength, mediaType: 'application/vnd.apache.parquet' };
  return { scope: outcome.scope, path: staged.path, ref };
}

/** The product itself: download, slices, core, metrics, ledger and rollups of all years by `window` and `rollup` workflows. */
async function throughWindows(monthFiles: string): Promise<number> {
  const server = await serveMonthFiles(monthFiles);
  const installation = await openInstallation(DATASETS, {
    QUOTIDIEN_ODRE_URL: server.url,
    QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '1000',
    QUOTIDIEN_ROLLUP_QUIET_MS: '60000',
  });
  try {
    const dates = datesBetween(`${FIRST_YEAR}-01-01`, `${FIRST_YEAR + YEARS - 1}-12-31`);
    const terminal = createTerminal(process, true);
    const start = performance.now();
    const quiet = { ...terminal, note: () => undefined };
    const result = await runDays({ terminal: quiet }, installation.target, 'eco2mix', dates, { until: 'metrics' });
    const windowsDone = performance.now();
    await finishRollup(installation.target, 'eco2mix');
    const end = performance.now();
    if (result.committed !== dates.length)
      throw new Error(`only ${result.committed} of ${dates.length} days were made`);
    process.stderr.write(
      `  windows ${((windowsDone - start) / 1000).toFixed(1)} s, rollups ${((end - windowsDone) / 1000).toFixed(1)} s\n`,
    );
    return (end - start) / 1000;
  } finally {
    await installation.close();
    await server.close();
  }
}
