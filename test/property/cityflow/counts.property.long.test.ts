import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { dates, hashOf, openStepRunner } from '../../fixtures/step-runner.ts';
import { countLine, countsCsv } from '../../unit/cityflow/made-data.ts';

/** More rows a day than the engine handles at once, over an autumn day of 25 hours. */
const DAYS = dates('2025-10-25', '2025-10-27');
const ARCS = 100;

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(cityflow);
});
afterAll(() => runner.close());

/** An arc is missing on the first day, and another has a new name from the second on. */
const LINES = new Map(
  DAYS.map((date, day) => {
    const hours = date === '2025-10-26' ? 25 : 24;
    const lines = Array.from({ length: ARCS * hours }, (_, index) => {
      const [arc, hour] = [1_000 + (index % ARCS), Math.floor(index / ARCS)];
      const odd = (index * 7_919) % 101;
      const renamed = arc === 1_007 && day > 0 ? { label: 'Rue_Neuve' } : {};
      const made = {
        arc: String(arc),
        hour,
        q: odd < 5 ? null : odd * 13,
        k: odd > 96 ? null : odd * 0.97,
      };
      return day === 0 && arc === 1_003 ? [] : [countLine(date, { ...made, ...renamed })];
    });
    return [date, lines.flat()] as const;
  }),
);
const ALL = [...LINES.values()].flat();

function shuffle<T>(items: readonly T[], seed: number): T[] {
  const copy = [...items];
  let state = seed + 1;
  for (let index = copy.length - 1; index > 0; index--) {
    state = (state * 48_271) % 2_147_483_647;
    const other = state % (index + 1);
    [copy[index], copy[other]] = [copy[other]!, copy[index]!];
  }
  return copy;
}

async function hashes(
  lines: readonly string[],
  days: readonly string[],
): Promise<(string | undefined)[]> {
  const path = await runner.file('counts.csv', countsCsv(lines));
  const done = await runner.days([{ part: 'comptages', path }], days, 'metrics/comptages');
  return days.flatMap((day) => {
    const steps = done.get(day)!;
    const outputs = [
      ['download/comptages', 'slice'],
      ['transform/comptages', 'core'],
      ['transform/comptages', 'arcs'],
      ['metrics/comptages', 'metrics'],
    ] as const;
    return outputs.map(([step, output]) => hashOf(steps[step], output));
  });
}

describe('the bytes of a day of road counts', () => {
  it('do not depend on the order of the file, on repeated rows, nor on the days that come with it', async () => {
    const expected = await hashes(ALL, DAYS);
    expect(expected.every((hash) => hash !== undefined)).toBe(true);
    const draw = fc.record({
      seed: fc.nat(),
      repeated: fc.array(fc.nat({ max: ALL.length - 1 }), { maxLength: 300 }),
      alone: fc.nat({ max: DAYS.length - 1 }),
    });
    await fc.assert(
      fc.asyncProperty(draw, async ({ seed, repeated, alone }) => {
        const lines = shuffle([...ALL, ...repeated.map((index) => ALL[index]!)], seed);
        expect(await hashes(lines, DAYS)).toEqual(expected);
        const day = DAYS[alone]!;
        const own = expected.slice(alone * 4, alone * 4 + 4);
        // The day from a file of its own, and from the large file when nobody asks for the others.
        expect(await hashes(shuffle(LINES.get(day)!, seed), [day])).toEqual(own);
        expect(await hashes(lines, [day])).toEqual(own);
      }),
      { numRuns: 8 },
    );
  }, 180_000);

  it('are the same when the beginning of the file names none of their places', async () => {
    const expected = (await hashes(ALL, DAYS)).filter((_, index) => index % 4 === 0);
    // Rows of a day that nobody asked for, more than the places are looked for in at first.
    const other = countLine('2025-12-01', { arc: '1', hour: 3, q: 1, k: 1 });
    const filler = Array.from({ length: 120_000 }, () => other);
    const path = await runner.file('late.csv', countsCsv([...filler, ...shuffle(ALL, 5)]));
    const slices = await runner.slice({ part: 'comptages', path }, DAYS);
    expect(slices.map((slice) => hashOf(slice, 'slice'))).toEqual(expected);
  });
});
