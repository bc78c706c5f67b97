import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleDay } from '../../../src/datasets/eco2mix/sampling.ts';
import type { Source } from '../../fixtures/step-runner.ts';
import type { Runner } from '../../unit/eco2mix/day-runner.ts';
import { openRunner } from '../../unit/eco2mix/day-runner.ts';
import type { PortalRow } from '../../unit/eco2mix/portal-csv.ts';
import { portalHeader, portalLine, quartersOf } from '../../unit/eco2mix/portal-csv.ts';

const POWER = 50_000;
const DAYS = ['2024-01-15', '2024-03-31', '2024-10-27'] as const;
const ENERGY = {
  '2024-01-15': 1_200_000,
  '2024-03-31': 1_150_000,
  '2024-10-27': 1_250_000,
} as const;

/** The step of each half-hour slot of a day in one part; 0 where the part has nothing. */
type Steps = readonly (0 | 15 | 30)[];

/**
 * Stretches of at least an hour: a single half-hour among quarters could as well be a lost quarter.
 */
function stretches(slots: number): fc.Arbitrary<Steps> {
  const stretch = fc.record({
    step: fc.constantFrom(0 as const, 15 as const, 30 as const),
    slots: fc.integer({ min: 2, max: 24 }),
  });
  return fc.array(stretch, { minLength: 2, maxLength: 12 }).map((parts) => {
    const steps = parts.flatMap(({ step, slots: length }) => Array.from({ length }, () => step));
    const cut = Array.from({ length: slots }, (_, slot) => steps[slot] ?? 0);
    // What is left of a cut stretch may be a single slot.
    cut[slots - 1] = cut[slots - 2] ?? 0;
    return cut;
  });
}

/**
 * What another part has to publish for the whole day to be covered: every bare slot and those
 * around it, at one step.
 */
function complete(slots: number, parts: readonly Steps[], step: 15 | 30 = 15, reach = 1): Steps {
  const isBare = (slot: number): boolean =>
    slot >= 0 && slot < slots && parts.every((steps) => steps[slot] === 0);
  return Array.from({ length: slots }, (_, slot) => {
    const near = Array.from({ length: 2 * reach + 1 }, (__, offset) => slot - reach + offset);
    return near.some(isBare) ? step : 0;
  });
}

function presenceOf(steps: Steps): Uint8Array {
  return Uint8Array.from({ length: 2 * steps.length }, (_, quarter) => {
    const step = steps[Math.floor(quarter / 2)];
    return step === 15 || (step === 30 && quarter % 2 === 0) ? 1 : 0;
  });
}

describe('sampleDay', () => {
  it('covers a day that is covered, for any mix of steps and parts', () => {
    const day = fc.constantFrom(46, 48, 50).chain((slots) =>
      fc.record({
        slots: fc.constant(slots),
        parts: fc.array(stretches(slots), { minLength: 1, maxLength: 3 }),
      }),
    );
    fc.assert(
      fc.property(day, ({ slots, parts }) => {
        const all = [...parts, complete(slots, parts)].map(presenceOf);
        const sampling = sampleDay(2 * slots, all);
        expect(sampling.observedMinutes).toBe(slots * 30);
        expect(sampling.expectedSamples).toBe(sampling.observedSamples);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never fills a gap of one part that samples every quarter', () => {
    const gap = fc.tuple(fc.integer({ min: 0, max: 95 }), fc.integer({ min: 1, max: 80 }));
    fc.assert(
      fc.property(gap, ([from, length]) => {
        const presence = Uint8Array.from({ length: 96 }, (_, quarter) => {
          return quarter >= from && quarter < from + length ? 0 : 1;
        });
        const left = presence.reduce((sum, sample) => sum + sample, 0);
        const sampling = sampleDay(96, [presence]);
        expect(sampling).toMatchObject({
          observedSamples: left,
          observedMinutes: left * 15,
          expectedSamples: 96,
        });
      }),
    );
  });

  it('never lets two samples overlap, nor a day be longer than it is', () => {
    const flags = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 96, maxLength: 96 });
    fc.assert(
      fc.property(fc.array(flags, { minLength: 1, maxLength: 3 }), (parts) => {
        const { minutes, observedMinutes, expectedSamples, observedSamples } = sampleDay(
          96,
          parts.map((part) => Uint8Array.from(part)),
        );
        minutes.forEach((step, quarter) => {
          if (step === 30) expect(minutes[quarter + 1]).toBe(0);
        });
        expect(observedMinutes).toBeLessThanOrEqual(24 * 60);
        expect(Number.isInteger(expectedSamples)).toBe(true);
        expect(expectedSamples).toBeGreaterThanOrEqual(observedSamples);
      }),
      { numRuns: 1_000 },
    );
  });
});

const PARTS = [
  { part: 'tr', nature: 'Données temps réel' },
  { part: 'cons-def', nature: 'Données consolidées' },
] as const;
const MEASURES = ['consommation', 'prevision_j1', 'nucleaire'];
const NUMBERS = fc.array(fc.nat({ max: 10_000 }), { minLength: 8, maxLength: 8 });

interface MixedDay {
  readonly day: (typeof DAYS)[number];
  /** By part: the steps of load and of nuclear generation. */
  readonly steps: readonly { readonly load: Steps; readonly nuclear: Steps }[];
  readonly order: readonly number[];
  readonly repeated: readonly number[];
}

/**
 * One of the two parts publishes stretches of any step; the other what is left, and as much more as
 * `reach` says.
 */
const mixedDay: fc.Arbitrary<MixedDay> = fc.constantFrom(...DAYS).chain((day) => {
  const slots = quartersOf(day) / 2;
  const rest = fc.record({
    step: fc.constantFrom(15 as const, 30 as const),
    reach: fc.integer({ min: 1, max: 12 }),
  });
  return fc
    .record({
      load: stretches(slots),
      nuclear: stretches(slots),
      rest,
      isReversed: fc.boolean(),
      order: NUMBERS,
      repeated: NUMBERS,
    })
    .map(({ load, nuclear, rest: { step, reach }, isReversed, order, repeated }) => {
      const others = {
        load: complete(slots, [load], step, reach),
        nuclear: complete(slots, [nuclear], step, reach),
      };
      const steps = [{ load, nuclear }, others];
      return { day, steps: isReversed ? steps.reverse() : steps, order, repeated };
    });
});

/**
 * The rows of one part in any order, some of them twice: forecasts everywhere, load and nuclear
 * where the part has them.
 */
function csvOf({ day, steps, order, repeated }: MixedDay, part: number): string {
  const [loads, nuclears] = [presenceOf(steps[part]!.load), presenceOf(steps[part]!.nuclear)];
  const lines = Array.from(loads, (isLoad, quarter) => {
    const values: PortalRow['values'] = {
      consommation: isLoad === 1 ? POWER : null,
      prevision_j1: POWER,
      nucleaire: nuclears[quarter] === 1 ? POWER : null,
    };
    return portalLine(day, { quarter, nature: PARTS[part]!.nature, values }, MEASURES);
  });
  const shuffled = lines
    .map((line, index) => ({
      line,
      key: (index * (order[part]! * 2 + 1)) % (order[part + 2]! + 97),
    }))
    .sort((a, b) => a.key - b.key)
    .map(({ line }) => line);
  const again = repeated.map((number) => lines[number % lines.length]!);
  return [portalHeader(MEASURES), ...again.slice(0, 4), ...shuffled, ...again.slice(4), ''].join(
    '\n',
  );
}

describe('the energies of a constant day', () => {
  let runner: Runner;
  beforeAll(async () => {
    runner = await openRunner();
  });
  afterAll(() => runner.close());

  it('are exact for any mix of steps, parts, orders and duplicates, on days of 23, 24 and 25 hours', async () => {
    await fc.assert(
      fc.asyncProperty(mixedDay, async (mixed) => {
        const sources: Source[] = [];
        for (const [part, { part: name }] of PARTS.entries()) {
          sources.push({ part: name, path: await runner.file(`${name}.csv`, csvOf(mixed, part)) });
        }
        const metrics = (await runner.metrics(sources, [mixed.day])).get(mixed.day)!;
        const whole = { energy_mwh: ENERGY[mixed.day], coverage: 1 };
        expect(metrics.load).toMatchObject({ ...whole, mean_mw: POWER });
        expect(metrics.load.expected_samples).toBe(metrics.load.observed_samples);
        expect(metrics.generation.by_source.nucleaire).toMatchObject(whole);
        expect(metrics.forecasts.j1).toMatchObject({ mae_mw: 0, mape_pct: 0, bias_mw: 0 });
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});
