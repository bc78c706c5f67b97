import { beforeEach, describe, expect, it } from 'vitest';
import { plan } from '../../../src/cli/look/plan.ts';
import { show } from '../../../src/cli/look/show.ts';
import { shardName, shardOf, shardText } from '../../../src/pipelines/shard.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { shardedDataset } from '../../fixtures/sharded-dataset.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const SHARDS = 8;
const DAY = '2024-01-15';
const SHARD = shardOf('10', SHARDS);
const COMMAND = { pipeline: 'sharded', from: DAY, date: DAY };

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher([DAY]);
  engine = await openTestEngine([shardedDataset({ shards: SHARDS, baseUrl: publisher.url })]);
  await runDay(engine, 'sharded', DAY);
  return async () => {
    await engine.close();
    await publisher.close();
  };
});

describe('quotidien plan', () => {
  it('says how many shards run, and why', async () => {
    const manifest = await runDay(engine, 'sharded', DAY, { offline: true });
    const state = manifest.state[shardName('transform/readings', SHARD)];
    expect(state).toMatchObject({ state: 'done' });
    const keys: string[] = [];
    for await (const { key } of engine.objects.list(`core/sharded/hours/shard=${shardText(SHARD)}`))
      keys.push(key);
    for (const key of keys) await engine.objects.delete(key);
    const context = testContext(engine);
    await plan(context, COMMAND);
    expect(context.terminal.text()).toMatch(
      new RegExp(
        `run +transform/readings +1 of ${SHARDS} shards, ${shardText(SHARD)}: output core is missing`,
      ),
    );
  });
});

describe('quotidien show', () => {
  it('tells the shards of a step in one line, and of one alone where it is named', async () => {
    const whole = testContext(engine);
    await show(whole, COMMAND);
    expect(whole.terminal.text()).toMatch(/transform\/readings +8 shards: \d done/);
    const one = testContext(engine);
    await show(one, { pipeline: 'sharded', date: shardName(DAY, SHARD) });
    expect(one.terminal.text()).toContain(`transform/readings.${shardText(SHARD)}`);
    expect(one.terminal.text()).not.toContain('metrics/day ');
  });
});
