import { firstOf } from '../given.ts';
import type { StepDefinition } from './definition.ts';
import { isOfPreviousDays } from './lookback.ts';
import { unsharded } from './shard.ts';
import type { InputHashes } from './step-key.ts';

/** Why a step cannot run although all its inputs are known; undefined when it can. */
export function missingInput(
  step: StepDefinition,
  inputs: Readonly<Record<string, InputHashes>>,
): string | undefined {
  const needed = step.inputs.filter((input) => input.optional !== true && !isOfPreviousDays(input));
  const gone = needed.find((input) => inputs[input.name] === null);
  if (gone !== undefined) return `${gone.step} has no output`;
  if (step.needsAnyOf?.every((name) => inputs[name] === null) === true) {
    return `none of ${step.needsAnyOf.join(', ')} has rows`;
  }
  const lost = step.gathers?.find((names) => names.every((name) => inputs[name] === null));
  if (lost !== undefined) return `no shard of ${unsharded(firstOf(lost))} has rows`;
  return undefined;
}
