import type { JSX } from 'preact';
import { capital, SAMPLE_WORDS } from '../../../kit/index.ts';
import {
  DayLinks,
  longDate,
  number,
  pageCss,
  percentText,
  renderHtmlPage,
  SampleLine,
} from '../../../kit/page/index.ts';
import { SECTIONS } from '../../definition.ts';
import type { Report } from '../model.ts';
import type { PageInputs } from './inputs.ts';
import {
  BikeSection,
  EvolutionSection,
  HistorySection,
  ProvenanceSection,
  SensorSection,
  TrafficSection,
  WeatherSection,
  WorksSection,
} from './other-sections.tsx';
import { MapSection, RoadSection } from './road-sections.tsx';
import { Section, SectionState } from './section.tsx';
import { documentWords } from './words.ts';
import { cityCss, cityTones, SECTION_TITLES } from './tones.ts';

/** The report of a day; equal inputs give equal bytes. */
export function renderReportPage(inputs: PageInputs): string {
  return renderHtmlPage({
    title: `CityFlow Paris · ${longDate(inputs.report.date)}`,
    css: `${cityTones()}\n${pageCss()}\n${cityCss()}`,
    children: <Page {...inputs} />,
  });
}

function Page(inputs: PageInputs): JSX.Element {
  const { report } = inputs;
  return (
    <>
      <main>
        <Header report={report} />
        <Kpis report={report} />
        <MapSection {...inputs} />
        <RoadSection {...inputs} />
        <BikeSection {...inputs} />
        <TrafficSection {...inputs} />
        <WeatherSection {...inputs} />
        <WorksSection {...inputs} />
        <Section name="referentiel" report={report}>
          <p class="note">
            {number(inputs.metrics.referentiel?.statistiques.nombre_troncons ?? null)} tronçons,{' '}
            {number(inputs.metrics.referentiel?.statistiques.longueur_totale_metres ?? null)} m.
          </p>
        </Section>
        <EvolutionSection report={report} />
        <HistorySection {...inputs} />
        <SensorSection {...inputs} />
        <ProvenanceSection report={report} />
      </main>
      <footer>
        <div>
          <p>
            {report.sample_data === undefined
              ? PUBLISHERS
              : `${capital(SAMPLE_WORDS)}, inventées à cette fin et publiées par personne.`}{' '}
            Heures légales françaises.
          </p>
        </div>
      </footer>
    </>
  );
}

/** Who publishes what the page shows, and under which licence. */
const PUBLISHERS =
  'Données\u00a0: Ville de Paris (opendata.paris.fr), licence ODbL\u202f; Île-de-France Mobilités, Licence Mobilités ou Licence ' +
  'Ouverte 2.0 selon le jeu\u202f; ' +
  'Open-Meteo, CC BY 4.0\u202f; Visual Crossing, selon ses conditions d’utilisation.';

function Header({ report }: { report: Report }): JSX.Element {
  return (
    <header>
      <DayLinks date={report.date} nameOf={(date) => `daily_report_${date}.html`} up="../../" />
      <p class="kicker">CityFlow · Mobilité de Paris</p>
      <h1>
        Journée du <span class="date">{longDate(report.date)}</span>
      </h1>
      <SampleLine of={report.sample_data?.map(documentWords)} />
      <nav aria-label="Sections du rapport">
        <ul class="states">
          {SECTIONS.map((name) => (
            <li key={name}>
              <a href={`#${name}`}>{SECTION_TITLES[name]}</a>{' '}
              <SectionState name={name} report={report} />
            </li>
          ))}
        </ul>
      </nav>
    </header>
  );
}

function Kpis({ report: { summary } }: { report: Report }): JSX.Element {
  const available = summary.taux_disponibilite_capteurs;
  const figures: readonly (readonly [string, string, string])[] = [
    ['Véhicules comptés', number(summary.total_vehicules_paris), ''],
    ['Temps perdu', number(summary.temps_perdu_total_minutes), 'min'],
    ['Tronçons le plus souvent saturés', number(summary.nombre_troncons_satures), ''],
    ['Disponibilité des capteurs', percentText(available === null ? null : available / 100), '%'],
    ['Vélos comptés', number(summary.total_velos_paris), ''],
  ];
  return (
    <dl class="kpis five">
      {figures.map(([name, value, unit]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="value">
            {value} {unit !== '' && <span class="unit">{unit}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
