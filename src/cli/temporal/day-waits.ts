import { EventEmitter, once } from 'node:events';
import type { WorkflowHandle } from '@temporalio/client';
import type { DayWaits } from '../../workflows/day.ts';
import { askEvery } from '../shared/ask-every.ts';
import type { Terminal } from '../shared/terminal.ts';

/** A step whose tries fail is silent for minutes otherwise: the next try waits longer each time. */
const TRIES_ASKED_EVERY_MS = 3_000;

const WAITS_ASKED_EVERY_MS = 1_000;

/** Tells why a run waits: each step that is being tried again, with its last failure, whenever that changes. Call the answer to stop. */
export function tellTries(terminal: Terminal, handle: WorkflowHandle): () => void {
  const told = new Set<string>();
  return askEvery(
    TRIES_ASKED_EVERY_MS,
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

export interface WaitingDay {
  readonly handle: WorkflowHandle;
  readonly pipeline: string;
  readonly date: string;
}

/**
 * Tells at once when a day waits for its publisher or for a decision, and each time that this changes: what for, until when, and what a
 * person can do. `waits` resolves with the first of them. Call `stop` when nobody listens any more.
 */
export function tellWaits(terminal: Terminal, day: WaitingDay): { readonly waits: Promise<DayWaits>; stop(): void } {
  const first = new EventEmitter<{ waits: [DayWaits] }>();
  const waits = once(first, 'waits').then(([one]) => one as DayWaits);
  let told = '';
  const stop = askEvery(
    WAITS_ASKED_EVERY_MS,
    () => day.handle.query<DayWaits | null>('waits'),
    (now) => {
      const text = now === null ? '' : waitText(day, now);
      if (now !== null && text !== told) {
        terminal.note(text);
        first.emit('waits', now);
      }
      told = text;
    },
  );
  return { waits, stop };
}

function waitText({ handle, pipeline, date }: WaitingDay, { why, until, held }: DayWaits): string {
  const what = `${handle.workflowId} waits until ${until}: ${why}`;
  const how = held ? `; decide by: ${decideCommand(pipeline, date)}` : '';
  return `${what}${how}; Ctrl-C or "run --detach" leaves it waiting`;
}

/** What to type to decide on a held day. */
export function decideCommand(pipeline: string, date: string): string {
  const input = '{"decision":"accept","reason":"…"}';
  return `temporal workflow update execute --workflow-id day/${pipeline}/${date} --name decide --input '${input}'`;
}
