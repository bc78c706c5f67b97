import { spawnSync } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/errors.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { Random } from '../simulate/random.ts';
import { stopWorker } from './day-worker.ts';
import { SEEDS } from './seeds.ts';
import { openTinyStage, runTinyBackfill, runTinyRollup, tinyContents } from './tiny-stage.ts';
import type { TinyStage } from './tiny-stage.ts';
import type { HomeContents } from './home-contents.ts';

const RANGE = { from: '2024-01-01', to: '2024-02-29' };
const DATES = datesBetween(RANGE.from, RANGE.to);
const ROOMY_KB = 256 * 1024;
/** Of what an undisturbed run needs. */
const SIZES = [0.1, 0.3, 0.5, 0.7, 0.85, 0.97];
/** Of the time of an undisturbed run: how long the disk stays full at most. */
const LONGEST_FULL = 1.5;

let stage: TinyStage;
let expected: HomeContents;
let neededKb: number;
let calmMs: number;
const mounted = new Set<string>();

function mount(folder: string, ...options: string[]): boolean {
  return spawnSync('mount', [...options, folder], { stdio: 'ignore' }).status === 0;
}

/** A disk of its own; undefined where this is not allowed. */
async function openDisk(name: string, sizeKb: number): Promise<string | undefined> {
  const folder = path.join(stage.folder, name);
  await mkdir(folder);
  if (!mount(folder, '-t', 'tmpfs', '-o', `size=${sizeKb}k`, 'tmpfs')) return undefined;
  mounted.add(folder);
  return folder;
}

function resize(disk: string, sizeKb: number): void {
  expect(mount(disk, '-o', `remount,size=${sizeKb}k`)).toBe(true);
}

async function usedKb(disk: string): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(disk);
  return ((blocks - bfree) * bsize) / 1024;
}

/**
 * What a run on a full disk says of itself does not matter; that it ends does, at the latest when
 * the disk is free again.
 */
async function runWhileFull(queue: string): Promise<string> {
  try {
    const { done, failedDays } = await runTinyBackfill(stage, queue, RANGE);
    return `${done} days done, ${failedDays} failed`;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return error.code;
  }
}

beforeAll(async () => {
  stage = await openTinyStage(DATES);
  const calm = await openDisk('calm', ROOMY_KB);
  if (calm === undefined) return;
  const worker = await stage.startWorker(calm, 'calm');
  const start = performance.now();
  expect(await runTinyBackfill(stage, 'calm', RANGE)).toMatchObject({
    done: DATES.length,
    failedDays: 0,
  });
  expect(await runTinyRollup(stage, 'calm')).toBeNull();
  calmMs = performance.now() - start;
  neededKb = await usedKb(calm);
  await stopWorker(worker);
  expected = await tinyContents(calm, DATES);
  expect(expected.wrong).toEqual([]);
});

afterAll(async () => {
  // A worker that a failed test left keeps files open; the folder can go all the same.
  for (const folder of mounted) spawnSync('umount', ['-l', folder], { stdio: 'ignore' });
  await stage.close();
});

describe.for(SEEDS)('a disk that is full and free again (seed %d)', (seed: number) => {
  const random = new Random(seed);
  it.for(SIZES)(
    'at %d of what the days need ends with the undisturbed bytes',
    async (part, context) => {
      const queue = `disk-${seed}-${part}`;
      const disk = await openDisk(queue, Math.ceil(neededKb * part));
      if (disk === undefined) {
        context.skip('no disk can be mounted here');
        return;
      }
      const worker = await stage.startWorker(disk, queue);
      const run = runWhileFull(queue);
      await delay(calmMs * (0.5 + random.fraction() * (LONGEST_FULL - 0.5)));
      resize(disk, ROOMY_KB);
      const full = await run;
      const backfilled = await runTinyBackfill(stage, queue, RANGE);
      expect(backfilled).toMatchObject({ failedDays: 0, waitingDays: 0, stopped: null });
      expect(await runTinyRollup(stage, queue)).toBeNull();
      await stopWorker(worker);
      process.stderr.write(
        `${part} of ${neededKb} KB: ${full}; ${backfilled.done} days afterwards\n`,
      );
      expect(await tinyContents(disk, DATES)).toEqual(expected);
    },
  );
});
