import { keptBecause, UNANSWERED_WORDS } from '../../kit/index.ts';
import type { PartNote, UnansweredNote } from '../../kit/index.ts';
import { SECTIONS, WORKS_TRUSTED_DAYS } from '../definition.ts';
import type { SectionName } from '../definition.ts';
import { allCounters } from '../metrics/bikes.ts';
import type { UsualCoverage } from '../metrics/usual.ts';
import { rounded } from '../statistics.ts';
import type { Thresholds } from '../thresholds.ts';
import type { DayMetrics, SectionDetail } from './model.ts';

/**
 * What each section of the report rests on, and why it is not more: in French, as the whole report
 * is.
 */

/**
 * More works without usable dates than this share say something about the file, not about a few of
 * its rows.
 */
const MAX_UNUSABLE_WORKS = 0.1;
/** The same for arcs whose length nobody tells. */
const MAX_UNMEASURED_ARCS = 0.05;

/**
 * The detail of every section; `closed` has the missing setting of each part whose publisher wants
 * a key.
 */
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
  const entries = SECTIONS.map(
    (name) => [name, details[name] ?? noData(name, closed[name])] as const,
  );
  return Object.fromEntries(entries) as Record<SectionName, SectionDetail>;
}

/** Why a source may have nothing for a day, where that is not chance. */
const WHY_NOTHING: Partial<Record<SectionName, string>> = {
  chantiers: `aucune liste ne vaut pour ce jour ; une liste vaut pour sa date et les ${WORKS_TRUSTED_DAYS} jours suivants`,
};

const NO_DATA = 'aucune donnée : ';

/** The reason of a section whose metrics are not there and nothing more is known. */
export function nothingKnown(section: SectionName): string {
  return `${NO_DATA}metrics/${section} n’a rien pour ce jour`;
}

function noData(section: SectionName, closed: string | undefined): SectionDetail {
  const why =
    closed === undefined
      ? WHY_NOTHING[section]
      : `le diffuseur demande une clé, à donner par ${closed}`;
  return {
    status: 'no_data',
    reasons: [why === undefined ? nothingKnown(section) : `${NO_DATA}${why}`],
    coverage: {},
  };
}

function detail(
  coverage: SectionDetail['coverage'],
  reasons: readonly (string | false)[],
): SectionDetail {
  const found = reasons.filter((reason) => reason !== false);
  return { status: found.length === 0 ? 'ok' : 'degraded', reasons: found, coverage };
}

function percent(share: number): string {
  return `${String(rounded(share * 100, 1)).replace('.', ',')} %`;
}

/** What came of the usual sensors, under names of its own beside what came of all. */
function usualFigures(
  metrics: DayMetrics,
  usual: UsualCoverage | null | undefined,
): SectionDetail['coverage'] {
  if (usual === null || usual === undefined) return {};
  const { jours, capteurs, presents, heures_attendues, heures_observees, taux } = usual;
  return {
    habituels: capteurs,
    habituels_presents: presents,
    habituels_heures_attendues: heures_attendues,
    habituels_heures_observees: heures_observees,
    habituels_taux: taux,
    habituels_jours: jours,
    habituels_part_des_jours: metrics.usual?.part_des_jours ?? null,
  };
}

/**
 * A sensor that was never repaired is no fault of the day; where nothing is usual yet, all are held
 * against the limit.
 */
function tooFew(hours: string, all: Share, usual: Share | null): string | false {
  const { taux, least } = usual ?? all;
  if (taux >= least) return false;
  const which = usual === null ? hours : `${hours} habituels`;
  return `${percent(taux)} des heures des ${which} ont une valeur, moins de ${percent(least)}`;
}

interface Share {
  readonly taux: number;
  readonly least: number;
}

function bikesDetail(metrics: DayMetrics, thresholds: Thresholds): SectionDetail | null {
  const { bikes, usual } = metrics;
  if (bikes === null) return null;
  const { coverage } = bikes;
  const least = thresholds.bikes_least_coverage;
  const own = usual?.velos ?? null;
  const figures = usualFigures(metrics, own);
  return detail({ ...coverage, defaillants: bikes.failing_sensors.length, ...figures }, [
    tooFew(
      'compteurs',
      { taux: coverage.taux, least },
      own === null ? null : { taux: own.taux, least },
    ),
    allCounters(bikes).every(({ arrondissement }) => arrondissement === null) &&
      'aucun compteur n’a d’arrondissement : les limites des arrondissements manquent',
  ]);
}

function trafficDetail({ traffic }: DayMetrics): SectionDetail | null {
  if (traffic === null) return null;
  return detail(
    { perturbations: traffic.total_disruptions_count, actives: traffic.active_disruptions_count },
    [],
  );
}

function weatherDetail({ weather }: DayMetrics): SectionDetail | null {
  if (weather === null) return null;
  const { valeurs, valeurs_attendues } = weather.coverage;
  return detail({ source: weather.source, ...weather.coverage }, [
    valeurs < valeurs_attendues && `${valeurs} des ${valeurs_attendues} valeurs du jour sont là`,
  ]);
}

function countsDetail(day: DayMetrics, thresholds: Thresholds): SectionDetail | null {
  const { comptages, referentiel, history } = day;
  if (comptages === null) return null;
  const { longueurs, lignes_ecartees: dropped, ...coverage } = comptages.coverage;
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
      lignes_sans_troncon: dropped.sans_troncon,
      lignes_hors_jour: dropped.hors_jour,
      lignes_en_double: dropped.en_double,
      lignes_valeur_impossible: dropped.valeur_impossible,
      ...usualFigures(day, day.usual?.comptages),
    },
    [
      tooFew('capteurs', { taux: share, least: thresholds.roads_least_coverage }, usualRoads(day)),
      referentiel === null &&
        'le réseau routier manque : les longueurs sont celles des comptages, s’ils en ont',
      unmeasured > MAX_UNMEASURED_ARCS &&
        `${percent(unmeasured)} des tronçons n’ont pas de longueur, donc pas de temps perdu`,
      dropped.sans_troncon > 0 &&
        `${dropped.sans_troncon} lignes ne nomment aucun tronçon et ne comptent pas`,
      dropped.valeur_impossible > 0 &&
        `${dropped.valeur_impossible} lignes ont une valeur impossible, qui ne compte pas`,
      history === null &&
        'les jours précédents manquent : la disponibilité ne compte que les tronçons de ce jour et du réseau',
    ],
  );
}

function usualRoads({ usual }: DayMetrics): Share | null {
  const { taux, au_moins: least = null } = usual?.comptages ?? {};
  return taux === undefined || least === null ? null : { taux, least };
}

function worksDetail({ chantiers }: DayMetrics): SectionDetail | null {
  if (chantiers === null) return null;
  const {
    connus,
    sans_dates_utilisables: undated,
    sans_code_postal,
    sans_arrondissement,
  } = chantiers.coverage;
  const coverage = {
    connus,
    actifs: chantiers.total_chantiers_actifs,
    sans_dates_utilisables: undated.length,
    sans_code_postal: sans_code_postal.length,
    sans_arrondissement: sans_arrondissement.length,
  };
  const isBad = connus > 0 && undated.length / connus > MAX_UNUSABLE_WORKS;
  return detail(coverage, [
    isBad && `${undated.length} des ${connus} chantiers n’ont pas de dates utilisables`,
  ]);
}

function networkDetail({ referentiel }: DayMetrics): SectionDetail | null {
  if (referentiel === null) return null;
  const { troncons, avec_arrondissement: placed } = referentiel.coverage;
  return detail({ ...referentiel.coverage }, [
    troncons > 0 &&
      placed === 0 &&
      'aucun tronçon n’a d’arrondissement : les limites des arrondissements manquent',
  ]);
}

/** The section that shows a part, where it is not that of the part's own name. */
const SECTION_OF: Readonly<Record<string, SectionName>> = {
  'open-meteo': 'weather',
  arrondissements: 'referentiel',
};

/**
 * Sections without data say that their publisher was not heard, those with data that one of their
 * publishers was not.
 */
export function withUnanswered(
  details: Readonly<Record<SectionName, SectionDetail>>,
  unanswered: readonly UnansweredNote[],
): Record<SectionName, SectionDetail> {
  const told = { ...details };
  for (const { part, code } of unanswered) {
    const section = SECTION_OF[part] ?? SECTIONS.find((name) => name === part);
    if (section === undefined) continue;
    const { status, reasons, coverage } = told[section];
    const reason = `${part} : ${UNANSWERED_WORDS[code]}`;
    const known = reasons.filter((one) => one !== nothingKnown(section));
    told[section] = {
      status: status === 'ok' ? 'degraded' : status,
      reasons: [...known, reason],
      coverage,
    };
  }
  return told;
}

/** The sections of parts whose new request failed say so, and since when their data are. */
export function withNotes(
  details: Readonly<Record<SectionName, SectionDetail>>,
  notes: readonly PartNote[],
): Record<SectionName, SectionDetail> {
  const noted = { ...details };
  for (const { part, code, since } of notes) {
    const section = SECTION_OF[part] ?? SECTIONS.find((name) => name === part);
    if (section === undefined) continue;
    const { status, reasons, coverage } = noted[section];
    const why = keptBecause(code);
    const reason = `${part} : ${why}, données telles que livrées au plus tard le ${since}`;
    noted[section] = {
      status: status === 'ok' ? 'degraded' : status,
      reasons: [...reasons, reason],
      coverage,
    };
  }
  return noted;
}
