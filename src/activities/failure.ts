import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { asPipelineError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

/** Expected outcomes that must not alarm anybody: Temporal keeps them out of error metrics and logs. */
const BENIGN: readonly ErrorCode[] = ['SRC_NOT_PUBLISHED'];

/**
 * The one translation of our errors into Temporal's: type = code, remedy in the message, the context as details, and the
 * publisher's own wish for the next try. Anything unclassified is `INTERNAL` and is not retried.
 */
export function toApplicationFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const known = asPipelineError(error);
  return ApplicationFailure.create({
    type: known.code,
    message: `${known.message} — ${known.remedy}`,
    nonRetryable: !known.retryable,
    details: [known.context],
    ...(error instanceof Error ? { cause: error } : {}),
    ...(known.retryAfterMs === undefined ? {} : { nextRetryDelay: known.retryAfterMs }),
    ...(BENIGN.includes(known.code) ? { category: ApplicationFailureCategory.BENIGN } : {}),
  });
}
