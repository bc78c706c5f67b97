import { describe, expect, it } from 'vitest';
import type { Promised } from './invariants.ts';
import { MUTATIONS } from './mutations.ts';
import { simulate } from './simulate.ts';
import type { SeedOptions } from './simulate.ts';
import { CALM } from './weather.ts';

const PATIENCE_MS = 300_000;

/** More than any of them needs, so that a story which another change tells anew does not matter. */
const MOST_SEEDS = 150;

/** Calls that take long meet more of the others. */
const SLOW: SeedOptions = { theme: 'near', odds: { ...CALM, slow: 0.2 } };
const NEAR: SeedOptions = { theme: 'near', odds: CALM };

interface TakenOut {
  readonly mend: keyof typeof MUTATIONS;
  readonly breaks: Promised;
  readonly story: SeedOptions;
}

/** The first seed in which the promise breaks without the mend and holds with it. */
async function seedThatTells({ mend, breaks, story }: TakenOut): Promise<number | undefined> {
  const isBroken = async (seed: number, options: SeedOptions): Promise<boolean> =>
    (await simulate(seed, options)).violations.some(({ promise }) => promise === breaks);
  for (let seed = 1; seed <= MOST_SEEDS; seed += 1) {
    const without = await isBroken(seed, { ...story, mutation: MUTATIONS[mend] });
    if (without && !(await isBroken(seed, story))) return seed;
  }
  return undefined;
}

describe('the simulator', () => {
  const takenOut: readonly TakenOut[] = [
    {
      mend: 'commit on any version',
      breaks: 'never taken back',
      story: { ...SLOW, only: ['run', 'backfill', 'revision'] },
    },
    {
      mend: 'forget earlier deliveries',
      breaks: 'never taken back',
      story: { ...NEAR, only: ['run', 'backfill', 'refusal'] },
    },
    { mend: 'announce by signal only', breaks: 'nothing stale', story: NEAR },
    {
      mend: 'order answers by clocks',
      breaks: 'newest delivery',
      story: { ...NEAR, only: ['clock', 'run', 'backfill', 'revision'] },
    },
    {
      mend: 'believe the cache',
      breaks: 'nothing missing',
      story: { theme: 'remote', odds: CALM, only: ['backfill', 'damage'] },
    },
  ];

  it.each(takenOut)(
    'finds what the mend prevents, when it is taken out: $mend',
    async (one) => {
      expect(await seedThatTells(one)).toBeDefined();
    },
    PATIENCE_MS,
  );
});
