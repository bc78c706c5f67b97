import type { WorkflowHandle } from '@temporalio/client';
import { askEvery } from './ask-every.ts';
import type { Terminal } from './terminal.ts';

/** A step whose tries fail is silent for minutes otherwise: the next try waits longer each time. */
const ASKED_EVERY_MS = 3_000;

/** Tells why a run waits: each step that is being tried again, with its last failure, whenever that changes. Call the answer to stop. */
export function tellWaits(terminal: Terminal, handle: WorkflowHandle): () => void {
  const told = new Set<string>();
  return askEvery(
    ASKED_EVERY_MS,
    () => handle.describe(),
    ({ raw }) => {
      for (const { activityId, activityType, attempt, lastFailure } of raw.pendingActivities ?? []) {
        const tries = attempt ?? 1;
        const why = lastFailure?.message ?? '';
        const name = `${activityId ?? ''}/${tries}`;
        if (tries < 2 || why === '' || told.has(name)) continue;
        told.add(name);
        terminal.note(`${activityType?.name ?? 'a step'}, before try ${tries}: ${why}`);
      }
    },
  );
}

/** What to type to decide on a held day. */
export function decideCommand(pipeline: string, date: string): string {
  const input = '{"decision":"accept","reason":"…"}';
  return `temporal workflow update execute --workflow-id day/${pipeline}/${date} --name decide --input '${input}'`;
}
