import type { StepUnit } from '../../kit/index.ts';
import { parquetOf, pathsOf } from '../tables.ts';

/**
 * The inputs of a day without the meters that wait for a decision, or were rejected. Days of
 * earlier versions hold nobody.
 */

/** Most days hold nobody, and then there is nothing to look for in a million rows. */
function heldPaths(unit: StepUnit, name: string): string[] {
  return (unit.inputs[name] ?? []).filter(({ ref }) => ref.rows !== 0).map(({ path }) => path);
}

/** `metrics/daily:daily` of all others. */
export function dailyWithoutHeld(unit: StepUnit): string {
  const daily = parquetOf(pathsOf(unit, 'daily'));
  const held = heldPaths(unit, 'held');
  if (held.length === 0) return daily;
  return `(SELECT * FROM ${daily} WHERE meter_key NOT IN (SELECT meter_key
    FROM ${parquetOf(held)}))`;
}

/**
 * `metrics/daily:slots` less what the held ones added; a place where nobody else is left is not
 * there.
 */
export function slotsWithoutHeld(unit: StepUnit): string {
  return lessHeld(unit, 'slots', {
    same: ['channel', 'segment', 'region', 'slot'],
    more: ['any_value(hour) AS hour', 'CAST(sum(sign * total_wh) AS DECIMAL(24, 5)) AS total_wh'],
    counts: ['observed', 'anomalies', 'labelled'],
  });
}

/** `metrics/daily:buckets` less what the held ones added. */
export function bucketsWithoutHeld(unit: StepUnit): string {
  return lessHeld(unit, 'buckets', {
    same: ['segment', 'slot', 'bucket'],
    more: ['CAST(sum(sign * total_wh) AS DECIMAL(24, 5)) AS total_wh'],
    counts: ['readings'],
  });
}

interface Sums {
  /** Columns that name a row. */
  readonly same: readonly string[];
  readonly more: readonly string[];
  /** Whole numbers; the first one is 0 where nobody is left, or where nobody had a value. */
  readonly counts: readonly string[];
}

function lessHeld(unit: StepUnit, name: 'slots' | 'buckets', { same, more, counts }: Sums): string {
  const all = parquetOf(pathsOf(unit, name));
  const held = heldPaths(unit, `held_${name}`);
  if (held.length === 0) return all;
  const sums = counts.map((count) => `CAST(sum(sign * ${count}) AS INTEGER) AS ${count}`);
  return `(SELECT ${[...same, ...more, ...sums].join(', ')}
    FROM (SELECT 1 AS sign, * FROM ${all} UNION ALL BY NAME
      SELECT -1 AS sign, * FROM ${parquetOf(held)})
    GROUP BY ${same.join(', ')} HAVING sum(sign * ${counts[0] ?? '0'}) > 0 OR min(sign) > 0)`;
}
