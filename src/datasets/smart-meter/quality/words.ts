import type { Words } from '../../kit/index.ts';
import { FLEET_RULES } from './fleet-rules.ts';
import type { PROFILED } from './rules-step.ts';
import { QUALITY_RULES } from './rules.ts';
import type { QualityRule, Refusal } from './rules.ts';

/**
 * What rules, their suites, refusals and columns are called; documents of days have their names
 * alone, or the English ones.
 */

type Language = keyof Words;

const RULES = new Map([...QUALITY_RULES, ...FLEET_RULES].map(({ id, title }) => [id, title]));

const SUITES: Readonly<Record<QualityRule['suite'], Words>> = {
  raw_readings_suite: { fr: 'Relevés bruts', en: 'Raw readings' },
  staging_readings_suite: { fr: 'Relevés nettoyés', en: 'Cleaned readings' },
  marts_metrics_suite: { fr: 'Chiffres du jour', en: 'Figures of the day' },
};

const SEVERITIES: Readonly<Record<QualityRule['severity'], Words>> = {
  warn: { fr: 'signalé', en: 'told' },
  suspect: { fr: 'douteux', en: 'suspect' },
  hold: { fr: 'retenu', en: 'held' },
};

const REFUSALS: Readonly<Record<Refusal | 'no_meter', Words>> = {
  no_stamp: { fr: 'sans heure', en: 'no time' },
  bad_stamp: { fr: 'heure illisible', en: 'a time that cannot be read' },
  no_such_time: { fr: 'heure qui n’existe pas', en: 'a time that does not exist' },
  ambiguous_time: { fr: 'heure ambiguë', en: 'an ambiguous time' },
  no_meter: { fr: 'sans compteur', en: 'no meter' },
  no_value: { fr: 'sans valeur', en: 'no value' },
  not_finite: { fr: 'valeur qui n’est pas un nombre', en: 'a value that is no number' },
  negative: { fr: 'valeur négative', en: 'a negative value' },
  out_of_range: { fr: 'valeur hors de portée d’un compteur', en: 'more than a meter can measure' },
  unknown_unit: { fr: 'unité inconnue', en: 'an unknown unit' },
  other_quantity: { fr: 'autre grandeur', en: 'another quantity' },
  register_not_interval: {
    fr: 'index, et non énergie d’un intervalle',
    en: 'a register, not an interval',
  },
  refused_quality: {
    fr: 'qualité refusée par l’éditeur',
    en: 'a quality that the publisher refuses',
  },
};

const COLUMNS: Readonly<Record<(typeof PROFILED)[number], Words>> = {
  energy_wh: { fr: 'énergie (Wh)', en: 'energy (Wh)' },
  temperature_raw: { fr: 'température (part)', en: 'temperature (share)' },
  humidity_raw: { fr: 'humidité (part)', en: 'humidity (share)' },
  wind_speed_raw: { fr: 'vent (part)', en: 'wind (share)' },
  avg_past_raw: { fr: 'moyenne passée (part)', en: 'past mean (share)' },
};

/** Names that earlier versions had stay as they are. */
function worded(
  words: Readonly<Record<string, Words>>,
): (name: string, language: Language) => string {
  return (name, language) => words[name]?.[language] ?? name;
}

/** The rule as a claim. */
export const ruleWords = worded(Object.fromEntries(RULES));
/** Of what the rules of a suite are about. */
export const suiteWords = worded(SUITES);
/** What becomes of a failing row. */
export const severityWords = worded(SEVERITIES);
/** Why a row was refused. */
export const refusalWords = worded(REFUSALS);
/** Of a profile. */
export const columnWords = worded(COLUMNS);
