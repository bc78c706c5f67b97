import { addDays, dayByDay, dayOf, jsonOutput, parquetSql, neededInput } from '../../kit/index.ts';
import type { CivilDate } from '../../kit/index.ts';
import { known, rounded, sum } from '../statistics.ts';
import { thresholdsOf } from '../thresholds.ts';
import type { Thresholds } from '../thresholds.ts';
import type { Work } from '../transform/works.ts';
import { postcodeOf } from '../zones.ts';

/** `metrics/chantiers`: the roadworks of a day, judged on that day. */

/** Points of an impact on traffic. */
export const IMPACTS: Readonly<Record<string, number>> = {
  BARRAGE_TOTAL: 100,
  IMPASSE: 80,
  RESTREINTE: 50,
  SENS_UNIQUE: 30,
};

/** A roadwork that is active on the day; its dates include both ends. */
export interface ActiveWork {
  readonly identifiant: string;
  readonly typologie: string | null;
  readonly impact: string | null;
  /** Postcode of the district. */
  readonly arrondissement: string | null;
  readonly voies: string | null;
  readonly debut: string | null;
  readonly fin: string | null;
  /** 30–100 by its impact on traffic; null for an impact that is not known. */
  readonly points: number | null;
  readonly surface_m2: number | null;
  /** `lat, lon`. */
  readonly geo_point_2d: string | null;
  /** Outer rings as JSON, for the map. */
  readonly contours: string;
}

/** The published document; a work without usable dates is named in `coverage` and never active. */
export interface WorksMetrics {
  readonly schema: 'cityflow.chantiers/1';
  readonly metric_type: 'chantiers';
  readonly date: string;
  readonly coverage: {
    readonly connus: number;
    readonly sans_dates_utilisables: readonly string[];
    readonly sans_code_postal: readonly string[];
    readonly sans_arrondissement: readonly string[];
  };
  readonly total_chantiers_actifs: number;
  readonly chantiers_actifs: readonly ActiveWork[];
  /** Active works by impact; unknown ones under `INCONNU`. */
  readonly impacts: Readonly<Record<string, number>>;
  /** Points of the active works, by postcode. */
  readonly impact_by_arrondissement: Readonly<Record<string, number>>;
  /** Districts with more active works than `roadworks_critical`, most first. */
  readonly zones_critiques: readonly {
    readonly arrondissement: string;
    readonly nombre_chantiers: number;
  }[];
  readonly surface_totale_impactee_m2: number;
  /** Within the horizon after the day: the day itself does not count. */
  readonly demarrent: readonly string[];
  readonly se_terminent: readonly string[];
}

/** Fact: `rows`, the works that are active. */
export const metricsWorks = dayByDay(async (unit, task, sql) => {
  const works = await sql.rows<Work>(`SELECT * FROM ${parquetSql(neededInput(unit, 'core').path)}`);
  const metrics = worksMetrics(dayOf(unit).date, works, thresholdsOf(task.params));
  return {
    outputs: { metrics: jsonOutput(metrics) },
    checks: [],
    facts: { rows: metrics.total_chantiers_actifs },
  };
});

/**
 * A work is active from its start to its end, both included, judged on `date` and never on today.
 */
export function worksMetrics(
  date: CivilDate,
  works: readonly Work[],
  thresholds: Thresholds,
): WorksMetrics {
  const horizon = addDays(date, thresholds.roadworks_horizon_days);
  const dated = works.filter(({ has_usable_dates: usable }) => usable);
  const active = dated.filter(
    ({ starts_on: starts, ends_on: ends }) =>
      starts !== null && ends !== null && starts <= date && date <= ends,
  );
  const idsOf = (list: readonly Work[]): string[] => list.map(({ work_id: id }) => id);
  const counts = countBy(
    active.flatMap(({ district }) => (district === null ? [] : [postcodeOf(district)])),
  );
  return {
    schema: 'cityflow.chantiers/1',
    metric_type: 'chantiers',
    date,
    coverage: {
      connus: works.length,
      sans_dates_utilisables: idsOf(works.filter(({ has_usable_dates: usable }) => !usable)),
      sans_code_postal: idsOf(works.filter(({ postcode }) => postcode === null)),
      sans_arrondissement: idsOf(active.filter(({ district }) => district === null)),
    },
    total_chantiers_actifs: active.length,
    chantiers_actifs: active.map(activeWork),
    impacts: impactsOf(active),
    impact_by_arrondissement: pointsByDistrict(active),
    zones_critiques: Object.entries(counts)
      .filter(([, count]) => count > thresholds.roadworks_critical)
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .map(([arrondissement, nombre_chantiers]) => ({ arrondissement, nombre_chantiers })),
    surface_totale_impactee_m2: rounded(sum(known(active.map(({ area_m2: own }) => own))), 2),
    demarrent: idsOf(
      dated.filter(({ starts_on: start }) => start !== null && start > date && start <= horizon),
    ),
    se_terminent: idsOf(active.filter(({ ends_on: end }) => end !== null && end <= horizon)),
  };
}

function activeWork(work: Work): ActiveWork {
  return {
    identifiant: work.work_id,
    typologie: work.typology,
    impact: work.impact,
    arrondissement: work.district === null ? null : postcodeOf(work.district),
    voies: work.streets,
    debut: work.starts_on,
    fin: work.ends_on,
    points: pointsOf(work),
    surface_m2: work.area_m2,
    geo_point_2d: work.lon === null || work.lat === null ? null : `${work.lat}, ${work.lon}`,
    contours: work.outlines,
  };
}

/** Null for an impact that is not among the known ones. */
function pointsOf({ impact }: Pick<Work, 'impact'>): number | null {
  return impact === null ? null : (IMPACTS[impact] ?? null);
}

/**
 * How many works have each impact; what is not among the known ones counts as unknown, and scores
 * nothing.
 */
function impactsOf(active: readonly Work[]): Record<string, number> {
  const counts = countBy(
    active.map(({ impact }) => (impact !== null && impact in IMPACTS ? impact : 'INCONNU')),
  );
  return Object.fromEntries(
    [...Object.keys(IMPACTS), 'INCONNU'].map((impact) => [impact, counts[impact] ?? 0]),
  );
}

function pointsByDistrict(active: readonly Work[]): Record<string, number> {
  const points: Record<string, number> = {};
  for (const { district, impact } of active) {
    if (district === null) continue;
    const postcode = postcodeOf(district);
    points[postcode] = (points[postcode] ?? 0) + (pointsOf({ impact }) ?? 0);
  }
  return Object.fromEntries(Object.entries(points).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
