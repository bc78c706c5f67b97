import type { JSX } from 'preact';
import { longDate, number, percentOf } from '../../page/french.ts';
import { FigureTable, PlainSection, Row } from '../../page/tables.tsx';
import { Curve } from './curve.tsx';
import { Figures, renderDocument } from './document.tsx';
import type { MeterReport } from './model.ts';

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
    children: <Body report={report} />,
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
          ['Pointe', number(fleet?.peak_kwh ?? null, 1), `kWh par demi-heure, à ${fleet?.peak_hour ?? '–'} h`],
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
      <PlainSection id="segments" title="Segments">
        <FigureTable
          caption="Par segment de dix compteurs au moins"
          head={['Segment', 'Compteurs', 'kWh', 'Pointe', 'Couverture']}
        >
          {metrics.map((row) => (
            <Row
              key={row.segment}
              name={row.segment}
              cells={[number(row.meters), number(row.total_kwh, 1), number(row.peak_kwh, 2), percentOf(row.coverage)]}
            />
          ))}
        </FigureTable>
      </PlainSection>
    </>
  );
}
