import { quoteText } from '../../kit/index.ts';
import type { SqlSession, StagedOutput } from '../../kit/index.ts';
import type { DayMetrics } from '../metrics-model.ts';
import { LOW_CARBON, SOURCES } from '../metrics-model.ts';
import { copyTable } from './copy-table.ts';

/**
 * The days of a month, one row each: what tables of all time are made of (`insights.ts`). Energies
 * are in MWh, coverages 0–1 of the day; what was not published is NULL.
 */
const COLUMNS = [
  'date DATE',
  'load_mwh DECIMAL(18, 2)',
  'load_coverage DECIMAL(5, 4)',
  'generation_mwh DECIMAL(18, 2)',
  'low_carbon_mwh DECIMAL(18, 2)',
  'generation_coverage DECIMAL(5, 4)',
];

/** Writes Parquet in the order of dates. */
export async function writeDays(
  sql: SqlSession,
  days: readonly DayMetrics[],
  path: string,
): Promise<StagedOutput> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE month_days (${COLUMNS.join(', ')})`);
  await sql.run(`INSERT INTO month_days VALUES ${days.map(rowOf).join(', ')}`);
  return copyTable(sql, 'SELECT * FROM month_days ORDER BY date', path);
}

function rowOf({ date, load, generation }: DayMetrics): string {
  const lowCarbon = LOW_CARBON.map((source) => generation.by_source[source].energy_mwh);
  // A sum with an unknown term is unknown.
  const lowCarbonMwh = lowCarbon.some((energy) => energy === null)
    ? null
    : lowCarbon.reduce<number>((sum, energy) => sum + (energy ?? 0), 0);
  const values = [
    load.energy_mwh,
    load.coverage,
    generation.total_mwh,
    lowCarbonMwh,
    Math.min(...SOURCES.map((source) => generation.by_source[source].coverage)),
  ];
  return `(DATE ${quoteText(date)}, ${values.map((value) => value ?? 'NULL').join(', ')})`;
}
