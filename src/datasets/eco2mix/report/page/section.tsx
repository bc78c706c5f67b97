import type { ComponentChildren, JSX } from 'preact';
import type { Reason, ReportModel, SectionName, SectionState, SectionStatus } from '../model.ts';
import { NOTHING_WORDS, reasonText, SECTION_TITLES, statusWord } from './words.ts';

interface SectionProps {
  readonly name: SectionName;
  readonly model: ReportModel;
  readonly children: ComponentChildren;
}

/** A section that the data decide on: one that is not complete says so and why, one without data says only that. */
export function Section({ name, model, children }: SectionProps): JSX.Element {
  const state = model.sections[name];
  const empty = state.status === 'no_data';
  return (
    <section id={name} aria-labelledby={`${name}-title`} class={empty ? 'empty' : undefined}>
      <div class="section-head">
        <h2 id={`${name}-title`}>{SECTION_TITLES[name]}</h2>
        {state.status !== 'ok' && <StatusMark name={name} status={state.status} />}
      </div>
      {state.status !== 'ok' && <Reasons name={name} state={state} />}
      {!empty && children}
    </section>
  );
}

/** A dot for what is complete, a word for what is not; the word is always there for those who listen. */
export function StatusMark({ name, status }: { name: SectionName; status: SectionStatus }): JSX.Element {
  return (
    <span class={`status ${status}`}>
      <span class={status === 'ok' ? 'unseen' : undefined}>{statusWord(name, status)}</span>
    </span>
  );
}

function Reasons({ name, state }: { name: SectionName; state: SectionState }): JSX.Element {
  const text = (reason: Reason): string =>
    state.status === 'no_data' && reason.code === 'not_published' ? NOTHING_WORDS[name] : reasonText(reason);
  return (
    <ul class="reasons">
      {state.reasons.map((reason) => (
        <li key={reason.code}>{capitalised(text(reason))}.</li>
      ))}
    </ul>
  );
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
