import type { RollupRequest, RollupResult } from '../contract.ts';
import { markDegraded } from '../records/degraded.ts';
import type { Engine, StepControl } from '../engine.ts';
import { executeRollup } from '../derive/execute-rollup.ts';
import { notedEngine } from './outage-note.ts';

/**
 * Makes periods, and marks them when that was not done on the primary stores: other hosts do not
 * see what was made here, and what was seen here may be less than there is, also where nothing was
 * found to make a period from. The reconciliation of this host announces them again.
 */
export async function rollUpPeriods(
  engine: Engine,
  request: RollupRequest,
  control: StepControl,
): Promise<RollupResult> {
  const { engine: own, note } = notedEngine(engine);
  try {
    return await executeRollup(own, request, control);
  } finally {
    // Also when it fails: some periods may be committed here, and another host may be the one that
    // tries again.
    const noted = note();
    if (noted !== undefined)
      await markDegraded(engine, control, request.pipeline, request.periods, noted.why);
  }
}
