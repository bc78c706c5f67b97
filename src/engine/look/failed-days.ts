import type { FailureRecord } from '../../pipelines/ledger.ts';
import type { Engine } from '../engine.ts';
import { readFailures } from '../records/failures.ts';
import { rangeOfDays } from './range-of-days.ts';
import type { AskedRange } from './range-of-days.ts';

/** The last failed run of a day, and whose day it is. */
export interface FailedDay extends FailureRecord {
  readonly pipeline: string;
}

/**
 * By pipeline in the given order, then by date; a range as `rangeOfDays` reads it, whose errors it
 * throws.
 */
export async function failedDays(
  engine: Engine,
  pipelines: readonly string[],
  range: AskedRange,
): Promise<FailedDay[]> {
  const failures: FailedDay[] = [];
  for (const pipeline of pipelines) {
    const found = await readFailures(
      engine.documents,
      pipeline,
      rangeOfDays(engine, pipeline, range),
    );
    for (const failure of found.values()) failures.push({ pipeline, ...failure });
  }
  return failures;
}
