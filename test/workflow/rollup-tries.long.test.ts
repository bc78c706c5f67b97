import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resultOf } from '../../src/cli/temporal/runs.ts';
import { JANUARY, openAnnouncedDays, PERIODS } from '../fixtures/announced-days.ts';
import type { AnnouncedDays } from '../fixtures/announced-days.ts';

/** The numbers in brackets are invariants of `src/workflows/rollup.ts`. */

let months: AnnouncedDays['months'];
let { made, open, wake, close } = {} as AnnouncedDays;

beforeEach(async () => {
  ({ months, made, open, wake, close } = await openAnnouncedDays());
});

afterEach(() => close());

describe('a period that cannot be made', () => {
  it('is tried again by the same run after pauses (3)', async () => {
    months.broken = 2;
    expect(await (await wake()).result()).toEqual({ rebuilds: 3 });
    expect(await made()).toEqual(PERIODS);
    expect(await open()).toEqual([]);
  });

  it('fails the run in the end, and stays announced for the next (3)', async () => {
    months.broken = 100;
    await expect(resultOf(await wake())).rejects.toMatchObject({ code: 'DATA_CHECK_FAILED' });
    expect(months.broken).toBe(96);
    expect(await open()).toEqual(JANUARY);
    months.broken = 0;
    await (await wake()).result();
    expect(await open()).toEqual([]);
  });
});
