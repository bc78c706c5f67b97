import { describe, expect, it } from 'vitest';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { graphProblems, periodsReached, scopesRead } from '../../../src/pipelines/period-graph.ts';
import { periodsOf } from '../../../src/pipelines/period.ts';
import type { PipelineDefinition, RollupDefinition } from '../../../src/pipelines/definition.ts';
import { GRAPH_ROLLUPS } from '../../fixtures/period-graph-dataset.ts';

const SPAN = { since: '2023-11-01', today: '2024-03-31' };
const STEPS = [{ id: 'transform/number' }] as never;

function withInput(
  id: string,
  input: Partial<RollupDefinition['inputs'][number]>,
): readonly RollupDefinition[] {
  return GRAPH_ROLLUPS.map((rollup) => {
    const [first, ...others] = rollup.inputs;
    return rollup.id !== id || first === undefined
      ? rollup
      : { ...rollup, inputs: [{ ...first, ...input }, ...others] };
  });
}

describe('the graph of periods', () => {
  it('reaches the months after a changed day, the history and all years beside it', () => {
    expect(periodsReached({ rollups: GRAPH_ROLLUPS }, SPAN, ['2024-01-15'])).toEqual(
      new Map([
        ['rollup/month', ['2024-01', '2024-02', '2024-03']],
        ['rollup/history', ['all']],
        ['rollup/year', ['2023', '2024']],
      ]),
    );
    expect([...periodsReached({ rollups: GRAPH_ROLLUPS }, SPAN, []).values()].flat()).toEqual([]);
  });

  it('is the calendar where periods read what is in them alone, as in nearly every dataset of ours', () => {
    const changed = ['2023-12-31', '2024-02-01'];
    const readsBack = ({ rollups }: PipelineDefinition): boolean =>
      rollups.some(({ inputs }) => inputs.some(({ asOf }) => (asOf?.lag ?? 0) > 0));
    const alone = Object.values(DATASETS).filter(({ definition }) => !readsBack(definition));
    expect(alone.length).toBeGreaterThanOrEqual(5);
    for (const { definition } of alone) {
      const calendar = definition.rollups.map(
        ({ id, grain }) => [id, periodsOf(grain, changed)] as const,
      );
      expect(periodsReached(definition, SPAN, changed)).toEqual(new Map(calendar));
    }
  });

  it('tries the states of a period from its end back', () => {
    const input = { name: 'state', step: 'transform/number', output: 'number' } as const;
    expect(scopesRead({ ...input, each: 'day', asOf: { within: 2 } }, '2024-02', SPAN)).toEqual([
      '2024-02-29',
      '2024-02-28',
      '2024-02-27',
    ]);
    expect(
      scopesRead({ ...input, each: 'month', asOf: { lag: 1, within: 2 } }, '2024-01', SPAN),
    ).toEqual(['2023-12', '2023-11']);
    expect(
      scopesRead({ ...input, each: 'year', asOf: { lag: 1, within: 1 } }, '2024', SPAN),
    ).toEqual(['2023']);
    expect(scopesRead({ ...input, each: 'year' }, '2024-01', SPAN)).toEqual(['2024']);
    expect(scopesRead({ ...input, each: 'history' }, '2024-01', SPAN)).toEqual(['all']);
  });

  it('refuses what would not end, and states of nothing', () => {
    const itself = { step: 'rollup/month', each: 'month' } as const;
    expect(graphProblems({ steps: STEPS, rollups: GRAPH_ROLLUPS })).toEqual([]);
    expect(
      graphProblems({
        steps: STEPS,
        rollups: withInput('rollup/month', { step: 'rollup/year', each: 'year' }),
      }),
    ).toEqual([
      'rollup/month reads rollup/year, which does not come before it',
      'rollup/month reads nothing of what is in its period',
    ]);
    expect(graphProblems({ steps: STEPS, rollups: withInput('rollup/month', itself) })).toEqual([
      'rollup/month reads itself: only as of earlier periods, lag from 1',
      'rollup/month reads nothing of what is in its period',
    ]);
    const late = { asOf: { lag: 3, within: 2 } };
    expect(graphProblems({ steps: STEPS, rollups: withInput('rollup/year', late) })).toEqual([
      'rollup/year reads months as of nothing: of days, months or years, lag from 0, within not less',
      'rollup/year reads nothing of what is in its period',
    ]);
  });
});
