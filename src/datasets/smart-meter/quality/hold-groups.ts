import { judgeUnits, quoteTexts, required } from '../../kit/index.ts';
import type { CheckDefinition, CheckResult, SqlSession, StepUnit } from '../../kit/index.ts';
import { bucketsSql, slotsSql } from '../marts/partial-sums.ts';
import { FLEET_RULES } from './fleet-rules.ts';
import { QUALITY_RULES } from './rules.ts';

/**
 * Meters whose day cannot be believed are left out of the fleet, and a person is asked: once for
 * each group, and never for the fleet. A group is the meters of one transformer; meters that no
 * list puts behind one are in sixteen parts by their key. Of a group, what fails is left out, not
 * its neighbours; a group that lacks more than a tenth of its readings is left out as a whole.
 */
export const GROUP_CHECK: CheckDefinition = {
  id: 'meter-groups',
  title:
    'no meter has changed its unit, is in no list of meters, or has two readings for one interval, and no group lacks a tenth of its readings',
  severity: 'hold',
  perUnit: true,
  unitClass: 'open',
};

/** So many groups are asked about one by one; of more than these, the sixteen parts are. */
const MOST_GROUPS = 1_000;

const PART = `'part ' || lpad(CAST((f.meter_key >> 60) + 1 AS VARCHAR), 2, '0') || ' of 16'`;

interface FailingGroup {
  readonly unit: string;
  readonly rule: string;
  readonly meters: number;
  readonly proof: string;
}

/**
 * Makes `held`: `meter_key`, `group_name`, `rule` of the meters that are left out, from the views
 * of the day and the table `failures`. Records know of a meter no more than a hash by which other
 * evidence is another question. `tested`: meters with readings.
 */
export async function holdGroups(
  sql: SqlSession,
  { decided = [] }: Pick<StepUnit, 'decided'>,
  tested: number,
): Promise<CheckResult> {
  const rules = [...QUALITY_RULES, ...FLEET_RULES]
    .filter(({ severity }) => severity === 'hold')
    .map(({ id }) => id);
  const failing = `failures f LEFT JOIN meters m ON f.meter_key = m.meter_key
    WHERE f.rule IN (${quoteTexts(rules)}) AND f.meter_key IS NOT NULL`;
  const [counted] = await sql.rows<{ groups: number }>(
    `SELECT count(DISTINCT m.transformer) AS groups FROM ${failing}`,
  );
  const { groups } = required(counted, 'the number of groups');
  const unit = groups > MOST_GROUPS ? PART : `coalesce(m.transformer, ${PART})`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE failing_groups AS
    SELECT DISTINCT f.meter_key, ${unit} AS unit, f.rule, f.observed, f.allowed FROM ${failing}`);
  const found = await sql.rows<FailingGroup>(
    `SELECT unit, rule, count(DISTINCT meter_key) AS meters,
      left(sha256(string_agg(concat_ws('|', meter_key, observed, allowed), ',' ORDER BY meter_key,
        observed, allowed)), 16) AS proof
     FROM failing_groups GROUP BY unit, rule ORDER BY unit, rule`,
  );
  const { result, leftOut } = judgeUnits(GROUP_CHECK, {
    tested,
    failing: found.map(({ unit: name, ...row }) => ({ unit: name, row })),
    decided,
  });
  await sql.run(`CREATE OR REPLACE TEMP TABLE held AS
    SELECT DISTINCT meter_key, unit AS group_name, rule FROM failing_groups
      WHERE unit IN (${quoteTexts(leftOut.length === 0 ? [''] : leftOut)})`);
  return result;
}

/**
 * What the held meters have added to the sums of the day: taken off, the others are left. `from`:
 * all readings of the day. After `fillPlaces`.
 */
export const HELD_TABLES: Readonly<
  Record<'held' | 'held_slots' | 'held_buckets', (from: string) => string>
> = {
  held: () => 'SELECT meter_key, group_name, rule FROM held ORDER BY group_name, rule, meter_key',
  held_slots: (from) => slotsSql(ofHeld(from)),
  held_buckets: (from) => bucketsSql(ofHeld(from)),
};

function ofHeld(from: string): string {
  return `(SELECT * FROM ${from} WHERE meter_key IN (SELECT meter_key FROM held))`;
}
