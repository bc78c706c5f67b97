import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '../src/config/load-config.ts';
import { DATASETS } from '../src/datasets/registry.ts';
import { importFile } from '../src/engine/download/import-file.ts';
import { publisherHosts } from '../src/workers/configured-datasets.ts';
import { openEngine } from '../src/workers/open-engine.ts';
import { runDay } from '../test/fixtures/run-day.ts';
import { testControl } from '../test/fixtures/test-engine.ts';
import { report } from './figures.ts';
import { METERS, meterWorld, SHARDS, writeMeterDay } from './meter-files.ts';
import { ownCpuSeconds } from './process-usage.ts';

/**
 * What one corrected reading costs in a fleet that comes in shards, beside the share of the whole
 * day that one shard has.
 */

const PIPELINE = 'smart-meter';

/**
 * Through the engine with its stores: import, plan, steps, ledger, manifest; without a Temporal
 * server.
 */
export async function run(): Promise<void> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-corrected-'));
  const files = await writeMeterDay(home);
  const settings = {
    QUOTIDIEN_SHARDS: `${PIPELINE}=${SHARDS}`,
    QUOTIDIEN_METER_SECRET: 'a secret for a benchmark',
  };
  const config = loadConfig({ env: settings, cwd: home, home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine(config, DATASETS);
  const give = (file: string) => importFile(engine, PIPELINE, file, testControl());
  const make = () => runDay(engine, PIPELINE, files.date, { offline: true });
  try {
    await give(files.meters);
    await give(files.injected);
    const all = { given: await cpuOf(() => give(files.readings)), made: await cpuOf(make) };
    const file = path.join(home, 'corrected.csv');
    const row = `${meterWorld().meter(0).id},${files.date}T10:00:00Z,777,C,CORRIGE,2030-01-01`;
    await writeFile(file, `meter_id,start_at,wh,quality,revision,file_time\n${row}\n`);
    const given = await cpuOf(() => give(file));
    let ran: string[] = [];
    const made = await cpuOf(async () => {
      const { state } = await make();
      ran = Object.entries(state).flatMap(([step, one]) =>
        one.state === 'done' && one.how === 'ran' ? [step] : [],
      );
    });
    const touched = ran.filter((step) => step.startsWith('transform/readings.')).length;
    const share = (seconds: number): string => (seconds / SHARDS).toFixed(2);
    report({
      name: `one corrected meter of ${METERS}: import and day, processor time`,
      value: given + made,
      unit: 's',
      floor: (all.given + all.made) / SHARDS,
      target: 1.5,
      bounds: 'ratio',
      note: `${touched} of ${SHARDS} shards and ${ran.filter((step) => !step.includes('-of-')).length} sums run; import ${given.toFixed(2)} s beside ${share(all.given)}, day ${made.toFixed(2)} s beside ${share(all.made)}; the floor is the ${SHARDS}th part of import and day`,
    });
  } finally {
    await engine.close();
    await rm(home, { recursive: true, force: true });
  }
}

async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = ownCpuSeconds();
  await work();
  return ownCpuSeconds() - before;
}
