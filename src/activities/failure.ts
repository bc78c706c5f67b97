import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { definedMembers } from '../given.ts';
import { asPipelineError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { redactText, redacted, redactedError } from '../redaction.ts';

/**
 * Expected outcomes that must not alarm anybody: Temporal keeps them out of error metrics and logs.
 */
const BENIGN: readonly ErrorCode[] = ['SRC_NOT_PUBLISHED'];

/**
 * The one translation of our errors into Temporal's: type = code, remedy in the message, the
 * context as details, and the publisher's own wish for the next try. Anything unclassified is
 * `INTERNAL` and is not retried. Temporal keeps the failure with all of its causes, so all of it is
 * redacted: by form and name, and by the values of `secrets`.
 */
export function toApplicationFailure(
  error: unknown,
  secrets: readonly string[] = [],
): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const known = asPipelineError(error);
  return ApplicationFailure.create({
    type: known.code,
    message: redactText(`${known.message} — ${known.remedy}`, secrets),
    nonRetryable: !known.retryable,
    details: [redacted(known.context, secrets)],
    ...(error instanceof Error ? { cause: redactedError(error, secrets) } : {}),
    ...definedMembers({ nextRetryDelay: known.retryAfterMs }),
    ...(BENIGN.includes(known.code) ? { category: ApplicationFailureCategory.BENIGN } : {}),
  });
}
