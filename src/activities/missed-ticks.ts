import { metricMeter } from '@temporalio/activity';
import type { getClient } from '@temporalio/activity';
import type { TickRequest } from '../engine/contract.ts';

/**
 * Tells Prometheus what the schedule of a tick has not done so far: ticks that came too late after
 * an outage, and those that fell into the one before. A schedule that cannot be asked does not hold
 * up its tick.
 */
export async function tellMissedTicks(
  client: ReturnType<typeof getClient>,
  { pipeline, schedule }: TickRequest,
): Promise<void> {
  try {
    const { info } = await client.schedule.getHandle(`${pipeline}/${schedule}`).describe();
    const tell = (name: string, ticks: number): void => {
      metricMeter.createGauge(name, 'int').set(ticks, { pipeline, schedule });
    };
    tell('quotidien_schedule_missed_ticks', info.numActionsMissedCatchupWindow);
    tell('quotidien_schedule_skipped_ticks', info.numActionsSkippedOverlap);
  } catch {
    // Started by hand, without a schedule.
  }
}
