import type { QualityRule } from './rules.ts';

/** What came of the rule on a day. */
export interface Verdict {
  readonly suite: QualityRule['suite'];
  readonly rule: string;
  readonly version: number;
  readonly severity: QualityRule['severity'];
  readonly title: string;
  /** Rows that the rule looked at. */
  readonly tested: number;
  /** Rows that break it. */
  readonly failed: number;
  /** Meters of these rows; absent in verdicts of earlier versions. */
  readonly meters?: number;
  /** At most 20 keys of meters with a failing row. */
  readonly keys: readonly string[];
}

/** What a day's verdicts are as a document. */
export interface QualityDay {
  readonly date: string;
  readonly verdicts: readonly Verdict[];
  /** Reasons of refused rows, with how many. */
  readonly rejects: readonly { readonly reason: string; readonly rows: number }[];
  readonly profile: readonly ColumnProfile[];
}

/** The spread of one column over the readings of the day, in its own unit. */
export interface ColumnProfile {
  readonly column: string;
  /** Readings that have a value. */
  readonly values: number;
  readonly nulls: number;
  readonly least: number | null;
  readonly median: number | null;
  readonly greatest: number | null;
}
