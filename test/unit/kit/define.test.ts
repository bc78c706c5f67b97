import { describe, expect, it } from 'vitest';
import {
  definePart,
  definePipeline,
  defineRollup,
  defineStep,
  delayOf,
  downloadStep,
  minutesOf,
  parquetFile,
  secondsOf,
} from '../../../src/datasets/kit/index.ts';
import type { PipelineSpec } from '../../../src/datasets/kit/index.ts';

describe('durations', () => {
  it('are written as people write them', () => {
    expect([secondsOf('1 second'), secondsOf('10 minutes'), secondsOf('2 hours')]).toEqual([
      1, 600, 7_200,
    ]);
    expect([minutesOf('1 hour'), minutesOf('7 days')]).toEqual([60, 10_080]);
  });

  it('after the end of a day count civil days as days and everything else in minutes', () => {
    expect(delayOf('15 days')).toEqual({ days: 15 });
    expect(delayOf('2 hours')).toEqual({ minutes: 120 });
  });
});

describe('defineStep', () => {
  it('fills in version, queue of the stage, ten minutes, no inputs, and not required', () => {
    const step = defineStep({ id: 'report/day', title: 'The day', outputs: {} });
    expect(step).toEqual({
      ...{ id: 'report/day', title: 'The day', version: 1, queue: 'report', timeoutSeconds: 600 },
      ...{ inputs: [], outputs: {}, required: false },
    });
  });

  it('writes one optional input for each of the previous days, under names that are part of step keys', () => {
    const archives = { name: 'archives', step: 'metrics/day', output: 'archives' } as const;
    const step = defineStep({
      id: 'report/day',
      title: 'The day',
      inputs: [{ ...archives, previousDays: { from: 2, to: 3 } }],
      outputs: {},
    });
    expect(step.inputs).toEqual([
      { ...archives, name: 'archives_2_days_before', daysBefore: 2, optional: true },
      { ...archives, name: 'archives_3_days_before', daysBefore: 3, optional: true },
    ]);
  });
});

describe('definePipeline', () => {
  const part = definePart({
    id: 'hours',
    title: 'Hours',
    source: 'http',
    expectedAfter: '2 hours',
  });
  const spec: PipelineSpec = {
    name: 'kitchen',
    title: 'Kitchen',
    zone: 'Europe/Paris',
    since: '2024-01-01',
    publication: { expectedAfter: '1 hour', pollEvery: '30 minutes', cutOffAfter: '3 days' },
    parts: [part],
    steps: [downloadStep(part, 'slices/kitchen/hours')],
    schedules: [{ id: 'daily', title: 'Yesterday', cron: '0 6 * * *' }],
  };

  it('gives a part that is asked for again at no time, and a calendar and schedules in the units of the engine', () => {
    expect(part).toMatchObject({
      bulkWindow: 'month',
      expectedAfter: { minutes: 120 },
      freshForMinutes: { empty: null, provisional: null, consolidated: null, definitive: null },
    });
    expect(definePipeline(spec)).toMatchObject({
      publication: {
        expectedAfter: { minutes: 60 },
        pollEveryMinutes: 30,
        cutOffAfter: { days: 3 },
        holdDays: 7,
      },
      schedules: [{ lagDays: 1, catchUpMinutes: 10_080, jitterSeconds: 60 }],
      rollups: [],
    });
  });

  it('cuts what a publisher sends on its queue, and files that people give in the SQL engine', () => {
    const given = definePart({ id: 'given', title: 'Given', source: 'import' });
    expect(downloadStep(part, 'x').queue).toBe('fetch');
    expect(downloadStep(given, 'x')).toMatchObject({
      queue: 'compute',
      part: 'given',
      outputs: { slice: { layer: 'x' } },
    });
  });

  it('names the step of a mistake', () => {
    const rollup = defineRollup({
      id: 'rollup/month',
      title: 'A month',
      grain: 'month',
      inputs: [{ name: 'days', step: 'transform/hours', output: 'core', each: 'day' }],
      outputs: { hours: parquetFile('months/kitchen') },
    });
    expect(() => definePipeline({ ...spec, rollups: [rollup] })).toThrow(
      /rollup\/month reads transform\/hours/,
    );
  });
});
