import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { staleDays } from '../../../src/engine/plan/resolve-derived.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { definePipeline } from '../../../src/pipelines/define-pipeline.ts';
import type { StepInput } from '../../../src/pipelines/definition.ts';
import type { Dataset } from '../../../src/pipelines/dataset.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DAY = '2024-01-15';
const PIPELINES = ['register', 'reader'] as const;

/** The tiny dataset whose comparison is made with a state in place of the day before. */
function reading(name: string, asOf: NonNullable<StepInput['asOf']>, baseUrl: string): Dataset {
  const tiny = tinyDataset({ name, baseUrl, freshForMinutes: 0 });
  const steps = tiny.definition.steps.map((step) =>
    step.id === 'metrics/comparison'
      ? {
          ...step,
          inputs: step.inputs.map(({ daysBefore, ...input }) =>
            daysBefore === undefined ? input : { ...input, asOf },
          ),
        }
      : step,
  );
  return { ...tiny, definition: definePipeline({ ...tiny.definition, steps }) };
}

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(['2024-01-10', '2024-01-12', DAY, '2024-01-16']);
  engine = await openTestEngine([
    tinyDataset({ name: 'register', baseUrl: publisher.url, freshForMinutes: 0 }),
    reading('reader', { pipeline: 'register', withinDays: 10 }, publisher.url),
    reading('own', { lagDays: 1, withinDays: 10 }, publisher.url),
  ]);
  return async () => {
    await engine.close();
    await publisher.close();
  };
});

/** What the comparison of a day read of the state, and its key. */
async function compared(pipeline: string, date = DAY) {
  const manifest = (await newestManifests(engine.documents, pipeline, [date])).get(date);
  const state = manifest?.steps['metrics/comparison'];
  if (state?.state !== 'done') throw new Error(`no comparison of ${date}`);
  const file = await engine.objects.openLocal(
    state.outputs['comparison'] ?? { key: '', sha256: '', bytes: 0 },
  );
  const text = await readFile(file ?? '', 'utf8');
  return { key: state.key, body: JSON.parse(text) as { previous_day: number | null } };
}

/** The sum of a day as published: hours read 100 + 10 · hour + day of the month. */
const sumOf = (day: number): number => 24 * (100 + day) + 10 * ((24 * 23) / 2);

describe('an input as of the data day', () => {
  it('is the state of the newest day that another pipeline has', async () => {
    await runDay(engine, 'reader', DAY);
    expect((await compared('reader')).body.previous_day).toBeNull();
    await runDay(engine, 'register', '2024-01-10');
    await runDay(engine, 'register', '2024-01-12');
    await runDay(engine, 'register', '2024-01-16');
    await runDay(engine, 'reader', DAY, { offline: true });
    expect((await compared('reader')).body.previous_day).toBe(sumOf(12));
  });

  it('is re-keyed when what it reads is other, and by no new version with the same', async () => {
    for (const pipeline of PIPELINES)
      await runDay(engine, pipeline, pipeline === 'reader' ? DAY : '2024-01-12');
    const { key } = await compared('reader');
    // Another status is another core table and another version, with the same metrics.
    publisher.publish('2024-01-12', { status: 'consolidated' });
    expect((await runDay(engine, 'register', '2024-01-12', { recheck: true })).version).toBe(2);
    expect((await runDay(engine, 'reader', DAY, { offline: true })).plan.upToDate).toBe(true);
    publisher.publish('2024-01-12', { add: 5 });
    await runDay(engine, 'register', '2024-01-12', { recheck: true });
    const changed = await runDay(engine, 'reader', DAY, { offline: true });
    expect(changed.plan.steps.find(({ step }) => step === 'metrics/comparison')?.reason).toMatch(
      /^input previous_day changed/,
    );
    expect((await compared('reader')).key).not.toBe(key);
    expect((await compared('reader')).body.previous_day).toBe(sumOf(12) + 24 * 5);
  });

  it('of the own pipeline reaches over gaps, alone and in a set of days, and a changed day makes its readers stale', async () => {
    await runDays(engine, 'own', ['2024-01-12', DAY, '2024-01-16']);
    expect((await compared('own')).body.previous_day).toBe(sumOf(12));
    expect((await compared('own', '2024-01-16')).body.previous_day).toBe(sumOf(15));
    const alone = await runDay(engine, 'own', DAY, { offline: true });
    expect(alone.plan.steps.find(({ step }) => step === 'metrics/comparison')?.action).toBe(
      'reuse',
    );
    publisher.publish('2024-01-12', { add: 1 });
    await runDay(engine, 'own', '2024-01-12', { recheck: true });
    const { definition } = engine.datasets['own'] ?? {};
    if (definition === undefined) throw new Error('no dataset');
    const stale = await staleDays(engine, definition, ['2024-01-12']);
    expect(stale.map(({ date }) => date)).toEqual([DAY]);
  });

  it('is rebuilt by the verification from what was read', async () => {
    await runDay(engine, 'register', '2024-01-10');
    await runDay(engine, 'reader', DAY);
    publisher.publish('2024-01-10', { add: 5 });
    await runDay(engine, 'register', '2024-01-10', { recheck: true });
    const { days } = await verifyDays(engine, testControl(), { pipeline: 'reader', dates: [DAY] });
    expect(days.map(({ result }) => result)).toEqual(['identical']);
  });

  it('must lie before the day of its own pipeline', () => {
    expect(() => reading('own', { withinDays: 3 }, '')).toThrow(
      'as of no day: lagDays is 1 or more',
    );
    expect(() => reading('own', { lagDays: 5, withinDays: 3 }, '')).toThrow('withinDays not less');
  });
});
