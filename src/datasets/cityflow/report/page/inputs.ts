import type { NetworkMap } from '../../transform/network.ts';
import type { Thresholds } from '../../thresholds.ts';
import type { DayMetrics, Report } from '../model.ts';

/**
 * What the page is drawn from: the report, the stored metrics behind it, and the lines of the
 * network.
 */
export interface PageInputs {
  readonly report: Report;
  readonly metrics: DayMetrics;
  readonly map: NetworkMap | null;
  /** All of them: the report has those of sections with data. */
  readonly thresholds: Thresholds;
}
