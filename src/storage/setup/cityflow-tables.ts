import type { NativeTables } from '../shared/native-tables.ts';

/** How long CityFlow keeps its records. */
const KEPT = { field: 'ttl', days: 365 } as const;

/** What the two tables are called: `cityflow-metrics` and `cityflow-daily-reports` in DynamoDB, `metrics` and `reports` in MongoDB. */
export interface CityFlowTableNames {
  readonly metrics: string;
  readonly reports: string;
}

/**
 * The tables that CityFlow's other programs read, in exactly their shape: the logical tables `cityflow-metrics` (partition: the type of
 * the metrics, sort: the date) and `cityflow-daily-reports` (partition: `daily_report_<date>`, sort: the date).
 */
export function cityFlowTables(names: CityFlowTableNames): NativeTables {
  return {
    'cityflow-metrics': { name: names.metrics, partitionKey: 'metric_type', sortKey: 'date', timeToLive: KEPT },
    'cityflow-daily-reports': {
      name: names.reports,
      partitionKey: 'report_id',
      sortKey: 'date',
      timeToLive: KEPT,
      uniqueSortKey: true,
    },
  };
}
