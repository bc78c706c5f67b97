import type { ComponentChildren, JSX } from 'preact';
import { percentOf } from '../../../kit/page/index.ts';
import type { SectionName } from '../../definition.ts';
import type { Report } from '../model.ts';
import { nothingKnown } from '../sections.ts';
import { SECTION_TITLES, STATUS_WORDS } from './tones.ts';
import { coverageText, documentWords, FROM_PUBLISHER, shareOf } from './words.ts';

/**
 * The state of a section: one that counts hours and lacks some says how many it has, and is not
 * green.
 */
export function SectionState({ name, report }: { name: SectionName; report: Report }): JSX.Element {
  const { status, coverage } = report.section_details[name];
  const share = shareOf(coverage);
  if (status === 'ok' && share !== null && share < 1)
    return <span class="status gaps">{percentOf(share)} des heures</span>;
  return <span class={`status ${status}`}>{STATUS_WORDS[status]}</span>;
}

/**
 * A section that a source decides on: one that is not complete says why, one without data says only
 * that.
 */
export function Section(props: {
  name: SectionName;
  title?: string;
  report: Report;
  children: ComponentChildren;
}): JSX.Element {
  const { name, title = SECTION_TITLES[name], report, children } = props;
  const { status, reasons, coverage } = report.section_details[name];
  return (
    <section
      id={name}
      aria-labelledby={`${name}-title`}
      class={status === 'no_data' ? 'empty' : undefined}
    >
      <div class="section-head">
        <h2 id={`${name}-title`}>{title}</h2>
        {status !== 'ok' && <SectionState name={name} report={report} />}
      </div>
      {reasons.length > 0 && (
        <ul class="reasons">
          {reasons.map((reason) => (
            <li key={reason}>{reasonWords(name, reason)}</li>
          ))}
        </ul>
      )}
      {status !== 'no_data' && children}
      {status !== 'no_data' && <p class="note">{coverageText(name, coverage)}</p>}
    </section>
  );
}

/**
 * A publisher that was not heard is a reason of its own: without one, it had nothing to give or was
 * not asked.
 */
function reasonWords(name: SectionName, reason: string): string {
  const [, part, why] = /^([\w-]+) : (.*)$/.exec(reason) ?? [];
  if (part !== undefined && why !== undefined) return `${documentWords(part)} : ${why}`;
  if (reason !== nothingKnown(name)) return reason;
  return (
    `Rien n’a été reçu ${FROM_PUBLISHER[name]} pour ce jour : le diffuseur n’a rien publié, ou ne peut plus être ` +
    'interrogé sur ce jour.'
  );
}
