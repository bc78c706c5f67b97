import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { Random } from '../simulate/random.ts';
import { killWorker, stopWorker } from './day-worker.ts';
import {
  openTinyStage,
  recheckDay,
  runTinyBackfill,
  runTinyRollup,
  tinyContents,
} from './tiny-stage.ts';
import { SEEDS } from './seeds.ts';
import type { TinyStage } from './tiny-stage.ts';
import type { HomeContents } from './home-contents.ts';

const RANGE = { from: '2024-01-01', to: '2024-04-30' };
const DATES = datesBetween(RANGE.from, RANGE.to);
/** Days that the publisher changes while the backfill runs. */
const REVISED = ['2024-01-17', '2024-02-29', '2024-03-31', '2024-04-01', '2024-04-30'];
const WORKERS = 3;
const STOPS = 4;
/** The publisher revises after this many. */
const STOPS_BEFORE_REVISION = 2;
/** Longer than the heartbeat of the stage's workers: their tasks are given to others meanwhile. */
const SHORTEST_STOP_MS = 2_000;
const LONGEST_STOP_MS = 5_000;
const LONGEST_CALM_MS = 300_000;

let stage: TinyStage;
let expected: HomeContents;
let calmMs: number;

beforeAll(async () => {
  stage = await openTinyStage(DATES);
  const home = path.join(stage.folder, 'calm');
  calmMs = await undisturbed(home, 'calm');
  expected = await tinyContents(home, DATES);
  expect(expected.wrong).toEqual([]);
}, LONGEST_CALM_MS);

afterAll(async () => {
  await stage.close();
});

function startWorkers(home: string, queue: string): Promise<ChildProcess[]> {
  return Promise.all(Array.from({ length: WORKERS }, () => stage.startWorker(home, queue)));
}

async function revise(queue: string): Promise<void> {
  for (const date of REVISED) stage.publisher.publish(date, { add: 1 });
  await Promise.all(REVISED.map((date) => recheckDay(stage, queue, date)));
}

async function undisturbed(home: string, queue: string): Promise<number> {
  const workers = await startWorkers(home, queue);
  const start = performance.now();
  expect(await runTinyBackfill(stage, queue, RANGE)).toMatchObject({
    done: DATES.length,
    failedDays: 0,
  });
  const calmMs = performance.now() - start;
  await revise(queue);
  expect(await runTinyRollup(stage, queue)).toBeNull();
  await Promise.all(workers.map(stopWorker));
  return calmMs;
}

/** Workers that are stopped; one always works on. */
class Stopped {
  readonly #random: Random;
  readonly #working: ChildProcess[];
  readonly #heir: () => Promise<ChildProcess>;
  readonly #away = new Set<Promise<void>>();
  stops = 0;
  late = 0;

  constructor(random: Random, workers: readonly ChildProcess[], heir: () => Promise<ChildProcess>) {
    this.#random = random;
    this.#working = [...workers];
    this.#heir = heir;
  }

  /**
   * Stops a worker as soon as two work, and later lets it go on as a late writer, or kills it and
   * starts another.
   */
  async stopOne(): Promise<void> {
    while (this.#working.length < 2) await Promise.race(this.#away);
    const victim = this.#random.pick(this.#working);
    this.#working.splice(this.#working.indexOf(victim), 1);
    const ms = this.#random.whole(SHORTEST_STOP_MS, LONGEST_STOP_MS);
    const goesOn = this.#random.chance(0.7);
    victim.kill('SIGSTOP');
    this.stops += 1;
    const away = this.#return(victim, ms, goesOn).finally(() => this.#away.delete(away));
    this.#away.add(away);
  }

  async #return(victim: ChildProcess, ms: number, goesOn: boolean): Promise<void> {
    await delay(ms);
    if (goesOn) {
      victim.kill('SIGCONT');
      this.late += 1;
    } else await killWorker(victim);
    this.#working.push(goesOn ? victim : await this.#heir());
  }

  /** All that work when nobody is stopped any more. */
  async allReturned(): Promise<readonly ChildProcess[]> {
    await Promise.all(this.#away);
    return this.#working;
  }
}

/** Stops workers at random moments, and has the publisher revise in between. */
async function wreak(
  stopped: Stopped,
  random: Random,
  { queue, calmMs }: { queue: string; calmMs: number },
) {
  let revised: Promise<void> | undefined;
  for (let turn = 0; turn < STOPS; turn += 1) {
    await delay((random.fraction() * calmMs) / STOPS);
    if (turn === STOPS_BEFORE_REVISION) revised = revise(queue);
    await stopped.stopOne();
  }
  await revised;
}

it.for(SEEDS)(
  'a backfill whose workers stand still, with a revision in between, ends with the undisturbed bytes (seed %d)',
  { timeout: 300_000 },
  async (seed: number) => {
    for (const date of REVISED) stage.publisher.publish(date);
    const queue = `wild-${seed}`;
    const home = path.join(stage.folder, queue);
    const random = new Random(seed);
    const stopped = new Stopped(random, await startWorkers(home, queue), () =>
      stage.startWorker(home, queue),
    );
    const start = performance.now();
    const [backfilled] = await Promise.all([
      runTinyBackfill(stage, queue, RANGE),
      wreak(stopped, random, { queue, calmMs }),
    ]);
    const wildMs = performance.now() - start;
    const workers = await stopped.allReturned();
    expect(await runTinyRollup(stage, queue)).toBeNull();
    // What late writers still do is done when they have ended.
    await Promise.all(workers.map(stopWorker));
    expect(backfilled).toMatchObject({ failedDays: 0, waitingDays: 0, stopped: null });

    expect([stopped.stops, stopped.late > 0]).toEqual([STOPS, true]);
    expect(await tinyContents(home, DATES)).toEqual(expected);
    process.stderr.write(
      `${DATES.length} days in ${(calmMs / 1000).toFixed(0)} s undisturbed, in ${(wildMs / 1000).toFixed(0)} s with ${stopped.stops} stops, ${stopped.late} late writers (seed ${seed})\n`,
    );
  },
);
