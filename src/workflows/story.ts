import type { DayState, ExecutionStep } from '../pipelines/execution.ts';
import type { PlannedStep } from '../pipelines/plan.ts';

/** What a run shows of itself in the Temporal UI ("User metadata"), in Markdown. */

/** The live table of a day's steps: what was planned and why, and what became of it. */
export function dayStory(
  title: string,
  steps: readonly ExecutionStep[],
  planned: readonly PlannedStep[],
  state: DayState,
): string {
  const rows = steps.map((step) => {
    const plan = planned.find((candidate) => candidate.step === step.id);
    return `| ${step.id} | ${plan?.action ?? 'run'} | ${stateWord(state, step)} | ${cell(detail(state, step) ?? plan?.reason ?? '')} |`;
  });
  return [`**${title}**`, '', '| step | plan | state | why |', '|---|---|---|---|', ...rows].join('\n');
}

function stateWord(state: DayState, step: ExecutionStep): string {
  const known = state[step.id];
  if (known === undefined) return 'waiting';
  if (known.state !== 'done') return known.state;
  if (known.kept !== undefined) return `kept, of ${known.kept.since}`;
  return known.empty ? `${known.how}, no rows` : known.how;
}

function detail(state: DayState, step: ExecutionStep): string | undefined {
  const known = state[step.id];
  if (known?.state === 'failed') return `${known.code}: ${known.message}`;
  if (known?.state === 'done' && known.kept !== undefined) return `${known.kept.code}: ${known.kept.message}`;
  return known?.state === 'skipped' ? known.reason : undefined;
}

/** A pipe or a line break inside a cell would break the table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** The live table of a window: how far every step is over its days. */
export function windowStory(title: string, steps: readonly ExecutionStep[], states: readonly DayState[]): string {
  const rows = steps.map((step) => {
    const counts = { ran: 0, reused: 0, skipped: 0, failed: 0, waiting: 0 };
    for (const state of states) {
      const known = state[step.id];
      counts[known === undefined ? 'waiting' : known.state === 'done' ? known.how : known.state] += 1;
    }
    const { ran, reused, skipped, failed, waiting } = counts;
    return `| ${step.id} | ${ran} | ${reused} | ${skipped} | ${failed} | ${waiting} |`;
  });
  const head = ['| step | ran | reused | skipped | failed | waiting |', '|---|---|---|---|---|---|'];
  return [`**${title}**`, '', ...head, ...rows].join('\n');
}
