import { msToNumber as parsed } from '@temporalio/common/lib/time.js';

/** Milliseconds, or words such as `2 minutes`. */
export type Duration = number | string;

export const msToNumber: (duration: Duration) => number = parsed;
