import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client } from '@temporalio/client';

/** A host whose journal is to be replayed. */
export interface ReconciledHost {
  readonly host: string;
  /** The task queue that only its workers listen to. */
  readonly queue: string;
}

const EVERY_MS = 5 * 60_000;

/** One per host: a second start joins the first. */
export function reconcileWorkflowId(host: string): string {
  return `reconcile/${host}`;
}

/**
 * Has the journal of this host replayed every five minutes, as long as its workers run; nothing is
 * done where nothing waits. One that is there stays, with its pauses.
 */
export async function applyReconcile(
  client: Client,
  { host, queue }: ReconciledHost,
  taskQueue: string,
): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: `reconcile/${host}`,
      spec: { intervals: [{ every: EVERY_MS }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: EVERY_MS },
      action: {
        type: 'startWorkflow',
        workflowType: 'reconcile',
        workflowId: reconcileWorkflowId(host),
        args: [{ host, queue }],
        taskQueue,
        staticSummary: `What ${host} wrote while a store was away`,
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
