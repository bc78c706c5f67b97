import type { ActivityOptions } from '@temporalio/workflow';

/** For activities that only read and write the stores: quick, and tried until the stores are back. */
export const CONTROL_RETRY: ActivityOptions = {
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '500 ms', maximumInterval: '30 seconds', backoffCoefficient: 2 },
};
