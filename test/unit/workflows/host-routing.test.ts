import { describe, expect, it } from 'vitest';
import type { NotedResult } from '../../../src/engine/upkeep/outage-note.ts';
import { HostRoute } from '../../../src/workflows/host-routing.ts';

const noted = (host: string, store: 'primary' | 'fallback' = 'fallback'): NotedResult => ({
  served: {
    place: { store, host },
    queue: `q-host-${host}`,
    why: `the store is away, says ${host}`,
  },
});

describe('HostRoute', () => {
  it('leaves a run where it is while no result carries a note', () => {
    const route = new HostRoute();
    for (const result of [{}, undefined, null, [], 'text']) route.read(result);
    expect([route.queue, route.degraded, route.story]).toEqual([undefined, undefined, undefined]);
  });

  it('sends what follows to the host that alone has what was made, and stays there', () => {
    const route = new HostRoute();
    for (const result of [noted('alpha'), noted('beta'), {}]) route.read(result);
    expect(route.queue).toBe('q-host-alpha');
    expect(route.degraded).toBe('the store is away, says alpha');
    expect(route.story).toContain('goes on at the host alpha');
  });

  it('tells results that another host has, which are to be made again', () => {
    const route = new HostRoute();
    const results = [noted('alpha'), noted('beta'), noted('beta', 'primary'), {}];
    for (const result of results) route.read(result);
    expect(results.map((result) => route.isElsewhere(result))).toEqual([false, true, false, false]);
  });

  it('counts an answer from memory as degraded, and lets the run go on anywhere', () => {
    const route = new HostRoute();
    route.read(noted('alpha', 'primary'));
    expect([route.queue, route.degraded]).toEqual([undefined, 'the store is away, says alpha']);
  });
});
