import { csvText } from '../../kit/index.ts';
import type { FlatTable } from '../../kit/index.ts';
import type { ConsumptionMetrics } from '../marts/fleet.ts';
import type { MeterReport } from './model.ts';

/** `mart_consumption_metrics` of the day as a flat table. */

const COLUMNS = {
  segment: 'text',
  metric_date: 'text',
  total_kwh: 'number',
  avg_kwh: 'number',
  peak_kwh: 'number',
  peak_hour: 'integer',
  consumption_variance: 'number',
  meters: 'integer',
  observed: 'integer',
  expected: 'integer',
  coverage: 'number',
  anomaly_count: 'integer',
  anomaly_rate_pct: 'number',
  total_loss_estimate_kwh: 'number',
  expected_from: 'text',
  loss_estimate_absent: 'text',
} as const satisfies Record<keyof ConsumptionMetrics, 'text' | 'number' | 'integer'>;

/** One row a group; the fleet first. */
export function metricsTable({ fleet }: MeterReport): FlatTable {
  const columns = Object.entries(COLUMNS).map(([name, type]) => ({ name, type }));
  return {
    columns,
    rows: fleet.metrics.map((row) =>
      columns.map(({ name }) => row[name as keyof ConsumptionMetrics] ?? null),
    ),
  };
}

/**
 * `;` between values, a dot as decimal sign, nothing where a value is missing. A last column
 * `sample_data` is there only where rows are made up, and names the parts.
 */
export function csvOf({ columns, rows }: FlatTable, sample: readonly string[] = []): string {
  const [head, mark] = sample.length === 0 ? [[], []] : [['sample_data'], [sample.join(' ')]];
  const told = rows.map((row) => [
    ...row.map((value) => (typeof value === 'boolean' ? String(value) : value)),
    ...mark,
  ]);
  return csvText([[...columns.map(({ name }) => name), ...head], ...told]);
}
