import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { importFiles } from '../src/engine/download/import-file.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { cityflow } from '../src/datasets/cityflow/index.ts';
import { DATASETS } from '../src/datasets/registry.ts';
import { addDays, datesBetween } from '../src/pipelines/civil-date.ts';
import { workWindows } from '../src/pipelines/work-window.ts';
import { publisherHosts } from '../src/workers/configured-datasets.ts';
import { openEngine } from '../src/workers/open-engine.ts';
import { runDays } from '../test/fixtures/run-day.ts';
import { testControl } from '../test/fixtures/test-engine.ts';
import { FIRST_DAY, writeCounts } from './city-counts.ts';
import { report } from './figures.ts';

/** What an installation keeps of the road counts of one arc over 13 months, against the Parquet among it. */

const DAYS = Number(process.env['BENCH_HOME_DAYS'] ?? 396);
const NOBODY = 'http://127.0.0.1:9';

export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-home-'));
  try {
    const file = path.join(folder, 'arc.csv');
    await writeArc(path.join(folder, 'all.csv'), file);
    const home = path.join(folder, 'home');
    await mkdir(home);
    await makeDays(home, file);
    const sizes = await sizesOf(home);
    const total = sum(sizes.values());
    const parquet = sum([...sizes].flatMap(([name, bytes]) => (name.endsWith('.parquet') ? [bytes] : [])));
    const largest = [...byPlace(sizes)].sort(([, a], [, b]) => b - a).slice(0, 6);
    report({
      name: `home of one arc, ${DAYS} days`,
      value: total / 1e6,
      unit: 'MB',
      floor: parquet / 1e6,
      target: 3,
      bounds: 'ratio',
      note: `floor: its Parquet; ${largest.map(([place, bytes]) => `${place} ${(bytes / 1e6).toFixed(1)}`).join(', ')}`,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeArc(all: string, file: string): Promise<void> {
  await writeCounts(all, DAYS, 1);
  await rm(file, { force: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(
    `COPY (FROM read_csv('${all}', delim = ';', header = true, all_varchar = true)) TO '${file}' (FORMAT CSV, DELIMITER ';', HEADER)`,
  );
  connection.closeSync();
  instance.closeSync();
  await rm(all);
}

/** Imported and made without asking anybody: the counts are all that there is. */
async function makeDays(home: string, file: string): Promise<void> {
  const env = { QUOTIDIEN_PARIS_URL: NOBODY };
  const config = loadConfig({ env, cwd: home, home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine(config, DATASETS);
  try {
    const [outcome] = await importFiles(engine, 'cityflow', [file], testControl(), {});
    if (outcome === undefined || 'code' in outcome)
      throw new Error(`the counts were not taken in: ${JSON.stringify(outcome)}`);
    const { definition } = cityflow;
    for (const dates of workWindows(definition, datesBetween(FIRST_DAY, addDays(FIRST_DAY, DAYS - 1))))
      await runDays(engine, 'cityflow', dates, { offline: true });
  } finally {
    await engine.close();
  }
}

async function sizesOf(home: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    sizes.set(path.relative(home, file), (await stat(file)).size);
  }
  return sizes;
}

function byPlace(sizes: ReadonlyMap<string, number>): Map<string, number> {
  const places = new Map<string, number>();
  for (const [name, bytes] of sizes) {
    const place = name.split('/').slice(0, 4).join('/');
    places.set(place, (places.get(place) ?? 0) + bytes);
  }
  return places;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
