import { fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { meterList } from '@quotidien/sample-portal/meters/files';
import { finishRollup, resultOf, startBackfill } from '../src/cli/temporal/runs.ts';
import { DATASETS } from '../src/datasets/registry.ts';
import { importFile } from '../src/engine/download/import-file.ts';
import { addDays, datesBetween } from '../src/pipelines/civil-date.ts';
import { testControl } from '../test/fixtures/test-engine.ts';
import { answerOf } from './child-answer.ts';
import { peakMemoryMb, report } from './figures.ts';
import { openInstallation } from './installation.ts';
import type { BenchInstallation } from './installation.ts';
import { meterWorld } from './meter-files.ts';
import { ownCpuSeconds, restartOwnPeak } from './process-usage.ts';

/**
 * Months of meters, one after the other, in one installation: what a day of a meter costs in the
 * last of them beside the first, and whether memory grows. A month is imported from one bulk file
 * and made by the `backfill` workflow, with its rollups.
 */

const PIPELINE = 'smart-meter';
/** `BENCH_YEAR_METERS`, `BENCH_MONTHS`. */
const METERS = Number(process.env['BENCH_YEAR_METERS'] ?? 10_000);
const MONTHS = Number(process.env['BENCH_MONTHS'] ?? 12);
const YEAR = 2024;
/**
 * From here on all days have what they compare themselves with: fourteen weeks of seven days, which
 * the first week of April lacks.
 */
const WITH_HISTORY = 5;

/** What a month took. */
export interface MadeMonth {
  /** Processor seconds of a thousand days of meters. */
  readonly made: number;
  /** The same of import and of rollups. */
  readonly given: number;
  readonly rolled: number;
  readonly peakMb: number;
}

export async function run(): Promise<void> {
  const alone = [await firstMonthAlone()];
  const months: MadeMonth[] = [];
  await makeMonths(MONTHS, async (made) => {
    months.push(made);
    reportMonth(`month ${months.length}`, made);
    if (months.length === Math.ceil(MONTHS / 2)) alone.push(await firstMonthAlone());
  });
  alone.push(await firstMonthAlone());
  reportLast(months, alone.reduce((sum, cost) => sum + cost, 0) / alone.length);
}

/** Made in order in a new installation, each reported before the next. */
export async function makeMonths(
  count: number,
  onMonth: (made: MadeMonth) => Promise<void> | void,
): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-meter-year-'));
  const installation = await openInstallation(DATASETS, {
    QUOTIDIEN_METER_SECRET: 'a secret for a benchmark',
    QUOTIDIEN_ROLLUP_QUIET_MS: '600000',
  });
  try {
    const list = path.join(folder, 'meters.csv');
    await writeFile(list, meterList(meterWorld(METERS)));
    await importFile(installation.engine, PIPELINE, list, testControl());
    for (let month = 1; month <= count; month += 1)
      await onMonth(await makeMonth(installation, folder, month));
  } finally {
    await installation.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A year takes long enough for a machine to become slower or faster: the floor is the first month
 * in new processes before, halfway and after.
 */
async function firstMonthAlone(): Promise<number> {
  const child = fork(path.join(import.meta.dirname, 'meter-month-process.ts'));
  const made = await answerOf<MadeMonth>(child, 'the process of the month');
  reportMonth('the first month alone', made);
  return costOf(made);
}

function reportMonth(what: string, made: MadeMonth): void {
  const parts = `import ${made.given.toFixed(3)}, days ${made.made.toFixed(3)}, rollups ${made.rolled.toFixed(3)}, peak ${made.peakMb.toFixed(0)} MB`;
  report({ name: `  ${what}, 1,000 days of meters`, value: costOf(made), unit: 's', note: parts });
}

function costOf({ given, made, rolled }: MadeMonth): number {
  return given + made + rolled;
}

function reportLast(months: readonly MadeMonth[], alone: number): void {
  const last = months.at(-1);
  if (last === undefined) return;
  const sized = `${METERS} meters, ${months.length} months, processor time of import, days and rollups without the Temporal server`;
  report({
    name: 'a day of a meter over all months, beside the first month alone: 1,000 of them',
    value: months.reduce((sum, month) => sum + costOf(month), 0) / months.length,
    unit: 's',
    floor: alone,
    target: 1.1,
    bounds: 'ratio',
    note: sized,
  });
  const full = months[WITH_HISTORY - 1];
  if (full === undefined) return;
  report({
    name: `the same in the last month, beside month ${WITH_HISTORY}`,
    value: costOf(last),
    unit: 's',
    floor: costOf(full),
    target: 1.1,
    bounds: 'ratio',
    note: 'days of the first months have less before them to be compared with, so they cost less',
  });
  report({
    name: `peak of memory in the last month, beside month ${WITH_HISTORY}`,
    value: last.peakMb,
    unit: 'MB',
    floor: full.peakMb,
    target: 1.1,
    bounds: 'ratio',
    note: 'product, workers and bench in one process, each month by itself',
  });
}

async function makeMonth(
  { engine, target }: BenchInstallation,
  folder: string,
  month: number,
): Promise<MadeMonth> {
  const from = `${YEAR}-${String(month).padStart(2, '0')}-01`;
  const next =
    month === 12 ? `${YEAR + 1}-01-01` : `${YEAR}-${String(month + 1).padStart(2, '0')}-01`;
  const to = addDays(next, -1);
  const dates = datesBetween(from, to).length;
  const file = path.join(folder, `${from}.csv`);
  await writeMonth(file, from, next);
  restartOwnPeak();
  const given = await cpuOf(() => importFile(engine, PIPELINE, file, testControl()));
  const made = await cpuOf(async () => {
    const { done } = await resultOf(await startBackfill(target, { pipeline: PIPELINE, from, to }));
    if (done !== dates) throw new Error(`only ${done} of ${dates} days were made`);
  });
  const rolled = await cpuOf(() => finishRollup(target, PIPELINE));
  await rm(file);
  const each = 1_000 / (METERS * dates);
  return { given: given * each, made: made * each, rolled: rolled * each, peakMb: peakMemoryMb() };
}

/**
 * Half-hours of all meters, shaped by the clock and by chance: the generator of the sample portal
 * would take longer than all that is measured.
 */
async function writeMonth(file: string, from: string, next: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '256MB', threads: '2' });
  const connection = await instance.connect();
  const firstId = 10_000_000_000_000 + 100_000_000;
  await connection.run(`SET TimeZone = 'Europe/Paris'`);
  await connection.run(`COPY (
      SELECT meter + ${firstId} AS meter_id,
        strftime(timezone('UTC', begins), '%Y-%m-%dT%H:%M:%SZ') AS start_at,
        CAST((60 + meter % 400) * (1.2 + sin((hour(begins) - 13) * 0.26)) * (0.5
          + (hash(meter, begins) % 1000) / 1000.0) AS INTEGER) AS wh,
        'import' AS channel, 'A' AS quality, 'BRUT' AS revision
      FROM range(${METERS}) AS meters(meter),
        generate_series(TIMESTAMPTZ '${from} 00:00',
        TIMESTAMPTZ '${next} 00:00' - INTERVAL 30 MINUTE, INTERVAL 30 MINUTE) AS times(begins)
    ) TO '${file}' (FORMAT CSV, HEADER)`);
  connection.closeSync();
  instance.closeSync();
}

async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = ownCpuSeconds();
  await work();
  return ownCpuSeconds() - before;
}
