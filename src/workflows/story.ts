import type { DayState, ExecutionStep } from '../pipelines/execution.ts';
import { tellTogether } from '../pipelines/in-shards.ts';
import type { PlannedStep } from '../pipelines/planned-step.ts';
import type { StepId } from '../pipelines/vocabulary.ts';
import { firstOf } from '../given.ts';

/** What a run shows of itself in the Temporal UI ("User metadata"), in Markdown. */

/** What a step shows beside its plan while it runs: only Temporal knows its tries. */
const TRIES = 'its try and last failure: Pending Activities';

/**
 * The live table of a day's steps: what was planned and why, what runs (`running`), and what became
 * of it.
 */
export function dayStory(
  title: string,
  steps: readonly ExecutionStep[],
  planned: readonly PlannedStep[],
  state: DayState,
  running: ReadonlySet<StepId> = new Set(),
): string {
  const rows = tellTogether(steps, ({ id }) => id).map(({ step: name, of, members }) => {
    const plans = members.map(({ id }) => planned.find((candidate) => candidate.step === id));
    const reasonOf = (index: number): string => plans[index]?.reason ?? '';
    const why = members.map((step, index) => {
      const isRunning = state[step.id] === undefined && running.has(step.id);
      return isRunning
        ? `planned as: ${reasonOf(index)}; ${TRIES}`
        : (detail(state, step) ?? reasonOf(index));
    });
    const words = (all: readonly string[]): string =>
      of === undefined ? firstOf(all) : counted(all);
    const actions = words(plans.map((plan) => plan?.action ?? 'run'));
    const told = cell([...new Set(why)].slice(0, REASONS_TOLD).join('; '));
    return `| ${name} | ${actions} | ${words(members.map((step) => stateWord(state, step, running)))} | ${told} |`;
  });
  return [`**${title}**`, '', '| step | plan | state | why |', '|---|---|---|---|', ...rows].join(
    '\n',
  );
}

/** Of the shards of a step; a table of Temporal's is not for hundreds of lines. */
const REASONS_TOLD = 3;

/** `13 reuse, 3 run` */
function counted(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, times]) => `${times} ${word}`).join(', ');
}

function stateWord(state: DayState, step: ExecutionStep, running: ReadonlySet<StepId>): string {
  const known = state[step.id];
  if (known === undefined) return running.has(step.id) ? 'running' : 'waiting';
  if (known.state !== 'done') return known.state;
  if (known.kept !== undefined) return `kept, of ${known.kept.since}`;
  return known.empty ? `${known.how}, no rows` : known.how;
}

function detail(state: DayState, step: ExecutionStep): string | undefined {
  const known = state[step.id];
  if (known?.state === 'failed') return `${known.code}: ${known.message}`;
  if (known?.state === 'done' && known.kept !== undefined)
    return `${known.kept.code}: ${known.kept.message}`;
  return known?.state === 'skipped' ? known.reason : undefined;
}

/** A pipe or a line break inside a cell would break the table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** The live table of a window: how far every step is over its days. */
export function windowStory(
  title: string,
  steps: readonly ExecutionStep[],
  states: readonly DayState[],
): string {
  const rows = tellTogether(steps, ({ id }) => id).map(({ step, members }) => {
    const counts = { ran: 0, reused: 0, skipped: 0, failed: 0, waiting: 0 };
    for (const known of states.flatMap((state) => members.map(({ id }) => state[id]))) {
      counts[known === undefined ? 'waiting' : known.state === 'done' ? known.how : known.state] +=
        1;
    }
    const { ran, reused, skipped, failed, waiting } = counts;
    return `| ${step} | ${ran} | ${reused} | ${skipped} | ${failed} | ${waiting} |`;
  });
  const head = [
    '| step | ran | reused | skipped | failed | waiting |',
    '|---|---|---|---|---|---|',
  ];
  return [`**${title}**`, '', ...head, ...rows].join('\n');
}
