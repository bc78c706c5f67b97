import type { JSX } from 'preact';
import type { AcceptedHold } from '../../../pipelines/kept-delivery.ts';
import type { UnansweredNote } from '../../../pipelines/unanswered.ts';
import { UNANSWERED_WORDS } from '../kept-words.ts';
import { longDate } from './french.ts';

/** What the pages of all pipelines say of data that are no plain answer of a publisher. */

interface UnansweredMarkProps {
  readonly parts: readonly UnansweredNote[] | undefined;
  readonly titleOf: (part: string) => string;
}

/**
 * That nothing came of a part because its publisher was not heard, which is not the same as nothing
 * to publish.
 */
export function UnansweredMark({ parts = [], titleOf }: UnansweredMarkProps): JSX.Element {
  return (
    <>
      {parts.map(({ part, code }) => (
        <p key={part} class="state">
          {titleOf(part)}&nbsp;: {UNANSWERED_WORDS[code]}.
        </p>
      ))}
    </>
  );
}

interface AcceptedMarkProps {
  readonly holds: readonly AcceptedHold[] | undefined;
  /** What a reader calls a check. */
  readonly titleOf: (check: string) => string;
}

/** That a check held data and somebody accepted them: who, when and why. */
export function AcceptedMark({ holds = [], titleOf }: AcceptedMarkProps): JSX.Element {
  return (
    <>
      {holds.map(({ step, checks, by, decidedAt, reason }) => (
        <p key={step} class="note">
          Mises en attente ({checks.map(titleOf).join(', ')}), ces données ont été acceptées par{' '}
          {by === undefined || by === 'unknown' ? (
            'une personne qui n’est pas nommée'
          ) : (
            <strong>{by}</strong>
          )}{' '}
          le{' '}
          <time
            dateTime={decidedAt}
          >{`${longDate(decidedAt.slice(0, 10))} à ${decidedAt.slice(11, 16)} UTC`}</time>
          &nbsp;: «&nbsp;{reason}&nbsp;».
        </p>
      ))}
    </>
  );
}
