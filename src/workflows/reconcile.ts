import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { ReconcileResult } from '../engine/contract.ts';
import { withPlainFailures } from './plain-failures.ts';
import { checkInput, text } from './input-shape.ts';
import type { Shape } from './input-shape.ts';

/** Whose journal is replayed. */
export interface ReconcileInput {
  readonly host: string;
  /** The task queue of that host: its journal is on its own disk. */
  readonly queue: string;
}

const RECONCILE_INPUT: Shape<ReconcileInput> = { host: text, queue: text };

/**
 * Brings what one host wrote while a store was away to the primary stores. A replay that is cut
 * short goes on where it was; one that finds a store still away ends, because the next tick of its
 * schedule tries again.
 */
export function reconcile(input: ReconcileInput): Promise<ReconcileResult> {
  checkInput('reconcile', RECONCILE_INPUT, input);
  return withPlainFailures(async () => {
    const { reconcileHost } = proxyActivities<Activities>({
      taskQueue: input.queue,
      scheduleToStartTimeout: '2 minutes',
      startToCloseTimeout: '1 hour',
      heartbeatTimeout: '10 seconds',
      retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumAttempts: 5 },
      summary: `journal of ${input.host}`,
    });
    const result = await reconcileHost();
    setCurrentDetails(story(result));
    return result;
  });
}

function story({
  host,
  applied,
  same,
  pending,
  converged,
  listed,
  conflicts,
  away,
}: ReconcileResult): string {
  const end = converged
    ? 'everything is proven on the primary stores'
    : `${pending} writes still wait`;
  const lines = [
    `**journal of ${host}**: ${applied} writes replayed, ${same} were there already; ${end}`,
  ];
  if (away !== undefined) lines.push(`A store is still away: ${away}`);
  if (conflicts > 0)
    lines.push(`${conflicts} conflicts wait for a decision:`, ...listed.map((line) => `- ${line}`));
  return lines.join('\n\n');
}
