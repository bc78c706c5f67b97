import type { CallOptions } from './attempts.ts';

/** What is on the way from a workflow to its activities, in the form of `@temporalio/workflow`. */

export type Call = 'scheduleActivity' | 'scheduleLocalActivity';

export interface CallInput {
  readonly activityType: string;
  readonly args: readonly unknown[];
  readonly options: CallOptions;
}

type Next = (input: CallInput) => Promise<unknown>;

export interface Interceptors {
  readonly outbound?: readonly Partial<
    Record<Call, (input: CallInput, next: Next) => Promise<unknown>>
  >[];
}

/** The call with everything that the interceptors do around it; the first of them is outermost. */
export function intercepted({ outbound = [] }: Interceptors, call: Call, last: Next): Next {
  return outbound.reduceRight<Next>((next, interceptor) => {
    const around = interceptor[call];
    return around === undefined ? next : (input) => around(input, next);
  }, last);
}
