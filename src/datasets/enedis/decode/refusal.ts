import { PipelineError, definedMembers } from '../../kit/index.ts';
import type { ErrorCode } from '../../kit/index.ts';

/**
 * What can be wrong with an archive of the distributor, and what a person does about it. A refusal
 * names the archive, the inner file where there is one, and the remedy; it never quotes what the
 * file says about a customer.
 */
const REFUSALS = {
  no_key: { code: 'SRC_AUTH', remedy: 'add the key to the key file and import the archive again' },
  broken_zip: {
    code: 'SRC_TRUNCATED',
    remedy: 'fetch the archive again and compare its size with the server’s',
  },
  too_large: {
    code: 'SRC_TOO_LARGE',
    remedy: 'look at the archive by hand; raise the limit if it is meant',
  },
  unsafe_name: {
    code: 'SRC_SHAPE_CHANGED',
    remedy: 'ask the distributor: no archive of its own has such a name inside',
  },
  ill_formed: {
    code: 'SRC_SHAPE_CHANGED',
    remedy: 'fetch the archive again; if it stays so, ask the distributor',
  },
  counter: {
    code: 'SRC_SHAPE_CHANGED',
    remedy: 'ask the distributor to deliver the archive again as a whole',
  },
  no_summary: {
    code: 'SRC_SHAPE_CHANGED',
    remedy: 'ask the distributor for the archive with its file _FA',
  },
  unknown_name: {
    code: 'SRC_SHAPE_CHANGED',
    remedy: 'compare the name with the guide of the flux',
  },
  unknown_root: {
    code: 'SRC_SHAPE_CHANGED',
    remedy: 'compare the file with the guide of the flux',
  },
  unknown_version: {
    code: 'SRC_SHAPE_CHANGED',
    remedy: 'read what changed in the new guide, then extend the reader',
  },
  unknown_unit: {
    code: 'SRC_SHAPE_CHANGED',
    remedy: 'read the new guide: quantities in another unit are not guessed',
  },
  unknown_calendar: {
    code: 'SRC_SHAPE_CHANGED',
    remedy: 'add the calendar with its registers to the reader',
  },
  unknown_class: {
    code: 'SRC_SHAPE_CHANGED',
    remedy: 'add the register to the reader, or to those that are dropped',
  },
  wrong_row: {
    code: 'INPUT_INVALID',
    remedy: 'correct the row and give the file again under a later date or time',
  },
} as const satisfies Record<string, { readonly code: ErrorCode; readonly remedy: string }>;

/** Each has an error code and a remedy; kept in the rows of archives. */
export type RefusalCause = keyof typeof REFUSALS;

/** Where it is: the archive, and its inner file when it is about one. */
export interface Place {
  readonly archive: string;
  readonly document?: string;
}

/**
 * The refusal of an archive as an error; its context has `cause`, `archive` and `document` for
 * machines. The detail says what is wrong, as the end of "<place>: …".
 */
export function refusal(cause: RefusalCause, place: Place, detail: string): PipelineError {
  const { code, remedy } = REFUSALS[cause];
  const where =
    place.document === undefined ? place.archive : `${place.archive}, ${place.document}`;
  return new PipelineError(code, `${where}: ${detail}; ${remedy}`, {
    context: { cause, archive: place.archive, ...definedMembers({ document: place.document }) },
  });
}

/** The cause in a refusal; undefined for any other error. */
export function causeOf(error: unknown): RefusalCause | undefined {
  const cause = error instanceof PipelineError ? error.context['cause'] : undefined;
  return typeof cause === 'string' && cause in REFUSALS ? (cause as RefusalCause) : undefined;
}
