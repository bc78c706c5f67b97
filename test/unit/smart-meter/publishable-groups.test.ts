import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishable } from '../../../src/datasets/smart-meter/marts/fleet.ts';

const group = (name: string, meters: number, share = 1 / Math.max(1, meters)) => ({
  ...{ name, meters, largest_wh: share * meters * 1_000, group_wh: meters * 1_000 },
});
const namesOf = (groups: readonly { readonly name: string }[]): string[] =>
  groups.map(({ name }) => name);

describe('groups of a fleet that are told', () => {
  it('have ten meters, and none with more than half of the energy', () => {
    const groups = [group('a', 10, 0.5), group('b', 40), group('c', 9), group('d', 30, 0.51)];
    expect(namesOf(publishable(groups))).toEqual(['a', 'b']);
  });

  it('leave no small group to whoever takes them off the fleet: the smallest is kept back with it', () => {
    expect(namesOf(publishable([group('big', 40), group('mid', 12), group('few', 3)]))).toEqual([
      'big',
    ]);
    // Two small ones together are many enough.
    expect(
      namesOf(publishable([group('big', 40), group('mid', 12), group('few', 3), group('some', 7)])),
    ).toEqual(['big', 'mid']);
  });

  it('are all of them where all may be told, and none where a fleet is one small group', () => {
    expect(publishable([group('a', 10), group('b', 11)])).toHaveLength(2);
    expect(publishable([group('one', 1, 1)])).toEqual([]);
  });

  it('never leave a rest that may not be told, unless it is everything', () => {
    const some = fc.record({
      meters: fc.integer({ min: 1, max: 40 }),
      share: fc.double({ min: 0.03, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 8 }), (given) => {
        const groups = given.map(({ meters, share }, index) =>
          group(String(index), meters, Math.max(share, 1 / meters)),
        );
        const told = publishable(groups);
        const rest = groups.filter((one) => !told.includes(one));
        if (told.length === 0 || rest.length === 0) return;
        const sum = (of: 'meters' | 'group_wh'): number =>
          rest.reduce((total, one) => total + one[of], 0);
        expect(sum('meters')).toBeGreaterThanOrEqual(10);
        expect(Math.max(...rest.map((one) => one.largest_wh))).toBeLessThanOrEqual(
          0.5 * sum('group_wh'),
        );
      }),
    );
  });
});
