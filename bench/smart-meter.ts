import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { Forest } from '../src/datasets/smart-meter/anomalies/forest-scores.ts';
import { FOREST_DEFAULTS, growForest } from '../src/datasets/smart-meter/anomalies/forest.ts';
import { smartMeterWith } from '../src/datasets/smart-meter/index.ts';
import { READINGS_HEADER, readingLines } from '@quotidien/sample-portal/meters/files';
import { MeterWorld } from '@quotidien/sample-portal/meters/world';
import type { LocalArtefact, StagedOutput, UnitOutcome } from '../src/pipelines/dataset.ts';
import { zonedDay } from '../src/pipelines/zoned-day.ts';
import { createDuckDbEngine } from '../src/storage/sql/duckdb.ts';
import { report } from './figures.ts';

/** A day of many meters from a bulk file to its day tables, against the bare DuckDB steps; scoring; bytes of a reading. */

const METERS = Number(process.env['BENCH_METERS'] ?? 20_000);
const MEMORY_MB = 1_024;
const DATE = '2024-01-15';

export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-meters-'));
  try {
    scoring();
    const file = path.join(folder, 'readings.csv');
    const lines = await writeDay(file);
    const floor = await bareSeconds(file, folder);
    const ours = await ownSeconds(file, folder);
    const note = `${METERS} meters, ${lines} readings, one session; not a million, and no extrapolation`;
    report({
      name: 'a day of meters: slice, readings, day tables',
      value: ours.seconds,
      unit: 's',
      floor,
      target: 2.5,
      bounds: 'ratio',
      note,
    });
    report({
      name: 'bytes of a reading, sorted and compressed',
      value: ours.bytes / ours.rows,
      unit: 'B',
      floor: 1.49,
      target: 1.6,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A million meter-days of five features through 100 trees. */
function scoring(): void {
  const rows = 1_000_000;
  const columns = Array.from({ length: 5 }, (_, seed) =>
    Float32Array.from({ length: rows }, (__, row) => (Math.sin(row * (seed + 1.37)) * 1_000) % 1),
  );
  const forest = new Forest(growForest({ columns, rows }, { ...FOREST_DEFAULTS, seed: 1 }));
  const before = process.cpuUsage();
  forest.score({ columns, rows });
  const { user, system } = process.cpuUsage(before);
  report({
    name: 'scoring 1,000,000 meter-days, 100 trees, processor time of one thread',
    value: (user + system) / 1e6,
    unit: 's',
    target: 10,
  });
}

async function writeDay(file: string): Promise<number> {
  const world = new MeterWorld({ seed: 1, meters: METERS, from: '2024-01-01', days: 120 });
  const stream = createWriteStream(file);
  stream.write(READINGS_HEADER);
  let lines = 0;
  for (const text of readingLines(world, 14)) {
    lines += text.split('\n').length - 1;
    if (!stream.write(text)) await once(stream, 'drain');
  }
  stream.end();
  await finished(stream);
  return lines;
}

/** The same work with nothing of ours: CSV to sorted Parquet, checks, hours, days. */
async function bareSeconds(file: string, folder: string): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: `${MEMORY_MB}MB`, threads: '2' });
  const connection = await instance.connect();
  const sorted = path.join(folder, 'bare.parquet');
  const startedAt = performance.now();
  await connection.run(`COPY (SELECT hash(meter_id) AS meter, start_at, wh FROM read_csv('${file}', columns = {meter_id: 'VARCHAR', start_at: 'TIMESTAMPTZ', wh: 'DECIMAL(12, 3)',
    channel: 'VARCHAR', quality: 'VARCHAR', revision: 'VARCHAR'}) ORDER BY meter, start_at) TO '${sorted}' (FORMAT PARQUET, COMPRESSION ZSTD)`);
  await connection.run(
    `SELECT count(*) FILTER (WHERE wh < 0), count(*) - count(DISTINCT hash(meter, start_at)) FROM '${sorted}'`,
  );
  await connection.run(
    `COPY (SELECT meter, date_trunc('hour', start_at) AS hour, sum(wh) AS wh, count(*) AS n FROM '${sorted}' GROUP BY ALL ORDER BY ALL) TO '${sorted}.hours' (FORMAT PARQUET)`,
  );
  await connection.run(
    `COPY (SELECT meter, sum(wh) AS wh, max(wh) AS peak, quantile_disc(wh, 0.05) AS base, count(*) AS n FROM '${sorted}' GROUP BY ALL ORDER BY ALL) TO '${sorted}.days' (FORMAT PARQUET)`,
  );
  const seconds = (performance.now() - startedAt) / 1000;
  connection.closeSync();
  instance.closeSync();
  return seconds;
}

async function ownSeconds(file: string, folder: string) {
  const dataset = smartMeterWith(() => Promise.resolve('a secret for a benchmark'));
  const engine = createDuckDbEngine({
    memoryLimitMb: MEMORY_MB,
    threads: 2,
    scratchRoot: path.join(folder, 'scratch'),
  });
  const day = zonedDay(DATE, 'Europe/Paris');
  const quiet = { progress: () => undefined, signal: new AbortController().signal };
  try {
    const startedAt = performance.now();
    const measured = await engine.session(async (sql) => {
      const raw = { path: file, sha256: 'bench', bytes: 0 };
      const slice = staged(
        await dataset.slice({ part: 'readings', raw, days: [day], progress: quiet.progress }, sql),
        'slice',
      );
      const step = async (id: 'transform/readings' | 'metrics/daily', inputs: Record<string, LocalArtefact[]>) => {
        const work = dataset.steps[id];
        if (work?.kind !== 'sql') throw new Error(id);
        return work.run({ step: id, params: {}, units: [{ scope: DATE, day, inputs }], ...quiet }, sql);
      };
      const readings = staged(await step('transform/readings', { readings: [slice], head_end: [] }), 'readings');
      staged(await step('metrics/daily', { readings: [readings], meters: [] }), 'daily');
      return {
        seconds: (performance.now() - startedAt) / 1000,
        bytes: (await stat(readings.path)).size,
        rows: readings.ref.rows ?? 1,
      };
    });
    return measured;
  } finally {
    await engine.close();
  }
}

function staged(outcomes: readonly UnitOutcome[], name: string): LocalArtefact {
  const [outcome] = outcomes;
  const output: StagedOutput | undefined =
    outcome !== undefined && 'outputs' in outcome ? outcome.outputs[name] : undefined;
  if (output === undefined || !('path' in output)) throw new Error(`no ${name}: ${JSON.stringify(outcome)}`);
  const rows = output.rows === undefined ? {} : { rows: output.rows };
  return { scope: DATE, path: output.path, ref: { key: name, sha256: '', bytes: 0, mediaType: '', ...rows } };
}
