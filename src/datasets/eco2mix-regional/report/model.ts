import type { AcceptedHold, PartNote, UnansweredNote } from '../../kit/index.ts';
import type { NationalComparison, RegionsDay } from '../metrics-model.ts';

/** Raised when a reader of the document would have to change. */
export const REPORT_SCHEMA = 'eco2mix-regional.report/1';

/** The report of a day as one document; pages and tables are made of it. */
export interface RegionsReport {
  readonly schema: typeof REPORT_SCHEMA;
  readonly date: string;
  readonly metrics: RegionsDay;
  /** Null when the comparison was not made. */
  readonly comparison: NationalComparison | null;
  /** Parts that use what was delivered before, with the reason. */
  readonly notes?: readonly PartNote[];
  /**
   * Parts of which nothing came because their publisher was not heard; absent where there are none.
   */
  readonly unanswered?: readonly UnansweredNote[];
  /** Held data that the day is made of, and who accepted them; absent where there are none. */
  readonly accepted?: readonly AcceptedHold[];
  /** Parts whose rows a sample portal made up; absent where there are none. */
  readonly sample_data?: readonly string[];
}
