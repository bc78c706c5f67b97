import { dayByDay, dayOf, jsonOutput, parquetSql, neededInput } from '../../kit/index.ts';
import { known, mean, roundedOrNull } from '../statistics.ts';
import type { ServiceIndicator } from './service.ts';

/** `metrics/service-quality`: the quality of service of the quarter that the day lies in. */

/** One operator and mode. */
export interface ServiceGroup {
  readonly operateur: string;
  readonly mode: string | null;
  /** `2024-T3`. */
  readonly trimestre: string;
  readonly indicateurs: number;
  /** Mean of the results, %. */
  readonly score_qualite_moyen: number | null;
  /**
   * Indicators whose result reaches what the contract wants, and those that it says something of.
   */
  readonly objectifs_atteints: number;
  readonly objectifs: number;
  /** Indicators that cost the operator a penalty. */
  readonly penalites_total: number;
}

/** The published document: the same for every day of a quarter, but for its date. */
export interface ServiceMetrics {
  readonly schema: 'cityflow.service-quality/1';
  readonly metric_type: 'service-quality';
  readonly date: string;
  readonly trimestre: string | null;
  /** Mean of all results, %. */
  readonly score_qualite_moyen: number | null;
  /** By operator and mode. */
  readonly groupes: readonly ServiceGroup[];
  /** The ten indicators furthest below what the contract wants. */
  readonly sous_objectif: readonly ServiceIndicator[];
}

const LISTED = 10;

/** Fact: `rows`, the indicators of the quarter. */
export const metricsService = dayByDay(async (unit, _task, sql) => {
  const columns = 'operator, mode, theme, indicator, line_id, line, quarter';
  const rows = await sql.rows<ServiceIndicator>(
    `SELECT * FROM ${parquetSql(neededInput(unit, 'core').path)} ORDER BY ${columns}, result_pct,
      target_pct, penalty`,
  );
  const metrics = serviceMetrics(dayOf(unit).date, rows);
  return { outputs: { metrics: jsonOutput(metrics) }, checks: [], facts: { rows: rows.length } };
});

/** Means have no weights: an indicator of a short line counts as one of a long line. */
export function serviceMetrics(
  date: string,
  indicators: readonly ServiceIndicator[],
): ServiceMetrics {
  const groups = new Map<string, ServiceIndicator[]>();
  for (const one of indicators) {
    const key = [one.operator, one.mode].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const below = indicators.filter(({ gap_pct: gap }) => gap !== null && gap < 0);
  return {
    schema: 'cityflow.service-quality/1',
    metric_type: 'service-quality',
    date,
    trimestre: indicators[0]?.quarter ?? null,
    score_qualite_moyen: scoreOf(indicators),
    groupes: [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, own]) => groupOf(own)),
    sous_objectif: below.sort((a, b) => (a.gap_pct ?? 0) - (b.gap_pct ?? 0)).slice(0, LISTED),
  };
}

function scoreOf(indicators: readonly ServiceIndicator[]): number | null {
  return roundedOrNull(mean(known(indicators.map(({ result_pct: result }) => result))), 4);
}

function groupOf(indicators: readonly ServiceIndicator[]): ServiceGroup[] {
  const [first] = indicators;
  if (first === undefined) return [];
  const gaps = known(indicators.map(({ gap_pct: gap }) => gap));
  return [
    {
      operateur: first.operator,
      mode: first.mode,
      trimestre: first.quarter,
      indicateurs: indicators.length,
      score_qualite_moyen: scoreOf(indicators),
      objectifs_atteints: gaps.filter((gap) => gap >= 0).length,
      objectifs: gaps.length,
      penalites_total: indicators.filter(({ penalty }) => penalty === true).length,
    },
  ];
}
