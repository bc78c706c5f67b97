import { SECTIONS } from '../definition.ts';
import type { SectionName } from '../definition.ts';
import { rounded } from '../statistics.ts';
import type { Thresholds } from '../thresholds.ts';
import type { DayMetrics, SectionDetail } from './model.ts';

/** What each section of the report rests on, and why it is not more. */

/** More works without usable dates than this share say something about the file, not about a few of its rows. */
const MOST_UNUSABLE_WORKS = 0.1;
/** The same for arcs whose length nobody tells. */
const MOST_UNMEASURED_ARCS = 0.05;

/** The detail of every section; `closed` says why the source of a part could not be asked. */
export function sectionDetails(
  metrics: DayMetrics,
  thresholds: Thresholds,
  closed: Readonly<Record<string, string>>,
): Record<SectionName, SectionDetail> {
  const details = {
    bikes: bikesDetail(metrics, thresholds),
    traffic: trafficDetail(metrics),
    weather: weatherDetail(metrics),
    comptages: countsDetail(metrics, thresholds),
    chantiers: worksDetail(metrics),
    referentiel: networkDetail(metrics),
  };
  const entries = SECTIONS.map((name) => [name, details[name] ?? noData(name, closed[name])] as const);
  return Object.fromEntries(entries) as Record<SectionName, SectionDetail>;
}

function noData(section: SectionName, closed: string | undefined): SectionDetail {
  const reason = closed ?? `metrics/${section} has nothing for this day`;
  return { status: 'no_data', reasons: [`no data: ${reason}`], coverage: {} };
}

function detail(coverage: SectionDetail['coverage'], reasons: readonly (string | false)[]): SectionDetail {
  const found = reasons.filter((reason) => reason !== false);
  return { status: found.length === 0 ? 'ok' : 'degraded', reasons: found, coverage };
}

function percent(share: number): string {
  return `${rounded(share * 100, 1)} %`;
}

function bikesDetail({ bikes }: DayMetrics, thresholds: Thresholds): SectionDetail | null {
  if (bikes === null) return null;
  const { coverage, metrics } = bikes;
  const least = thresholds.bikes_least_coverage;
  return detail({ ...coverage, defaillants: bikes.failing_sensors.length }, [
    coverage.taux < least &&
      `${percent(coverage.taux)} of the counter hours have a value, fewer than ${percent(least)}`,
    metrics.every(({ arrondissement }) => arrondissement === null) &&
      'no counter has a district: the districts are missing',
  ]);
}

function trafficDetail({ traffic }: DayMetrics): SectionDetail | null {
  if (traffic === null) return null;
  return detail({ perturbations: traffic.total_disruptions_count, actives: traffic.active_disruptions_count }, []);
}

function weatherDetail({ weather }: DayMetrics): SectionDetail | null {
  if (weather === null) return null;
  const { valeurs, valeurs_attendues } = weather.coverage;
  return detail({ source: weather.source, ...weather.coverage }, [
    valeurs < valeurs_attendues && `${valeurs} of ${valeurs_attendues} values of the day are there`,
  ]);
}

function countsDetail({ comptages, referentiel, history }: DayMetrics, thresholds: Thresholds): SectionDetail | null {
  if (comptages === null) return null;
  const { longueurs, ...coverage } = comptages.coverage;
  const share = history?.capteurs.disponibilite ?? coverage.taux;
  const measured = longueurs.referentiel + longueurs.comptages;
  const unmeasured = longueurs.aucune / Math.max(1, measured + longueurs.aucune);
  return detail(
    {
      ...coverage,
      disponibilite: share,
      longueurs_referentiel: longueurs.referentiel,
      longueurs_comptages: longueurs.comptages,
      longueurs_aucune: longueurs.aucune,
    },
    [
      share < thresholds.roads_least_coverage &&
        `${percent(share)} of the sensor hours have a value, fewer than ${percent(thresholds.roads_least_coverage)}`,
      referentiel === null && 'the road network is missing: lengths are those of the counts, where they have any',
      unmeasured > MOST_UNMEASURED_ARCS && `${percent(unmeasured)} of the segments have no length, so no lost time`,
      history === null &&
        'the days before are missing: availability counts the segments of this day and of the network only',
    ],
  );
}

function worksDetail({ chantiers }: DayMetrics): SectionDetail | null {
  if (chantiers === null) return null;
  const { connus, sans_dates_utilisables: undated, sans_code_postal, sans_arrondissement } = chantiers.coverage;
  const coverage = {
    connus,
    actifs: chantiers.total_chantiers_actifs,
    sans_dates_utilisables: undated.length,
    sans_code_postal: sans_code_postal.length,
    sans_arrondissement: sans_arrondissement.length,
  };
  const isBad = connus > 0 && undated.length / connus > MOST_UNUSABLE_WORKS;
  return detail(coverage, [isBad && `${undated.length} of ${connus} works have no usable dates`]);
}

function networkDetail({ referentiel }: DayMetrics): SectionDetail | null {
  if (referentiel === null) return null;
  const { troncons, avec_arrondissement: placed } = referentiel.coverage;
  return detail({ ...referentiel.coverage }, [
    troncons > 0 && placed === 0 && 'no segment has a district: the districts are missing',
  ]);
}
