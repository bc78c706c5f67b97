import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import { verifyPeriod } from '../../../src/engine/verify/verify-period.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { Verification } from '../../../src/pipelines/verification.ts';
import type { Period } from '../../../src/pipelines/vocabulary.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const MARCH = '2024-03';
const DAYS = ['2024-02-28', '2024-02-29', '2024-03-01', '2024-03-05', '2024-03-31'];

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-02-25', '2024-03-31'));
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
  await runDays(engine, 'tiny', DAYS);
  await rollUpDays(engine, 'tiny', DAYS);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

function verify(period: Period, by: TestEngine = engine): Promise<Verification | undefined> {
  return verifyPeriod(by, testControl(), 'tiny', period);
}

async function tableOf(period: Period): Promise<string> {
  const state = (await readVersions(engine, 'tiny', period)).at(-1)?.steps['rollup/month'];
  if (state?.state !== 'done') throw new Error(`${period} has no table`);
  const file = await engine.objects.openLocal(state.outputs['hours']!);
  if (file === undefined) throw new Error(`the table of ${period} is missing`);
  return file;
}

describe('verifyPeriod', () => {
  it('finds months and the whole history identical, also with days that never ran', async () => {
    for (const period of ['2024-02', MARCH, 'all']) {
      const verified = await verify(period);
      expect(verified).toMatchObject({ scope: period, result: 'identical' });
      expect(
        verified?.steps.flatMap(({ outputs }) => outputs.map(({ rebuilt }) => rebuilt?.sha256)),
      ).toEqual(
        verified?.steps.flatMap(({ outputs }) => outputs.map(({ recorded }) => recorded?.sha256)),
      );
    }
  });

  it('knows nothing of a period without tables', async () => {
    expect(await verify('2023-03')).toBeUndefined();
  });

  it('rebuilds from the days that were read, not from those that came since', async () => {
    await runDay(engine, 'tiny', '2024-03-06');
    expect(await verify(MARCH)).toMatchObject({ result: 'identical' });
  });

  it('finds damaged bytes in the store', async () => {
    await writeFile(await tableOf(MARCH), 'not what it was');
    expect(await verify(MARCH)).toMatchObject({
      result: 'different',
      steps: [
        { step: 'rollup/month', findings: ['hours: the stored bytes no longer match their hash'] },
      ],
    });
  });

  it('tells a rollup of another version from a wrong one', async () => {
    const dataset = tinyDataset({ baseUrl: publisher.url });
    const rollups = dataset.definition.rollups.map((rollup) => ({
      ...rollup,
      version: rollup.version + 1,
    }));
    const newer = engine.withDatasets([
      { ...dataset, definition: { ...dataset.definition, rollups } },
    ]);
    expect(await verify(MARCH, newer)).toMatchObject({
      result: 'not_rebuildable',
      steps: [{ findings: ['was made by step version 1, this code has version 2'] }],
    });
  });
});
