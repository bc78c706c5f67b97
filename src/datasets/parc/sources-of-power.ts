/**
 * The sources of power by the names of the publishers, and how the register's columns are called.
 */

/** Those of which RTE tells production and load factor by month. */
export const RTE_SOURCES = ['eolien_terrestre', 'eolien_en_mer', 'solaire'] as const;
/** Of `RTE_SOURCES`. */
export type RteSource = (typeof RTE_SOURCES)[number];

/** Those of the register; `thermique_fossile` is gas, coal and oil together. */
export const REGISTER_SOURCES = [
  'nucleaire',
  'hydraulique',
  'eolien',
  'solaire',
  'bioenergies',
  'thermique_fossile',
  'gaz',
  'charbon',
  'fioul',
] as const;
/** Of `REGISTER_SOURCES`; wind is one source there. */
export type RegisterSource = (typeof REGISTER_SOURCES)[number];

/** Every row of a month, in the order of its tables. `eolien` of RTE is land and sea together. */
export const SOURCES = ['eolien_terrestre', 'eolien_en_mer', ...REGISTER_SOURCES] as const;
/** A source that a row may be of. */
export type Source = (typeof SOURCES)[number];

/** What French readers call each source. */
export const LABELS: Readonly<Record<Source, string>> = {
  eolien_terrestre: 'Éolien terrestre',
  eolien_en_mer: 'Éolien en mer',
  nucleaire: 'Nucléaire',
  hydraulique: 'Hydraulique',
  eolien: 'Éolien',
  solaire: 'Solaire',
  bioenergies: 'Bioénergies',
  thermique_fossile: 'Thermique fossile',
  gaz: 'Gaz',
  charbon: 'Charbon',
  fioul: 'Fioul',
};
