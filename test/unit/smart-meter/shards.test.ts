import { expect, it } from 'vitest';
import { smartMeterWith } from '../../../src/datasets/smart-meter/index.ts';
import { SHARD_COUNTS } from '../../../src/datasets/smart-meter/shards.ts';
import { unsharded } from '../../../src/pipelines/shard.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { TEST_SECRET, testMeters } from '../../fixtures/meters.ts';

const secret = (): Promise<string> => Promise.resolve(TEST_SECRET);

it.each(SHARD_COUNTS)(
  '%i shards are a sound pipeline, whose sums are made of all of them',
  (of) => {
    const { definition } = smartMeterWith(secret, of);
    const daily = definition.steps.filter(({ id }) => unsharded(id) === 'metrics/daily');
    expect(daily).toHaveLength(of);
    const gathered = definition.steps.find(({ id }) => id === 'metrics/day')?.gathers ?? [];
    expect(gathered.every((inputs) => inputs.length === of)).toBe(true);
  },
);

it('a fleet comes in the shards of the configuration, which keep its secret', () => {
  const configured = configuredDatasets(
    { 'smart-meter': testMeters },
    {},
    { shards: { 'smart-meter': 16 } },
    secret,
  );
  const ids = configured['smart-meter']?.definition.steps.map(({ id }) => id);
  expect(ids).toContain('metrics/scores.16-of-16');
  expect(ids).toContain('metrics/quality');
  expect(testMeters.definition.steps.map(({ id }) => id)).toContain('metrics/scores');
});

it('numbers that no fleet can come in are refused with those that are possible', () => {
  const configure = (shards: Record<string, number>) => () =>
    configuredDatasets({ 'smart-meter': testMeters }, {}, { shards });
  expect(configure({ 'smart-meter': 12 })).toThrow(
    'smart-meter comes in 1, 2, 4, 8, 16 shards, not in 12',
  );
  expect(configure({ elsewhere: 4 })).toThrow('elsewhere does not come in shards');
});
