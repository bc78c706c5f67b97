import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';

/**
 * For activities that only read and write the stores: quick, and tried until the stores are back.
 */
export const CONTROL_RETRY = {
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '500 ms', maximumInterval: '30 seconds', backoffCoefficient: 2 },
} as const satisfies ActivityOptions;

/** For looks at many days: they tell how far they are, and go on there when a worker is lost. */
export const SURVEY_RETRY = {
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '30 seconds',
  retry: CONTROL_RETRY.retry,
} as const satisfies ActivityOptions;

/**
 * The same within the worker that runs the workflow: what they answer is in the history all the
 * same, without two ways through the server each, which are a fifth of a day that has little to do.
 */
export const LOCAL_CONTROL: LocalActivityOptions = {
  startToCloseTimeout: CONTROL_RETRY.startToCloseTimeout,
  retry: CONTROL_RETRY.retry,
};
