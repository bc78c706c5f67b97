import type { JSX } from 'preact';
import { FigureTable, listed, number, percentOf, PlainSection, Row } from '../../kit/page/index.ts';
import type { MeterReport, SuspicionReasons } from './model.ts';

/**
 * Suspicions of the day, the reasons of the new ones, and what explains them without any fault of
 * the household.
 */

const SHAPES = { all_day: 'toute la journée', evening: 'le soir', zeros: 'jours à zéro' } as const;
const BALANCE =
  'Le bilan du transformateur distingue ce qui n’est plus consommé de ce qui n’est plus compté ; ' +
  'il se trompe encore pour un compteur sur six environ.';
/** Of reports of earlier versions. */
const EXPLAINED_BY = ['absence', 'économies', 'travaux', 'panne du réseau', 'compteur défectueux'];

/** A note alone where nobody is suspected. */
export function SuspicionsSection({ report }: { readonly report: MeterReport }): JSX.Element {
  const { fleet, reasons = [], explained_by: explained = EXPLAINED_BY } = report;
  return (
    <PlainSection id="soupcons" title="Soupçons">
      {fleet.suspicions.length === 0 ? (
        <p class="note">
          Aucun compteur ne manque d’une énergie qui manque aussi à son transformateur, ou
          l’historique est trop court.
        </p>
      ) : (
        <Suspicions suspicions={fleet.suspicions} />
      )}
      <NewOnes reasons={reasons.filter((one) => one.is_new)} />
      <p class="note">
        Ce qui explique honnêtement une baisse : {listed(explained)}. {BALANCE}
      </p>
    </PlainSection>
  );
}

function Suspicions({ suspicions }: Pick<MeterReport['fleet'], 'suspicions'>): JSX.Element {
  return (
    <FigureTable
      caption="Ce qui manque au compteur manque aussi au transformateur, deux semaines de suite"
      head={[
        'Compteur',
        'Transformateur',
        'Forme',
        'Score',
        'Confirmé',
        'Manque (kWh/jour)',
        'Usage',
        'Talon',
      ]}
    >
      {suspicions.map((row) => (
        <Row
          key={row.meter_key}
          name={`${row.meter_key}${row.is_new ? ' (nouveau)' : ''}`}
          cells={[
            row.transformer ?? '–',
            SHAPES[row.shape],
            number(row.lasting, 2),
            percentOf(row.confirmed, 0),
            number(row.missing_wh_per_day / 1000, 1),
            percentOf(row.use_ratio, 0),
            percentOf(row.base_ratio, 0),
          ]}
        />
      ))}
    </FigureTable>
  );
}

/** Nothing without a new suspicion. */
function NewOnes({
  reasons,
}: {
  readonly reasons: readonly SuspicionReasons[];
}): JSX.Element | null {
  if (reasons.length === 0) return null;
  return (
    <>
      <h3 class="new">Nouveaux, et pourquoi</h3>
      <dl class="new">
        {reasons.map(({ meter_key: key, reasons: own }) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{own.join(' ; ')}.</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
