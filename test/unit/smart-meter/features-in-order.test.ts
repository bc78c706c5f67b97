import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  metricsFeatures,
  weekEnded,
} from '../../../src/datasets/smart-meter/anomalies/meter-day.ts';
import type { LocalArtefact, StepUnit } from '../../../src/pipelines/dataset.ts';
import type { SqlSession } from '../../../src/ports/sql.ts';
import { createDuckDbEngine } from '../../../src/storage/sql/duckdb.ts';

/** So many meters that threads share the weeks of them. */
const METERS = 30_000;

let folder: string;
let unit: StepUnit;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-features-'));
  unit = await withThreads(1, async (sql) => ({
    scope: '2024-03-25',
    inputs: await writeInputs(sql),
  }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function withThreads<T>(threads: number, work: (sql: SqlSession) => Promise<T>): Promise<T> {
  const engine = createDuckDbEngine({ memoryLimitMb: 400, threads, scratchRoot: folder });
  try {
    return await engine.session(work);
  } finally {
    await engine.close();
  }
}

async function writeInputs(sql: SqlSession): Promise<Record<string, LocalArtefact[]>> {
  const use = (seed: number | string): string =>
    `CAST((5000 + hash(i) % 9000) * (0.5 + (hash(i, ${seed}) % 1000) / 1000.0) AS DECIMAL(18, 1))`;
  // The day has just the mean of the weeks: all that is left of the logarithm is how that was
  // rounded.
  const base = (more: number): string => `CAST(50 + hash(i) % 900 + ${more} AS DECIMAL(18, 1))`;
  const tables: Record<string, string> = {
    daily: `SELECT i::UBIGINT AS meter_key, 'import' AS channel, 48 AS observed, 48 AS expected, 0 AS count_anomalies, 0.5 AS load_factor,
      ${use(9)} AS total_wh, ${base(0)} AS base_wh, 200.0 AS evening_wh, 300.0 AS night_wh FROM range(${METERS}) meters(i)`,
    levels: `SELECT 'one' AS segment, 1.0::DOUBLE AS level`,
  };
  for (const [days, week] of [
    [1, -0.3],
    [8, 0.1],
    [15, -0.1],
    [22, 0.3],
  ] as const)
    tables[weekEnded(days)] =
      `SELECT i::UBIGINT AS meter_key, 'one' AS segment, ${use(days)} AS use_wh, ${base(week)} AS base_wh,
      ${use(days + 200)} AS evening_wh, ${use(days + 300)} AS night_wh, [${use(days)}] AS use_days FROM range(${METERS}) meters(i)`;
  const inputs: Record<string, LocalArtefact[]> = {};
  for (const [name, select] of Object.entries(tables)) {
    const file = path.join(folder, `${name}.parquet`);
    await sql.run(`COPY (${select} ORDER BY 1) TO '${file}' (FORMAT PARQUET)`);
    inputs[name] = [
      { scope: '2024-03-25', path: file, ref: { key: file, sha256: '', bytes: 0, mediaType: '' } },
    ];
  }
  return inputs;
}

async function featuresWith(threads: number): Promise<string> {
  return withThreads(threads, async (sql) => {
    if (metricsFeatures.kind !== 'sql') throw new Error('it is a step of SQL');
    const signal = new AbortController().signal;
    const task = {
      step: 'metrics/features',
      params: {},
      signal,
      progress: () => undefined,
      units: [unit],
    } as const;
    const [outcome] = await metricsFeatures.run(task, sql);
    if (outcome === undefined || 'failure' in outcome) throw new Error('it failed');
    const { features } = outcome.outputs;
    if (features === undefined || !('path' in features)) throw new Error('there is no table');
    return (await readFile(features.path)).toString('base64');
  });
}

describe('metrics/features', () => {
  it('writes the same bytes whichever thread brings which week first', async () => {
    const alone = await featuresWith(1);
    for (let round = 0; round < 3; round += 1) expect((await featuresWith(4)) === alone).toBe(true);
  });
});
