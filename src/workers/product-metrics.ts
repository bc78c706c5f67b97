import { metricMeter } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type {
  CommitRequest,
  RecordRunRequest,
  StepRequest,
  StepResult,
} from '../engine/contract.ts';
import { unsharded } from '../pipelines/shard.ts';
import { STAGES } from '../pipelines/vocabulary.ts';

/**
 * The product's own figures, beside those of the SDK, taken from what goes into and comes out of
 * activities: steps by outcome and their times, days by verdict. Names and labels are few and
 * fixed, so that a year of days costs no more series than a day.
 */
export const productMetrics: ActivityInterceptorsFactory = ({ info: { activityType } }) => ({
  inbound: {
    async execute(input, next) {
      const startedAt = performance.now();
      try {
        const result: unknown = await next(input);
        record(activityType, input.args, result, (performance.now() - startedAt) / 1000);
        return result;
      } catch (error) {
        const step = stepOf(activityType, input.args);
        if (step !== undefined) counter('quotidien_step_tries_failed').add(1, step);
        throw error;
      }
    },
  },
});

function counter(name: string) {
  return metricMeter.createCounter(name);
}

function stepOf(
  activityType: string,
  args: readonly unknown[],
): { pipeline: string; step: string } | undefined {
  if (!STAGES.some((stage) => stage === activityType)) return undefined;
  const { pipeline, step } = args[0] as StepRequest;
  // A label for each shard would make thousands of series.
  return { pipeline, step: unsharded(step) };
}

function record(
  activityType: string,
  args: readonly unknown[],
  result: unknown,
  seconds: number,
): void {
  const step = stepOf(activityType, args);
  if (step !== undefined) recordStep(step, result as StepResult, seconds);
  if (activityType === 'commitManifest') {
    const { pipeline, days } = args[0] as CommitRequest;
    for (const { outcome } of days)
      counter('quotidien_days').add(1, { pipeline, verdict: outcome.verdict });
  }
  if (activityType === 'recordFailure') {
    const { pipeline, outcome } = args[0] as RecordRunRequest;
    const code = outcome.failure?.code ?? 'INTERNAL';
    counter('quotidien_days').add(1, { pipeline, verdict: 'failed' });
    counter('quotidien_days_failed').add(1, { pipeline, code });
  }
}

function recordStep(
  step: { pipeline: string; step: string },
  { days }: StepResult,
  seconds: number,
): void {
  const counts = { ran: 0, reused: 0, failed: 0 };
  for (const day of days) counts['failure' in day ? 'failed' : day.how] += 1;
  for (const [how, number] of Object.entries(counts)) {
    if (number > 0) counter('quotidien_step_days').add(number, { ...step, how });
  }
  metricMeter.createHistogram('quotidien_step_seconds', 'float', 's').record(seconds, step);
}
