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
import type { QualityDay } from '../quality/verdicts.ts';
import {
  columnWords,
  refusalWords,
  ruleWords,
  severityWords,
  suiteWords,
} from '../quality/words.ts';
import { Curve } from './curve.tsx';
import { renderDocument } from './document.tsx';

/**
 * Data docs: every rule of a day as a sentence with what was observed, and how often rules failed
 * on the days before.
 */
export function renderQualityPage(
  days: readonly QualityDay[],
  sample: readonly string[] = [],
): string {
  const day = days.at(-1);
  if (day === undefined) return '';
  return renderDocument({
    title: `Qualité des relevés · ${longDate(day.date)}`,
    kicker: 'Compteurs communicants · qualité des relevés',
    heading: (
      <>
        Règles du <span class="date">{longDate(day.date)}</span>
      </>
    ),
    links: <DayLinks date={day.date} nameOf={(date) => `meter_quality_${date}.html`} up="../../" />,
    children: <Body day={day} days={days} />,
    sample,
  });
}

const failedOf = ({ verdicts }: QualityDay): number =>
  verdicts.reduce((sum, { failed }) => sum + failed, 0);

function Body({
  day,
  days,
}: {
  readonly day: QualityDay;
  readonly days: readonly QualityDay[];
}): JSX.Element {
  const suites = [...new Set(day.verdicts.map(({ suite }) => suite))];
  return (
    <>
      <Figures
        figures={[
          ['Règles', number(day.verdicts.length), 'vérifiées'],
          ['En défaut', number(day.verdicts.filter(({ failed }) => failed > 0).length), 'règles'],
          ['Lignes', number(failedOf(day)), 'en défaut'],
          [
            'Rejets',
            number(day.rejects.reduce((sum, { rows }) => sum + rows, 0)),
            'lignes refusées',
          ],
        ]}
      />
      {suites.map((suite) => (
        <PlainSection key={suite} id={suite} title={suiteWords(suite, 'fr')}>
          <FigureTable
            caption="Règle, effet, lignes vues et en défaut"
            head={['Règle', 'Effet', 'Vues', 'Défauts', 'Part', 'Exemples (clés masquées)']}
          >
            {day.verdicts
              .filter((verdict) => verdict.suite === suite)
              .map(({ rule, severity, tested, failed, keys }) => (
                <Row
                  key={rule}
                  name={ruleWords(rule, 'fr')}
                  cells={[
                    severityWords(severity, 'fr'),
                    number(tested),
                    number(failed),
                    percentOf(tested === 0 ? null : failed / tested, 2),
                    keys.length === 0
                      ? '–'
                      : keys
                          .slice(0, 3)
                          .map((key) => `…${key.slice(-4)}`)
                          .join(', '),
                  ]}
                />
              ))}
          </FigureTable>
        </PlainSection>
      ))}
      <Runs days={days} suites={suites} />
      <PlainSection id="tendance" title="Tendance sur 90 jours">
        <Curve
          title="Lignes en défaut par jour"
          unit="lignes"
          curves={[
            {
              name: 'import',
              points: days.map((one) => ({ label: one.date.slice(5), value: failedOf(one) })),
            },
          ]}
        />
      </PlainSection>
      <Profile day={day} />
    </>
  );
}

const RUNS_SHOWN = 14;

/** The newest days by suite: rules that hold of those that were judged. */
function Runs({
  days,
  suites,
}: {
  readonly days: readonly QualityDay[];
  readonly suites: readonly string[];
}): JSX.Element {
  return (
    <PlainSection id="passages" title="Journées et suites">
      <FigureTable
        caption="Règles respectées sur règles vérifiées"
        head={['Jour', ...suites.map((suite) => suiteWords(suite, 'fr')), 'Lignes en défaut']}
      >
        {days
          .slice(-RUNS_SHOWN)
          .reverse()
          .map((one) => (
            <Row
              key={one.date}
              name={one.date}
              cells={[...suites.map((suite) => heldOf(one, suite)), number(failedOf(one))]}
            />
          ))}
      </FigureTable>
    </PlainSection>
  );
}

function heldOf({ verdicts }: QualityDay, suite: string): string {
  const own = verdicts.filter((verdict) => verdict.suite === suite);
  return own.length === 0
    ? '–'
    : `${own.filter(({ failed }) => failed === 0).length} / ${own.length}`;
}

function Profile({ day }: { readonly day: QualityDay }): JSX.Element {
  return (
    <PlainSection id="profil" title="Profil des colonnes">
      <FigureTable
        caption="Valeurs mesurées du jour"
        head={['Colonne', 'Valeurs', 'Vides', 'Min', 'Médiane', 'Max']}
      >
        {day.profile.map(({ column, values, nulls, least, median, greatest }) => (
          <Row
            key={column}
            name={columnWords(column, 'fr')}
            cells={[
              number(values),
              number(nulls),
              number(least, 2),
              number(median, 2),
              number(greatest, 2),
            ]}
          />
        ))}
      </FigureTable>
      <FigureTable caption="Lignes refusées, par motif" head={['Motif', 'Lignes']}>
        {day.rejects.map(({ reason, rows }) => (
          <Row key={reason} name={refusalWords(reason, 'fr')} cells={[number(rows)]} />
        ))}
      </FigureTable>
    </PlainSection>
  );
}
