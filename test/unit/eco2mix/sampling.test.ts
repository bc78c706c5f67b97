import { describe, expect, it } from 'vitest';
import { coverageOf, sampleDay, summarize } from '../../../src/datasets/eco2mix/sampling.ts';

/**
 * A day from text: one letter per quarter, `x` where there is a sample; repeated to fill the day.
 */
function presence(pattern: string, quarters = 96): Uint8Array {
  return Uint8Array.from({ length: quarters }, (_, quarter) =>
    pattern[quarter % pattern.length] === 'x' ? 1 : 0,
  );
}

function without(day: Uint8Array, ...quarters: number[]): Uint8Array {
  const copy = Uint8Array.from(day);
  for (const quarter of quarters) copy[quarter] = 0;
  return copy;
}

describe('sampleDay', () => {
  it('sees 92, 96 and 100 samples of 15 minutes', () => {
    for (const quarters of [92, 96, 100]) {
      const sampling = sampleDay(quarters, [presence('x', quarters)]);
      expect(sampling).toMatchObject({ expectedSamples: quarters, observedSamples: quarters });
      expect(sampling.observedMinutes).toBe(quarters * 15);
    }
  });

  it('sees 46, 48 and 50 samples of 30 minutes', () => {
    for (const quarters of [92, 96, 100]) {
      const sampling = sampleDay(quarters, [presence('x.', quarters)]);
      expect(sampling).toMatchObject({
        expectedSamples: quarters / 2,
        observedSamples: quarters / 2,
      });
      expect(sampling.observedMinutes).toBe(quarters * 15);
    }
  });

  it('does not fill a missing quarter between quarters', () => {
    const sampling = sampleDay(96, [without(presence('x'), 41)]);
    expect(sampling.minutes[40]).toBe(15);
    expect(sampling).toMatchObject({
      expectedSamples: 96,
      observedSamples: 95,
      observedMinutes: 95 * 15,
    });
  });

  it('does not fill the first quarter of a longer gap', () => {
    const gap = Array.from({ length: 7 }, (_, index) => 41 + index);
    const sampling = sampleDay(96, [without(presence('x'), ...gap)]);
    expect(sampling).toMatchObject({
      expectedSamples: 96,
      observedSamples: 89,
      observedMinutes: 89 * 15,
    });
  });

  it('does not fill a missing quarter at either end of the day, nor after the newest sample', () => {
    expect(sampleDay(96, [without(presence('x'), 1)]).observedMinutes).toBe(95 * 15);
    expect(sampleDay(96, [without(presence('x'), 95)]).observedMinutes).toBe(95 * 15);
    const untilTen = presence('x').map((sample, quarter) => (quarter <= 40 ? sample : 0));
    expect(sampleDay(96, [untilTen]).observedMinutes).toBe(41 * 15);
  });

  it('takes missing half-hours as missing, in half-hours', () => {
    const sampling = sampleDay(100, [without(presence('x.', 100), 10, 12)]);
    expect(sampling).toMatchObject({ expectedSamples: 50, observedSamples: 48 });
    expect(coverageOf(sampling)).toBe(0.96);
  });

  it('lets a half-hourly part fill what a quarter-hourly part lacks, because it says so itself', () => {
    const realTime = without(presence('x'), 41);
    const sampling = sampleDay(96, [presence('x.'), realTime]);
    expect(sampling.minutes[40]).toBe(30);
    expect(sampling.observedMinutes).toBe(24 * 60);
  });

  it('changes the step where a part changes it', () => {
    const half = presence('x').map((_, quarter) => (quarter < 48 || quarter % 2 === 0 ? 1 : 0));
    const sampling = sampleDay(96, [half]);
    expect(sampling).toMatchObject({
      expectedSamples: 72,
      observedSamples: 72,
      observedMinutes: 24 * 60,
    });
  });

  it('counts a gap between two steps at the finer one', () => {
    const half = presence('x').map((_, quarter) => (quarter < 48 || quarter % 2 === 0 ? 1 : 0));
    expect(sampleDay(96, [without(half, 46, 47)])).toMatchObject({
      expectedSamples: 72,
      observedSamples: 70,
    });
    expect(sampleDay(96, [without(half, 60, 62)])).toMatchObject({
      expectedSamples: 72,
      observedSamples: 70,
    });
  });

  it('expects the given step of a column without any sample', () => {
    expect(sampleDay(96, [])).toMatchObject({ expectedSamples: 96, observedSamples: 0 });
    expect(sampleDay(96, [], 30)).toMatchObject({ expectedSamples: 48, observedSamples: 0 });
    expect(coverageOf(sampleDay(96, []))).toBe(0);
  });
});

describe('summarize', () => {
  it('counts what lies between and around samples', () => {
    const minutes = Uint8Array.from([0, 0, 30, 0, 0, 15, 15, 0]);
    expect(summarize(minutes)).toMatchObject({
      observedSamples: 3,
      observedMinutes: 60,
      expectedSamples: 6,
    });
  });
});
