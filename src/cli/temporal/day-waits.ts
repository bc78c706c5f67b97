import { EventEmitter, once } from 'node:events';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { day } from '../../workflows/day.ts';
import type { DayResult, DayWaits } from '../../workflows/day-contract.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { askEvery } from '../shared/ask-every.ts';
import { withLocal } from '../shared/instants.ts';
import type { Terminal } from '../shared/terminal.ts';
import { dayResult } from './runs.ts';
import { tellTries } from './tries.ts';

const WAITS_ASKED_EVERY_MS = 1_000;

interface WaitingDay {
  readonly handle: WorkflowHandle<typeof day>;
  readonly definition: Pick<PipelineDefinition, 'name' | 'zone'>;
  readonly date: string;
}

/** What a day waits for that is left to the workers. */
interface LeftDay extends Omit<DayWaits, 'until'> {
  /** Null: somebody has paused it, or it stands still, and waits for them. */
  readonly until: string | null;
}

/**
 * The result of a day, with what it waits for told meanwhile: its publisher, a decision, the next
 * try of a step, somebody who has paused it or has to let it go on. With `detach` the first wait of
 * the day itself ends the waiting.
 */
export function awaitDay(terminal: Terminal, client: Client, day: WaitingDay): Promise<DayResult>;
export function awaitDay(
  terminal: Terminal,
  client: Client,
  day: WaitingDay,
  detach: boolean,
): Promise<DayResult | LeftDay>;
export async function awaitDay(
  terminal: Terminal,
  client: Client,
  day: WaitingDay,
  detach = false,
): Promise<DayResult | LeftDay> {
  const waiting = tellWaits(terminal, day);
  const tries = tellTries(terminal, client, day.handle.workflowId);
  const isLeft = tries.isLeft.then((why): LeftDay => ({ why, until: null, held: false }));
  const left = detach ? [waiting.waits, isLeft] : [];
  return Promise.race([dayResult(day.handle), ...left]).finally(() => {
    waiting.stop();
    tries.stop();
  });
}

/**
 * Tells at once when a day waits for its publisher or for a decision, and each time that this
 * changes: what for, until when, and what a person can do. `waits` resolves with the first of them.
 * Call `stop` when nobody listens any more.
 */
function tellWaits(
  terminal: Terminal,
  day: WaitingDay,
): { readonly waits: Promise<DayWaits>; stop(): void } {
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

function waitText(
  { handle, definition, date }: WaitingDay,
  { why, until, held }: DayWaits,
): string {
  const what = `${handle.workflowId} waits until ${withLocal(until, definition.zone)}: ${why}`;
  const how = held ? `; decide by: ${decideCommand(definition.name, date)}` : '';
  return `${what}${how}; Ctrl-C or "run --detach" leaves it waiting`;
}

/** What to type to decide on a held day. */
export function decideCommand(pipeline: string, date: string): string {
  return `quotidien decide ${pipeline} ${date} --accept --reason "…"`;
}
