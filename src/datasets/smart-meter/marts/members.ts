import type { SqlSession, StepUnit } from '../../kit/index.ts';
import { halfHoursOf } from '../readings/clock.ts';
import { columnsOfSide } from '../side/parts.ts';
import { inputOrEmpty, parquetOf, pathsOf } from '../tables.ts';
import { dailyWithoutHeld } from './without-held.ts';

/**
 * The meters of which readings are expected on a day: those that sent some, and those that sent
 * nothing but should have. Without the latter a meter that is silent all day would lower no
 * coverage.
 */

/**
 * Where the silent ones are known from:
 * - list: the list of meters that holds on the day
 * - week_before: meters with a nearly full day among the seven before
 * - reporting: nothing; whether others were silent is not known, so coverage is not either
 */
export type ExpectedFrom = 'list' | 'week_before' | 'reporting';

/** Expected of a meter that sent nothing, so that its own step is not known. Minutes. */
const USUAL_STEP_MIN = 30;

/** The best of what there is; a list goes before what was seen. */
export function expectedFrom(unit: StepUnit): ExpectedFrom {
  if (pathsOf(unit, 'meters').length > 0) return 'list';
  return pathsOf(unit, 'week_before').length > 0 ? 'week_before' : 'reporting';
}

/**
 * `member_groups`: members by `segment`, `region`, `expected` and `step_min`, how many they are
 * (`members`), and how many of them sent something (`meters`); the sum and the largest of
 * `total_wh`. A million members are gathered once for all that is told of them.
 */
export async function fillMemberGroups(sql: SqlSession, unit: StepUnit): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE member_groups AS
    SELECT segment, region, expected, step_min, count(*) AS members, count(total_wh) AS meters,
      sum(observed) AS observed,
      sum(total_wh) AS total_wh, max(total_wh) AS largest_wh
    FROM ${membersSql(unit)} GROUP BY ALL`);
}

/**
 * One row per meter: `segment`, `region`, `total_wh` (null for a silent one), `observed`,
 * `expected`, `step_min`. Meters that send what they produce and nothing else are not waited for.
 */
function membersSql(unit: StepUnit): string {
  const daily = dailyWithoutHeld(unit);
  const meters = inputOrEmpty(unit, 'meters', columnsOfSide('meters'));
  const known = {
    list: meters,
    week_before: parquetOf(pathsOf(unit, 'week_before')),
    reporting: undefined,
  };
  const silent = known[expectedFrom(unit)];
  const expected = ((unit.day?.hours ?? 24) * 60) / USUAL_STEP_MIN;
  const sent = `SELECT meter_key, total_wh, observed, expected, step_min
    FROM ${daily} WHERE channel = 'import'`;
  const others = `SELECT DISTINCT meter_key, CAST(NULL AS DECIMAL(18, 5)),
    0, ${expected}, ${USUAL_STEP_MIN}
    FROM ${silent ?? daily} WHERE meter_key NOT IN (SELECT meter_key FROM ${daily})`;
  return `(SELECT coalesce(m.segment, 'unknown') AS segment,
    coalesce(m.region, 'unknown') AS region, o.*
    FROM (${sent} UNION ALL ${others}) o LEFT JOIN ${meters} m ON o.meter_key = m.meter_key)`;
}

/**
 * `(day_hours, hour, times)`: how often the clock shows each hour, for meters whose day has as many
 * hours as that of Paris, and for those of zones whose clock does not change on this day.
 */
export function hoursSql(unit: StepUnit): string {
  const paris = halfHoursOf(unit.scope, 'Europe/Paris');
  const other = halfHoursOf(unit.scope, 'UTC');
  const clocks = paris.length === other.length ? [paris] : [paris, other];
  const rows = clocks.flatMap((clock) =>
    [...new Set(clock.map(({ hour }) => hour))].map(
      (hour) =>
        `(${clock.length / 2}, ${hour}, ${clock.filter((slot) => slot.hour === hour).length / 2})`,
    ),
  );
  return `(VALUES ${rows.join(', ')}) AS clock(day_hours, hour, times)`;
}
