import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { resultOf, startBackfill } from '../../src/cli/temporal/runs.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { contentsOf, stopWorker } from './day-worker.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

/** In two windows, so that two workers have something to do. */
const RANGE = { from: '2025-05-03', to: '2025-08-30' };
const DATES = datesBetween(RANGE.from, RANGE.to);
const WORKERS = 3;
const MAX_KILLS = 8;
/** The server is killed with these workers. */
const SERVER_KILLS = [0, 2];
const SEED = 20_260_514;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(async () => {
  await stage.close();
});

/** Numbers of [0, 1), always the same ones (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function startRun(queue: string) {
  return startBackfill(
    { client: stage.client, taskQueue: queue },
    { pipeline: 'eco2mix', ...RANGE },
  );
}

function startWorkers(home: string, queue: string): Promise<ChildProcess[]> {
  return Promise.all(Array.from({ length: WORKERS }, () => stage.startWorker(home, queue)));
}

/**
 * Of the undisturbed run's time: the longest pause between two kills, so that a quick machine has
 * time for enough of them.
 */
const LONGEST_PAUSE = 0.2;

/**
 * Kills a worker every 2 to 5 s, each followed by another, and the server twice; answers how many
 * died while the run went on.
 */
async function wreak(
  {
    workers,
    home,
    queue,
    calmMs,
  }: { workers: ChildProcess[]; home: string; queue: string; calmMs: number },
  ended: () => boolean,
): Promise<number> {
  const random = seeded(SEED);
  const heirs: Promise<void>[] = [];
  let kills = 0;
  while (kills < MAX_KILLS) {
    await delay(Math.min(2_000 + random() * 3_000, calmMs * LONGEST_PAUSE));
    if (ended()) break;
    // An heir that does not work yet is spared while there is another.
    const [victim] = workers.splice(Math.floor(random() * workers.length), 1);
    if (victim === undefined) continue;
    victim.kill('SIGKILL');
    if (SERVER_KILLS.includes(kills)) await stage.restartServer();
    kills += 1;
    heirs.push(stage.startWorker(home, queue).then((heir) => void workers.push(heir)));
  }
  await Promise.all(heirs);
  return kills;
}

it('a backfill of 120 days under kills of workers and server ends with every day once, and the undisturbed bytes', async () => {
  expect(DATES).toHaveLength(120);
  const calm = path.join(stage.folder, 'calm');
  const calmWorkers = await startWorkers(calm, 'calm');
  const calmStart = performance.now();
  expect(await resultOf(await startRun('calm'))).toMatchObject({ done: 120, failedDays: 0 });
  const calmMs = performance.now() - calmStart;
  await Promise.all(calmWorkers.map(stopWorker));

  const home = path.join(stage.folder, 'wild');
  const workers = await startWorkers(home, 'wild');
  let ended = false;
  const start = performance.now();
  const result = resultOf(await startRun('wild')).finally(() => {
    ended = true;
  });
  const [backfilled, kills] = await Promise.all([
    result,
    wreak({ workers, home, queue: 'wild', calmMs }, () => ended),
  ]);
  const wildMs = performance.now() - start;
  await Promise.all(workers.map(stopWorker));
  expect(backfilled).toMatchObject({ done: 120, failedDays: 0, waitingDays: 0 });
  expect(kills).toBeGreaterThan(Math.max(...SERVER_KILLS));

  const [expected, found] = [await contentsOf(calm, DATES), await contentsOf(home, DATES)];
  expect(found.days.filter(({ versions }) => versions !== 1)).toEqual([]);
  expect(found).toEqual(expected);
  process.stderr.write(
    `120 days in ${(calmMs / 1000).toFixed(0)} s undisturbed, in ${(wildMs / 1000).toFixed(0)} s under ${kills} kills of workers and ${SERVER_KILLS.length} of the server (seed ${SEED})\n`,
  );
}, 180_000);
