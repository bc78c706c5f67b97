import type { ComponentChildren, JSX } from 'preact';
import type { SectionName } from '../../definition.ts';
import type { Report } from '../model.ts';
import { SECTION_TITLES, STATUS_WORDS } from './tones.ts';

/** A section that a source decides on: one that is not complete says why, one without data says only that. */
export function Section(props: {
  name: SectionName;
  title?: string;
  report: Report;
  children: ComponentChildren;
}): JSX.Element {
  const { name, title = SECTION_TITLES[name], report, children } = props;
  const { status, reasons, coverage } = report.section_details[name];
  return (
    <section id={name} aria-labelledby={`${name}-title`} class={status === 'no_data' ? 'empty' : undefined}>
      <div class="section-head">
        <h2 id={`${name}-title`}>{title}</h2>
        {status !== 'ok' && <span class={`status ${status}`}>{STATUS_WORDS[status]}</span>}
      </div>
      {reasons.length > 0 && (
        <ul class="reasons">
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      {status !== 'no_data' && children}
      {status !== 'no_data' && <p class="note">{coverageText(coverage)}</p>}
    </section>
  );
}

function coverageText(coverage: Report['section_details'][SectionName]['coverage']): string {
  const parts = Object.entries(coverage).map(([name, value]) => `${name.replaceAll('_', ' ')} : ${value ?? '–'}`);
  return `Couverture. ${parts.join(' · ')}`;
}
