import type { Scope, StepId } from './vocabulary.ts';

/** A step that failed for all of these scopes with the same code. */
export interface FailedWork {
  readonly step: StepId;
  readonly scopes: readonly Scope[];
  readonly code: string;
  /** What happened to the first of them. */
  readonly message: string;
}

const LONGEST_MESSAGE = 1_000;

/** As few and as short as can be told, so that thousands of failures fit into one message. */
export function groupFailures(failures: readonly FailedWork[]): FailedWork[] {
  const groups = new Map<string, FailedWork>();
  for (const failure of failures) {
    const name = `${failure.step} ${failure.code}`;
    const known = groups.get(name);
    const scopes = [...(known?.scopes ?? []), ...failure.scopes];
    groups.set(name, { ...failure, message: (known ?? failure).message.slice(0, LONGEST_MESSAGE), scopes });
  }
  return [...groups.values()];
}
