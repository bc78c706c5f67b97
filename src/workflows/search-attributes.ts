import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { SEARCH_KEYS } from './search-keys.ts';
import type { RunReason, StepId, Verdict } from '../pipelines/vocabulary.ts';

/** What Temporal's visibility knows of a run of ours. */
export interface SearchValues {
  readonly Pipeline?: string;
  /** A civil date, or the first date of a window. */
  readonly DataDate?: string;
  readonly RunReason?: RunReason;
  readonly Verdict?: Verdict;
  readonly Revision?: string;
  readonly FailedStep?: StepId;
}

/**
 * Sets those values that the run does not have yet: whoever starts a run usually gave them, and an
 * upsert costs an event.
 */
export function describeRun(values: SearchValues): void {
  const known = workflowInfo().typedSearchAttributes;
  const pairs = Object.entries(values)
    .map(([name, value]) => ({
      key: SEARCH_KEYS[name as keyof SearchValues],
      value: value as string,
    }))
    .filter(({ key, value }) => known.get(key) !== value);
  if (pairs.length > 0) upsertSearchAttributes(pairs);
}
