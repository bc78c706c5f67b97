import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { Random } from '../simulate/random.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import { stopWorker } from './day-worker.ts';
import { SEEDS } from './seeds.ts';
import {
  openTinyStage,
  recheckDay,
  runTinyBackfill,
  runTinyRollup,
  tinyContents,
} from './tiny-stage.ts';
import type { TinyStage } from './tiny-stage.ts';

const RANGES = [
  { from: '2024-01-01', to: '2024-04-30' },
  { from: '2024-03-01', to: '2024-06-30' },
] as const;
const DATES = datesBetween('2024-01-01', '2024-06-30');
const WORKERS = 2;
const SINGLE_RUNS = 6;

let stage: TinyStage;

beforeAll(async () => {
  stage = await openTinyStage(DATES);
});

afterAll(async () => {
  await stage.close();
});

/**
 * The days that run alone as well, as often as they were drawn, and the moments of their runs as
 * parts of the calm time.
 */
function drawn(seed: number): { readonly dates: readonly CivilDate[]; readonly random: Random } {
  const random = new Random(seed);
  const dates = Array.from({ length: SINGLE_RUNS }, () =>
    random.pick(datesBetween('2024-02-15', '2024-05-15')),
  );
  return { dates, random };
}

/** One after the other; how long the backfills take. */
async function undisturbed(
  home: string,
  queue: string,
  singles: readonly CivilDate[],
): Promise<number> {
  const worker = await stage.startWorker(home, queue);
  const start = performance.now();
  for (const range of RANGES) await runTinyBackfill(stage, queue, range);
  const calmMs = performance.now() - start;
  for (const date of singles) await recheckDay(stage, queue, date);
  expect(await runTinyRollup(stage, queue)).toBeNull();
  await stopWorker(worker);
  return calmMs;
}

it.for(SEEDS)(
  'two backfills and six single runs that overlap end with the undisturbed bytes, each content in one version (seed %d)',
  { timeout: 300_000 },
  async (seed: number) => {
    const { dates: singles, random } = drawn(seed);
    const [calm, wild] = [`calm-${seed}`, `wild-${seed}`];
    const calmMs = await undisturbed(path.join(stage.folder, calm), calm, singles);

    const home = path.join(stage.folder, wild);
    const workers = await Promise.all(
      Array.from({ length: WORKERS }, () => stage.startWorker(home, wild)),
    );
    const [backfills, days] = await Promise.all([
      Promise.all(RANGES.map((range) => runTinyBackfill(stage, wild, range))),
      Promise.all(
        singles.map(async (date) => {
          await delay(random.fraction() * calmMs);
          return recheckDay(stage, wild, date);
        }),
      ),
    ]);
    expect(await runTinyRollup(stage, wild)).toBeNull();
    await Promise.all(workers.map(stopWorker));
    for (const backfill of backfills)
      expect(backfill).toMatchObject({ failedDays: 0, waitingDays: 0, stopped: null });
    expect(days.map(({ verdict }) => verdict)).toEqual(days.map(() => 'ok'));

    const expected = await tinyContents(path.join(stage.folder, calm), DATES);
    expect(expected.wrong).toEqual([]);
    expect(Object.keys(expected.newest)).toHaveLength(DATES.length + 7);
    expect(await tinyContents(home, DATES)).toEqual(expected);
  },
);
