import type { StepTask, StepUnit } from '../../kit/index.ts';
import { inShardSql } from '../shards.ts';
import { inputOrEmpty } from '../tables.ts';
import { columnsOfSide } from './parts.ts';

/**
 * The list of meters that holds on the day, as a table function; in a step that comes in shards,
 * its part of the list alone.
 */
export function metersOf(unit: StepUnit, { shard }: Pick<StepTask, 'shard'>): string {
  const all = inputOrEmpty(unit, 'meters', columnsOfSide('meters'));
  return shard === undefined ? all : `(SELECT * FROM ${all} WHERE ${inShardSql(shard)})`;
}
