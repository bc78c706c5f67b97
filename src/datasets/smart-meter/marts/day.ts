import type { StepImplementation, StepUnit, UnitResult } from '../../../pipelines/dataset.ts';
import type { SqlSession } from '../../../ports/sql.ts';
import { forEachUnit, utf8 } from '../../each-unit.ts';
import { copyTable } from '../tables.ts';
import { consumptionMetrics, coverageByRegion, fleetLoad, profileSql } from './fleet.ts';
import type { ConsumptionMetrics, RegionHour, SlotLoad } from './fleet.ts';
import { lossesSql } from './losses.ts';

/** `metrics/day`: the fleet as a whole: its load, its groups, where readings are missing, and what transformers lose. */

export interface FleetDay {
  readonly date: string;
  readonly metrics: readonly ConsumptionMetrics[];
  readonly load: readonly SlotLoad[];
  readonly coverage: readonly RegionHour[];
}

export const metricsDay: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => fleetDay(unit, sql)),
};

async function fleetDay(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const { scope } = unit;
  const metrics = await consumptionMetrics(sql, unit);
  const day: FleetDay = {
    date: scope,
    metrics,
    load: await fleetLoad(sql, unit),
    coverage: await coverageByRegion(sql, unit),
  };
  const cohorts = metrics.map(({ segment }) => segment).filter((segment) => segment !== 'fleet');
  const profile = await copyTable(sql, profileSql(unit, cohorts), `profile-${scope}`);
  const losses = await copyTable(sql, lossesSql(unit), `losses-${scope}`);
  return {
    scope,
    outputs: { fleet: { bytes: utf8(`${JSON.stringify(day)}\n`) }, profile, losses },
    checks: [],
    facts: { meters: metrics[0]?.meters ?? 0, coverage: metrics[0]?.coverage ?? 0 },
  };
}
