import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FleetDay } from '../../../src/datasets/smart-meter/marts/day.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

/** T1 has ten meters, T2 nine, T3 ten of which one has nearly everything. */

const DAY = '2024-01-15';
const GROUPS = { T1: 10, T2: 9, T3: 10 } as const;

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

it('a report does not tell the losses of a transformer that would be those of one household', async () => {
  const meters = Object.entries(GROUPS).flatMap(([transformer, count]) =>
    Array.from({ length: count }, (_, index) => ({
      id: `${transformer}M${index}`,
      transformer,
      index,
    })),
  );
  const readings = meters.map(({ id, transformer, index }) => ({
    id,
    whOf: () => (transformer === 'T3' && index === 0 ? 5_000 : 100),
  }));
  const list = meters
    .map(({ id, transformer }) => `${id},2024-01-01,home,${transformer}\n`)
    .join('');
  const injected = Object.keys(GROUPS).map((transformer) => `${transformer},${DAY},400000\n`);
  const days = await runner.days(
    [
      { part: 'readings', path: await runner.file('bulk.csv', bulkFile({ [DAY]: readings })) },
      {
        part: 'meters',
        path: await runner.file('m.csv', `meter_id,valid_from,segment,transformer\n${list}`),
      },
      {
        part: 'injected',
        path: await runner.file('i.csv', `transformer,date,injected_wh\n${injected.join('')}`),
      },
    ],
    [DAY],
    'metrics/day',
  );
  const done = days.get(DAY)!['metrics/day']!;
  const { losses } = await readOutput<FleetDay>(done, 'fleet');
  expect(losses.map(({ transformer, meters: count }) => [transformer, count])).toEqual([
    ['T1', 10],
  ]);
  expect(Object.keys(losses[0]!)).not.toContain('largest_share');
  const { path } = done.outputs['losses']!;
  // Who has a key is told of all of them.
  const all = await runner.sql((sql) =>
    sql.rows(`SELECT transformer FROM read_parquet('${path}') WHERE rest_kwh IS NOT NULL`),
  );
  expect(all).toHaveLength(3);
});
