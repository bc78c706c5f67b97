import { definedMembers } from '../given.ts';
import { isUnanswered } from './unanswered.ts';
import type { Unanswered, UnansweredNote } from './unanswered.ts';
import type { CivilDate, StepId, StepKey } from './vocabulary.ts';

/**
 * What was delivered before stays when a new request for it fails, or when an operator does without
 * it: the day is made from it, is degraded, and says why and how old it is. Pure.
 */

/** Why a download uses what was delivered before. */
export interface KeptNote {
  /**
   * Of the failed request; `SKIPPED`: an operator did without it; `LACKS_VALUES`, `ROWS_DISAGREE`:
   * of the answer.
   */
  readonly code: string;
  readonly message: string;
  /** The civil date on which the publisher last confirmed it. */
  readonly since: CivilDate;
}

/** How the reason of a step begins that an operator did without. */
export const LEFT_OUT = 'skipped by an operator';

/** An operator did without the part. */
export const SKIPPED = 'SKIPPED';
/** The answer lacks values that are known: it is kept aside, and what is known stays. */
export const LACKS_VALUES = 'LACKS_VALUES';
/**
 * Rows of the answer say something else than known ones, and it is not all of the day: the known
 * ones stay.
 */
export const ROWS_DISAGREE = 'ROWS_DISAGREE';

/**
 * Whether a note is about what was delivered, and is found with the delivery in every plan; the
 * others are about one request.
 */
export function isOfAnswer({ code }: Pick<KeptNote, 'code'>): boolean {
  return code === LACKS_VALUES || code === ROWS_DISAGREE;
}

/**
 * What a step that declares `withNotes` is told of one part. Stable: it is part of the step key.
 */
export interface PartNote {
  readonly part: string;
  readonly code: string;
  readonly since: CivilDate;
}

/** A part whose rows a sample portal made up. */
export interface SampleNote {
  readonly part: string;
  readonly code: typeof SAMPLE_DATA;
}

/** The rows were made by the sample portal; whatever is made of them says so. */
export const SAMPLE_DATA = 'SAMPLE_DATA';

/** Held data that a step reads, and who accepted them. Stable: it is part of the step key. */
export interface AcceptedHold {
  /** The step whose checks held them. */
  readonly step: StepId;
  readonly checks: readonly string[];
  readonly reason: string;
  /** ISO instant. */
  readonly decidedAt: string;
  /** As told with the decision; absent where nobody said. */
  readonly by?: string;
}

/**
 * As the step key holds it: data that were held and accepted give other reports than data that
 * passed.
 */
export interface AcceptedNote extends AcceptedHold {
  readonly code: typeof ACCEPTED;
}

/** The data were held by a check, and a person accepted them. */
export const ACCEPTED = 'ACCEPTED';

/** All that the key of a step that declares `withNotes` holds of its parts and of what it reads. */
export type StepNote = PartNote | SampleNote | UnansweredNote | AcceptedNote;

/** The parts that stayed as they were. */
export function keptNotes(notes: readonly StepNote[]): PartNote[] {
  return notes.filter((note): note is PartNote => 'since' in note);
}

/** The parts that are made up. */
export function sampleParts(notes: readonly StepNote[]): string[] {
  return notes.filter(isSample).map(({ part }) => part);
}

/** The parts of which nothing came because of a failure. */
export function unansweredParts(notes: readonly StepNote[]): UnansweredNote[] {
  return notes.filter((note): note is UnansweredNote => isUnanswered(note.code));
}

/** The held data that somebody accepted. */
export function acceptedHolds(notes: readonly StepNote[]): AcceptedHold[] {
  return notes.filter(isAccepted).map(({ step, checks, reason, decidedAt, by }) => {
    return { step, checks, reason, decidedAt, ...definedMembers({ by }) };
  });
}

function isSample(note: StepNote): note is SampleNote {
  return note.code === SAMPLE_DATA;
}

function isAccepted(note: StepNote): note is AcceptedNote {
  return note.code === ACCEPTED;
}

/**
 * The slice is gone or damaged, and the raw file that backs it is there: it is cut again before the
 * publisher is asked (`first`), or without that anybody is asked (`only`). `lost`: its ledger entry
 * is gone as well; as `only`, and nothing stays when it cannot be cut.
 */
export type Recut = 'first' | 'only' | 'lost';

/** A download that has rows for the day already, as a plan knows it. */
export interface DeliveredBefore {
  readonly key: StepKey;
  readonly since: CivilDate;
  readonly recut?: Recut;
  /** Its rows are made up. */
  readonly sample?: true;
}

/** By download step; only steps that are asked for again. */
export type DeliveriesBefore = Readonly<Record<StepId, DeliveredBefore>>;

/** The state of a download that stays as it was. */
export function keptState(
  { key, since, sample }: DeliveredBefore,
  { code, message }: Pick<KeptNote, 'code' | 'message'>,
) {
  const made = definedMembers({ sample });
  return {
    state: 'done',
    key,
    how: 'reused',
    empty: false,
    kept: { code, message, since },
    ...made,
  } as const;
}

/** Whether two notes say the same; messages may name times and addresses, and do not count. */
export function sameNote(one: KeptNote | undefined, other: KeptNote | undefined): boolean {
  return one?.code === other?.code && one?.since === other?.since;
}

/** How a part stands in a day, for its note. */
export interface PartStanding {
  readonly part: string;
  readonly note: KeptNote | undefined;
  readonly sample?: true | undefined;
  readonly unanswered?: Unanswered | undefined;
}

/** The notes of the parts of a day, in a fixed order. */
export function partNotes(parts: readonly PartStanding[]): StepNote[] {
  return parts
    .flatMap(({ part, note, sample, unanswered }): (PartNote | SampleNote | UnansweredNote)[] => [
      ...(unanswered === undefined ? [] : [{ part, code: unanswered }]),
      ...(note === undefined ? [] : [{ part, code: note.code, since: note.since }]),
      ...(sample === true ? [{ part, code: SAMPLE_DATA } as const] : []),
    ])
    .sort((a, b) => (a.part < b.part ? -1 : 1));
}
