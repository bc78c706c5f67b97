import { quoteText } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';
import type { Coverage, DayMetrics, Energy, Exchange } from '../metrics-model.ts';
import { BORDERS, SOURCES, STORAGES, SUB_SOURCES } from '../metrics-model.ts';

/**
 * Energies of a period: sums over its days or months, with the coverage of the WHOLE period, days
 * without data included.
 */

/** The sum over all borders at each step, before the split by sign. */
export const TOTAL_EXCHANGE = 'ech_comm_total';

/** One quantity over one span of time. For exchanges `energy_mwh` is the net import. */
export interface PeriodEnergy extends Coverage {
  readonly quantity: string;
  readonly energy_mwh: number | null;
  readonly import_mwh: number | null;
  readonly export_mwh: number | null;
}

/** The energies of one day or month, which is `hours` long. */
export interface EnergyTerm {
  readonly hours: number;
  readonly energies: readonly PeriodEnergy[];
}

function plain(
  quantity: string,
  { energy_mwh, expected_samples, observed_samples, coverage }: Energy,
): PeriodEnergy {
  return {
    quantity,
    energy_mwh,
    import_mwh: null,
    export_mwh: null,
    expected_samples,
    observed_samples,
    coverage,
  };
}

function exchange(quantity: string, { net_mwh, ...members }: Exchange): PeriodEnergy {
  return { quantity, energy_mwh: net_mwh, ...members };
}

/** Everything that has an energy on a day, in one order. */
export function energiesOfDay(metrics: DayMetrics): EnergyTerm {
  const { load, generation, storage, exchanges } = metrics;
  const energies = [
    plain('consommation', load),
    ...SOURCES.map((name) => plain(name, generation.by_source[name])),
    ...SUB_SOURCES.map((name) => plain(name, generation.by_sub_source[name])),
    ...STORAGES.map((name) => plain(name, storage[name])),
    exchange('ech_physiques', exchanges.physical),
    ...BORDERS.map((border) => exchange(`ech_comm_${border}`, exchanges.by_border[border])),
    exchange(TOTAL_EXCHANGE, exchanges.total),
  ];
  return { hours: metrics.hours, energies };
}

/**
 * Sums the terms of a period of `hours`; what lies outside all terms counts as missing at the
 * finest step of any.
 */
export function sumEnergies(terms: readonly EnergyTerm[], hours: number): PeriodEnergy[] {
  const quantities = terms[0]?.energies.map(({ quantity }) => quantity) ?? [];
  const byQuantity = terms.map(({ hours: own, energies }) => {
    return { hours: own, energies: new Map(energies.map((energy) => [energy.quantity, energy])) };
  });
  return quantities.map((quantity) => {
    const parts = byQuantity.flatMap((term) => {
      const energy = term.energies.get(quantity);
      return energy === undefined ? [] : [{ ...energy, hours: term.hours }];
    });
    const covered = parts.reduce((sum, part) => sum + part.hours, 0);
    const samplesPerHour = parts.some((part) => part.expected_samples > 2 * part.hours) ? 4 : 2;
    const expected = sum(parts, 'expected_samples') + (hours - covered) * samplesPerHour;
    // Coverages have four decimals: ten thousand of them are whole numbers.
    const coveredTime = parts.reduce(
      (time, part) => time + Math.round(part.coverage * 10_000) * part.hours,
      0,
    );
    return {
      quantity,
      energy_mwh: sumKnown(parts.map((part) => part.energy_mwh)),
      import_mwh: sumKnown(parts.map((part) => part.import_mwh)),
      export_mwh: sumKnown(parts.map((part) => part.export_mwh)),
      expected_samples: expected,
      observed_samples: sum(parts, 'observed_samples'),
      coverage: Math.round(coveredTime / hours) / 10_000,
    };
  });
}

function sum(
  parts: readonly PeriodEnergy[],
  member: 'expected_samples' | 'observed_samples',
): number {
  return parts.reduce((total, part) => total + part[member], 0);
}

/** Multiples of 0.25: exact in doubles far beyond any century of load. */
function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

const COLUMNS = [
  'period VARCHAR',
  'quantity VARCHAR',
  'energy_mwh DECIMAL(18, 2)',
  'import_mwh DECIMAL(18, 2)',
  'export_mwh DECIMAL(18, 2)',
  'expected_samples INTEGER',
  'observed_samples INTEGER',
  'coverage DECIMAL(5, 4)',
];

/**
 * Writes the energies of a period as Parquet, one row per quantity, in order of their names;
 * returns the number of rows.
 */
export async function writeEnergies(
  sql: SqlSession,
  period: string,
  energies: readonly PeriodEnergy[],
  path: string,
): Promise<number> {
  const rows = energies.map((row) => {
    const numbers = [
      row.energy_mwh,
      row.import_mwh,
      row.export_mwh,
      row.expected_samples,
      row.observed_samples,
      row.coverage,
    ];
    return `(${[quoteText(period), quoteText(row.quantity), ...numbers.map((value) => value ?? 'NULL')].join(', ')})`;
  });
  await sql.run(`CREATE OR REPLACE TEMP TABLE period_energies (${COLUMNS.join(', ')})`);
  await sql.run(`INSERT INTO period_energies VALUES ${rows.join(', ')}`);
  await sql.run(
    `COPY (SELECT * FROM period_energies ORDER BY quantity)
      TO ${quoteText(path)} (FORMAT PARQUET, COMPRESSION ZSTD)`,
  );
  return rows.length;
}

/** Reads energy tables back, by period. */
export async function readEnergies(
  sql: SqlSession,
  paths: readonly string[],
): Promise<ReadonlyMap<string, readonly PeriodEnergy[]>> {
  const list = paths.map(quoteText).join(', ');
  const rows = await sql.rows<PeriodEnergy & { period: string }>(
    `SELECT * FROM read_parquet([${list}], hive_partitioning = false) ORDER BY period, quantity`,
  );
  const byPeriod = new Map<string, PeriodEnergy[]>();
  for (const { period, ...energy } of rows)
    byPeriod.set(period, [...(byPeriod.get(period) ?? []), energy]);
  return byPeriod;
}
