import { forEachUnit, utf8 } from '../../kit/index.ts';
import type { SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { SUSPICION_THRESHOLD } from '../anomalies/suspicion.ts';
import { copyTable, parquetOf, pathsOf } from '../tables.ts';
import {
  consumptionMetrics,
  coverageByRegion,
  fleetLoad,
  LARGEST_SHARE,
  LEAST_METERS,
  profileSql,
} from './fleet.ts';
import type { ConsumptionMetrics, RegionHour, SlotLoad } from './fleet.ts';
import { fillMemberGroups } from './members.ts';
import { lossesSql } from './losses.ts';
import type { LossRow } from './losses.ts';

/**
 * `metrics/day`: the fleet as a whole: its load, its groups, where readings are missing, and what
 * transformers lose.
 */

/** The document of a day. */
export interface FleetDay {
  readonly date: string;
  readonly metrics: readonly ConsumptionMetrics[];
  readonly load: readonly SlotLoad[];
  readonly coverage: readonly RegionHour[];
  /**
   * Transformers with the largest unexplained losses, of those that may be published; empty without
   * both series.
   */
  readonly losses: readonly LossRow[];
  /** At most fifty meters, by key, new ones first. */
  readonly suspicions: readonly SuspicionRow[];
  /**
   * Meters that the figures are without until somebody decides, by group and rule; absent in
   * earlier documents.
   */
  readonly held?: readonly HeldGroup[];
}

/** Meters of a group that fail a rule, and are in no figure of the day. */
export interface HeldGroup {
  /** A transformer, or one of sixteen parts of the meters without one. */
  readonly unit: string;
  readonly rule: string;
  readonly meters: number;
}

/** A suspicion that is told, by the key of its meter. */
export interface SuspicionRow {
  readonly meter_key: string;
  readonly transformer: string | null;
  readonly segment: string;
  readonly shape: 'all_day' | 'evening' | 'zeros';
  /** 0–1: the smaller score of now and of a week ago. */
  readonly lasting: number;
  readonly is_new: boolean;
  /** Share of what the meter lacks that its transformer lacks too; null without a balance. */
  readonly confirmed: number | null;
  readonly missing_wh_per_day: number;
  /** Against the meter's reference and its segment; 1 is as usual, as in the next two. */
  readonly use_ratio: number;
  readonly base_ratio: number;
  readonly evening_ratio: number;
  readonly zero_days: number;
}

const TOLD = 50;
const LOSSES_SHOWN = 15;

/** Facts: `meters`, and `coverage` 0–1 of the fleet, null where it is not known. */
export const metricsDay: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => fleetDay(unit, sql)),
};

async function fleetDay(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const { scope } = unit;
  await fillMemberGroups(sql, unit);
  const metrics = await consumptionMetrics(sql, unit);
  const losses = await copyTable(sql, lossesSql(unit), `losses-${scope}`);
  const day: FleetDay = {
    date: scope,
    metrics,
    load: await fleetLoad(sql, unit),
    coverage: await coverageByRegion(sql, unit),
    losses: await sql.rows<LossRow>(
      `SELECT * EXCLUDE (largest_share) FROM ${parquetOf([losses.path])}
       WHERE rest_kwh IS NOT NULL
         AND meters >= ${LEAST_METERS} AND largest_share <= ${LARGEST_SHARE} ORDER BY rest_kwh DESC,
         transformer LIMIT ${LOSSES_SHOWN}`,
    ),
    suspicions: await suspicionRows(sql, unit),
    held: await heldGroups(sql, unit),
  };
  const cohorts = metrics.map(({ segment }) => segment).filter((segment) => segment !== 'fleet');
  const profile = await copyTable(sql, profileSql(unit, cohorts), `profile-${scope}`);
  return {
    scope,
    outputs: { fleet: { bytes: utf8(`${JSON.stringify(day)}\n`) }, profile, losses },
    checks: [],
    facts: { meters: metrics[0]?.meters ?? 0, coverage: metrics[0]?.coverage ?? null },
  };
}

async function heldGroups(sql: SqlSession, unit: StepUnit): Promise<HeldGroup[]> {
  const paths = pathsOf(unit, 'held');
  if (paths.length === 0) return [];
  return sql.rows<HeldGroup>(
    `SELECT group_name AS unit, rule, count(*) AS meters FROM ${parquetOf(paths)} GROUP BY ALL
      ORDER BY ALL`,
  );
}

async function suspicionRows(sql: SqlSession, unit: StepUnit): Promise<SuspicionRow[]> {
  const paths = pathsOf(unit, 'suspicions');
  if (paths.length === 0) return [];
  return sql.rows<SuspicionRow>(`SELECT CAST(meter_key AS VARCHAR) AS meter_key, transformer,
    segment, shape, lasting, isNew AS is_new, confirmed,
      missing_wh_per_day, use_ratio, base_ratio, evening_ratio, zero_days
    FROM ${parquetOf(paths)} WHERE lasting >= ${SUSPICION_THRESHOLD} ORDER BY isNew DESC,
      lasting DESC, meter_key LIMIT ${TOLD}`);
}
