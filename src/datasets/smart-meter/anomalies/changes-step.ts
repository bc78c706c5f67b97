import { forEachUnit, utf8 } from '../../kit/index.ts';
import type {
  CivilDate,
  SqlSession,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { parquetOf, pathsOf } from '../tables.ts';

/**
 * `metrics/changes`: how the scores of a day are spread, and which meters used most above and below
 * what is usual for them. What the report of the day shows of a million rows.
 */

/** Meters with a score in `[from, to)`; the last interval has 1 too. */
export interface ScoreInterval {
  readonly from: number;
  readonly to: number;
  readonly meters: number;
  /** Those of them that the model calls odd. */
  readonly odd: number;
}

/** The scores of a day. */
export interface ScoreSpread {
  /** Name of the model in force. */
  readonly model: string;
  readonly meters: number;
  readonly odd: number;
  /** Twenty of equal width, from 0 to 1. */
  readonly intervals: readonly ScoreInterval[];
  /** Odd meters by type and severity, the most first. */
  readonly kinds: readonly {
    readonly type: string;
    readonly severity: string;
    readonly meters: number;
  }[];
}

/** A meter whose day is far from its own four weeks before. */
export interface MeterChange {
  readonly meter_key: string;
  readonly segment: string;
  readonly total_kwh: number;
  /** Mean day of the four weeks before. */
  readonly usual_kwh: number;
  /** Total less usual. */
  readonly change_kwh: number;
}

/** What the step makes. */
export interface DayChanges {
  readonly date: CivilDate;
  /** Null where no model is in force, or no meter has four weeks before it. */
  readonly scores: ScoreSpread | null;
  /** Meters that can be held against their four weeks. */
  readonly compared: number;
  /** At most ten each, the largest first. */
  readonly more: readonly MeterChange[];
  readonly less: readonly MeterChange[];
}

const INTERVALS = 20;
const TOLD = 10;
/** What the logarithm of `metrics/features` is shifted by, Wh. */
const SHIFT_WH = 100;

/** Facts: `compared`, and `odd`, null without a model. */
export const metricsChanges: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => changesOf(unit, sql)),
};

async function changesOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const scores = await spreadOf(sql, unit);
  await sql.run(`CREATE OR REPLACE TEMP TABLE compared AS ${comparedSql(unit)}`);
  const [counted] = await sql.rows<{ compared: number }>(
    'SELECT count(*) AS compared FROM compared',
  );
  const day: DayChanges = {
    date: unit.scope,
    scores,
    compared: counted?.compared ?? 0,
    more: await largest(sql, 'DESC'),
    less: await largest(sql, 'ASC'),
  };
  return {
    scope: unit.scope,
    outputs: { changes: { bytes: utf8(`${JSON.stringify(day)}\n`) } },
    checks: [],
    facts: { compared: day.compared, odd: scores?.odd ?? null },
  };
}

async function spreadOf(sql: SqlSession, unit: StepUnit): Promise<ScoreSpread | null> {
  const paths = pathsOf(unit, 'scores');
  if (paths.length === 0) return null;
  const from = parquetOf(paths);
  const [all] = await sql.rows<{ model: string | null; meters: number; odd: number }>(
    `SELECT any_value(model) AS model, count(*) AS meters, count(*)
      FILTER (WHERE is_anomaly_ml) AS odd FROM ${from}`,
  );
  if (typeof all?.model !== 'string') return null;
  const counts = await sql.rows<{ place: number; meters: number; odd: number }>(
    `SELECT least(CAST(floor(anomaly_score * ${INTERVALS}) AS INTEGER), ${INTERVALS - 1}) AS place,
      count(*) AS meters,
      count(*) FILTER (WHERE is_anomaly_ml) AS odd FROM ${from} GROUP BY place`,
  );
  const byPlace = new Map(counts.map((row) => [row.place, row]));
  return {
    model: all.model,
    meters: all.meters,
    odd: all.odd,
    intervals: Array.from({ length: INTERVALS }, (_, place) => {
      const { meters, odd } = byPlace.get(place) ?? { meters: 0, odd: 0 };
      return { from: place / INTERVALS, to: (place + 1) / INTERVALS, meters, odd };
    }),
    kinds: await sql.rows(
      `SELECT anomaly_type AS type, severity, count(*) AS meters FROM ${from} WHERE is_anomaly_ml
       GROUP BY ALL ORDER BY meters DESC, type, severity`,
    ),
  };
}

/** Energies in whole Wh: the usual day is had back from the logarithm of a 32-bit number. */
function comparedSql(unit: StepUnit): string {
  return `SELECT meter_key, segment, CAST(round(total_wh) AS BIGINT) AS total_wh,
      CAST(round((CAST(total_wh AS DOUBLE) + ${SHIFT_WH}) / exp(f.use)
        - ${SHIFT_WH}) AS BIGINT) AS usual_wh
    FROM ${parquetOf(pathsOf(unit, 'features'))} f
      JOIN ${parquetOf(pathsOf(unit, 'daily'))} d USING (meter_key)
    WHERE d.channel = 'import'`;
}

function largest(sql: SqlSession, order: 'ASC' | 'DESC'): Promise<MeterChange[]> {
  const sign = order === 'DESC' ? '>' : '<';
  return sql.rows<MeterChange>(`SELECT CAST(meter_key AS VARCHAR) AS meter_key, segment,
    total_wh / 1000 AS total_kwh,
      usual_wh / 1000 AS usual_kwh, (total_wh - usual_wh) / 1000 AS change_kwh
    FROM compared WHERE total_wh ${sign} usual_wh ORDER BY total_wh - usual_wh ${order},
      meter_key LIMIT ${TOLD}`);
}
