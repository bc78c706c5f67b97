import { COL } from '../synthetic/columns.ts';
import { EMPTY } from '../synthetic/rows.ts';

/**
 * How the made-up mainland is divided into its twelve regions: shares in thousandths, near to what
 * RTE published for 2023. A region takes the whole numbers between two sums of shares, so that the
 * regions add up to the mainland exactly.
 */

/** INSEE code and name. */
export interface SampleRegion {
  readonly code: string;
  readonly name: string;
}

/** In the order of their codes; the lists of shares follow it. */
export const SAMPLE_REGIONS: readonly SampleRegion[] = [
  { code: '11', name: 'Île-de-France' },
  { code: '24', name: 'Centre-Val de Loire' },
  { code: '27', name: 'Bourgogne-Franche-Comté' },
  { code: '28', name: 'Normandie' },
  { code: '32', name: 'Hauts-de-France' },
  { code: '44', name: 'Grand Est' },
  { code: '52', name: 'Pays de la Loire' },
  { code: '53', name: 'Bretagne' },
  { code: '75', name: 'Nouvelle-Aquitaine' },
  { code: '76', name: 'Occitanie' },
  { code: '84', name: 'Auvergne-Rhône-Alpes' },
  { code: '93', name: "Provence-Alpes-Côte d'Azur" },
];

interface Divided {
  readonly name: string;
  readonly label: string;
  /** The national columns that are summed. */
  readonly of: readonly number[];
  readonly shares: readonly number[];
  /** Installed in the whole country, MW; only sources have rates. */
  readonly capacityMw?: number;
}

const LOAD = [155, 40, 46, 60, 110, 98, 60, 50, 93, 83, 140, 65];
const BATTERIES = [0, 0, 0, 0, 0, 0, 0, 0, 300, 300, 200, 200];
const WIND = [0, 80, 50, 50, 290, 220, 70, 70, 80, 90, 0, 0];

/** The published column that forecasts and coverage rates are made from too. */
export const LOAD_COLUMN: Divided = {
  name: 'consommation',
  label: 'Consommation (MW)',
  of: [COL.consommation],
  shares: LOAD,
};

/** Sources in the order of the publisher's columns. */
export const SOURCE_COLUMNS: readonly Divided[] = [
  {
    name: 'thermique',
    label: 'Thermique (MW)',
    of: [COL.fioul, COL.charbon, COL.gaz],
    shares: [100, 0, 0, 80, 150, 170, 200, 40, 20, 10, 50, 180],
    capacityMw: 17_500,
  },
  {
    name: 'nucleaire',
    label: 'Nucléaire (MW)',
    of: [COL.nucleaire],
    shares: [0, 200, 0, 170, 90, 200, 0, 0, 100, 50, 190, 0],
    capacityMw: 63_000,
  },
  { name: 'eolien', label: 'Eolien (MW)', of: [COL.eolien], shares: WIND, capacityMw: 24_000 },
  {
    name: 'solaire',
    label: 'Solaire (MW)',
    of: [COL.solaire],
    shares: [10, 40, 30, 10, 20, 60, 60, 30, 260, 210, 120, 150],
    capacityMw: 22_000,
  },
  {
    name: 'hydraulique',
    label: 'Hydraulique (MW)',
    of: [COL.hydraulique],
    shares: [10, 0, 20, 0, 0, 130, 0, 10, 60, 170, 450, 150],
    capacityMw: 26_000,
  },
];

/** ≤ 0; four regions have it. */
export const PUMPING: Divided = {
  name: 'pompage',
  label: 'Pompage (MW)',
  of: [COL.pompage],
  shares: [0, 0, 0, 0, 0, 250, 0, 0, 0, 150, 550, 50],
};

/** Its capacity is the same for all years. */
export const BIOENERGY: Divided = {
  name: 'bioenergies',
  label: 'Bioénergies (MW)',
  of: [COL.bioenergies],
  shares: [140, 40, 30, 80, 120, 110, 50, 40, 130, 80, 100, 80],
  capacityMw: 2_200,
};

/** Columns that the portal has had since 2025 alone. */
export const LATER_COLUMNS: readonly Divided[] = [
  {
    name: 'stockage_batterie',
    label: 'Stockage batterie',
    of: [COL.stockage_batterie],
    shares: BATTERIES,
  },
  {
    name: 'destockage_batterie',
    label: 'Déstockage batterie',
    of: [COL.destockage_batterie],
    shares: BATTERIES,
  },
  { name: 'eolien_terrestre', label: 'Eolien terrestre', of: [COL.eolien_terrestre], shares: WIND },
  {
    name: 'eolien_offshore',
    label: 'Eolien offshore',
    of: [COL.eolien_offshore],
    shares: [0, 0, 0, 500, 0, 0, 300, 200, 0, 0, 0, 0],
  },
];

/** The value of each region; null where the mainland has none, or the region never has any. */
export function divide({ of, shares }: Divided, row: Int32Array): (number | null)[] {
  let total = 0;
  for (const column of of) {
    const value = row[column] ?? EMPTY;
    if (value === EMPTY) return shares.map(() => null);
    total += value;
  }
  let [sum, taken] = [0, 0];
  return shares.map((share) => {
    sum += share;
    const until = Math.round((total * sum) / 1_000);
    const own = until - taken;
    taken = until;
    return share === 0 ? null : own;
  });
}

/**
 * Percent with two decimals, as the publisher writes rates; null where there is nothing to divide
 * by.
 */
export function percent(part: number | null, whole: number): number | null {
  return part === null || whole === 0 ? null : Math.round((part * 10_000) / whole) / 100;
}
