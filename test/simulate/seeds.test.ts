import { describe, expect, it } from 'vitest';
import type { Promised } from './invariants.ts';
import { simulate } from './simulate.ts';

const SEEDS = 200;

/** A story takes a tenth of a second, on a busy machine several times as long. */
const PATIENCE_MS = 300_000;

/** Promises with known defects: the tests below show that the simulator finds these. */
const OPEN: readonly Promised[] = ['never taken back', 'newest delivery', 'nothing stale'];

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

describe('the simulator', () => {
  it.each([
    { seed: 58, promise: 'never taken back', what: 'has counts 1 after 2' },
    { seed: 64, promise: 'never taken back', what: 'has forecast null after 1' },
    { seed: 8, promise: 'nothing stale', what: 'published/sim_2024-02.json reads nothing' },
    { seed: 171, promise: 'newest delivery', what: 'delivered is {"counts":2,"forecast":1}' },
  ])('finds in seed $seed that a promise is broken: $promise', async ({ seed, promise, what }) => {
    const { violations } = await simulate(seed);
    const found = violations.filter((violation) => violation.promise === promise).map((violation) => violation.what);
    expect(found.join('\n')).toContain(what);
  });
});
