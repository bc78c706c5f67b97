import { shardName } from '../kit/index.ts';
import type { PartDefinition, Shard, StepDefinition, StepId } from '../kit/index.ts';

/**
 * Shards of a fleet: consecutive ranges of `meter_key`, of which the first bits say the shard. Keys
 * are hashes, so that all shards have as many meters; a meter is in the same one every day, and the
 * tables of all shards one after the other are in the order of the table of the fleet.
 */

/**
 * In how many shards a fleet may come: whole bits of the key. One is a fleet without shards. Of
 * more than sixteen, a request for a week of days is larger than Temporal takes.
 */
export const SHARD_COUNTS: readonly number[] = [1, 2, 4, 8, 16];

const KEY_BITS = 64;

/** Parts whose files tell of meters day by day; lists hold for all shards. */
const PARTS_OF_METERS: readonly string[] = ['readings', 'head-end'];

/**
 * Steps that look at one meter at a time. All others gather: sums, medians of groups, balances of
 * transformers.
 */
const STEPS_OF_METERS: readonly StepId[] = [
  'transform/readings',
  ...(['metrics/daily', 'metrics/week', 'metrics/features', 'metrics/estimates'] as const),
  ...(['metrics/scores', 'metrics/lags', 'metrics/rules'] as const),
];

/** The part as it is cut for so many shards. */
export function partInShards(part: PartDefinition, of: number): PartDefinition {
  return of > 1 && PARTS_OF_METERS.includes(part.id)
    ? { ...part, shards: { of, by: 'meter' } }
    : part;
}

/** The step as it is made for so many shards. */
export function stepInShards(step: StepDefinition, of: number): StepDefinition {
  return of > 1 && STEPS_OF_METERS.includes(step.id) ? { ...step, shards: of } : step;
}

/**
 * SQL of the number of the shard, from 1, of a row with a `meter_key`; rows without one are in the
 * first.
 */
export function shardNumberSql(of: number): string {
  return `CAST(coalesce(meter_key, 0::UBIGINT) >> ${KEY_BITS - Math.log2(of)} AS INTEGER) + 1`;
}

/**
 * SQL that is true for the meters of a shard: a range, so that groups of rows of sorted files are
 * left out. Without a shard, of all.
 */
export function inShardSql(shard: Shard | undefined): string {
  if (shard === undefined || shard.of === 1) return 'true';
  const width = 1n << BigInt(KEY_BITS - Math.log2(shard.of));
  const from = width * BigInt(shard.index - 1);
  return `meter_key >= ${from}::UBIGINT AND meter_key <= ${from + width - 1n}::UBIGINT`;
}

/** The output that has the slice of a shard; of a fleet without shards, of all meters. */
export function sliceOutput(shard: Shard): string {
  return shard.of === 1 ? 'slice' : shardName('slice', shard);
}
