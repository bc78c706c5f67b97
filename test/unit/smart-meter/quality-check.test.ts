import { afterAll, beforeAll, expect, it } from 'vitest';
import { QUALITY_CHECK } from '../../../src/datasets/smart-meter/quality/step.ts';
import type { QualityDay } from '../../../src/datasets/smart-meter/quality/verdicts.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { checkOf, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

const DAY = '2024-01-15';
/** More than any home can take in half an hour: 36 kVA and a tenth. */
const TOO_MUCH_WH = 30_000;

async function qualityWith(badMeters: number) {
  const meters = Array.from({ length: 200 }, (_, index) => ({
    id: `M${index}`,
    whOf: (slot: number) => (index < badMeters ? TOO_MUCH_WH : 100 + index) + slot,
  }));
  const path = await runner.file('bulk.csv', bulkFile({ [DAY]: meters }));
  const days = await runner.days([{ part: 'readings', path }], [DAY], 'metrics/quality');
  const done = days.get(DAY)?.['metrics/quality'];
  const { verdicts } = await readOutput<QualityDay>(done, 'quality');
  const verdict = verdicts.find(({ rule }) => rule === 'below_contracted_power');
  return { verdict, check: checkOf(done, QUALITY_CHECK.id) };
}

it('one meter whose 48 half-hours are all bad is one meter in two hundred', async () => {
  const { verdict, check } = await qualityWith(1);
  expect(verdict).toMatchObject({ failed: 48, meters: 1 });
  expect(check).toMatchObject({ failed: 0, examples: [] });
});

it('three bad meters in two hundred are told', async () => {
  const { verdict, check } = await qualityWith(3);
  expect(verdict).toMatchObject({ failed: 144, meters: 3 });
  expect(check.failed).toBe(1);
  expect(check.examples).toEqual([
    { rule: 'below_contracted_power', tested: 9_600, failed: 144, meters: 3 },
  ]);
});
