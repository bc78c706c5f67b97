import type { JSX } from 'preact';
import { capital, SAMPLE_WORDS } from '../../../kit/index.ts';
import { longDate, pageCss, renderHtmlPage } from '../../../kit/page/index.ts';
import type { ReportModel } from '../model.ts';
import { ComparisonSection } from './comparison-section.tsx';
import { Header } from './header.tsx';
import { Kpis } from './kpis.tsx';
import { ForecastSection, LoadSection } from './load-sections.tsx';
import { CarbonSection, ExchangesSection, GenerationSection } from './mix-sections.tsx';
import { ChecksSection, CoverageSection, ProvenanceSection } from './quality-sections.tsx';
import { paletteCss } from './palette.ts';
import { DAY_PAGE_CSS } from './style.ts';

/**
 * The report of a day. Readable from 360 CSS pixels on, in light and dark, and on paper. Equal
 * models give equal bytes.
 */
export function renderReportPage(model: ReportModel): string {
  return renderHtmlPage({
    title: `éCO2mix · ${longDate(model.date)}`,
    css: `${paletteCss()}\n${pageCss()}\n${DAY_PAGE_CSS}`,
    children: <Page model={model} />,
  });
}

function Page({ model }: { model: ReportModel }): JSX.Element {
  return (
    <>
      <main>
        <Header model={model} />
        <Kpis model={model} />
        <LoadSection model={model} />
        <ForecastSection model={model} />
        <GenerationSection model={model} />
        <ExchangesSection model={model} />
        <CarbonSection model={model} />
        <ComparisonSection model={model} />
        <CoverageSection model={model} />
        <ChecksSection model={model} />
        <ProvenanceSection model={model} />
      </main>
      <Footer model={model} />
    </>
  );
}

function Footer({ model }: { model: ReportModel }): JSX.Element {
  const name = `daily_report_${model.date}`;
  return (
    <footer>
      <div>
        {model.sample_data === undefined ? (
          <p>
            Données&nbsp;: RTE, éCO2mix, par ODRÉ (Open Data Réseaux Énergies), Licence Ouverte 2.0.
            Heures légales françaises ({model.zone}).
          </p>
        ) : (
          <p>
            {capital(SAMPLE_WORDS)}, inventées à cette fin et publiées par personne. Heures légales
            françaises ({model.zone}).
          </p>
        )}
        <p>
          Avec cette page&nbsp;: <FileLink name={`${name}.csv`} /> (courbes),{' '}
          <FileLink name={`${name}.parquet`} /> (indicateurs), <FileLink name={`${name}.json`} />{' '}
          (modèle complet).
        </p>
      </div>
    </footer>
  );
}

/** A file that is published in the folder of this page. */
function FileLink({ name }: { name: string }): JSX.Element {
  return <a href={name}>{name}</a>;
}
