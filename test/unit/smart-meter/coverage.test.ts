import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetDay } from '../../../src/datasets/smart-meter/marts/day.ts';
import { addDays } from '../../../src/pipelines/civil-date.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import type { MadeMeter } from '../../fixtures/meter-files.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

/** Twelve meters; the last four of them are silent on the day that is looked at. */

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

const DAY = '2024-01-15';
const ALL = Array.from({ length: 12 }, (_, index) => `M${index}`);
const SENDING = ALL.slice(0, 8);

interface Given {
  /** Who sends all readings of which day; the last day is looked at. */
  readonly sent: Readonly<Record<string, readonly string[]>>;
  /** The region of each meter, in a list that holds on every day; no list where it is absent. */
  readonly regionOf?: (index: number) => string;
}

async function fleetOf({ sent, regionOf }: Given): Promise<FleetDay> {
  const made: Record<string, MadeMeter[]> = {};
  for (const [date, ids] of Object.entries(sent))
    made[date] = ids.map((id) => ({ id, whOf: (slot: number) => 100 + slot }));
  const sources = [{ part: 'readings', path: await runner.file('bulk.csv', bulkFile(made)) }];
  if (regionOf !== undefined) {
    const rows = ALL.map((id, index) => `${id},2024-01-01,home,${regionOf(index)}\n`);
    const text = `meter_id,valid_from,segment,region\n${rows.join('')}`;
    sources.push({ part: 'meters', path: await runner.file('meters.csv', text) });
  }
  const dates = Object.keys(sent);
  const days = await runner.days(sources, dates, 'metrics/day');
  return readOutput<FleetDay>(days.get(dates.at(-1)!)?.['metrics/day'], 'fleet');
}

describe('coverage of a fleet', () => {
  it('is lowered by a meter of the list that sends nothing all day', async () => {
    const { metrics } = await fleetOf({ sent: { [DAY]: SENDING }, regionOf: () => 'nord' });
    expect(metrics[0]).toMatchObject({
      meters: 8,
      observed: 8 * 48,
      expected: 12 * 48,
      expected_from: 'list',
    });
    expect(metrics[0]!.coverage).toBeCloseTo(8 / 12, 10);
  });

  it('is lowered, without a list, by a meter that sent its readings the day before', async () => {
    const { metrics } = await fleetOf({ sent: { [addDays(DAY, -1)]: ALL, [DAY]: SENDING } });
    expect(metrics[0]).toMatchObject({
      meters: 8,
      observed: 8 * 48,
      expected: 12 * 48,
      expected_from: 'week_before',
    });
    expect(metrics[0]!.coverage).toBeCloseTo(8 / 12, 10);
  });

  it('is not known where nothing says who should have sent readings', async () => {
    const { metrics } = await fleetOf({ sent: { [DAY]: SENDING } });
    expect(metrics[0]).toMatchObject({
      meters: 8,
      observed: 8 * 48,
      coverage: null,
      expected_from: 'reporting',
    });
  });
});

describe('coverage by region and hour', () => {
  it('has the expected readings of silent meters', async () => {
    const { coverage } = await fleetOf({ sent: { [DAY]: SENDING }, regionOf: () => 'nord' });
    expect(coverage).toEqual(
      Array.from({ length: 24 }, (_, hour) => ({
        region: 'nord',
        hour,
        observed: 16,
        expected: 24,
      })),
    );
  });

  it.each([
    ['2024-03-31', 2, undefined],
    ['2024-10-27', 2, 48],
  ] as const)('has the hours of %s as its clock shows them', async (date, hour, expected) => {
    const { coverage } = await fleetOf({ sent: { [date]: SENDING }, regionOf: () => 'nord' });
    expect(coverage.find((row) => row.hour === hour)?.expected).toBe(expected);
    expect(coverage.find((row) => row.hour === 5)).toMatchObject({ observed: 16, expected: 24 });
  });

  it('publishes no region below ten meters, the unknown one included', async () => {
    const regionOf = (index: number): string => (index < 10 ? 'nord' : 'sud');
    const listed = await fleetOf({ sent: { [DAY]: [...SENDING, 'X1', 'X2'] }, regionOf });
    expect(new Set(listed.coverage.map(({ region }) => region))).toEqual(new Set(['nord']));
    const unlisted = await fleetOf({ sent: { [DAY]: SENDING } });
    expect(unlisted.coverage).toEqual([]);
  });
});
