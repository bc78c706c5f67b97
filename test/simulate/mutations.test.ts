import { describe, expect, it } from 'vitest';
import type { Promised } from './invariants.ts';
import { MUTATIONS } from './mutations.ts';
import { simulate } from './simulate.ts';
import type { SeedOptions } from './simulate.ts';
import { CALM } from './weather.ts';

const PATIENCE_MS = 300_000;

/** More than any of them needs, so that a story which another change tells anew does not matter. */
const MAX_SEEDS = 50;

/** Calls that take long meet more of the others. */
const SLOW: SeedOptions = { theme: 'near', odds: { ...CALM, slow: 0.2 } };
const NEAR: SeedOptions = { theme: 'near', odds: CALM };
/** Processes that stand still for a while, and do then what they were about to do. */
const STOPPING: SeedOptions = { theme: 'near', odds: { ...CALM, slow: 0.1, stop: 0.01 } };
const REMOTE: SeedOptions = { theme: 'remote', odds: CALM };

interface TakenOut {
  readonly mend: keyof typeof MUTATIONS;
  readonly breaks: Promised;
  readonly story: SeedOptions;
  /**
   * A seed that is known to tell; the ones after it are tried when another change tells it anew.
   */
  readonly from: number;
}

/** A seed in which the promise breaks without the mend and holds with it. */
async function seedThatTells({ mend, breaks, story, from }: TakenOut): Promise<number | undefined> {
  const isBroken = async (seed: number, options: SeedOptions): Promise<boolean> =>
    (await simulate(seed, options)).violations.some(({ promise }) => promise === breaks);
  for (let seed = from; seed < from + MAX_SEEDS; seed += 1) {
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
      from: 1,
    },
    {
      mend: 'forget earlier deliveries',
      breaks: 'never taken back',
      story: { ...NEAR, only: ['run', 'backfill', 'refusal'] },
      from: 2,
    },
    { mend: 'announce by signal only', breaks: 'nothing stale', story: NEAR, from: 1 },
    {
      mend: 'order answers by clocks',
      breaks: 'newest delivery',
      story: { ...NEAR, only: ['clock', 'run', 'backfill', 'revision'] },
      from: 3,
    },
    {
      mend: 'publish without a fence',
      breaks: 'never shown older',
      story: { ...STOPPING, only: ['run', 'backfill', 'revision'] },
      from: 11,
    },
    {
      mend: 'believe the ledger',
      breaks: 'newest delivery',
      story: { ...NEAR, only: ['run', 'revision', 'backfill', 'row'] },
      from: 23,
    },
    {
      mend: 'go on where the migration ended',
      breaks: 'moves whole',
      story: { ...NEAR, only: ['run', 'revision', 'migration'] },
      from: 1,
    },
    {
      mend: 'collect in an outage',
      breaks: 'nothing missing',
      story: { ...REMOTE, only: ['run', 'backfill', 'collections'] },
      from: 1,
    },
    {
      mend: 'believe the cache',
      breaks: 'verify looks',
      story: { ...REMOTE, only: ['run', 'revision'], flips: true },
      from: 1,
    },
    {
      mend: 'believe the cache',
      breaks: 'nothing missing',
      story: { theme: 'remote', odds: CALM, only: ['backfill', 'damage'] },
      from: 1,
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
