import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { Random } from '../simulate/random.ts';
import { stopWorker } from './day-worker.ts';
import { openTinyStage, recheckDay, runTinyBackfill, runTinyRollup, tinyContents } from './tiny-stage.ts';
import type { TinyStage } from './tiny-stage.ts';

const RANGES = [
  { from: '2024-01-01', to: '2024-04-30' },
  { from: '2024-03-01', to: '2024-06-30' },
] as const;
const DATES = datesBetween('2024-01-01', '2024-06-30');
const WORKERS = 2;
const SINGLE_RUNS = 6;
const SEED = 20_261_122;

let stage: TinyStage;

beforeAll(async () => {
  stage = await openTinyStage(DATES);
});

afterAll(async () => {
  await stage.close();
});

it('two backfills and six single runs that overlap end with the undisturbed bytes, each content in one version', async () => {
  const random = new Random(SEED);
  const singles = Array.from({ length: SINGLE_RUNS }, () => random.pick(datesBetween('2024-02-15', '2024-05-15')));
  const calm = path.join(stage.folder, 'calm');
  const calmWorker = await stage.startWorker(calm, 'calm');
  const start = performance.now();
  for (const range of RANGES) await runTinyBackfill(stage, 'calm', range);
  const calmMs = performance.now() - start;
  for (const date of singles) await recheckDay(stage, 'calm', date);
  expect(await runTinyRollup(stage, 'calm')).toBeNull();
  await stopWorker(calmWorker);

  const home = path.join(stage.folder, 'wild');
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => stage.startWorker(home, 'wild')));
  const [backfills, days] = await Promise.all([
    Promise.all(RANGES.map((range) => runTinyBackfill(stage, 'wild', range))),
    Promise.all(
      singles.map(async (date) => {
        await delay(random.fraction() * calmMs);
        return recheckDay(stage, 'wild', date);
      }),
    ),
  ]);
  expect(await runTinyRollup(stage, 'wild'), `seed ${SEED}`).toBeNull();
  await Promise.all(workers.map(stopWorker));
  for (const backfill of backfills)
    expect(backfill, `seed ${SEED}`).toMatchObject({ failedDays: 0, waitingDays: 0, stopped: null });
  expect(days.map(({ verdict }) => verdict)).toEqual(days.map(() => 'ok'));

  const [expected, found] = [await tinyContents(calm, DATES), await tinyContents(home, DATES)];
  expect(expected.wrong).toEqual([]);
  expect(Object.keys(expected.newest)).toHaveLength(DATES.length + 7);
  expect(found, `seed ${SEED}`).toEqual(expected);
}, 120_000);
