import { makeMonths } from './meter-year.ts';

/**
 * Makes the first month of meters alone and sends back what it took, in a process of its own: what
 * `meter-year` holds all months against.
 */

if (process.send !== undefined) {
  await makeMonths(1, (made) => {
    process.send?.(made);
  });
  process.disconnect();
}
