import { addDays } from '../../kit/index.ts';
import type {
  JsonObject,
  JsonValue,
  LocalArtefact,
  PartNote,
  UnansweredNote,
} from '../../kit/index.ts';
import { DIGEST_STEP, SECTIONS } from '../definition.ts';
import type { AlertedArc } from '../metrics/counts.ts';
import type { ActiveWork } from '../metrics/works.ts';
import { rounded } from '../statistics.ts';
import { thresholdsOf } from '../thresholds.ts';
import { judgedBy } from './judged-by.ts';
import type { DayMetrics, FailingSensor, Report, Summary } from './model.ts';
import { REPORT_SCHEMA } from './model.ts';
import { sectionDetails, withNotes, withUnanswered } from './sections.ts';

const MAX_ALERTS = 20;
/** Roads have thousands of sensors: the longest silent ones are named, all are counted. */
const MAX_SILENT_ROADS = 50;

/** All that a report is made from; equal sources give equal bytes. */
export interface ReportSources {
  readonly date: string;
  readonly metrics: DayMetrics;
  /** The documents below `metrics`, for their hashes. */
  readonly artefacts: Readonly<Record<string, LocalArtefact | undefined>>;
  readonly params: JsonObject;
  /** The parts whose new request failed, so that what was delivered before is used. */
  readonly notes: readonly PartNote[];
  /** The parts of which nothing came because their publisher was not heard. */
  readonly unanswered?: readonly UnansweredNote[];
  /** The parts whose rows a sample portal made up. */
  readonly sample?: readonly string[];
}

/**
 * Brings the stored metrics of a day together; pure. Whatever is missing, the report has all its
 * keys.
 */
export function buildReport(sources: ReportSources): Report {
  const { date, metrics, artefacts, params, notes, unanswered = [], sample = [] } = sources;
  const thresholds = thresholdsOf(params);
  const own = sectionDetails(metrics, thresholds, textsOf(params['closed_parts']));
  const details = withNotes(withUnanswered(own, unanswered), notes);
  const roads = metrics.comptages;
  const alerts = bySeverity(roads?.alertes_congestion ?? []);
  const failing = failingSensors(metrics, thresholds.sensor_long_silent_hours);
  return {
    schema: REPORT_SCHEMA,
    date,
    ...(sample.length === 0 ? {} : { sample_data: sample }),
    generated_at: null,
    summary: summaryOf(metrics),
    top_10_troncons_frequentes: roads?.top_10_troncons ?? [],
    top_10_zones_congestionnees: roads?.top_10_zones_congestionnees ?? [],
    top_10_troncons_congestionnes: roads?.top_10_troncons_congestionnes ?? [],
    capteurs_defaillants: failing,
    alertes_congestion: alerts.slice(0, MAX_ALERTS),
    chantiers_actifs: (metrics.chantiers?.chantiers_actifs ?? []).map(withoutOutlines),
    evolution_vs_semaine_precedente: metrics.history?.evolution ?? {
      disponible: false,
      note: `not available: aucun jour ${addDays(date, -7)} en mémoire à comparer avec le ${date}`,
    },
    meteo_impact:
      metrics.weather === null
        ? {}
        : { ...metrics.weather.metrics, categories: metrics.weather.categories },
    sections: Object.fromEntries(
      SECTIONS.map((name) => [name, details[name].status]),
    ) as Report['sections'],
    section_details: details,
    totaux: {
      alertes: alerts.length,
      capteurs_defaillants: countFailing(metrics),
      zones_saturees: metrics.comptages?.zones_saturees ?? [],
      perturbations: metrics.traffic?.total_disruptions_count ?? null,
      fiabilite_metro: metrics.traffic?.fiabilite_metro ?? null,
    },
    seuils: judgedBy(thresholds, (name) => details[name].status !== 'no_data'),
    provenance: {
      metrics: identities(artefacts),
      step_versions: versionsOf(params['step_versions'], artefacts),
    },
  };
}

/** Outlines are for drawing: the page takes them from the metrics. */
function withoutOutlines(work: ActiveWork): Omit<ActiveWork, 'contours'> {
  const {
    identifiant,
    typologie,
    impact,
    arrondissement,
    voies,
    debut,
    fin,
    points,
    surface_m2,
    geo_point_2d,
  } = work;
  return {
    identifiant,
    typologie,
    impact,
    arrondissement,
    voies,
    debut,
    fin,
    points,
    surface_m2,
    geo_point_2d,
  };
}

function summaryOf({ comptages, bikes, history }: DayMetrics): Summary {
  const share =
    comptages === null ? null : (history?.capteurs.disponibilite ?? comptages.coverage.taux);
  return {
    total_vehicules_paris: comptages?.totals.vehicules ?? null,
    temps_perdu_total_minutes: comptages?.totals.temps_perdu_minutes ?? null,
    nombre_troncons_satures: comptages?.totals.troncons_satures ?? null,
    taux_disponibilite_capteurs: share === null ? null : rounded(share * 100, 2),
    total_velos_paris: bikes?.total_velos ?? null,
  };
}

/** Critical ones first, then by the greatest occupancy. */
function bySeverity(alerts: readonly AlertedArc[]): AlertedArc[] {
  return [...alerts].sort(
    (a, b) =>
      Number(b.severite === 'Critique') - Number(a.severite === 'Critique') ||
      (b.taux_occupation_max ?? 0) - (a.taux_occupation_max ?? 0) ||
      (a.identifiant_arc < b.identifiant_arc ? -1 : 1),
  );
}

function failingSensors({ bikes, history }: DayMetrics, longHours: number): FailingSensor[] {
  const bikeSensors = (bikes?.compteurs_defaillants ?? []).map(
    ({ id_compteur, raison }): FailingSensor => ({
      id_compteur,
      type: 'bike',
      raison,
    }),
  );
  const roads = (history?.capteurs.liste ?? [])
    .filter(({ heures }) => heures > longHours)
    .slice(0, MAX_SILENT_ROADS);
  return [
    ...bikeSensors,
    ...roads.map(({ identifiant_arc, heures, au_moins }): FailingSensor => {
      return {
        id_compteur: identifiant_arc,
        type: 'road',
        raison: `muet depuis ${au_moins ? 'au moins ' : ''}${heures} h`,
      };
    }),
  ];
}

function countFailing({ bikes, history }: DayMetrics): number {
  return (bikes?.failing_sensors.length ?? 0) + (history?.capteurs.longtemps_silencieux ?? 0);
}

function identities(artefacts: ReportSources['artefacts']): Report['provenance']['metrics'] {
  return Object.fromEntries(
    Object.entries(artefacts).map(([name, artefact]) => [
      name,
      artefact === undefined ? null : { sha256: artefact.ref.sha256, bytes: artefact.ref.bytes },
    ]),
  );
}

function textsOf(value: JsonValue | undefined): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

/**
 * The versions of the steps that made something of the day: those of its documents, and the digest
 * that its history was made of.
 */
function versionsOf(
  versions: JsonValue | undefined,
  artefacts: ReportSources['artefacts'],
): Record<string, number> {
  if (typeof versions !== 'object' || versions === null || Array.isArray(versions)) return {};
  const hasMade = (step: string): boolean =>
    artefacts[step === DIGEST_STEP ? 'history' : step.slice(step.indexOf('/') + 1)] !== undefined;
  return Object.fromEntries(
    Object.entries(versions).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number' && hasMade(entry[0]),
    ),
  );
}
