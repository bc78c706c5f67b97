import { keptBecause } from '../../../kit/index.ts';
import type { PartNote, Revision } from '../../../kit/index.ts';
import { listed, longDate, number, percentOf } from '../../../kit/page/index.ts';
import type { ComparisonName, DayMetrics } from '../../metrics-model.ts';
import type { ObservedQuantity, Reason, SectionName, SectionStatus } from '../model.ts';
import { datasetName } from '../provenance.ts';

/** What things are called on the page. */

const QUANTITY_NAMES: Readonly<Record<string, string>> = {
  consommation: 'Consommation',
  prevision_j1: 'Prévision J−1',
  prevision_j: 'Prévision J',
  nucleaire: 'Nucléaire',
  hydraulique: 'Hydraulique',
  eolien: 'Éolien',
  solaire: 'Solaire',
  bioenergies: 'Bioénergies',
  gaz: 'Gaz',
  charbon: 'Charbon',
  fioul: 'Fioul',
  pompage: 'Pompage',
  stockage_batterie: 'Stockage batterie',
  destockage_batterie: 'Déstockage batterie',
  ech_physiques: 'Échanges physiques',
  ech_comm_angleterre: 'Angleterre',
  ech_comm_espagne: 'Espagne',
  ech_comm_italie: 'Italie',
  ech_comm_suisse: 'Suisse',
  ech_comm_allemagne_belgique: 'Allemagne–Belgique',
  taux_co2: 'Intensité carbone',
  fioul_tac: 'Fioul, turbines à combustion',
  fioul_cogen: 'Fioul, cogénération',
  fioul_autres: 'Fioul, autres',
  gaz_tac: 'Gaz, turbines à combustion',
  gaz_cogen: 'Gaz, cogénération',
  gaz_ccg: 'Gaz, cycles combinés',
  gaz_autres: 'Gaz, autres',
  hydraulique_fil_eau_eclusee: 'Hydraulique, fil de l’eau et éclusée',
  hydraulique_lacs: 'Hydraulique, lacs',
  hydraulique_step_turbinage: 'Hydraulique, turbinage des STEP',
  bioenergies_dechets: 'Bioénergies, déchets',
  bioenergies_biomasse: 'Bioénergies, biomasse',
  bioenergies_biogaz: 'Bioénergies, biogaz',
  eolien_terrestre: 'Éolien terrestre',
  eolien_offshore: 'Éolien en mer',
};

const PART_TITLES: Readonly<Record<string, string>> = {
  tr: 'éCO2mix national en temps réel',
  'cons-def': 'éCO2mix national consolidé et définitif',
  rte: 'tables éCO2mix de RTE (.xls)',
  'rte-annual': 'consommation annuelle définitive de RTE (.csv)',
};

/** The French name of a part. */
export function partTitle(part: string): string {
  return PART_TITLES[part] ?? part;
}

/** The French name of a published column; one that nobody named yet keeps its own. */
export function quantityName(quantity: string): string {
  return QUANTITY_NAMES[quantity] ?? quantity;
}

/** Titles of sections on the page. */
export const SECTION_TITLES: Readonly<Record<SectionName, string>> = {
  load: 'Consommation',
  forecasts: 'Prévisions',
  generation: 'Production',
  exchanges: 'Échanges',
  carbon_intensity: 'Intensité carbone',
  comparison: 'Comparaisons',
  checks: 'Contrôles',
};

const STATUS_WORDS: Readonly<Record<SectionStatus, string>> = {
  ok: 'complet',
  degraded: 'partiel',
  no_data: 'sans données',
};

/** Checks are not published, they find something or not. */
const CHECKS_WORDS: Readonly<Record<SectionStatus, string>> = {
  ok: 'conformes',
  degraded: 'anomalies',
  no_data: 'non faits',
};

/** Of a section that lacks nothing but previous days. */
export const REFERENCE_WORDS: Readonly<Record<SectionStatus, string>> = {
  ok: 'complet',
  degraded: 'références partielles',
  no_data: 'sans références',
};

/** In French; checks have words of their own. */
export function statusWord(name: SectionName, status: SectionStatus): string {
  return (name === 'checks' ? CHECKS_WORDS : STATUS_WORDS)[status];
}

/** What a section without any published value says instead of naming all its columns. */
export const NOTHING_WORDS: Readonly<Record<SectionName, string>> = {
  load: 'les données retenues pour cette journée ne contiennent aucune consommation',
  forecasts: 'les données retenues pour cette journée ne contiennent aucune prévision',
  generation:
    'les données retenues pour cette journée ne contiennent aucune production par filière',
  exchanges: 'les données retenues pour cette journée ne contiennent aucun échange aux frontières',
  carbon_intensity:
    'les données retenues pour cette journée ne contiennent aucune intensité carbone',
  comparison: 'aucune journée de référence n’est connue',
  checks: 'aucun contrôle n’est enregistré pour cette journée',
};

/** What each check of the core table claims; the thresholds stay with the checks. */
const CHECK_NAMES: Readonly<Record<string, string>> = {
  'expected-samples': 'Aucune valeur de consommation ne manque',
  'lost-columns': 'Aucune colonne habituelle n’a disparu ni changé de nom',
  'readable-values': 'Chaque valeur publiée est un nombre entier ou une absence',
  'known-nature': 'Chaque ligne dit si elle est provisoire, consolidée ou définitive',
  'one-load-per-instant': 'Les lignes d’un même instant donnent la même consommation',
  'quarter-grid': 'Chaque instant est un quart d’heure de la journée',
  'unique-instants': 'Chaque instant a une seule ligne',
  balance: 'Production, stockage et échanges physiques égalent la consommation',
  'gross-balance': 'Production, stockage et échanges physiques sont proches de la consommation',
  signs: 'Le pompage et la charge consomment, le déstockage produit',
  'plausible-load': 'La consommation est plausible',
  'plausible-generation': 'La production de chaque filière est plausible',
  'plausible-co2': 'L’intensité carbone est plausible',
};

/** The French claim of a check; one that nobody named yet is called by its id. */
export function checkName(id: string): string {
  return CHECK_NAMES[id] ?? id;
}

/** Of the page as a whole, beside its title. */
export const REPORT_STATUS_WORDS: Readonly<Record<SectionStatus, string>> = {
  ok: 'rapport complet',
  degraded: 'rapport partiel',
  no_data: 'aucune consommation publiée',
};

/** How final values are, in the publisher's terms. */
export const REVISION_WORDS: Readonly<Record<Revision, string>> = {
  provisional: 'temps réel (provisoire)',
  consolidated: 'consolidées',
  definitive: 'définitives',
};

/** `short` heads columns, `long` stands in sentences. */
export const COMPARISON_WORDS: Readonly<
  Record<ComparisonName, { readonly short: string; readonly long: string }>
> = {
  previous_day: { short: 'J−1', long: 'la veille (J−1)' },
  previous_week: { short: 'J−7', long: 'la semaine précédente (J−7)' },
  previous_year: { short: 'J−364', long: 'le même jour de semaine un an plus tôt (J−364)' },
};

/** Why a section is not complete, as one sentence without its full stop. */
export function reasonText(reason: Reason): string {
  switch (reason.code) {
    case 'not_published':
      return `non publié pour cette journée\u00a0: ${listed(reason.quantities.map(quantityName))}`;
    case 'incomplete':
      return `valeurs manquantes\u00a0: ${incompleteText(reason.quantities)}`;
    case 'no_load_to_compare':
      return 'aucune consommation publiée à laquelle comparer les prévisions';
    case 'comparison_not_made':
      return 'la comparaison avec les journées antérieures n’a pas été calculée';
    case 'reference_days_missing':
      return `pas de données pour ${listed(reason.comparisons.map((name) => COMPARISON_WORDS[name].long))}`;
    case 'energies_incomplete':
      return 'les énergies de cette journée sont celles de ses seules valeurs observées\u00a0: leurs écarts disent aussi ce qui manque';
    case 'checks_failed':
      return `contrôles en anomalie\u00a0: ${listed(reason.checks.map((id) => `«\u00a0${checkName(id)}\u00a0»`))}`;
    case 'no_checks':
      return NOTHING_WORDS.checks;
  }
}

/**
 * Columns with the same holes are told together: `Gaz et Fioul 90 sur 96 (93,8 %) ; Nucléaire 80
 * sur 96 (83,3 %)`.
 */
function incompleteText(quantities: readonly ObservedQuantity[]): string {
  const names = new Map<string, string[]>();
  for (const { quantity, observed_samples, expected_samples, coverage } of quantities) {
    const observed = `${number(observed_samples)} sur ${number(expected_samples)} (${percentOf(coverage)})`;
    names.set(observed, [...(names.get(observed) ?? []), quantityName(quantity)]);
  }
  return [...names].map(([observed, same]) => `${listed(same)} ${observed}`).join('\u202f; ');
}

/** Why a part is as it was delivered before, and since when. */
export function noteText({ part, code, since }: PartNote): string {
  const why = keptBecause(code);
  return `${datasetName(part)}\u00a0: ${why}, données telles que livrées au plus tard le ${longDate(since)}.`;
}

/** How a day without 24 hours came to its length, or nothing. */
export function clockChangeText({ hours }: DayMetrics): string | undefined {
  if (hours < 24)
    return 'Journée de 23 heures\u00a0: passage à l’heure d’été, l’heure de 2 h à 3 h n’existe pas.';
  if (hours > 24)
    return 'Journée de 25 heures\u00a0: passage à l’heure d’hiver, l’heure de 2 h à 3 h a lieu deux fois.';
  return undefined;
}
