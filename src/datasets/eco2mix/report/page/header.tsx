import type { JSX } from 'preact';
import { REVISIONS } from '../../../kit/index.ts';
import {
  DayLinks,
  longDate,
  number,
  plural,
  SampleLine,
  UnansweredMark,
} from '../../../kit/page/index.ts';
import type { DayMetrics } from '../../metrics-model.ts';
import type { ReportModel } from '../model.ts';
import { SECTION_NAMES } from '../model.ts';
import { dayStatus } from './day-status.ts';
import { StatusMark } from './section.tsx';
import {
  clockChangeText,
  noteText,
  partTitle,
  REPORT_STATUS_WORDS,
  REVISION_WORDS,
  SECTION_TITLES,
} from './words.ts';

/** Which day, how final and how complete it is, and the way to each section. */
export function Header({ model }: { model: ReportModel }): JSX.Element {
  const { metrics } = model;
  const change = clockChangeText(metrics);
  return (
    <header>
      <DayLinks date={model.date} nameOf={(date) => `daily_report_${date}.html`} up="../../" />
      <p class="kicker">éCO2mix national · France continentale</p>
      <h1>
        Journée électrique du <span class="date">{longDate(model.date)}</span>
      </h1>
      <SampleLine of={model.sample_data?.map(partTitle)} />
      <p class="state">{stateText(model)}</p>
      {change !== undefined && <p class="state">{change}</p>}
      {(model.notes ?? []).map((note) => (
        <p key={note.part} class="state">
          {noteText(note)}
        </p>
      ))}
      <UnansweredMark parts={model.unanswered} titleOf={partTitle} />
      <nav aria-label="Sections du rapport">
        <ul class="states">
          {SECTION_NAMES.map((name) => (
            <li key={name}>
              <a href={`#${name}`}>{SECTION_TITLES[name]}</a>{' '}
              <StatusMark name={name} state={model.sections[name]} />
            </li>
          ))}
        </ul>
      </nav>
    </header>
  );
}

function stateText(model: ReportModel): string {
  const { load } = model.metrics;
  const parts = [
    model.revision === null ? undefined : `Données ${REVISION_WORDS[model.revision]}`,
    revisionCounts(model.metrics),
    `${plural(load.observed_samples, 'valeur', 'valeurs')} de consommation sur ${number(load.expected_samples)}`,
    REPORT_STATUS_WORDS[dayStatus(model)],
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}

/** Only a day of several revisions has something to tell. */
function revisionCounts({ instants_by_revision: counts }: DayMetrics): string | undefined {
  const present = REVISIONS.filter((revision) => counts[revision] > 0);
  if (present.length < 2) return undefined;
  return present
    .map((revision) => `${number(counts[revision])} ${REVISION_WORDS[revision]}`)
    .join(', ');
}
