import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { cityflow } from '../src/datasets/cityflow/index.ts';
import { addDays, datesBetween } from '../src/pipelines/civil-date.ts';
import type {
  LocalArtefact,
  StagedOutput,
  StepUnit,
  UnitOutcome,
} from '../src/pipelines/dataset.ts';
import { zonedDay } from '../src/pipelines/zoned-day.ts';
import { createDuckDbEngine } from '../src/storage/sql/duckdb.ts';
import { encodeFlatParquet } from '../src/storage/sql/parquet-export.ts';
import type { SqlSession } from '../src/ports/sql.ts';
import { FIRST_DAY, writeCounts } from './city-counts.ts';
import { report } from './figures.ts';
import { originalSeconds } from './original-counts.ts';

/** The road counts of 13 months, 20 million rows, against bare DuckDB on the same file. */

const DAYS = Number(process.env['BENCH_CITY_DAYS'] ?? 396);
/** Two million rows: what the original's way of reading is timed on. */
const CUT_DAYS = 40;
const MEMORY_MB = 1_024;

export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-city-'));
  try {
    const cut = path.join(folder, 'cut.csv');
    await writeCounts(cut, CUT_DAYS);
    const ours = await partitionAndMeasure(cut, CUT_DAYS, path.join(folder, 'cut'));
    const original = await originalSeconds(cut);
    report({
      name: `road counts, ${CUT_DAYS} days: slices, core, a day’s metrics and report`,
      value: ours.slices + ours.core + ours.day,
      unit: 's',
      ...(original === undefined
        ? { note: 'pandas could not be installed: not compared with the original way' }
        : {
            floor: original,
            target: 0.2,
            bounds: 'ratio' as const,
            note: 'floor: the original’s pandas chunks',
          }),
    });
    await rm(cut);
    await fullSize(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fullSize(folder: string): Promise<void> {
  const file = path.join(folder, 'counts.csv');
  await writeCounts(file, DAYS);
  const { size } = await stat(file);
  const before = await bareCopy(file, path.join(folder, 'floor.parquet'));
  await resetPeak();
  const timed = await partitionAndMeasure(file, DAYS, path.join(folder, 'own'));
  const peakMb = await peakOfProcessMb();
  // Minutes lie between the two: a machine that has other work meanwhile counts in both.
  const after = await bareCopy(file, path.join(folder, 'floor.parquet'));
  const note = `${timed.rows} rows, ${(size / 1e9).toFixed(2)} GB of CSV`;
  report({
    name: `road counts, ${DAYS} days: slices and core`,
    value: timed.slices + timed.core,
    unit: 's',
    floor: (before + after) / 2,
    target: 2.2,
    bounds: 'ratio',
    note: `${note}; COPY ${before.toFixed(0)} s before and ${after.toFixed(0)} s after; slices ${timed.slices.toFixed(0)} s, core ${timed.core.toFixed(0)} s`,
  });
  report({
    name: 'road counts: metrics and report of one further day',
    value: timed.day,
    unit: 's',
    target: 3,
  });
  report({ name: 'road counts: process memory peak', value: peakMb, unit: 'MB', target: 1_200 });
}

/** The floor: the file read and written as one Parquet table by DuckDB alone. */
async function bareCopy(file: string, target: string): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${MEMORY_MB}MiB`,
    threads: '2',
  });
  const connection = await instance.connect();
  const seconds = await secondsOf(() =>
    connection.run(
      `COPY (FROM read_csv('${file}', delim = ';', header = true, all_varchar = true)) TO
        '${target}' (FORMAT parquet)`,
    ),
  );
  connection.closeSync();
  instance.closeSync();
  await rm(target);
  return seconds;
}

interface Timed {
  readonly rows: number;
  readonly slices: number;
  readonly core: number;
  /** Metrics and report of one day. */
  readonly day: number;
}

const quiet = { progress: () => undefined, signal: new AbortController().signal };

async function partitionAndMeasure(
  file: string,
  days: number,
  scratchRoot: string,
): Promise<Timed> {
  const engine = createDuckDbEngine({ memoryLimitMb: MEMORY_MB, threads: 2, scratchRoot });
  const dates = datesBetween(FIRST_DAY, addDays(FIRST_DAY, days - 1));
  try {
    return await engine.session(async (sql) => {
      const zoned = dates.map((date) => zonedDay(date, cityflow.definition.zone));
      const raw = { path: file, sha256: '', bytes: 0 };
      let slices: readonly UnitOutcome[] = [];
      const sliceSeconds = await secondsOf(async () => {
        slices = await cityflow.slice({ part: 'comptages', raw, days: zoned, ...quiet }, sql);
      });
      let cores: readonly UnitOutcome[] = [];
      const units = slices.map((slice): StepUnit =>
        unitOf(slice.scope, { comptages: [artefactOf(slice, 'slice')] }),
      );
      const coreSeconds = await secondsOf(async () => {
        cores = await step(sql, 'transform/comptages', units);
      });
      const core = cores[Math.floor(cores.length / 2)]!;
      const day = await secondsOf(() => measureDay(sql, core, scratchRoot));
      return { rows: rowsOf(slices), slices: sliceSeconds, core: coreSeconds, day };
    });
  } finally {
    await engine.close();
  }
}

async function measureDay(sql: SqlSession, core: UnitOutcome, folder: string): Promise<void> {
  const inputs = { core: [artefactOf(core, 'core')], arcs: [artefactOf(core, 'arcs')] };
  const [metrics] = await step(sql, 'metrics/comptages', [unitOf(core.scope, inputs)]);
  if (metrics === undefined || 'failure' in metrics)
    throw new Error(`no metrics came of ${core.scope}`);
  const kept = path.join(folder, 'metrics.json');
  await writeFile(kept, (metrics.outputs['metrics'] as { bytes: Uint8Array }).bytes);
  const artefact = {
    scope: core.scope,
    path: kept,
    ref: { key: kept, sha256: '', bytes: 0, mediaType: 'application/json' },
  };
  const daily = cityflow.steps['report/daily'];
  if (daily?.kind !== 'plain') throw new Error('the report needs no SQL engine');
  const tools = {
    read: (input: LocalArtefact) => readFile(input.path),
    writeFlatParquet: encodeFlatParquet,
  };
  await daily.run(
    {
      step: 'report/daily',
      params: {},
      units: [unitOf(core.scope, { comptages: [artefact] })],
      ...quiet,
    },
    tools,
  );
}

function unitOf(scope: string, inputs: StepUnit['inputs']): StepUnit {
  return { scope, day: zonedDay(scope, cityflow.definition.zone), inputs };
}

async function step(
  sql: SqlSession,
  id: string,
  units: readonly StepUnit[],
): Promise<readonly UnitOutcome[]> {
  const implementation = cityflow.steps[id];
  const definition = cityflow.definition.steps.find((candidate) => candidate.id === id);
  if (implementation?.kind !== 'sql' || definition === undefined)
    throw new Error(`${id} is no SQL step`);
  return implementation.run(
    { step: definition.id, params: definition.params ?? {}, units, ...quiet },
    sql,
  );
}

function artefactOf(outcome: UnitOutcome, name: string): LocalArtefact {
  if ('failure' in outcome) throw new Error(`${outcome.scope}: ${outcome.failure.message}`);
  const { path: file } = outcome.outputs[name] as StagedOutput & { path: string };
  const ref = { key: file, sha256: file, bytes: 0, mediaType: 'application/vnd.apache.parquet' };
  return { scope: outcome.scope, path: file, ref };
}

function rowsOf(slices: readonly UnitOutcome[]): number {
  return slices.reduce(
    (sum, slice) => sum + ('failure' in slice ? 0 : Number(slice.facts['rows'])),
    0,
  );
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Making the file takes memory too: the kernel forgets the peak so far. */
async function resetPeak(): Promise<void> {
  const handle = await open('/proc/self/clear_refs', 'w');
  await handle.write('5');
  await handle.close();
}

async function peakOfProcessMb(): Promise<number> {
  const [, kilobytes = '0'] =
    /^VmHWM:\s+(\d+) kB/m.exec(await readFile('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
