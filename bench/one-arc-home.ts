import { mkdir, rm } from 'node:fs/promises';
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
import { runDays, settleDerived } from '../test/fixtures/run-day.ts';
import { testControl } from '../test/fixtures/test-engine.ts';
import { FIRST_DAY, writeCounts } from './city-counts.ts';

const NOBODY = 'http://127.0.0.1:9';

/**
 * Makes an installation below `folder` that has the road counts of one arc for so many days;
 * returns its home.
 */
export async function oneArcHome(folder: string, days: number): Promise<string> {
  const file = path.join(folder, 'arc.csv');
  await writeArc(path.join(folder, 'all.csv'), file, days);
  const home = path.join(folder, 'home');
  await mkdir(home);
  await makeDays(home, file, days);
  return home;
}

async function writeArc(all: string, file: string, days: number): Promise<void> {
  await writeCounts(all, days, 1);
  await rm(file, { force: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(
    `COPY (FROM read_csv('${all}', delim = ';', header = true, all_varchar = true)) TO '${file}'
      (FORMAT CSV, DELIMITER ';', HEADER)`,
  );
  connection.closeSync();
  instance.closeSync();
  await rm(all);
}

/** Imported and made without asking anybody: the counts are all that there is. */
async function makeDays(home: string, file: string, days: number): Promise<void> {
  const env = { QUOTIDIEN_PARIS_URL: NOBODY };
  const config = loadConfig({ env, cwd: home, home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine(config, DATASETS);
  try {
    const [outcome] = await importFiles(engine, 'cityflow', [file], testControl(), {});
    if (outcome === undefined || 'code' in outcome)
      throw new Error(`the counts were not taken in: ${JSON.stringify(outcome)}`);
    const { definition } = cityflow;
    for (const dates of workWindows(
      definition,
      datesBetween(FIRST_DAY, addDays(FIRST_DAY, days - 1)),
    )) {
      await runDays(engine, 'cityflow', dates, { offline: true });
      // As an installation does after every window: what was announced is heard, and forgotten.
      await settleDerived(engine, 'cityflow', dates);
    }
  } finally {
    await engine.close();
  }
}
