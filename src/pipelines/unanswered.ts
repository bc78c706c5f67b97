import { definedMembers } from '../given.ts';
import type { StepId } from './vocabulary.ts';

/**
 * Whether a publisher had nothing to give, or was not heard: the two look the same in a day without
 * rows. Pure.
 */

/**
 * - NOT_ANSWERED: the publisher did not answer.
 * - NOT_USABLE: it answered, and its answer could not be taken.
 */
export type Unanswered = 'NOT_ANSWERED' | 'NOT_USABLE';

/**
 * What a step that declares `withNotes` is told of a part that nothing came from because of a
 * failure. Stable: it is part of the step key.
 */
export interface UnansweredNote {
  readonly part: string;
  readonly code: Unanswered;
}

const SILENT: readonly string[] = ['SRC_UNAVAILABLE', 'SRC_RATE_LIMITED'];

/** By the code of a failed download; undefined for an answer that says that there is nothing. */
export function unansweredBy(code: string): Unanswered | undefined {
  if (code === 'SRC_NOT_PUBLISHED') return undefined;
  return SILENT.includes(code) ? 'NOT_ANSWERED' : 'NOT_USABLE';
}

/** Tells these codes from all others that notes may have. */
export function isUnanswered(code: string): code is Unanswered {
  return code === 'NOT_ANSWERED' || code === 'NOT_USABLE';
}

/** How a download stands in a version. */
type DownloadState =
  | { readonly state: 'done'; readonly outputs: Readonly<Record<string, unknown>> }
  | { readonly state: 'failed'; readonly code: string }
  | { readonly state: 'skipped'; readonly unanswered?: Unanswered };

/** Of a download in a version, also where later runs did not ask again. */
export function unansweredIn(
  manifest: { readonly steps: Readonly<Record<StepId, DownloadState>> } | undefined,
  step: StepId,
): { readonly unanswered?: Unanswered } {
  const state = manifest?.steps[step];
  const found =
    state?.state === 'failed'
      ? unansweredBy(state.code)
      : state?.state === 'skipped'
        ? state.unanswered
        : undefined;
  return definedMembers({ unanswered: found });
}

/** What came of a download, in words; undefined where rows came. */
export function tellPublisher(state: DownloadState): string | undefined {
  if (state.state === 'done') {
    if (Object.keys(state.outputs).length > 0) return undefined;
    return 'the publisher published nothing';
  }
  const found = state.state === 'failed' ? unansweredBy(state.code) : state.unanswered;
  if (found === 'NOT_ANSWERED') return 'the publisher did not answer';
  if (found === 'NOT_USABLE') return 'the answer of the publisher could not be taken';
  return state.state === 'failed' ? 'the publisher published nothing' : undefined;
}
