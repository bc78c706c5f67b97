import type { ComponentChildren, JSX } from 'preact';
import type { Reason, ReportModel, SectionName, SectionState } from '../model.ts';
import { dayStatus, lacksOnlyReferences } from './day-status.ts';
import { NOTHING_WORDS, reasonText, REFERENCE_WORDS, SECTION_TITLES, statusWord } from './words.ts';

interface SectionProps {
  readonly name: SectionName;
  readonly model: ReportModel;
  readonly children: ComponentChildren;
}

/**
 * A section that the data decide on: one that is not complete says so and why, one without data
 * says only that.
 */
export function Section({ name, model, children }: SectionProps): JSX.Element {
  const state = model.sections[name];
  const empty = state.status === 'no_data';
  const unmade = lacksOnlyReferences(state);
  const classes = [...(empty ? ['empty'] : []), ...(unmade ? ['unmade'] : [])].join(' ');
  return (
    <section
      id={name}
      aria-labelledby={`${name}-title`}
      class={classes === '' ? undefined : classes}
    >
      <div class="section-head">
        <h2 id={`${name}-title`}>{SECTION_TITLES[name]}</h2>
        {state.status !== 'ok' && <StatusMark name={name} state={state} />}
      </div>
      {state.status !== 'ok' && (
        <Reasons name={name} state={state} isDayWhole={unmade && dayStatus(model) === 'ok'} />
      )}
      {!empty && children}
    </section>
  );
}

/**
 * A dot for what is complete, a word for what is not; the word is always there for those who
 * listen.
 */
export function StatusMark({
  name,
  state,
}: {
  name: SectionName;
  state: SectionState;
}): JSX.Element {
  const { status } = state;
  const unmade = lacksOnlyReferences(state);
  return (
    <span class={`status ${unmade ? 'unmade' : status}`}>
      <span class={status === 'ok' ? 'unseen' : undefined}>
        {unmade ? REFERENCE_WORDS[status] : statusWord(name, status)}
      </span>
    </span>
  );
}

interface ReasonsProps {
  readonly name: SectionName;
  readonly state: SectionState;
  /** Only previous days are missing. */
  readonly isDayWhole: boolean;
}

function Reasons({ name, state, isDayWhole }: ReasonsProps): JSX.Element {
  const text = (reason: Reason): string =>
    state.status === 'no_data' && reason.code === 'not_published'
      ? NOTHING_WORDS[name]
      : reasonText(reason);
  return (
    <ul class="reasons">
      {state.reasons.map((reason) => (
        <li key={reason.code}>{capitalised(text(reason))}.</li>
      ))}
      {isDayWhole && (
        <li>Rien ne manque à la journée elle-même, dont le rapport est complet sans elles.</li>
      )}
    </ul>
  );
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
