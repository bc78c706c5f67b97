import type { CivilDate } from './vocabulary.ts';

/** A file that somebody gives us. */
export interface GivenFile {
  readonly path: string;
  readonly name: string;
  /** The day of which it tells, where a person says so: some lists have no date of their own. */
  readonly asOf?: CivilDate;
}

/**
 * Columns of a file that somebody should look at: one of the missing may be there under a new name,
 * and nothing is guessed.
 */
export interface OddColumns {
  /**
   * Published names that mean nothing to us: their values are kept as published, and used nowhere.
   */
  readonly unknown: readonly string[];
  /**
   * What every such file has and this one lacks, by the publisher's name or ours: it has no values
   * then.
   */
  readonly missing: readonly string[];
}

/** What an imported file turns out to hold. */
export interface RecognisedFile {
  readonly part: string;
  readonly kind: string;
  readonly from: CivilDate;
  readonly to: CivilDate;
  /** The day of which a list tells that has no dates of its own. */
  readonly asOf?: CivilDate;
  readonly rows: number;
  /** Absent for what has no columns. */
  readonly columns?: OddColumns;
  readonly extension: string;
  readonly mediaType: string;
}
