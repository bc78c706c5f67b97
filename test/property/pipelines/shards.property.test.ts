import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqlOf } from '../../../src/engine/engine.ts';
import { parseScope, scopeText } from '../../../src/pipelines/scope.ts';
import {
  MAX_SHARDS,
  shardName,
  shardOf,
  shardSql,
  splitShard,
} from '../../../src/pipelines/shard.ts';
import { quoteText } from '../../../src/pipelines/sql-text.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { shardedDataset } from '../../fixtures/sharded-dataset.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DAY = '2024-01-15';
const SHARDS = 6;
const count = fc.integer({ min: 2, max: MAX_SHARDS });
const shard = count.chain((of) => fc.integer({ min: 1, max: of }).map((index) => ({ index, of })));

let publisher: TinyPublisher;
let engine: TestEngine;

beforeAll(async () => {
  publisher = await startTinyPublisher([DAY]);
  engine = await openTestEngine([
    shardedDataset({ shards: SHARDS, baseUrl: publisher.url, freshForMinutes: 0 }),
  ]);
});

afterAll(async () => {
  await engine.close();
  await publisher.close();
});

describe('shards', () => {
  it('are read back from their names', () => {
    fc.assert(
      fc.property(fc.constantFrom('slice', 'transform/readings', DAY), shard, (name, one) => {
        expect(splitShard(shardName(name, one))).toEqual({ name, shard: one });
      }),
    );
  });

  it('of a unit are the same in SQL, whatever its id', async () => {
    const units = fc.array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), count), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(units, async (drawn) => {
        const sound = drawn.filter(([unit]) => !unit.includes('\0'));
        fc.pre(sound.length > 0);
        const columns = sound.map(([unit, of], i) => `${shardSql(quoteText(unit), of)} AS s${i}`);
        const statement = `SELECT ${columns.join(', ')}`;
        const [row] = await sqlOf(engine).session((sql) =>
          sql.rows<Record<string, number>>(statement),
        );
        expect(Object.values(row ?? {}).map(Number)).toEqual(
          sound.map(([unit, of]) => shardOf(unit, of).index),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('re-run exactly for the units that were corrected, and with the bytes of a fresh day', async () => {
    const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { maxLength: 4 });
    let before: readonly number[] = [];
    await runDay(engine, 'sharded', DAY);
    const ofHour = (hour: number): string =>
      shardName('transform/readings', shardOf(String((hour + 23) % 24).padStart(2, '0'), SHARDS));
    await fc.assert(
      fc.asyncProperty(hours, fc.integer({ min: 1, max: 1_000_000 }), async (corrected, value) => {
        publisher.publish(DAY, {
          hours: Object.fromEntries(corrected.map((hour) => [hour, value])),
        });
        const run = await runDay(engine, 'sharded', DAY, { recheck: true });
        const touched = new Set([...before, ...corrected].map(ofHour));
        const ran = Object.entries(run.state).flatMap(([id, state]) =>
          id.startsWith('transform/readings.') && state.state === 'done' && state.how === 'ran'
            ? [id]
            : [],
        );
        // What it was once is found in the ledger.
        expect(ran.every((id) => touched.has(id))).toBe(true);
        expect(corrected.every((hour) => value < 1000 || ran.includes(ofHour(hour)))).toBe(true);
        before = corrected;
      }),
      { numRuns: 8 },
    );
    const fresh = await openTestEngine([
      shardedDataset({ shards: SHARDS, baseUrl: publisher.url }),
    ]);
    try {
      const [known, again] = [
        await runDay(engine, 'sharded', DAY, { offline: true }),
        await runDay(fresh, 'sharded', DAY),
      ];
      const keys = (run: typeof known) =>
        Object.entries(run.state)
          .map(([id, state]) => [id, state.state === 'done' ? state.key : state.state])
          .sort();
      expect(keys(known)).toEqual(keys(again));
    } finally {
      await fresh.close();
    }
  });
});

describe('scopes', () => {
  it('have one text form, which is read back', () => {
    const scope = fc.constantFrom(DAY, '2024-01', '2024', 'all');
    fc.assert(
      fc.property(scope, fc.option(shard, { nil: undefined }), (text, partition) => {
        const whole = partition === undefined ? text : shardName(text, partition);
        expect(scopeText(parseScope(whole))).toBe(whole);
        expect(parseScope(whole).partition).toEqual(partition);
      }),
    );
  });

  it('refuse what is none', () => {
    for (const text of [
      '2024-02-30',
      '2024-13',
      '24',
      'never',
      '2024-01-15.17-of-16',
      '2024-01-15.00-of-16',
    ])
      expect(() => parseScope(text)).toThrow('is no existing day, month or year');
  });
});
