import type { JSX } from 'preact';
import {
  FigureTable,
  gigawattHourFigure,
  number,
  PlainSection,
  Row,
  signed,
  withUnit,
} from '../../kit/page/index.ts';
import { labelOf } from '../columns.ts';
import type { ComparedQuantity, NationalComparison } from '../metrics-model.ts';

const REASONS: Readonly<Record<NonNullable<ComparedQuantity['reason']>, string>> = {
  'no national figure': 'pas de chiffre national',
  'regions incomplete': 'régions incomplètes',
  'national incomplete': 'national incomplet',
};
const REVISIONS = {
  provisional: 'provisoires',
  consolidated: 'consolidées',
  definitive: 'définitives',
} as const;

/** The sum of the regions beside the national figure. */
export function ComparisonSection({
  comparison,
}: {
  readonly comparison: NationalComparison | null;
}): JSX.Element {
  return (
    <PlainSection id="national" title="Somme des régions et chiffre national">
      {comparison === null ? (
        <p>La comparaison n’a pas été faite.</p>
      ) : (
        <Comparison comparison={comparison} />
      )}
    </PlainSection>
  );
}

function Comparison({
  comparison: { quantities, revisions },
}: {
  readonly comparison: NationalComparison;
}): JSX.Element {
  return (
    <>
      <FigureTable
        caption="Énergie de la journée"
        class="pair"
        head={['Grandeur', 'Régions GWh', 'National GWh', 'Écart GWh', 'Écart %', 'Comparable']}
      >
        {quantities.map(({ quantity, reason, ...figures }) => (
          <Row
            key={quantity}
            name={quantity === 'thermique' ? 'Thermique (fioul, charbon, gaz)' : labelOf(quantity)}
            class={reason === null ? undefined : 'absent'}
            cells={[
              gigawattHourFigure(figures.regions_mwh),
              gigawattHourFigure(figures.national_mwh),
              figures.difference_mwh === null
                ? number(null)
                : signed(figures.difference_mwh / 1000, 2),
              withUnit(signed(figures.difference_pct, 2), '%'),
              reason === null ? 'oui' : REASONS[reason],
            ]}
          />
        ))}
      </FigureTable>
      <p class="note">
        Même périmètre, la France continentale sans la Corse. Données régionales{' '}
        {wordOf(revisions.regions)}, nationales {wordOf(revisions.national)}&nbsp;: des révisions
        différentes expliquent un écart, qui n’est réparti sur aucune région.
      </p>
    </>
  );
}

function wordOf(revision: keyof typeof REVISIONS | null): string {
  return revision === null ? 'inconnues' : REVISIONS[revision];
}
