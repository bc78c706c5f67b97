import type { JSX } from 'preact';
import {
  DayLinks,
  Figures,
  FigureTable,
  longDate,
  number,
  percentOf,
  PlainSection,
  Row,
} from '../../kit/page/index.ts';
import { ruleWords } from '../quality/words.ts';
import { Curve } from './curve.tsx';
import { renderDocument } from './document.tsx';
import type { MeterReport } from './model.ts';
import { CoverageSection } from './coverage-section.tsx';
import { CHANGES_CSS, ChangesSection, ScoresSection } from './changes-section.tsx';
import { segmentWords } from './segment-words.ts';
import { QualitySection } from './quality-section.tsx';
import { SuspicionsSection } from './suspicions-section.tsx';
import { WEEK_CSS, WeekSection } from './week-section.tsx';

/** The report of a day of the fleet as a page. */
export function renderPage(report: MeterReport): string {
  return renderDocument({
    title: `Compteurs · ${longDate(report.date)}`,
    kicker: 'Compteurs communicants · la journée du parc',
    heading: (
      <>
        Le parc, <span class="date">{longDate(report.date)}</span>
      </>
    ),
    links: (
      <DayLinks date={report.date} nameOf={(date) => `meter_report_${date}.html`} up="../../" />
    ),
    children: <Body report={report} />,
    css: `${WEEK_CSS}\n${CHANGES_CSS}`,
    sample: report.sample_data ?? [],
  });
}

function Body({ report }: { readonly report: MeterReport }): JSX.Element {
  const { metrics, load } = report.fleet;
  const [fleet] = metrics;
  const label = (slot: number, hour: number): string =>
    `${String(hour).padStart(2, '0')}:${slot % 2 === 0 ? '00' : '30'}`;
  const pointsOf = (value: 'import_kwh' | 'export_kwh') =>
    load.map((row) => ({ label: label(row.slot, row.hour), value: row[value] }));
  const hasExport = load.some((row) => row.export_kwh > 0);
  return (
    <>
      <Figures
        figures={[
          ['Consommation', number(fleet?.total_kwh ?? null, 0), 'kWh'],
          [
            'Pointe',
            number(fleet?.peak_kwh ?? null, 1),
            `kWh par demi-heure, à ${fleet?.peak_hour ?? '–'} h`,
          ],
          ['Compteurs', number(fleet?.meters ?? null), 'dans la journée'],
          ['Couverture', percentOf(fleet?.coverage ?? null), 'des relevés attendus'],
        ]}
      />
      <PlainSection id="charge" title="Charge du parc">
        <Curve
          title="Énergie soutirée et injectée par demi-heure"
          unit="kWh"
          curves={[
            { name: 'import', points: pointsOf('import_kwh') },
            ...(hasExport ? [{ name: 'export' as const, points: pointsOf('export_kwh') }] : []),
          ]}
        />
      </PlainSection>
      <WeekSection week={report.week} />
      <PlainSection id="segments" title="Segments">
        <FigureTable
          caption="Par segment de dix compteurs au moins"
          head={['Segment', 'Compteurs', 'kWh', 'Pointe', 'Couverture']}
        >
          {metrics.map((row) => (
            <Row
              key={row.segment}
              name={segmentWords(row.segment, 'fr')}
              cells={[
                number(row.meters),
                number(row.total_kwh, 1),
                number(row.peak_kwh, 2),
                percentOf(row.coverage),
              ]}
            />
          ))}
        </FigureTable>
      </PlainSection>
      <Held report={report} />
      <QualitySection quality={report.quality} date={report.date} />
      <SuspicionsSection report={report} />
      <ScoresSection changes={report.changes} />
      <ChangesSection changes={report.changes} />
      <Losses report={report} />
      <CoverageSection fleet={report.fleet} />
    </>
  );
}

/** Nothing where every meter counts. */
function Held({ report }: { readonly report: MeterReport }): JSX.Element | null {
  const { held = [] } = report.fleet;
  if (held.length === 0) return null;
  return (
    <PlainSection id="retenus" title="Compteurs retenus">
      <FigureTable
        caption="Absents de toutes les figures jusqu’à une décision"
        head={['Groupe', 'Règle en défaut', 'Compteurs']}
      >
        {held.map(({ unit, rule, meters }) => (
          <Row
            key={`${unit} ${rule}`}
            name={unit}
            cells={[ruleWords(rule, 'fr'), number(meters)]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

const NO_ESTIMATE = {
  no_injected: 'l’énergie injectée du jour n’est pas connue',
  not_judged: 'les soupçons du jour ne sont pas établis',
  no_open_suspicion: 'aucun soupçon n’est ouvert, ou l’historique est trop court',
} as const;

function Losses({ report }: { readonly report: MeterReport }): JSX.Element {
  const { losses, metrics } = report.fleet;
  const { total_loss_estimate_kwh: estimate, loss_estimate_absent: absent } = metrics[0] ?? {};
  return (
    <PlainSection id="pertes" title="Pertes par transformateur">
      <p class="note">
        {typeof estimate === 'number'
          ? `Ce qui manque par jour aux compteurs soupçonnés : ${number(estimate, 1)} kWh.`
          : `Pertes des compteurs soupçonnés : non disponible${absent ? `, ${NO_ESTIMATE[absent]}` : ''}.`}
      </p>
      {losses.length === 0 ? (
        <p class="note">Non disponible : il faut l’énergie injectée et 98 % des relevés.</p>
      ) : (
        <FigureTable
          caption="Les plus grands restes inexpliqués"
          head={['Transformateur', 'Compteurs', 'Injecté (kWh)', 'Perte', 'Reste (kWh)']}
        >
          {losses.map((row) => (
            <Row
              key={row.transformer}
              name={row.transformer}
              cells={[
                number(row.meters),
                number(row.injected_kwh, 1),
                percentOf(row.loss_rate),
                number(row.rest_kwh, 1),
              ]}
            />
          ))}
        </FigureTable>
      )}
    </PlainSection>
  );
}
