/** Everything that a worker registers; the name of each export is its workflow type. */
export { backfill } from './backfill.ts';
export { day } from './day.ts';
export { fetch } from './fetch.ts';
export { reconcile } from './reconcile.ts';
export { retain } from './retain.ts';
export { rollup } from './rollup.ts';
export { tick } from './tick.ts';
export { window } from './window.ts';
export { verify, watch } from './watch.ts';
