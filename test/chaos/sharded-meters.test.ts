import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { importFile } from '../../src/engine/download/import-file.ts';
import { publisherHosts } from '../../src/workers/configured-datasets.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import type { OpenEngine } from '../../src/workers/open-engine.ts';
import { bulkFile } from '../fixtures/meter-files.ts';
import { TEST_SECRET } from '../fixtures/meters.ts';
import { testControl } from '../fixtures/test-engine.ts';
import { stopWorker } from './day-worker.ts';
import { homeContents } from './home-contents.ts';
import type { HomeContents } from './home-contents.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

/** A day of forty meters in four shards, on workers of which one is killed in the middle of it. */

const DATE = '2024-01-15';
const QUEUE = 'day';
const SETTINGS = { QUOTIDIEN_SHARDS: 'smart-meter=4', QUOTIDIEN_METER_SECRET: TEST_SECRET };
const METERS = Array.from({ length: 40 }, (_, index) => ({
  id: `55000012${String(index).padStart(4, '0')}`,
  whOf: (slot: number) => 100 + ((index * 31 + slot * 17) % 90),
}));

async function withEngine<T>(home: string, use: (engine: OpenEngine) => Promise<T>): Promise<T> {
  const config = loadConfig({ env: SETTINGS, cwd: home, home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine(config, DATASETS);
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

/** A server for each test alone: the same day runs in all of them, under the same workflow id. */
async function onStage(use: (stage: Stage, home: string) => Promise<void>): Promise<HomeContents> {
  const stage = await openStage(SETTINGS);
  try {
    const home = path.join(stage.folder, 'home');
    await mkdir(home);
    const file = path.join(home, 'bulk.csv');
    await writeFile(file, bulkFile({ [DATE]: METERS }));
    await withEngine(home, (engine) => importFile(engine, 'smart-meter', file, testControl()));
    await use(stage, home);
    return await withEngine(home, (engine) => {
      const dataset = engine.datasets['smart-meter']!;
      return homeContents(engine, { dataset, dates: [DATE], places: ['processed/'] });
    });
  } finally {
    await stage.close();
  }
}

function run({ client }: Stage) {
  return startDay({ client, taskQueue: QUEUE }, { pipeline: 'smart-meter', date: DATE });
}

/** Days of this home are announced to a rollup that nobody runs. */
function withoutAnnouncements({ newest, published, wrong }: HomeContents): HomeContents {
  return { newest, published, wrong: wrong.filter((what) => !what.endsWith('still announced')) };
}

let expected: HomeContents;

describe('a day in shards whose worker is killed', () => {
  beforeAll(async () => {
    const found = await onStage(async (stage, home) => {
      const workers = [await stage.startWorker(home, QUEUE), await stage.startWorker(home, QUEUE)];
      expect(await dayResult(await run(stage))).toMatchObject({ verdict: 'ok', version: 1 });
      await Promise.all(workers.map(stopWorker));
    });
    expected = withoutAnnouncements(found);
    expect(Object.keys(expected.published).length).toBeGreaterThan(5);
    expect(expected.wrong).toEqual([]);
  }, 240_000);

  it.each([
    ['inside', 'transform/readings.03-of-04'],
    ['after', 'metrics/daily.02-of-04'],
    ['inside', 'metrics/quality'],
  ] as const)(
    '%s %s ends with the hashes of an undisturbed day',
    async (moment, place) => {
      const found = await onStage(async (stage, home) => {
        const doomed = await stage.startWorker(home, QUEUE, [moment, place]);
        const [handle] = await Promise.all([run(stage), once(doomed, 'exit')]);
        expect(doomed.signalCode).toBe('SIGKILL');
        const heir = await stage.startWorker(home, QUEUE);
        expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
        await stopWorker(heir);
      });
      expect(withoutAnnouncements(found)).toEqual(expected);
    },
    240_000,
  );
});
