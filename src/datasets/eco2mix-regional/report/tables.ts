import { csvText, flatTable, SAMPLE_WORDS } from '../../kit/index.ts';
import type { FlatField, FlatTable } from '../../kit/index.ts';
import { SOURCES } from '../columns.ts';
import type { RegionDay } from '../metrics-model.ts';
import type { RegionsReport } from './model.ts';

/** The figures of the day, one row per region. */
export interface RegionRow extends RegionDay {
  readonly date: string;
}

/** In the order of the metrics. */
export function regionRows({ date, metrics }: RegionsReport): RegionRow[] {
  return metrics.regions.map((region) => ({ date, ...region }));
}

const FIELDS: readonly FlatField<RegionRow>[] = [
  { name: 'date', type: 'text', valueOf: ({ date }) => date },
  { name: 'region_code', type: 'text', valueOf: ({ code }) => code },
  { name: 'region', type: 'text', valueOf: ({ name }) => name },
  { name: 'load_mwh', type: 'number', valueOf: ({ load }) => load.energy_mwh },
  { name: 'load_coverage', type: 'number', valueOf: ({ load }) => load.coverage },
  { name: 'load_mean_mw', type: 'number', valueOf: ({ load }) => load.mean_mw },
  { name: 'load_peak_mw', type: 'number', valueOf: ({ load }) => load.peak?.mw ?? null },
  { name: 'load_peak_at', type: 'instant', valueOf: ({ load }) => load.peak?.at ?? null },
  { name: 'generation_mwh', type: 'number', valueOf: ({ generation }) => generation.total_mwh },
  {
    name: 'coverage_rate_pct',
    type: 'number',
    valueOf: ({ generation }) => generation.coverage_rate_pct,
  },
  { name: 'exchange_net_mwh', type: 'number', valueOf: ({ exchange }) => exchange.energy_mwh },
  { name: 'exchange_import_mwh', type: 'number', valueOf: ({ exchange }) => exchange.import_mwh },
  { name: 'exchange_export_mwh', type: 'number', valueOf: ({ exchange }) => exchange.export_mwh },
  { name: 'pompage_mwh', type: 'number', valueOf: ({ pumping }) => pumping.energy_mwh },
  ...SOURCES.flatMap((source): FlatField<RegionRow>[] => [
    {
      name: `${source}_mwh`,
      type: 'number',
      valueOf: ({ generation }) => generation.by_source[source].energy_mwh,
    },
    {
      name: `${source}_tco_pct`,
      type: 'number',
      valueOf: ({ generation }) => generation.by_source[source].coverage_rate_pct,
    },
    {
      name: `${source}_tch_pct`,
      type: 'number',
      valueOf: ({ generation }) => generation.by_source[source].load_factor_pct,
    },
  ]),
];

/** Columns carry their unit; rates that were not published stay empty. */
export function regionsTable(rows: readonly RegionRow[]): FlatTable {
  return flatTable(FIELDS, rows);
}

/** The same as CSV. Made-up days say so in a column of their own, so that no row is without it. */
export function regionsCsv(rows: readonly RegionRow[], sample: readonly string[]): string {
  const isSample = sample.length > 0;
  const head = [...FIELDS.map(({ name }) => name), ...(isSample ? ['sample_data'] : [])];
  const cells = rows.map((row) => [
    ...FIELDS.map((field) => {
      const value = field.valueOf(row);
      return typeof value === 'boolean' ? String(value) : value;
    }),
    ...(isSample ? [SAMPLE_WORDS] : []),
  ]);
  return csvText([head, ...cells]);
}
