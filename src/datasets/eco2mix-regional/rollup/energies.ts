import type { SqlSession } from '../../kit/index.ts';
import { quoteText } from '../../kit/index.ts';
import { SOURCES } from '../columns.ts';
import type { Energy, RegionDay } from '../metrics-model.ts';

/** Energies by region, of a day or longer. For `ech_physiques` the energy is the net import. */
export interface RegionEnergy extends Energy {
  readonly period: string;
  readonly region_code: string;
  readonly region: string;
  readonly quantity: string;
}

/** The quantities of a day, in the names of the portal. */
export const QUANTITIES = ['consommation', ...SOURCES, 'pompage', 'ech_physiques'] as const;
/** The portal's name of a measure that has an energy. */
export type Quantity = (typeof QUANTITIES)[number];

/**
 * Nine rows of one region: load, six sources, pumping, net import; `coverage` is 0–1 of the day.
 */
export function energiesOf(period: string, region: RegionDay): RegionEnergy[] {
  const { code, name, load, generation, pumping, exchange } = region;
  const energies: readonly (readonly [Quantity, Energy])[] = [
    ['consommation', load],
    ...SOURCES.map((source) => [source, generation.by_source[source]] as const),
    ['pompage', pumping],
    ['ech_physiques', exchange],
  ];
  return energies.map(([quantity, { energy_mwh: energy, coverage }]) => {
    return { period, region_code: code, region: name, quantity, energy_mwh: energy, coverage };
  });
}

/** Energies of one period that others are summed from, with its length. */
export interface Term {
  readonly hours: number;
  readonly energies: readonly RegionEnergy[];
}

/** Sums terms over a period of `hours`; what lies outside all of them is not covered. */
export function sumTerms(period: string, terms: readonly Term[], hours: number): RegionEnergy[] {
  const sums = new Map<string, RegionEnergy & { readonly covered: number }>();
  for (const { hours: own, energies } of terms) {
    for (const energy of energies) {
      const key = `${energy.region_code} ${energy.quantity}`;
      const before = sums.get(key);
      // Coverages have four decimals: ten thousand of them are whole numbers.
      const covered = (before?.covered ?? 0) + Math.round(energy.coverage * 10_000) * own;
      sums.set(key, {
        ...energy,
        period,
        energy_mwh: add(before?.energy_mwh ?? null, energy.energy_mwh),
        covered,
      });
    }
  }
  return [...sums.values()].map(({ covered, ...energy }) => {
    return { ...energy, coverage: Math.round(covered / hours) / 10_000 };
  });
}

/**
 * Multiples of 0.25 are exact in doubles; what is unknown adds nothing, and is told by the
 * coverage.
 */
function add(a: number | null, b: number | null): number | null {
  return a === null ? b : a + (b ?? 0);
}

const COLUMNS = [
  'period VARCHAR',
  'region_code VARCHAR',
  'region VARCHAR',
  'quantity VARCHAR',
  'energy_mwh DECIMAL(18, 2)',
  'coverage DECIMAL(5, 4)',
];

/** Fills the temporary table `region_energies`. */
export async function loadEnergies(
  sql: SqlSession,
  energies: readonly RegionEnergy[],
): Promise<void> {
  const rows = energies.map((row) => {
    const names = [row.period, row.region_code, row.region, row.quantity].map(quoteText);
    return `(${[...names, row.energy_mwh ?? 'NULL', row.coverage].join(', ')})`;
  });
  await sql.run(`CREATE OR REPLACE TEMP TABLE region_energies (${COLUMNS.join(', ')})`);
  await sql.run(`INSERT INTO region_energies VALUES ${rows.join(', ')}`);
}

/** The canonical order: equal energies give equal bytes. */
export const ENERGIES_SORTED =
  'SELECT * FROM region_energies ORDER BY period, region_code, quantity';
