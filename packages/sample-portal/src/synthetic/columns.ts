/**
 * The names of the eCO2mix columns in the two dialects of the portal, in the order in which it
 * exports them.
 *
 * A numeric column is known by its position in `NUMERIC`, which is also its index in a row of
 * values, so that the hot loop of the CSV writer touches integers only.
 */

/** The portal's names of the national datasets. */
export type SyntheticDatasetId = 'eco2mix-national-tr' | 'eco2mix-national-cons-def';

/**
 * `2024`: 37 columns. `2025`: wind in two parts after `eolien`, batteries at the end, 41 columns.
 */
export type SyntheticLayout = '2024' | '2025';

interface ColumnName {
  readonly name: string;
  readonly label: string;
  /** Only in the layout of 2025. */
  readonly added?: true;
}

/**
 * Columns that identify a row; the label of `date_heure` is the only one that differs between the
 * two datasets.
 */
const IDENTITY: readonly ColumnName[] = [
  { name: 'perimetre', label: 'Périmètre' },
  { name: 'nature', label: 'Nature' },
  { name: 'date', label: 'Date' },
  { name: 'heure', label: 'Heure' },
];
const INSTANT_LABEL: Readonly<Record<SyntheticDatasetId, string>> = {
  'eco2mix-national-tr': 'Date - Heure',
  'eco2mix-national-cons-def': 'Date et Heure',
};

/** In the order of the portal; `added` marks those of 2025. */
export const NUMERIC: readonly ColumnName[] = [
  { name: 'consommation', label: 'Consommation (MW)' },
  { name: 'prevision_j1', label: 'Prévision J-1 (MW)' },
  { name: 'prevision_j', label: 'Prévision J (MW)' },
  { name: 'fioul', label: 'Fioul (MW)' },
  { name: 'charbon', label: 'Charbon (MW)' },
  { name: 'gaz', label: 'Gaz (MW)' },
  { name: 'nucleaire', label: 'Nucléaire (MW)' },
  { name: 'eolien', label: 'Eolien (MW)' },
  { name: 'eolien_terrestre', label: 'Eolien terrestre (MW)', added: true },
  { name: 'eolien_offshore', label: 'Eolien offshore (MW)', added: true },
  { name: 'solaire', label: 'Solaire (MW)' },
  { name: 'hydraulique', label: 'Hydraulique (MW)' },
  { name: 'pompage', label: 'Pompage (MW)' },
  { name: 'bioenergies', label: 'Bioénergies (MW)' },
  { name: 'ech_physiques', label: 'Ech. physiques (MW)' },
  { name: 'taux_co2', label: 'Taux de CO2 (g/kWh)' },
  { name: 'ech_comm_angleterre', label: 'Ech. comm. Angleterre (MW)' },
  { name: 'ech_comm_espagne', label: 'Ech. comm. Espagne (MW)' },
  { name: 'ech_comm_italie', label: 'Ech. comm. Italie (MW)' },
  { name: 'ech_comm_suisse', label: 'Ech. comm. Suisse (MW)' },
  { name: 'ech_comm_allemagne_belgique', label: 'Ech. comm. Allemagne-Belgique (MW)' },
  { name: 'fioul_tac', label: 'Fioul - TAC (MW)' },
  { name: 'fioul_cogen', label: 'Fioul - Cogénération (MW)' },
  { name: 'fioul_autres', label: 'Fioul - Autres (MW)' },
  { name: 'gaz_tac', label: 'Gaz - TAC (MW)' },
  { name: 'gaz_cogen', label: 'Gaz - Cogénération (MW)' },
  { name: 'gaz_ccg', label: 'Gaz - CCG (MW)' },
  { name: 'gaz_autres', label: 'Gaz - Autres (MW)' },
  { name: 'hydraulique_fil_eau_eclusee', label: "Hydraulique - Fil de l'eau + éclusée (MW)" },
  { name: 'hydraulique_lacs', label: 'Hydraulique - Lacs (MW)' },
  { name: 'hydraulique_step_turbinage', label: 'Hydraulique - STEP turbinage (MW)' },
  { name: 'bioenergies_dechets', label: 'Bioénergies - Déchets (MW)' },
  { name: 'bioenergies_biomasse', label: 'Bioénergies - Biomasse (MW)' },
  { name: 'bioenergies_biogaz', label: 'Bioénergies - Biogaz (MW)' },
  { name: 'stockage_batterie', label: 'Stockage batterie (MW)', added: true },
  { name: 'destockage_batterie', label: 'Déstockage batterie (MW)', added: true },
];

/** Indexes into a row of values: `NUMERIC[COL.gaz].name` is `gaz` (held by a test). */
export const COL = {
  consommation: 0,
  prevision_j1: 1,
  prevision_j: 2,
  fioul: 3,
  charbon: 4,
  gaz: 5,
  nucleaire: 6,
  eolien: 7,
  eolien_terrestre: 8,
  eolien_offshore: 9,
  solaire: 10,
  hydraulique: 11,
  pompage: 12,
  bioenergies: 13,
  ech_physiques: 14,
  taux_co2: 15,
  ech_comm_angleterre: 16,
  ech_comm_espagne: 17,
  ech_comm_italie: 18,
  ech_comm_suisse: 19,
  ech_comm_allemagne_belgique: 20,
  fioul_tac: 21,
  fioul_cogen: 22,
  fioul_autres: 23,
  gaz_tac: 24,
  gaz_cogen: 25,
  gaz_ccg: 26,
  gaz_autres: 27,
  hydraulique_fil_eau_eclusee: 28,
  hydraulique_lacs: 29,
  hydraulique_step_turbinage: 30,
  bioenergies_dechets: 31,
  bioenergies_biomasse: 32,
  bioenergies_biogaz: 33,
  stockage_batterie: 34,
  destockage_batterie: 35,
} as const;

/** The numeric columns of a layout, as indexes into a row of values, in the order of the file. */
export function numericColumns(layout: SyntheticLayout): readonly number[] {
  return NUMERIC.flatMap((column, index) =>
    layout === '2025' || column.added === undefined ? [index] : [],
  );
}

/** What the catalogue says of one column. */
export interface FieldDescription {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'date' | 'datetime' | 'int' | 'double' | 'geo_point_2d' | 'geo_shape';
}

/** Every column of a dataset in a layout, in the order of the file. */
export function describeFields(
  dataset: SyntheticDatasetId,
  layout: SyntheticLayout,
): readonly FieldDescription[] {
  const identity = IDENTITY.map(({ name, label }): FieldDescription => {
    return { name, label, type: name === 'date' ? 'date' : 'text' };
  });
  const instant: FieldDescription = {
    name: 'date_heure',
    label: INSTANT_LABEL[dataset],
    type: 'datetime',
  };
  const numeric = numericColumns(layout).map((index): FieldDescription => {
    const column = NUMERIC[index];
    if (column === undefined) throw new RangeError(`there is no column ${index}`);
    return { name: column.name, label: column.label, type: 'int' };
  });
  return [...identity, instant, ...numeric];
}

/**
 * The short name behind a French label of either dataset; `undefined` for a label that eCO2mix does
 * not use.
 */
export function shortNameOf(label: string): string | undefined {
  if (Object.values(INSTANT_LABEL).includes(label)) return 'date_heure';
  return [...IDENTITY, ...NUMERIC].find((column) => column.label === label)?.name;
}
