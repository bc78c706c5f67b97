import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { THEMES, simulate } from './simulate.ts';

/**
 * How many of each theme: a story near its stores takes a tenth of a second, one far from them half
 * a second; on a busy machine several times as long.
 */
const SEEDS = { near: 200, remote: 40 } as const;

const PATIENCE_MS = 300_000;

describe('a simulated installation', () => {
  it('has one story for each seed, and another one for another', async () => {
    const [first, again, other] = [await simulate(3), await simulate(3), await simulate(4)];
    expect(again.hash).toBe(first.hash);
    expect(other.hash).not.toBe(first.hash);
  });

  it('is told by the program of its own too, whose modules lack nothing of what stands in for them', () => {
    const program = [
      '--import',
      'tsx',
      '--import',
      './test/simulate/register.mjs',
      'test/simulate/main.ts',
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...program, '--seeds', '1'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('seeds 1 to 1: 0 of 1 break a promise');
    expect(status).toBe(0);
  });

  it('leaves no gap where two versions of a host come to the store together and the first is merged away', async () => {
    expect((await simulate(593, { theme: 'remote' })).violations).toEqual([]);
  });

  it('ends the outage of a host that wrote an object of which the store has damaged bytes', async () => {
    expect((await simulate(206, { theme: 'remote' })).violations).toEqual([]);
  });

  it('makes a month again of which the row of its only version was lost', async () => {
    expect((await simulate(6419, { theme: 'near' })).violations).toEqual([]);
  });

  it('names no page in a newest version whose bytes changed, also where a backfill cannot make it again', async () => {
    expect((await simulate(1531, { theme: 'near' })).violations).toEqual([]);
  });

  it('comes to an end where calls to stores that are away hang for minutes', async () => {
    const odds = { refused: 0, unanswered: 0, slow: 0.08, crash: 0, stop: 0 };
    const only = ['outage', 'revision', 'run', 'reconcile', 'backfill', 'garbage'] as const;
    expect((await simulate(28, { theme: 'remote', odds, only })).violations).toEqual([]);
  });

  it.each(THEMES)(
    'keeps its promises in all stories: %s',
    async (theme) => {
      const broken: string[] = [];
      for (let seed = 1; seed <= SEEDS[theme]; seed += 1) {
        const { violations } = await simulate(seed, { theme });
        broken.push(...violations.map(({ promise, what }) => `seed ${seed}: ${promise}: ${what}`));
      }
      expect(broken).toEqual([]);
    },
    PATIENCE_MS,
  );
});
