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
import type { MeterFiles } from './meter-day.ts';
import { ownCpuSeconds } from './process-usage.ts';

/** What one corrected reading costs in a fleet that comes in shards, beside the share of the whole day that one shard has. */

const PIPELINE = 'smart-meter';

/** Through the engine with its stores: import, plan, steps, ledger, manifest; without a Temporal server. */
export async function benchCorrectedMeter(files: MeterFiles, shards: number, meterId: string): Promise<void> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-corrected-'));
  const settings = { QUOTIDIEN_SHARDS: `${PIPELINE}=${shards}`, QUOTIDIEN_METER_SECRET: 'a secret for a benchmark' };
  const config = loadConfig({ env: settings, cwd: home, home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine(config, DATASETS);
  const give = (file: string) => importFile(engine, PIPELINE, file, testControl());
  const run = () => runDay(engine, PIPELINE, files.date, { offline: true });
  try {
    await give(files.meters);
    await give(files.injected);
    const whole = await cpuOf(async () => {
      await give(files.readings);
      await run();
    });
    const file = path.join(home, 'corrected.csv');
    const row = `${meterId},${files.date}T10:00:00Z,777,C,CORRIGE,2030-01-01`;
    await writeFile(file, `meter_id,start_at,wh,quality,revision,file_time\n${row}\n`);
    let ran: string[] = [];
    const corrected = await cpuOf(async () => {
      await give(file);
      const { state } = await run();
      ran = Object.entries(state).flatMap(([step, one]) => (one.state === 'done' && one.how === 'ran' ? [step] : []));
    });
    const touched = ran.filter((step) => step.startsWith('transform/readings.')).length;
    report({
      name: 'one corrected meter: import and day, processor time',
      value: corrected,
      unit: 's',
      floor: whole / shards,
      target: 1.5,
      bounds: 'ratio',
      note: `${touched} of ${shards} shards and ${ran.filter((step) => !step.includes('-of-')).length} sums run; the floor is the ${shards}th part of import and day`,
    });
  } finally {
    await engine.close();
    await rm(home, { recursive: true, force: true });
  }
}

async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = ownCpuSeconds();
  await work();
  return ownCpuSeconds() - before;
}
