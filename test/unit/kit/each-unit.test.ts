import { describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { forEachUnit } from '../../../src/datasets/kit/each-unit.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { PipelineError } from '../../../src/errors.ts';
import type {
  Dataset,
  LocalArtefact,
  StepTask,
  UnitOutcome,
} from '../../../src/pipelines/dataset.ts';
import type { StepId } from '../../../src/pipelines/vocabulary.ts';
import { encodeFlatParquet } from '../../../src/storage/sql/parquet-export.ts';

const ref = { key: 'day', sha256: '', bytes: 1, mediaType: 'application/json' };

/** Two days of a step, which have the inputs of these names. */
function taskOf(
  step: StepId,
  names: readonly string[] = [],
  signal = new AbortController().signal,
): StepTask {
  const units = ['2025-11-03', '2025-11-04'].map((scope) => {
    const input: LocalArtefact = { scope, path: '/nowhere', ref, facts: {}, checks: [] };
    return { scope, inputs: Object.fromEntries(names.map((name) => [name, [input]])) };
  });
  return { step, params: {}, units, progress: () => undefined, signal };
}

describe('a step that goes through its days', () => {
  it('answers the failure of a day as its own, and does the others', async () => {
    const done = await forEachUnit(taskOf('report/daily'), ({ scope }) => {
      if (scope === '2025-11-03')
        throw new PipelineError('SRC_SHAPE_CHANGED', 'the file is no table');
      return Promise.resolve({ scope, outputs: {}, checks: [], facts: {} });
    });
    expect(done).toMatchObject([
      {
        scope: '2025-11-03',
        failure: { code: 'SRC_SHAPE_CHANGED', message: 'the file is no table' },
      },
      { scope: '2025-11-04', facts: {} },
    ]);
  });

  it('throws the reason of a cancelled task, and what may be gone on the next try', async () => {
    const stop = new AbortController();
    const cancelled = forEachUnit(taskOf('report/daily', [], stop.signal), () => {
      stop.abort(new Error('enough'));
      throw new PipelineError('SRC_SHAPE_CHANGED', 'cut off');
    });
    await expect(cancelled).rejects.toThrow('enough');
    const away = forEachUnit(taskOf('report/daily'), () => {
      throw new PipelineError('STORE_UNAVAILABLE', 'the store is away');
    });
    await expect(away).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

describe.each<[Dataset, StepId]>([
  [cityflow, 'report/daily'],
  [cityflow, 'report/page'],
  [eco2mix, 'report/national'],
  [eco2mix, 'report/page'],
])('the reports of $definition.name, %s', ({ definition, steps }, id) => {
  function reportWith(code: ErrorCode): Promise<readonly UnitOutcome[]> {
    const step = steps[id];
    if (step?.kind !== 'plain') throw new Error(`${id} is no plain step`);
    const inputs = definition.steps
      .find((candidate) => candidate.id === id)
      ?.inputs.map(({ name }) => name);
    const read = (): Promise<Uint8Array> =>
      Promise.reject(new PipelineError(code, 'the input cannot be read'));
    return step.run(taskOf(id, inputs), { read, writeFlatParquet: encodeFlatParquet });
  }

  it('are tried again as a whole when a store is away, and fail alone when an input is damaged', async () => {
    await expect(reportWith('STORE_UNAVAILABLE')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    const days = await reportWith('STORE_CORRUPT');
    expect(days.map((day) => 'failure' in day && day.failure.code)).toEqual([
      'STORE_CORRUPT',
      'STORE_CORRUPT',
    ]);
  });
});
