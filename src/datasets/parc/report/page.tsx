import type { JSX } from 'preact';
import { capital, SAMPLE_WORDS } from '../../kit/index.ts';
import {
  FigureTable,
  FRAME_TONES,
  gigawattHours,
  longDate,
  megawatts,
  pageCss,
  percentOf,
  PlainSection,
  renderHtmlPage,
  Row,
  SampleLine,
  signed,
  STATUS_TONES,
  tonesCss,
  UNKNOWN,
  withUnit,
} from '../../kit/page/index.ts';
import type { CapacityRow } from '../capacity.ts';
import { LABELS } from '../sources-of-power.ts';
import type { ParcReport } from './model.ts';

const CSS = `${tonesCss({ ...FRAME_TONES, ...STATUS_TONES })}\n${pageCss()}`;

const ORIGIN: Readonly<Record<NonNullable<CapacityRow['capacity_from']>, string>> = {
  register: 'registre ODRE, 31 décembre',
  rte: 'déduit de RTE',
  register_before: 'registre ODRE, 31 décembre précédent',
};

/** The report of a day; equal models give equal bytes. */
export function renderParcPage(report: ParcReport): string {
  return renderHtmlPage({
    title: `Parc installé · ${longDate(report.date)}`,
    css: CSS,
    children: <Page report={report} />,
  });
}

const PART_TITLES: Readonly<Record<string, string>> = {
  'rte-eolien': 'éolien, analyses et données de RTE',
  'rte-solaire': 'solaire, analyses et données de RTE',
  'odre-parc': 'parc installé par filière, registre d’ODRE',
};

function partTitle(part: string): string {
  return PART_TITLES[part] ?? part;
}

function Page({ report }: { readonly report: ParcReport }): JSX.Element {
  const { date, period, rows, sample_data: sample } = report;
  const told = rows.filter((row) => row.production_mwh !== null || row.load_factor !== null);
  return (
    <>
      <main>
        <header>
          <p class="kicker">Électricité en France · parc installé</p>
          <h1>
            Parc installé, <span class="date">{longDate(date)}</span>
          </h1>
          <SampleLine of={sample?.map(partTitle)} />
        </header>
        <Installed rows={rows} />
        {told.length > 0 && <Derived rows={told} period={period} />}
      </main>
      <Footer report={report} />
    </>
  );
}

function Installed({ rows }: { readonly rows: readonly CapacityRow[] }): JSX.Element {
  return (
    <PlainSection id="parc" title="Parc par filière">
      <FigureTable
        caption="Le parc retenu, et ce que disent le registre et RTE"
        head={[
          'Filière',
          'Parc',
          'Origine',
          'Registre en début d’année',
          'Registre en fin d’année',
          'Déduit de RTE',
        ]}
      >
        {rows.map((row) => (
          <Row
            key={row.source}
            name={LABELS[row.source]}
            cells={[
              megawatts(row.capacity_mw),
              row.capacity_from === null ? UNKNOWN : ORIGIN[row.capacity_from],
              megawatts(row.register_before_mw),
              megawatts(row.register_mw),
              megawatts(row.derived_mw),
            ]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

function Derived(props: {
  readonly rows: readonly CapacityRow[];
  readonly period: string;
}): JSX.Element {
  return (
    <PlainSection id="facteur" title={`Facteur de charge de ${props.period}`}>
      <FigureTable
        caption="Production / (facteur de charge × heures du mois) = parc déduit"
        head={[
          'Filière',
          'Production',
          'Facteur de charge',
          'Heures',
          'Parc déduit',
          'Écart au registre',
        ]}
      >
        {props.rows.map((row) => (
          <Row
            key={row.source}
            name={LABELS[row.source]}
            cells={[
              gigawattHours(row.production_mwh),
              percentOf(row.load_factor, 2),
              String(row.hours),
              megawatts(row.derived_mw),
              withUnit(signed(row.difference_mw), 'MW'),
            ]}
          />
        ))}
      </FigureTable>
      <p>
        Le parc déduit est une moyenne du mois, le registre l’état du 31 décembre&nbsp;: leur écart
        n’est donné qu’en décembre.
      </p>
    </PlainSection>
  );
}

function Footer({ report }: { readonly report: ParcReport }): JSX.Element {
  const name = `daily_report_${report.date}`;
  return (
    <footer>
      <div>
        {report.sample_data === undefined ? (
          <p>
            Données&nbsp;: RTE (analyses et données) et ODRÉ (Open Data Réseaux Énergies), Licence
            Ouverte 2.0.
          </p>
        ) : (
          <p>{capital(SAMPLE_WORDS)}, inventées à cette fin et publiées par personne.</p>
        )}
        <p>
          Avec cette page&nbsp;: <code>{name}.csv</code>, <code>{name}.json</code>.
        </p>
      </div>
    </footer>
  );
}
