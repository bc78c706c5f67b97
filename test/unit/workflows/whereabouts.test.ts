import { describe, expect, it } from 'vitest';
import type { MaybeServed } from '../../../src/engine/contract.ts';
import { Whereabouts } from '../../../src/workflows/whereabouts.ts';

const servedBy = (host: string, store: 'primary' | 'fallback' = 'fallback'): MaybeServed => ({
  served: { place: { store, host }, queue: `q-host-${host}`, why: `the store is away, says ${host}` },
});

describe('Whereabouts', () => {
  it('leaves a run where it is while the primary stores serve it', () => {
    const run = new Whereabouts();
    run.note({});
    expect([run.queueFor('usual'), run.degraded, run.story]).toEqual(['usual', undefined, undefined]);
  });

  it('sends what follows to the host that alone has what was made, and stays there', () => {
    const run = new Whereabouts();
    run.note(servedBy('alpha'));
    run.note(servedBy('beta'));
    run.note({});
    expect(run.queueFor('usual')).toBe('q-host-alpha');
    expect(run.degraded).toBe('the store is away, says alpha');
    expect(run.story).toContain('goes on at the host alpha');
  });

  it('tells results that another host has, which are to be made again', () => {
    const run = new Whereabouts();
    const [first, second] = [run.note(servedBy('alpha')), run.note(servedBy('beta'))];
    expect([first, second, servedBy('beta', 'primary'), {}].map((result) => run.isElsewhere(result))).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });

  it('counts an answer from memory as degraded, and lets the run go on anywhere', () => {
    const run = new Whereabouts();
    run.note(servedBy('alpha', 'primary'));
    expect([run.queueFor('usual'), run.degraded]).toEqual(['usual', 'the store is away, says alpha']);
  });
});
