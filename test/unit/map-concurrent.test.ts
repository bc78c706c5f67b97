import { describe, expect, it } from 'vitest';
import { mapConcurrent } from '../../src/engine/map-concurrent.ts';

const ITEMS = Array.from({ length: 20 }, (_, index) => index);

describe('mapConcurrent', () => {
  it('answers in the order of the items, however late each answer is', async () => {
    const turns: (() => void)[] = [];
    const mapped = mapConcurrent(ITEMS, 4, async (item) => {
      // Every call of a round waits until the last of them has begun.
      await new Promise<void>((resolve) => {
        turns.unshift(resolve);
        if (turns.length === 4) for (const go of turns.splice(0)) go();
      });
      return item * 2;
    });
    expect(await mapped).toEqual(ITEMS.map((item) => item * 2));
  });

  it('begins no further call after the first error, and throws it when the calls under way have ended', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    let goOn = (): void => undefined;
    const late = new Promise<void>((resolve) => (goOn = resolve));
    const mapped = mapConcurrent(ITEMS, 3, async (item) => {
      begun.push(item);
      if (item === 1) throw new Error('item 1 cannot be had');
      await late;
      ended.push(item);
    });
    const outcome = mapped.then(
      () => 'all of them',
      (error: unknown) => `${(error as Error).message}, after ${ended.join(' and ')}`,
    );
    goOn();
    expect(await outcome).toBe('item 1 cannot be had, after 0 and 2');
    expect(begun).toEqual([0, 1, 2]);
  });
});
