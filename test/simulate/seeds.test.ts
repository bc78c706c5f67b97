import { describe, expect, it } from 'vitest';
import type { Promised } from './invariants.ts';
import { simulate } from './simulate.ts';

const SEEDS = 200;

/** A story takes a tenth of a second, on a busy machine several times as long. */
const PATIENCE_MS = 300_000;

/** Promises that break in some stories, until what breaks them is mended. */
const OPEN: readonly Promised[] = [
  'never taken back',
  'newest delivery',
  'nothing stale',
  'said once',
  'reconciles',
  'nothing missing',
];

describe('a simulated installation', () => {
  it('has one story for each seed, and another one for another', async () => {
    const [first, again, other] = [await simulate(3), await simulate(3), await simulate(4)];
    expect(again.hash).toBe(first.hash);
    expect(other.hash).not.toBe(first.hash);
  });

  it(
    `keeps its promises in ${SEEDS} stories`,
    async () => {
      const broken: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const { violations } = await simulate(seed);
        for (const { promise, what } of violations) if (!OPEN.includes(promise)) broken.push(`seed ${seed}: ${what}`);
      }
      expect(broken).toEqual([]);
    },
    PATIENCE_MS,
  );
});
