import type { StepControl } from '../../engine/engine.ts';
import type { CommandContext } from './context.ts';

/** The surroundings of work that a command does in its own process, without a workflow. */
export function commandControl({ signal }: CommandContext, command: string): StepControl {
  return {
    execution: { workflowId: `cli/${command}`, runId: String(process.pid), attempt: 1 },
    signal,
    progress: () => undefined,
  };
}
