import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { messageWithCode, messageWithoutCode } from '../errors.ts';

/**
 * What ends a run, or refuses an update: the code is its type, and comes first in its message too,
 * since Temporal's command line shows no type.
 */
export function codedFailure(
  code: string,
  message: string,
  more: { readonly cause?: Error; readonly details?: unknown[] } = {},
): ApplicationFailure {
  return ApplicationFailure.create({
    type: code,
    message: messageWithCode(code, message),
    nonRetryable: true,
    ...more,
  });
}

/**
 * The code and message of a failed activity. Timeouts and lost workers have no code of ours: they
 * count as `INTERNAL`.
 */
export function failureOf(error: unknown): { code: string; message: string } {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  if (cause instanceof ApplicationFailure) {
    return {
      code: cause.type ?? 'INTERNAL',
      message: messageWithoutCode(cause.type, cause.message),
    };
  }
  return { code: 'INTERNAL', message: cause instanceof Error ? cause.message : String(cause) };
}

/**
 * Runs a workflow so that a failed activity that nothing handled fails it with the activity's own
 * code and message, which is what a person reads first; the chain of causes stays below it.
 */
export async function withPlainFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    const { code, message } = failureOf(error);
    throw codedFailure(code, message, { cause: error });
  }
}
