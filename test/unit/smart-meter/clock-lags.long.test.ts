import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MeterWorld } from '@quotidien/sample-portal/meters/world';
import type { QualityDay } from '../../../src/datasets/smart-meter/quality/verdicts.ts';
import { meterKey } from '../../../src/datasets/smart-meter/readings/meter-key.ts';
import { addDays, datesBetween } from '../../../src/pipelines/civil-date.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import type { MadeMeter } from '../../fixtures/meter-files.ts';
import { TEST_SECRET, testMeters } from '../../fixtures/meters.ts';
import { openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

/** The rule that holds the curve of a meter against that of its segment. */

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

async function judged(days: Readonly<Record<string, readonly MadeMeter[]>>, list: readonly string[]) {
  const dates = Object.keys(days);
  const text = `meter_id,valid_from,segment,transformer\n${list.join('')}`;
  const done = await runner.days(
    [
      { part: 'readings', path: await runner.file('bulk.csv', bulkFile(days)) },
      { part: 'meters', path: await runner.file('meters.csv', text) },
    ],
    dates,
    'metrics/quality',
  );
  return done.get(dates.at(-1)!)!;
}

const ruleOf = ({ verdicts }: QualityDay, id: string) => verdicts.find(({ rule }) => rule === id)!;

describe('the clock of a meter', () => {
  const FIRST = '2024-01-08';
  const DAYS = datesBetween(FIRST, addDays(FIRST, 6));

  /** Thirty homes of a made-up world; the curve of some is moved by half-hours, on so many of the days. */
  async function drifting(moved: Readonly<Record<number, number>>, onDays: number, days = DAYS) {
    const world = new MeterWorld({ seed: 5, meters: 80, from: FIRST, days: 7 });
    const homes = Array.from({ length: 80 }, (_, index) => index)
      .filter((index) => world.meter(index).segment === 'home' && world.truthOf(index) === undefined)
      .slice(0, 30);
    const made = days.map((date, day): [string, MadeMeter[]] => [
      date,
      homes.map((index, place) => {
        const { measured } = world.day(index, day);
        const lag = day < onDays ? (moved[place] ?? 0) : 0;
        return { id: world.meter(index).id, whOf: (slot) => measured[(slot - lag + 48) % 48]! };
      }),
    ]);
    const list = homes.map((index) => `${world.meter(index).id},2024-01-01,home,\n`);
    const done = await judged(Object.fromEntries(made), list);
    const rule = ruleOf(await readOutput<QualityDay>(done['metrics/quality'], 'quality'), 'clock_in_step');
    const keyOf = (place: number): string => meterKey(TEST_SECRET, world.meter(homes[place]!).id);
    return { rule, keyOf };
  }

  it('that is wrong by half-hours for seven days is told, whichever way, and no right one', async () => {
    const { rule, keyOf } = await drifting({ 3: 2, 8: -3 }, 7);
    expect(rule).toMatchObject({ severity: 'warn', tested: 30, failed: 2 });
    expect([...rule.keys].sort()).toEqual([keyOf(3), keyOf(8)].sort());
  });

  it('that was wrong for a day of seven is not, nor one of four days', async () => {
    expect((await drifting({ 3: 2 }, 1)).rule).toMatchObject({ tested: 30, failed: 0 });
    expect((await drifting({ 3: 2 }, 4, DAYS.slice(0, 4))).rule).toMatchObject({ tested: 0, failed: 0 });
  });
});
