import type { JSX } from 'preact';
import { capital, SAMPLE_WORDS } from '../../kit/index.ts';
import {
  AcceptedMark,
  clockTime,
  FigureTable,
  FRAME_TONES,
  gigawattHourFigure,
  gigawattHours,
  listed,
  longDate,
  megawatts,
  number,
  pageCss,
  percentOf,
  PlainSection,
  renderHtmlPage,
  Row,
  SampleLine,
  signed,
  STATUS_TONES,
  tone,
  tonesCss,
  UnansweredMark,
  withUnit,
} from '../../kit/page/index.ts';
import { labelOf, SOURCES } from '../columns.ts';
import type { RegionDay } from '../metrics-model.ts';
import { ComparisonSection } from './comparison-section.tsx';
import { TileMap } from './map.tsx';
import type { RegionsReport } from './model.ts';

/** The report of a day; equal models give equal bytes. */
export function renderReportPage(model: RegionsReport): string {
  return renderHtmlPage({
    title: `éCO2mix régional · ${longDate(model.date)}`,
    css: CSS,
    children: <Page model={model} />,
  });
}

const TONES = { ...FRAME_TONES, ...STATUS_TONES, load: tone('#1f5a96', '#8fbdf0') };

/** Five shades a colour, the same on light and dark paper: letters on them keep their contrast. */
const SHADES = {
  a: ['#e7f0f9', '#c3dbf1', '#93bde3', '#2f6fb0', '#1b4b80'],
  b: ['#fbeee0', '#f5d9b5', '#ecbc7d', '#a8610f', '#7a4407'],
} as const;

const CSS = [
  tonesCss(TONES),
  pageCss(),
  '.maps{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:18px}',
  '.tiles{margin:0}.tiles figcaption{font-size:13px;font-weight:600;margin-bottom:6px}.tiles svg{display:block;width:100%;max-width:520px;height:auto}',
  '.tile{stroke:var(--rule)}.tile.none{fill:none;stroke-dasharray:4 3}',
  ...Object.entries(SHADES).flatMap(([name, colours]) =>
    colours.map((colour, level) => `.tile.${name}${level}{fill:${colour}}`),
  ),
  '.tiles text{text-anchor:middle;font-size:14px}.tiles .value{font-size:18px;font-weight:650}',
  '.tiles .dark{fill:#18222d}.tiles .light{fill:#ffffff}.tiles .none~text{fill:var(--ink)}',
].join('\n');

function Page({ model }: { model: RegionsReport }): JSX.Element {
  return (
    <>
      <main>
        <Header model={model} />
        <Maps regions={model.metrics.regions} />
        <LoadSection regions={model.metrics.regions} />
        <SourceSection regions={model.metrics.regions} />
        <ComparisonSection comparison={model.comparison} />
      </main>
      <Footer model={model} />
    </>
  );
}

const PART_TITLES: Readonly<Record<string, string>> = {
  tr: 'éCO2mix régional en temps réel',
  'cons-def': 'éCO2mix régional consolidé et définitif',
};

function partTitle(part: string): string {
  return PART_TITLES[part] ?? part;
}

function Header({ model }: { model: RegionsReport }): JSX.Element {
  const { date, metrics, notes = [], unanswered, accepted, sample_data: sample } = model;
  const whole = metrics.regions.filter(({ load }) => load.coverage === 1).length;
  return (
    <header>
      <p class="kicker">éCO2mix régional · douze régions de France continentale, sans la Corse</p>
      <h1>
        Journée électrique des régions du <span class="date">{longDate(date)}</span>
      </h1>
      <SampleLine of={sample?.map(partTitle)} />
      <p class="state">
        {metrics.revision === null ? '' : `Données ${REVISIONS[metrics.revision]} · `}
        {whole} régions sur {metrics.regions.length} couvertes toute la journée
        {metrics.hours === 24 ? '' : ` de ${metrics.hours} heures`}
      </p>
      {notes.map(({ part, since }) => (
        <p key={part} class="state">
          {partTitle(part)}&nbsp;: la dernière demande a échoué, données telles que livrées au plus
          tard le {longDate(since)}.
        </p>
      ))}
      <UnansweredMark parts={unanswered} titleOf={partTitle} />
      <AcceptedMark holds={accepted} titleOf={(check) => check} />
    </header>
  );
}

const REVISIONS = {
  provisional: 'provisoires',
  consolidated: 'consolidées',
  definitive: 'définitives',
} as const;

function describe({ name, load, generation, exchange }: RegionDay): string {
  const net = exchange.energy_mwh;
  return [
    name,
    `consommation ${gigawattHours(load.energy_mwh)}`,
    `production ${gigawattHours(generation.total_mwh)}`,
    net === null
      ? 'solde inconnu'
      : `solde ${net >= 0 ? 'importateur' : 'exportateur'} ${gigawattHours(Math.abs(net))}`,
    `couverture des données ${percentOf(load.coverage)}`,
  ].join(' · ');
}

function Maps({ regions }: { readonly regions: readonly RegionDay[] }): JSX.Element {
  return (
    <PlainSection id="carte" title="Carte des régions">
      <div class="maps">
        <TileMap
          title="Consommation (GWh)"
          regions={regions}
          describe={describe}
          valueOf={({ load }) => load.energy_mwh}
          textOf={gigawattHourFigure}
        />
        <TileMap
          title="Production rapportée à la consommation (%)"
          regions={regions}
          describe={describe}
          valueOf={({ generation }) => generation.coverage_rate_pct}
          textOf={(value) => number(value)}
        />
        <TileMap
          title="Solde des échanges physiques (GWh) : import en bleu, export en orange"
          regions={regions}
          describe={describe}
          valueOf={({ exchange }) => exchange.energy_mwh}
          textOf={(value) => signed(value === null ? null : value / 1000, 1)}
          isSigned
        />
      </div>
      <p class="note">
        Une tuile par région, placée près de sa position&nbsp;; plus elle est foncée, plus la valeur
        est grande. Une tuile en pointillé n’a pas de valeur. Les chiffres sont dans les tableaux
        ci-dessous.
      </p>
    </PlainSection>
  );
}

function LoadSection({ regions }: { readonly regions: readonly RegionDay[] }): JSX.Element {
  const ordered = [...regions].sort(
    (a, b) => (b.load.energy_mwh ?? -1) - (a.load.energy_mwh ?? -1),
  );
  return (
    <PlainSection id="consommation" title="Consommation, production et échanges">
      <FigureTable
        caption="Par région, de la plus grande consommation à la plus petite"
        head={[
          'Région',
          'Conso. GWh',
          'Pointe',
          'à',
          'Prod. GWh',
          'Prod./conso.',
          'Import GWh',
          'Export GWh',
          'Couv.',
        ]}
      >
        {ordered.map(({ code, name, load, generation, exchange }) => (
          <Row
            key={code}
            name={name}
            class={load.coverage < 1 ? 'flawed' : undefined}
            cells={[
              gigawattHourFigure(load.energy_mwh),
              megawatts(load.peak?.mw ?? null),
              load.peak === null ? '–' : clockTime(load.peak.at),
              gigawattHourFigure(generation.total_mwh),
              withUnit(number(generation.coverage_rate_pct, 1), '%'),
              gigawattHourFigure(exchange.import_mwh),
              gigawattHourFigure(exchange.export_mwh),
              percentOf(load.coverage),
            ]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

function SourceSection({ regions }: { readonly regions: readonly RegionDay[] }): JSX.Element {
  const rate = (value: number | null): string => number(value, 1);
  return (
    <PlainSection id="filieres" title="Filières : énergie, couverture et charge">
      <div class="maps">
        {SOURCES.map((source) => {
          const having = regions.filter(
            ({ generation }) => generation.by_source[source].energy_mwh !== null,
          );
          const absent = regions
            .filter((region) => !having.includes(region))
            .map(({ name }) => name);
          return (
            <div key={source} class="source">
              <FigureTable caption={labelOf(source)} head={['Région', 'GWh', 'TCO %', 'TCH %']}>
                {having.map(({ code, name, generation }) => {
                  const {
                    energy_mwh: energy,
                    coverage_rate_pct: tco,
                    load_factor_pct: tch,
                  } = generation.by_source[source];
                  return (
                    <Row
                      key={code}
                      name={name}
                      cells={[gigawattHourFigure(energy), rate(tco), rate(tch)]}
                    />
                  );
                })}
              </FigureTable>
              {absent.length > 0 && <p class="note">Rien n’est publié pour {listed(absent)}.</p>}
            </div>
          );
        })}
      </div>
      <p class="note">
        TCO, taux de couverture&nbsp;: part de la filière dans la consommation de la région,
        calculée sur la journée. TCH, taux de charge&nbsp;: part de la puissance installée, moyenne
        des valeurs publiées par RTE.
      </p>
    </PlainSection>
  );
}

function Footer({ model: { date, sample_data: sample } }: { model: RegionsReport }): JSX.Element {
  const name = `daily_report_${date}`;
  return (
    <footer>
      <div>
        <p>
          {sample === undefined
            ? 'Données : RTE, éCO2mix régional, par ODRÉ (Open Data Réseaux Énergies), Licence Ouverte 2.0. Heures légales françaises.'
            : `${capital(SAMPLE_WORDS)}, inventées à cette fin et publiées par personne.`}
        </p>
        <p>
          Avec cette page&nbsp;: <code>{name}.csv</code>, <code>{name}.parquet</code> (une ligne par
          région), <code>{name}.json</code> (modèle complet).
        </p>
      </div>
    </footer>
  );
}
