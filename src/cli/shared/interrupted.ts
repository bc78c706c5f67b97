/**
 * What a command ends with when somebody stops it: no mistake of anybody's, and nothing to correct.
 */
export class Interrupted extends Error {
  /** Ctrl-C, or the name of the signal. */
  readonly by: string;

  /** `after` says what becomes of the work. */
  constructor(by: string, after?: string) {
    super(`stopped by ${by}${after === undefined ? '' : `; ${after}`}`);
    this.by = by;
  }
}
