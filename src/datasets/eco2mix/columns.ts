/**
 * The columns that RTE publishes about mainland France, under the names of the portal's short
 * dialect, and what they are called in our tables. The position of a measure in `MEASURES` is its
 * bit in the masks of `core` (see `published-rows.ts`): add at the end only.
 */

/**
 * What a value means for sums: a `sub-source` is inside of a source, `storage` and `exchange` have
 * signs.
 */
export type MeasureKind =
  | 'load'
  | 'forecast'
  | 'source'
  | 'sub-source'
  | 'storage'
  | 'exchange'
  | 'carbon';

/** A published column of values. */
export interface Measure {
  /** The portal's short name, which is also the name in metrics and published tables. */
  readonly name: string;
  /** Our name in `core`: English, with the unit. */
  readonly column: string;
  /** The publisher's French label without its unit. */
  readonly label: string;
  readonly unit: 'MW' | 'g CO2eq/kWh';
  readonly kind: MeasureKind;
  /** First day on which the portal has the column; absent for those that were always there. */
  readonly since?: string;
  /** Spellings that neither the short name nor the label covers. */
  readonly also?: readonly string[];
}

/** Every measure is a whole number: RTE publishes MW and g/kWh without decimals. */
export const MEASURES = [
  { name: 'consommation', column: 'load_mw', label: 'Consommation', unit: 'MW', kind: 'load' },
  {
    name: 'prevision_j1',
    column: 'forecast_day_ahead_mw',
    label: 'Prévision J-1',
    unit: 'MW',
    kind: 'forecast',
  },
  {
    name: 'prevision_j',
    column: 'forecast_intraday_mw',
    label: 'Prévision J',
    unit: 'MW',
    kind: 'forecast',
  },
  { name: 'fioul', column: 'oil_mw', label: 'Fioul', unit: 'MW', kind: 'source' },
  { name: 'charbon', column: 'coal_mw', label: 'Charbon', unit: 'MW', kind: 'source' },
  { name: 'gaz', column: 'gas_mw', label: 'Gaz', unit: 'MW', kind: 'source' },
  { name: 'nucleaire', column: 'nuclear_mw', label: 'Nucléaire', unit: 'MW', kind: 'source' },
  { name: 'eolien', column: 'wind_mw', label: 'Eolien', unit: 'MW', kind: 'source' },
  { name: 'solaire', column: 'solar_mw', label: 'Solaire', unit: 'MW', kind: 'source' },
  { name: 'hydraulique', column: 'hydro_mw', label: 'Hydraulique', unit: 'MW', kind: 'source' },
  { name: 'pompage', column: 'pumping_mw', label: 'Pompage', unit: 'MW', kind: 'storage' },
  { name: 'bioenergies', column: 'bioenergy_mw', label: 'Bioénergies', unit: 'MW', kind: 'source' },
  {
    name: 'ech_physiques',
    column: 'exchange_physical_mw',
    label: 'Ech. physiques',
    unit: 'MW',
    kind: 'exchange',
  },
  {
    name: 'taux_co2',
    column: 'co2_g_per_kwh',
    label: 'Taux de CO2',
    unit: 'g CO2eq/kWh',
    kind: 'carbon',
  },
  {
    name: 'ech_comm_angleterre',
    column: 'exchange_england_mw',
    label: 'Ech. comm. Angleterre',
    unit: 'MW',
    kind: 'exchange',
  },
  {
    name: 'ech_comm_espagne',
    column: 'exchange_spain_mw',
    label: 'Ech. comm. Espagne',
    unit: 'MW',
    kind: 'exchange',
  },
  {
    name: 'ech_comm_italie',
    column: 'exchange_italy_mw',
    label: 'Ech. comm. Italie',
    unit: 'MW',
    kind: 'exchange',
  },
  {
    name: 'ech_comm_suisse',
    column: 'exchange_switzerland_mw',
    label: 'Ech. comm. Suisse',
    unit: 'MW',
    kind: 'exchange',
  },
  {
    name: 'ech_comm_allemagne_belgique',
    column: 'exchange_germany_belgium_mw',
    label: 'Ech. comm. Allemagne-Belgique',
    unit: 'MW',
    kind: 'exchange',
  },
  {
    name: 'fioul_tac',
    column: 'oil_turbine_mw',
    label: 'Fioul - TAC',
    unit: 'MW',
    kind: 'sub-source',
  },
  {
    name: 'fioul_cogen',
    column: 'oil_cogeneration_mw',
    label: 'Fioul - Cogénération',
    unit: 'MW',
    kind: 'sub-source',
    also: ['Fioul - Cogén.'],
  },
  {
    name: 'fioul_autres',
    column: 'oil_other_mw',
    label: 'Fioul - Autres',
    unit: 'MW',
    kind: 'sub-source',
  },
  { name: 'gaz_tac', column: 'gas_turbine_mw', label: 'Gaz - TAC', unit: 'MW', kind: 'sub-source' },
  {
    name: 'gaz_cogen',
    column: 'gas_cogeneration_mw',
    label: 'Gaz - Cogénération',
    unit: 'MW',
    kind: 'sub-source',
    also: ['Gaz - Cogén.'],
  },
  {
    name: 'gaz_ccg',
    column: 'gas_combined_cycle_mw',
    label: 'Gaz - CCG',
    unit: 'MW',
    kind: 'sub-source',
  },
  {
    name: 'gaz_autres',
    column: 'gas_other_mw',
    label: 'Gaz - Autres',
    unit: 'MW',
    kind: 'sub-source',
  },
  {
    name: 'hydraulique_fil_eau_eclusee',
    column: 'hydro_run_of_river_mw',
    label: 'Hydraulique - Fil de l’eau + éclusée',
    unit: 'MW',
    kind: 'sub-source',
  },
  {
    name: 'hydraulique_lacs',
    column: 'hydro_reservoir_mw',
    label: 'Hydraulique - Lacs',
    unit: 'MW',
    kind: 'sub-source',
  },
  {
    name: 'hydraulique_step_turbinage',
    column: 'hydro_pumped_storage_mw',
    label: 'Hydraulique - STEP turbinage',
    unit: 'MW',
    kind: 'sub-source',
  },
  {
    name: 'bioenergies_dechets',
    column: 'bioenergy_waste_mw',
    label: 'Bioénergies - Déchets',
    unit: 'MW',
    kind: 'sub-source',
  },
  {
    name: 'bioenergies_biomasse',
    column: 'bioenergy_biomass_mw',
    label: 'Bioénergies - Biomasse',
    unit: 'MW',
    kind: 'sub-source',
  },
  {
    name: 'bioenergies_biogaz',
    column: 'bioenergy_biogas_mw',
    label: 'Bioénergies - Biogaz',
    unit: 'MW',
    kind: 'sub-source',
  },
  {
    name: 'eolien_terrestre',
    column: 'wind_onshore_mw',
    label: 'Eolien terrestre',
    unit: 'MW',
    kind: 'sub-source',
    since: '2025-01-01',
  },
  {
    name: 'eolien_offshore',
    column: 'wind_offshore_mw',
    label: 'Eolien offshore',
    unit: 'MW',
    kind: 'sub-source',
    since: '2025-01-01',
  },
  {
    name: 'stockage_batterie',
    column: 'battery_charging_mw',
    label: 'Stockage batterie',
    unit: 'MW',
    kind: 'storage',
    since: '2025-01-01',
  },
  {
    name: 'destockage_batterie',
    column: 'battery_discharging_mw',
    label: 'Déstockage batterie',
    unit: 'MW',
    kind: 'storage',
    since: '2025-01-01',
  },
] as const satisfies readonly Measure[];

/** The portal's short name. */
export type MeasureName = (typeof MEASURES)[number]['name'];
/** Our name in `core`, with its unit. */
export type MeasureColumn = (typeof MEASURES)[number]['column'];

/** Columns that say where, when and how final a row is. */
export const DESCRIPTORS = [
  { name: 'perimetre', label: 'Périmètre' },
  { name: 'nature', label: 'Nature' },
  { name: 'date', label: 'Date' },
  { name: 'heure', label: 'Heure', also: ['Heures'] },
  { name: 'date_heure', label: 'Date - Heure', also: ['Date et Heure'] },
] as const satisfies readonly Pick<Measure, 'name' | 'label' | 'also'>[];

/** Every name that the portal's short dialect may use. */
export type ColumnName = MeasureName | (typeof DESCRIPTORS)[number]['name'];

/** The bit of a measure in a mask. */
export const BIT_OF = Object.fromEntries(MEASURES.map(({ name }, bit) => [name, bit])) as Readonly<
  Record<MeasureName, number>
>;

/** Our column for a published short name. */
export const COLUMN_OF = Object.fromEntries(
  MEASURES.map(({ name, column }) => [name, column]),
) as Readonly<Record<MeasureName, MeasureColumn>>;
