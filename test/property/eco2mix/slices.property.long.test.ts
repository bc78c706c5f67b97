import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runner } from '../../unit/eco2mix/day-runner.ts';
import { dates, dayUnit, hashOf } from '../../fixtures/step-runner.ts';
import { openRunner } from '../../unit/eco2mix/day-runner.ts';
import { portalHeader, portalLine, quartersOf } from '../../unit/eco2mix/portal-csv.ts';

const DAYS = dates('2024-10-24', '2024-10-30');
const MEASURES = ['consommation', 'prevision_j1', 'gaz', 'ech_comm_suisse'];

let runner: Runner;
beforeAll(async () => {
  runner = await openRunner();
});
afterAll(() => runner.close());

const cell = fc.option(fc.integer({ min: -9_000, max: 90_000 }), { nil: null, freq: 4 });
const week = fc.array(fc.array(cell, { minLength: 4, maxLength: 4 }), {
  minLength: 60,
  maxLength: 60,
});

/** The lines of a week, from a few drawn rows; the week has a day of 25 hours. */
function linesOf(cells: readonly (readonly (number | null)[])[]): Map<string, string[]> {
  let row = 0;
  return new Map(
    DAYS.map((day) => {
      const lines = Array.from({ length: quartersOf(day) }, (_, quarter) => {
        const drawn = cells[(row += 1) % cells.length]!;
        // Load stays plausible and there, so that the day has a core.
        const values = Object.fromEntries(
          MEASURES.map((name, index) => [name, drawn[index] ?? null]),
        );
        return portalLine(
          day,
          { quarter, values: { ...values, consommation: 50_000 + (row % 777) } },
          MEASURES,
        );
      });
      return [day, lines];
    }),
  );
}

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

async function fileOf(lines: readonly string[]): Promise<{ part: string; path: string }> {
  return {
    part: 'tr',
    path: await runner.file('tr.csv', [portalHeader(MEASURES), ...lines, ''].join('\n')),
  };
}

describe('the bytes of a day', () => {
  it('do not depend on where in a month it lies: a month is more rows than the engine handles at once', async () => {
    const month = dates('2024-10-01', '2024-10-31');
    const lines = new Map(
      month.map((day, index) => {
        const rows = Array.from({ length: quartersOf(day) }, (_, quarter) => {
          const odd = (index * 100 + quarter) % 7;
          const values = {
            consommation: 50_000 + index * 31 + quarter,
            gaz: odd === 0 ? null : odd * 1_000,
          };
          return portalLine(day, { quarter, values }, MEASURES);
        });
        return [day, rows] as const;
      }),
    );
    const whole = await runner.slice(await fileOf([...lines.values()].flat()), month);
    const cores = await runner.step(
      'transform/national',
      whole.map(({ scope, outputs }) => dayUnit(scope, { tr: [outputs['slice']!] })),
    );
    for (const [index, day] of month.entries()) {
      const [slice] = await runner.slice(await fileOf(lines.get(day)!), [day]);
      const [core] = await runner.step('transform/national', [
        dayUnit(day, { tr: [slice!.outputs['slice']!] }),
      ]);
      expect(hashOf(slice, 'slice'), day).toBe(hashOf(whole[index], 'slice'));
      expect(hashOf(core, 'core'), day).toBe(hashOf(cores[index], 'core'));
    }
  }, 60_000);

  it('are the same for slices of any cut, order and repetition', async () => {
    await fc.assert(
      fc.asyncProperty(
        week,
        fc.nat({ max: 1e6 }),
        fc.subarray(DAYS, { minLength: 1 }),
        async (cells, seed, wanted) => {
          const lines = linesOf(cells);
          const all = [...lines.values()].flat();
          const whole = await runner.slice(await fileOf(all), DAYS);
          const mixed = await runner.slice(
            await fileOf(shuffle([...all, ...all.slice(0, seed % 50)], seed)),
            wanted,
          );
          for (const done of mixed) {
            const day = done.scope;
            const [alone] = await runner.slice(await fileOf(shuffle(lines.get(day)!, seed)), [day]);
            const expected = hashOf(
              whole.find(({ scope }) => scope === day),
              'slice',
            );
            expect(hashOf(done, 'slice')).toBe(expected);
            expect(hashOf(alone, 'slice')).toBe(expected);
          }
        },
      ),
      { numRuns: 12 },
    );
  }, 120_000);

  it('are the same for core and metrics of a set of days and of each day alone', async () => {
    await fc.assert(
      fc.asyncProperty(week, fc.subarray(DAYS, { minLength: 1 }), async (cells, overlap) => {
        const lines = linesOf(cells);
        const slices = await runner.slice(await fileOf([...lines.values()].flat()), DAYS);
        // Some of the days are consolidated too, so that a set mixes days with and without anything
        // to merge.
        const better = overlap.flatMap((day) =>
          lines
            .get(day)!
            .filter((_, quarter) => quarter % 2 === 0)
            .map((line) => line.replace('temps réel', 'consolidées')),
        );
        const consolidated = await runner.slice(
          { ...(await fileOf(better)), part: 'cons-def' },
          DAYS,
        );
        const units = DAYS.map((day, index) => {
          const more = consolidated[index]!.outputs['slice'];
          return dayUnit(day, {
            tr: [slices[index]!.outputs['slice']!],
            'cons-def': more === undefined ? [] : [more],
          });
        });
        const cores = await runner.step('transform/national', units);
        const inputs = cores.map((core) => dayUnit(core.scope, { core: [core.outputs['core']!] }));
        const metrics = await runner.step('metrics/national', inputs);
        for (const [index, unit] of units.entries()) {
          const [core] = await runner.step('transform/national', [unit]);
          const [day] = await runner.step('metrics/national', [inputs[index]!]);
          expect(hashOf(core, 'core')).toBe(hashOf(cores[index], 'core'));
          expect(core!.facts).toEqual(cores[index]!.facts);
          expect(core!.checks).toEqual(cores[index]!.checks);
          expect(hashOf(day, 'metrics')).toBe(hashOf(metrics[index], 'metrics'));
        }
      }),
      { numRuns: 6 },
    );
  }, 120_000);
});
