import type { InputHashes } from './step-key.ts';

/**
 * What is known about an output before anything ran: its hash, or that it has if nothing changes,
 * and the step that decides.
 */
export interface Foreseen {
  readonly hash: string | null;
  readonly pending?: Pending;
}

/** The step that decides, and whether it runs for certain. */
export interface Pending {
  readonly by: string;
  readonly action: 'run' | 'recheck';
}

/** The inputs, of which those that are pending may have rows. */
export function mayCome(
  foreseen: readonly (Foreseen & { readonly name: string })[],
  inputs: Readonly<Record<string, InputHashes>>,
): Readonly<Record<string, InputHashes>> {
  const coming = foreseen.filter(({ pending }) => pending !== undefined);
  return { ...inputs, ...Object.fromEntries(coming.map(({ name }) => [name, []])) };
}
