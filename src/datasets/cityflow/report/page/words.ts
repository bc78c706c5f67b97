import { number, percentOf, UNKNOWN } from '../../../kit/page/index.ts';
import type { SectionName } from '../../definition.ts';
import type { SectionDetail } from '../model.ts';
import { SECTION_TITLES } from './tones.ts';
import { matchOf } from '../../../kit/index.ts';

/**
 * The page's words for what metrics and publishers name by keys; a key without a word is shown with
 * spaces.
 */

function spaced(key: string): string {
  return key.replaceAll('_', ' ');
}

/** `Bd_du_Port` → `Bd du Port`: the publisher of the counts writes labels without spaces. */
export function streetOf(arc: {
  readonly libelle: string | null;
  readonly identifiant_arc: string;
}): string {
  return arc.libelle === null ? arc.identifiant_arc : spaced(arc.libelle);
}

/** `75010` → `10e`; what is no postcode of a district stays. */
export function districtOf(postcode: string | null): string {
  const district = matchOf(/^750(0[1-9]|1\d|20)$/, postcode)?.[1];
  if (district === undefined) return postcode ?? UNKNOWN;
  return district === '01' ? '1er' : `${Number(district)}e`;
}

const IMPACTS: Readonly<Record<string, string>> = {
  BARRAGE_TOTAL: 'Barrage total',
  IMPASSE: 'Impasse',
  RESTREINTE: 'Circulation restreinte',
  SENS_UNIQUE: 'Sens unique',
  INCONNU: 'Non précisé',
};

/** The impact of a roadwork in French, from the publisher's key (`BARRAGE_TOTAL`). */
export function impactWords(impact: string): string {
  return IMPACTS[impact] ?? spaced(impact);
}

/** Both publishers of the weather write in English, one of them several conditions in a row. */
const CONDITIONS: Readonly<Record<string, string>> = {
  clear: 'ciel dégagé',
  'partially cloudy': 'partiellement nuageux',
  overcast: 'couvert',
  fog: 'brouillard',
  mist: 'brume',
  drizzle: 'bruine',
  'light drizzle': 'bruine légère',
  'heavy drizzle': 'forte bruine',
  'freezing drizzle/freezing rain': 'pluie verglaçante',
  rain: 'pluie',
  'light rain': 'pluie légère',
  'heavy rain': 'forte pluie',
  'rain showers': 'averses de pluie',
  snow: 'neige',
  'light snow': 'neige légère',
  'heavy snow': 'forte neige',
  'snow showers': 'averses de neige',
  ice: 'verglas',
  hail: 'grêle',
  thunderstorm: 'orage',
};

/**
 * `Rain, Partially cloudy` → `Pluie, partiellement nuageux`; a condition that is not known stays as
 * it was published.
 */
export function weatherWords(conditions: string | null): string {
  if (conditions === null || conditions.trim() === '') return 'Conditions non précisées';
  const words = conditions
    .split(',')
    .map((word) => CONDITIONS[word.trim().toLowerCase()] ?? word.trim());
  const text = words.join(', ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

interface FigureWords {
  readonly name: string;
  readonly decimals: number;
  /** The figure is shown multiplied by this. */
  readonly factor?: number;
  /**
   * A change in percent means nothing: zero of the scale is arbitrary, or the figure is a
   * percentage itself.
   */
  readonly noPercent?: true;
}

const FIGURES: Readonly<Record<string, FigureWords>> = {
  total_velos: { name: 'Vélos comptés', decimals: 0 },
  perturbations: { name: 'Perturbations', decimals: 0 },
  fiabilite: { name: 'Fiabilité du métro (%)', decimals: 1, factor: 100, noPercent: true },
  temp_moyenne: { name: 'Température moyenne (°C)', decimals: 1, noPercent: true },
  precip_totale: { name: 'Précipitations (mm)', decimals: 1 },
  vent_moyen: { name: 'Vent (km/h)', decimals: 1 },
  vehicules: { name: 'Véhicules comptés', decimals: 0 },
  temps_perdu_minutes: { name: 'Temps perdu (min)', decimals: 0 },
  troncons_satures: { name: 'Tronçons le plus souvent saturés', decimals: 0 },
  chantiers_actifs: { name: 'Chantiers actifs', decimals: 0 },
};

/** How a figure of the comparison with the week before is named and written. */
export function figureWords(key: string): FigureWords {
  return FIGURES[key] ?? { name: spaced(key), decimals: 1 };
}

/** Documents of the report and parts of the pipeline. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  ...SECTION_TITLES,
  history: 'Jours précédents',
  usual: 'Capteurs habituels',
  'open-meteo': 'Open-Meteo',
  arrondissements: 'Arrondissements',
  validations: 'Validations',
  'validations-rail': 'Validations du réseau ferré',
  'service-quality': 'Qualité de service',
};

/** The French name of a metrics document, from its `metric_type`. */
export function documentWords(name: string): string {
  return DOCUMENTS[name] ?? spaced(name);
}

/** Who sends the data of each section, to be read after « Rien n’a été reçu ». */
export const FROM_PUBLISHER: Readonly<Record<SectionName, string>> = {
  bikes: 'de la Ville de Paris (compteurs de vélos)',
  traffic: 'd’Île-de-France Mobilités',
  weather: 'de Visual Crossing ni d’Open-Meteo',
  comptages: 'de la Ville de Paris (comptages routiers)',
  chantiers: 'de la Ville de Paris (chantiers)',
  referentiel: 'de la Ville de Paris (référentiel des comptages)',
};

type Coverage = SectionDetail['coverage'];

/**
 * Observed hours over expected ones, 0–1, of the usual sensors where these are known; null where a
 * section counts no hours.
 */
export function shareOf({ habituels_taux: usual, disponibilite, taux }: Coverage): number | null {
  const share = usual ?? disponibilite ?? taux;
  return typeof share === 'number' ? share : null;
}

function figure(value: Coverage[string] | undefined): string {
  return typeof value === 'number' ? number(value) : (value ?? UNKNOWN);
}

/** `n words`, or nothing where there is none. */
function some(value: Coverage[string] | undefined, words: string): string[] {
  return typeof value === 'number' && value > 0 ? [`${number(value)} ${words}`] : [];
}

function hoursText(c: Coverage, of: string): string {
  const hours = `${figure(c['heures_observees'])} heures ${of} observées sur ${figure(c['heures_attendues'])} attendues`;
  return typeof c['taux'] === 'number' ? `${hours} (${percentOf(c['taux'])})` : hours;
}

/** What came of the sensors that usually deliver, and what makes one usual. */
function usualText(c: Coverage, sensors: string): string[] {
  const { habituels_taux: share, habituels_part_des_jours: least } = c;
  if (typeof share !== 'number' || typeof least !== 'number') return [];
  return [
    `${figure(c['habituels_presents'])} des ${figure(c['habituels'])} ${sensors} habituels ont donné une valeur, ` +
      `${percentOf(share)} de leurs heures (habituel : une valeur au moins ${percentOf(least)} des ` +
      `${figure(c['habituels_jours'])} jours en mémoire, sur les soixante précédents ; l’état de la section en dépend)`,
  ];
}

/** What each section rests on, as parts of one sentence. */
const COVERAGE: Readonly<Record<SectionName, (coverage: Coverage) => readonly string[]>> = {
  bikes: (c) => [
    `${figure(c['compteurs'])} compteurs`,
    hoursText(c, 'de compteur'),
    ...usualText(c, 'compteurs'),
    ...some(c['defaillants'], 'compteurs défaillants'),
  ],
  traffic: (c) => [
    `${figure(c['perturbations'])} perturbations dans la journée`,
    `${figure(c['actives'])} encore en cours à sa fin`,
  ],
  weather: (c) => [
    `source : ${c['source'] === 'visual-crossing' ? 'Visual Crossing' : 'Open-Meteo'}`,
    `${figure(c['heures'])} heures`,
    `${figure(c['valeurs'])} valeurs du jour sur ${figure(c['valeurs_attendues'])}`,
  ],
  comptages: (c) => [
    `${figure(c['troncons_vus'])} tronçons vus sur ${figure(c['troncons_attendus'])} attendus`,
    `${hoursText(c, 'de capteur')}, dont ${figure(c['heures_debit'])} avec un débit et ` +
      `${figure(c['heures_occupation'])} avec un taux d’occupation`,
    ...usualText(c, 'capteurs'),
    ...some(c['troncons_sans_zone'], 'tronçons sans zone'),
    ...some(c['longueurs_comptages'], 'longueurs prises des comptages'),
    ...some(c['longueurs_aucune'], 'tronçons sans longueur'),
    ...some(c['lignes_sans_troncon'], 'lignes sans tronçon'),
    ...some(c['lignes_hors_jour'], 'lignes d’un autre jour'),
    ...some(c['lignes_en_double'], 'lignes en double'),
    ...some(c['lignes_valeur_impossible'], 'lignes de valeur impossible'),
  ],
  chantiers: (c) => [
    `${figure(c['connus'])} chantiers connus`,
    `${figure(c['actifs'])} actifs`,
    ...some(c['sans_dates_utilisables'], 'sans dates utilisables'),
    ...some(c['sans_code_postal'], 'sans code postal'),
    ...some(c['sans_arrondissement'], 'sans arrondissement'),
  ],
  referentiel: (c) => [
    `${figure(c['troncons'])} tronçons`,
    `${figure(c['avec_geometrie'])} avec un tracé`,
    `${figure(c['avec_arrondissement'])} dans un arrondissement`,
  ],
};

/** One sentence on what the section rests on. */
export function coverageText(section: SectionName, coverage: Coverage): string {
  const sentence = `Couverture : ${COVERAGE[section](coverage).join(' ; ')}.`;
  return sentence.replace(/ (?=[:;] )/g, '\u00a0');
}
