import { fork } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { Forest } from '../src/datasets/smart-meter/anomalies/forest-scores.ts';
import { FOREST_DEFAULTS, growForest } from '../src/datasets/smart-meter/anomalies/forest.ts';
import { answerOf } from './child-answer.ts';
import { report } from './figures.ts';
import type { DayDone, DayOrder } from './meter-day-process.ts';
import type { MeterFiles, Timed } from './meter-day.ts';
import { METERS, SHARDS, writeMeterDay } from './meter-files.ts';
import { ownCpuSeconds } from './process-usage.ts';

/**
 * A day of many meters from a bulk file to its report, step by step, against the bare DuckDB steps;
 * scoring; bytes of a reading. Processor time, because other work on the machine does not change it
 * much.
 */

const MEMORY_MB = Number(process.env['BENCH_SQL_MB'] ?? 384);
/** Of the bare steps and of ours, which make as many shards at once. */
const THREADS = 2;

export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-meters-'));
  try {
    scoring();
    const files = await writeMeterDay(folder);
    const bare = await bareDay(files.readings, folder);
    const floor = secondsOf(bare);
    const ours = await ownDay(files);
    const perMillion = 1e6 / ours.rows;
    for (const { name, cpuSeconds } of [...bare, ...ours.steps])
      report({
        name: `  ${name}`,
        value: cpuSeconds * perMillion,
        unit: 's of a processor for a million readings',
      });
    const scored = scoringFloor(ours.scored);
    const note = `${METERS} meters, ${ours.rows} readings, ${SHARDS} shards, ${ours.scored} scored; suspicions of twelve weeks are not in it`;
    report({
      name: 'a day of meters: bulk file to scores and report, processor time',
      value: secondsOf(ours.steps),
      unit: 's',
      floor: floor + scored,
      target: 2.5,
      bounds: 'ratio',
      note,
    });
    report({
      name: 'bytes of a reading, sorted and compressed',
      value: ours.bytes / ours.rows,
      unit: 'B',
      floor: (await stat(path.join(folder, 'bare.parquet'))).size / ours.rows,
      target: 1.6,
    });
    report({
      name: 'peak of resident memory of the process that makes the day',
      value: ours.peakMb,
      unit: 'MB',
      target: 1_200,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function secondsOf(steps: readonly Timed[]): number {
  return steps.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/** A million meter-days of five features through 100 trees. */
function scoring(): void {
  report({
    name: 'scoring 1,000,000 meter-days, 100 trees, processor time of one thread',
    value: scoringFloor(1_000_000),
    unit: 's',
    target: 10,
  });
}

/** Seconds of one thread for so many rows that are in memory. */
function scoringFloor(rows: number): number {
  const columns = Array.from({ length: 5 }, (_, seed) =>
    Float32Array.from({ length: rows }, (__, row) => (Math.sin(row * (seed + 1.37)) * 1_000) % 1),
  );
  const forest = new Forest(growForest({ columns, rows }, { ...FOREST_DEFAULTS, seed: 1 }));
  const before = process.cpuUsage();
  forest.score({ columns, rows });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/**
 * The same work with nothing of ours: CSV to sorted Parquet, checks, hours, days with what meters
 * are judged by.
 */
async function bareDay(file: string, folder: string): Promise<Timed[]> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${MEMORY_MB}MB`,
    threads: String(THREADS),
  });
  const connection = await instance.connect();
  const sorted = path.join(folder, 'bare.parquet');
  const statements = {
    'bare: sorted Parquet': `COPY (SELECT hash(meter_id) AS meter, start_at, wh
      FROM read_csv('${file}', columns = {meter_id: 'VARCHAR', start_at: 'TIMESTAMPTZ',
      wh: 'DECIMAL(12, 3)',
      channel: 'VARCHAR', quality: 'VARCHAR', revision: 'VARCHAR'}) ORDER BY meter, start_at) TO
        '${sorted}' (FORMAT PARQUET, COMPRESSION ZSTD)`,
    'bare: checks': `SELECT count(*) FILTER (WHERE wh < 0),
      count(*) - count(DISTINCT hash(meter, start_at)) FROM '${sorted}'`,
    'bare: hours': `COPY (SELECT meter, date_trunc('hour', start_at) AS hour, sum(wh) AS wh,
      count(*) AS n FROM '${sorted}' GROUP BY ALL ORDER BY ALL) TO '${sorted}.hours'
      (FORMAT PARQUET)`,
    'bare: days and features': `COPY (SELECT meter, sum(wh) AS wh, max(wh) AS peak,
      arg_max(start_at, wh) AS peak_at, quantile_disc(wh, 0.05) AS base,
        sum(wh) FILTER (WHERE hour(start_at) < 6) AS night, sum(wh)
          FILTER (WHERE hour(start_at) BETWEEN 18 AND 21) AS evening,
        var_pop(CAST(wh AS DOUBLE)) AS variance, count(*) FILTER (WHERE wh = 0) AS zeros,
        count(*) AS n
      FROM '${sorted}' GROUP BY ALL ORDER BY ALL) TO '${sorted}.days' (FORMAT PARQUET)`,
  };
  const timed: Timed[] = [];
  for (const [name, statement] of Object.entries(statements)) {
    const before = ownCpuSeconds();
    await connection.run(statement);
    timed.push({ name, cpuSeconds: ownCpuSeconds() - before });
  }
  connection.closeSync();
  instance.closeSync();
  return timed;
}

/** In a process of its own, with the heap of Node that the handbook gives for a worker. */
async function ownDay(files: MeterFiles): Promise<DayDone> {
  const child = fork(path.join(import.meta.dirname, 'meter-day-process.ts'), {
    execArgv: ['--import', 'tsx', '--max-old-space-size=320'],
  });
  const order: DayOrder = { files, shards: SHARDS, threads: THREADS, memoryLimitMb: MEMORY_MB };
  child.send(order);
  return answerOf(child, 'the process of the day');
}
