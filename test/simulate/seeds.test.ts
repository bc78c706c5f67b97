import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.ts';

const SEEDS = 200;

/** A story takes a tenth of a second, on a busy machine several times as long. */
const PATIENCE_MS = 300_000;

describe('a simulated installation', () => {
  it('has one story for each seed, and another one for another', async () => {
    const [first, again, other] = [await simulate(3), await simulate(3), await simulate(4)];
    expect(again.hash).toBe(first.hash);
    expect(other.hash).not.toBe(first.hash);
  });

  it('leaves no gap where two versions of a host come to the store together and the first is merged away', async () => {
    expect((await simulate(593, { theme: 'remote' })).violations).toEqual([]);
  });

  it(
    `keeps its promises in ${SEEDS} stories`,
    async () => {
      const broken: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const { violations } = await simulate(seed, { theme: 'near' });
        broken.push(...violations.map(({ promise, what }) => `seed ${seed}: ${promise}: ${what}`));
      }
      expect(broken).toEqual([]);
    },
    PATIENCE_MS,
  );
});
