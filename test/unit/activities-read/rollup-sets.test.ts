import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { executeRollup } from '../../../src/engine/derive/execute-rollup.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import type { Dataset, StepImplementation, UnitOutcome } from '../../../src/pipelines/dataset.ts';
import type { Period } from '../../../src/pipelines/vocabulary.ts';
import { runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/** Periods are made and committed in sets. */

/** A day in each of fourteen months: more than one set. */
const MONTHS = Array.from({ length: 14 }, (_, month) => {
  return `${2023 + Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}`;
});
const DAYS = MONTHS.map((month) => `${month}-10`);

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(DAYS);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
  await runDays(engine, 'tiny', DAYS);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

function rollUp(periods: readonly Period[], by: TestEngine = engine) {
  return executeRollup(by, { pipeline: 'tiny', step: 'rollup/month', periods }, testControl());
}

async function made(): Promise<Period[]> {
  return [...(await newestManifests(engine.documents, 'tiny', MONTHS)).keys()].sort();
}

/** The tiny pipeline, but what it makes of one month breaks a rule. */
function withBroken(month: Period): TestEngine {
  const dataset = tinyDataset({ baseUrl: publisher.url });
  const whole = dataset.steps['rollup/month'] as Extract<StepImplementation, { kind: 'sql' }>;
  const judged = (outcome: UnitOutcome): UnitOutcome =>
    outcome.scope !== month || 'failure' in outcome
      ? outcome
      : {
          ...outcome,
          checks: [{ check: 'sums', severity: 'fail', tested: 1, failed: 1, examples: [] }],
        };
  const broken: Dataset = {
    ...dataset,
    steps: {
      ...dataset.steps,
      'rollup/month': {
        kind: 'sql',
        run: async (task, sql) => (await whole.run(task, sql)).map(judged),
      },
    },
  };
  return engine.withDatasets([broken]);
}

describe('a set of periods', () => {
  it('is answered period by period, in order: made, reused, or empty', async () => {
    const asked = ['2022-12', ...MONTHS];
    const how = (answer: Awaited<ReturnType<typeof rollUp>>) =>
      answer.periods.map((one) => [one.period, one.how]);
    expect(how(await rollUp(asked))).toEqual([
      ['2022-12', 'empty'],
      ...MONTHS.map((month) => [month, 'ran']),
    ]);
    expect(how(await rollUp(asked))).toEqual([
      ['2022-12', 'empty'],
      ...MONTHS.map((month) => [month, 'reused']),
    ]);
    expect(await made()).toEqual(MONTHS);
  });

  it('is committed but for the one that breaks a rule, which is then thrown', async () => {
    await expect(rollUp(MONTHS, withBroken('2023-05'))).rejects.toMatchObject({
      code: 'DATA_CHECK_FAILED',
      message: expect.stringContaining('rollup/month of 2023-05: sums') as string,
    });
    expect(await made()).toEqual(
      expect.arrayContaining(MONTHS.slice(0, 12).filter((month) => month !== '2023-05')),
    );
    expect(await made()).not.toContain('2023-05');
    await rollUp(MONTHS);
    expect(await made()).toEqual(MONTHS);
  });
});
