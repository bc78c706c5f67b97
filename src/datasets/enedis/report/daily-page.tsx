import type { JSX } from 'preact';
import {
  DayLinks,
  Figures,
  FigureTable,
  longDate,
  number,
  plural,
  PlainSection,
  Row,
} from '../../kit/page/index.ts';
import type { ExpiringRates } from '../rates/expiry.ts';
import { renderDocument } from './document.tsx';
import type { DailyReport } from './model.ts';

/** The report of a day as a page. */
export function renderDailyPage(report: DailyReport): string {
  return renderDocument({
    title: `Enedis · ${longDate(report.date)}`,
    kicker: 'Flux Enedis · réception du jour',
    heading: (
      <>
        Archives du <span class="date">{longDate(report.date)}</span>
      </>
    ),
    links: (
      <DayLinks date={report.date} nameOf={(date) => `daily_report_${date}.html`} up="../../" />
    ),
    sample: report.sample_data,
    children: <Body report={report} />,
  });
}

function Body({ report }: { readonly report: DailyReport }): JSX.Element {
  const archives = report.flux.reduce((sum, flux) => sum + flux.archives, 0);
  const gaps = report.sequences.reduce((sum, sequence) => sum + sequence.gaps.length, 0);
  return (
    <>
      <Figures
        figures={[
          ['Archives', number(archives), 'reçues'],
          ['Échecs', number(report.failures.length), 'à reprendre'],
          ['Trous', number(gaps), `sur ${report.days_looked_at + 1} jours`],
          ['Flux', number(report.flux.length), 'présents'],
        ]}
      />
      <ExpiringNote expiring={report.expiring_rates} />
      <PlainSection id="arrivees" title="Ce qui est arrivé">
        <FigureTable
          caption="Par flux"
          head={['Flux', 'Archives', 'Fichiers', 'Occurrences', 'Échecs']}
        >
          {report.flux.map(({ flux, archives: count, documents, occurrences, failed }) => (
            <Row
              key={flux}
              name={flux}
              cells={[number(count), number(documents), number(occurrences), number(failed)]}
            />
          ))}
        </FigureTable>
      </PlainSection>
      <Events report={report} />
      <Failures report={report} />
      <Sequences report={report} />
      <PlainSection id="decisions" title="Ce qui attend une décision">
        <p class="note">
          Une journée ne retient rien : un index se juge avec les autres de son contrat. Les mois{' '}
          <a href="monthly_report.html#retenus">retenus</a>,{' '}
          <a href="monthly_report.html#estimations">estimés</a> et{' '}
          <a href="monthly_report.html#lissages">à régulariser</a> sont dans le rapport des mois.
        </p>
      </PlainSection>
    </>
  );
}

function Events({ report: { events } }: { readonly report: DailyReport }): JSX.Element {
  return (
    <PlainSection id="evenements" title="Événements des contrats">
      {events === undefined ? (
        <p class="note">Aucun C15 ce jour.</p>
      ) : (
        <>
          <p>
            {plural(events.entrent, 'contrat entre', 'contrats entrent')},{' '}
            {plural(events.sortent, 'contrat sort', 'contrats sortent')}.
          </p>
          <FigureTable
            caption="Par événement déclencheur"
            head={['Événement', 'Occurrences', 'Contrats']}
          >
            {events.evenements.map(({ evenement, nombre, contrats }) => (
              <Row key={evenement} name={evenement} cells={[number(nombre), number(contrats)]} />
            ))}
          </FigureTable>
        </>
      )}
    </PlainSection>
  );
}

/** What a person has to look at before amounts are made for later days. */
export function ExpiringNote({
  expiring,
}: {
  readonly expiring: readonly ExpiringRates[];
}): JSX.Element | null {
  if (expiring.length === 0) return null;
  const words = expiring.map(
    ({ rates, newest, lookedAtSince }) => `${rates} du ${newest} (échéance ${lookedAtSince})`,
  );
  return <p class="reasons">Barèmes à vérifier : {words.join(', ')}.</p>;
}

function Failures({ report }: { readonly report: DailyReport }): JSX.Element {
  return (
    <PlainSection id="echecs" title="Échecs">
      {report.failures.length === 0 && report.changed_documents.length === 0 ? (
        <p class="note">Toutes les archives du jour ont été lues.</p>
      ) : null}
      <ul>
        {report.failures.map(({ archive, message }) => (
          <li key={archive} class="reasons">
            {message}
          </li>
        ))}
        {report.changed_documents.map(({ document, archives }) => (
          <li key={document} class="reasons">
            {document} : deux contenus différents, dans {archives.join(', ')} ; l’archive la plus
            récente compte.
          </li>
        ))}
      </ul>
    </PlainSection>
  );
}

function Sequences({ report }: { readonly report: DailyReport }): JSX.Element {
  return (
    <PlainSection id="sequences" title="Numéros de séquence">
      <FigureTable
        caption="Par clé : le dernier numéro reste à confirmer"
        head={['Clé', 'Archives', 'Trous', 'Dernier']}
      >
        {report.sequences.map(({ key, archives, gaps, tail }) => (
          <Row
            key={key}
            name={key}
            cells={[number(archives), gaps.length === 0 ? '–' : gaps.join(', '), tail]}
          />
        ))}
      </FigureTable>
      <ul>
        {report.incomplete_deliveries.map(({ key, number: sequence, missing, totals }) => (
          <li key={`${key} ${sequence}`} class="reasons">
            {key} n° {sequence} :{' '}
            {missing.length > 0 ? `il manque ${missing.join(', ')} sur ${totals.join(' ou ')}` : ''}
            {totals.length > 1 ? ` totaux contradictoires ${totals.join(' et ')}` : ''}
          </li>
        ))}
      </ul>
    </PlainSection>
  );
}
