import { describe, expect, it } from 'vitest';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { definePipeline } from '../../../src/pipelines/define-pipeline.ts';
import type { StepDefinition } from '../../../src/pipelines/definition.ts';
import { PAYLOAD_BYTES, requestBytes, workWindows } from '../../../src/pipelines/work-window.ts';

const lengthsOf = (windows: readonly string[][]): number[] => windows.map((days) => days.length);

describe('work windows', () => {
  it('are calendar months unless the pipeline says more', () => {
    const days = datesBetween('2024-01-15', '2024-03-02');
    expect(lengthsOf(workWindows({}, days))).toEqual([17, 29, 2]);
    expect(lengthsOf(workWindows({ workWindow: 'quarter' }, days))).toEqual([48]);
  });

  it('never cross a year, whatever their length', () => {
    const days = datesBetween('2023-05-31', '2024-07-01');
    expect(
      workWindows({ workWindow: 'half-year' }, days).map((set) => [set[0], set.at(-1)]),
    ).toEqual([
      ['2023-05-31', '2023-06-30'],
      ['2023-07-01', '2023-12-31'],
      ['2024-01-01', '2024-06-30'],
      ['2024-07-01', '2024-07-01'],
    ]);
    expect(workWindows({ workWindow: 'quarter' }, days)).toHaveLength(6);
  });

  it('hold every wanted day once, in order, however they come', () => {
    const days = datesBetween('2023-11-20', '2024-02-10').filter((_, index) => index % 3 !== 0);
    expect(workWindows({ workWindow: 'quarter' }, [...days].reverse()).flat()).toEqual(days);
  });
});

describe('the request for a step', () => {
  const { definition } = DATASETS['eco2mix']!;
  const step: StepDefinition = definition.steps.find(({ id }) => id === 'transform/national')!;

  it('of a full set stays within a payload, for every step of every pipeline', () => {
    for (const { steps, workWindow = 'month' } of Object.values(DATASETS).map(
      (dataset) => dataset.definition,
    )) {
      for (const one of steps.filter(({ singleDaysOnly }) => singleDaysOnly !== true)) {
        expect(requestBytes(one, workWindow), one.id).toBeLessThanOrEqual(PAYLOAD_BYTES);
      }
    }
  });

  it('is as large as the keys that it carries', () => {
    const key = 'a'.repeat(64);
    const days = datesBetween('2024-07-01', '2024-12-31').map((date) => {
      return { date, inputs: Object.fromEntries(step.inputs.map(({ name }) => [name, key])) };
    });
    expect(requestBytes(step, 'half-year')).toBe(JSON.stringify(days).length - 1);
  });

  it('that would be too large is refused with the definition', () => {
    const inputs: StepDefinition['inputs'] = [
      ...step.inputs,
      { name: 'fifth', step: 'download/tr', output: 'slice' },
    ];
    const steps = definition.steps.map((one) => (one.id === step.id ? { ...one, inputs } : one));
    expect(() => definePipeline({ ...definition, steps })).toThrow(
      /the keys that transform\/national reads of a half-year have \d+ bytes, more than 65536/,
    );
    expect(() => definePipeline({ ...definition, steps, workWindow: 'quarter' })).not.toThrow();
  });
});
