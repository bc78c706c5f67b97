import { oddColumns } from '../kit/index.ts';
import type { CsvHeader, CsvLayout } from '../kit/index.ts';

/**
 * The columns that RTE publishes by region, under the names of the portal's short dialect. There is
 * one column for all of oil, coal and gas (`thermique`). `tco` is the *taux de couverture* of a
 * source: its part of the region's load; `tch` its *taux de charge*: its part of the capacity that
 * is installed there. Both are published in percent, since 2020.
 */

/**
 * What a value means for sums: only `source` counts as generation, a `sub-source` is inside of one.
 */
export type MeasureKind = 'load' | 'source' | 'storage' | 'exchange' | 'sub-source';

interface Measure {
  /** The portal's short name. */
  readonly name: string;
  /** Our name in `core`, with the unit. */
  readonly column: string;
  /** The publisher's label. */
  readonly label: string;
  readonly kind: MeasureKind;
}

/** Power, whole MW. */
export const MEASURES = [
  { name: 'consommation', column: 'load_mw', label: 'Consommation', kind: 'load' },
  { name: 'thermique', column: 'thermal_mw', label: 'Thermique', kind: 'source' },
  { name: 'nucleaire', column: 'nuclear_mw', label: 'Nucléaire', kind: 'source' },
  { name: 'eolien', column: 'wind_mw', label: 'Eolien', kind: 'source' },
  { name: 'solaire', column: 'solar_mw', label: 'Solaire', kind: 'source' },
  { name: 'hydraulique', column: 'hydro_mw', label: 'Hydraulique', kind: 'source' },
  { name: 'bioenergies', column: 'bioenergy_mw', label: 'Bioénergies', kind: 'source' },
  { name: 'pompage', column: 'pumping_mw', label: 'Pompage', kind: 'storage' },
  {
    name: 'ech_physiques',
    column: 'exchange_physical_mw',
    label: 'Ech. physiques',
    kind: 'exchange',
  },
  {
    name: 'stockage_batterie',
    column: 'battery_charging_mw',
    label: 'Stockage batterie',
    kind: 'storage',
  },
  {
    name: 'destockage_batterie',
    column: 'battery_discharging_mw',
    label: 'Déstockage batterie',
    kind: 'storage',
  },
  {
    name: 'eolien_terrestre',
    column: 'wind_onshore_mw',
    label: 'Eolien terrestre',
    kind: 'sub-source',
  },
  {
    name: 'eolien_offshore',
    column: 'wind_offshore_mw',
    label: 'Eolien offshore',
    kind: 'sub-source',
  },
] as const satisfies readonly Measure[];

/** The portal's short name. */
export type MeasureName = (typeof MEASURES)[number]['name'];

/** Sources of generation; the published rates are of these. */
export const SOURCES = [
  'nucleaire',
  'hydraulique',
  'eolien',
  'solaire',
  'bioenergies',
  'thermique',
] as const;
/** One of the six sources; `thermique` is oil, coal and gas together. */
export type Source = (typeof SOURCES)[number];

/** Our column in `core` by the portal's name: English, with the unit. */
export const COLUMN_OF = Object.fromEntries(
  MEASURES.map(({ name, column }) => [name, column]),
) as Readonly<Record<MeasureName, string>>;

/** The publisher's French label without its unit. */
export function labelOf(name: MeasureName): string {
  return MEASURES.find((measure) => measure.name === name)?.label ?? name;
}

/** A published rate in percent. */
export interface Rate {
  readonly name: `${'tco' | 'tch'}_${Source}`;
  readonly column: string;
  readonly label: string;
  readonly source: Source;
  readonly kind: 'tco' | 'tch';
}

/**
 * Two published rates for each source, in percent: of the load (`tco`) and of the installed
 * capacity (`tch`).
 */
export const RATES: readonly Rate[] = SOURCES.flatMap((source) => {
  const stem = COLUMN_OF[source].replace(/_mw$/, '');
  return [
    {
      name: `tco_${source}`,
      column: `${stem}_coverage_pct`,
      label: `TCO ${labelOf(source)}`,
      source,
      kind: 'tco',
    },
    {
      name: `tch_${source}`,
      column: `${stem}_load_factor_pct`,
      label: `TCH ${labelOf(source)}`,
      source,
      kind: 'tch',
    },
  ] as const;
});

/** Columns that say where, when and how final a row is. */
const DESCRIPTORS = [
  { name: 'code_insee_region', label: 'Code INSEE région' },
  { name: 'libelle_region', label: 'Région' },
  { name: 'nature', label: 'Nature' },
  { name: 'date', label: 'Date' },
  { name: 'heure', label: 'Heure' },
  { name: 'date_heure', label: 'Date - Heure' },
] as const;

/** Every name that the portal's short dialect may use. */
export type ColumnName = MeasureName | Rate['name'] | (typeof DESCRIPTORS)[number]['name'];

function spellings(): Record<ColumnName, readonly string[]> {
  const all = [
    ...DESCRIPTORS.map(({ name, label }) => [name, [name, label]] as const),
    ...MEASURES.map(({ name, label }) => [name, [name, label, `${label} (MW)`]] as const),
    ...RATES.map(({ name, label }) => [name, [name, label, `${label} (%)`]] as const),
  ];
  const names = Object.fromEntries(all) as Record<ColumnName, readonly string[]>;
  return { ...names, date_heure: [...names.date_heure, 'Date et Heure'] };
}

/** An export of the portal in either dialect. A national export is like it, and has a perimeter. */
export const LAYOUT: CsvLayout<ColumnName> = {
  title: 'a CSV export of eco2mix-regional-tr or -cons-def',
  names: spellings(),
  required: ['code_insee_region', 'date_heure', 'consommation'],
  foreign: ['perimetre', 'Périmètre'],
  usual: [...MEASURES.slice(0, 9).map(({ name }) => name), 'nature'],
  // An empty column at the end of every export, whose name changes.
  unused: ['column_30', 'column_68', 'Column 30', 'Column 68'],
};

/** Published names that nobody knows, without the columns that are known to hold nothing. */
export function unknownOf(
  header: Pick<CsvHeader<ColumnName>, 'known' | 'unknown' | 'published'>,
): string[] {
  return [...oddColumns(header, LAYOUT).unknown];
}

/** RTE's words for no value, besides an empty cell. */
export const NO_VALUE = ['ND', '-', ''] as const;
