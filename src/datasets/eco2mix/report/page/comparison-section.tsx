import type { JSX } from 'preact';
import {
  FigureTable,
  gigawattHourFigure,
  number,
  Row,
  shortDate,
  signed,
  UNKNOWN,
  withUnit,
} from '../../../kit/page/index.ts';
import type {
  ComparedQuantity,
  ComparedValue,
  ComparisonName,
  DayComparison,
} from '../../metrics-model.ts';
import { COMPARISONS, SOURCES } from '../../metrics-model.ts';
import type { ReportModel } from '../model.ts';
import { Chart, ChartHead } from './chart.tsx';
import { comparisonChart } from './charts/comparison.ts';
import { Section } from './section.tsx';
import { COMPARISON_WORDS, quantityName } from './words.ts';

/** Only reasons where the comparison was not made. */
export function ComparisonSection({ model }: { model: ReportModel }): JSX.Element {
  const { comparison } = model;
  return (
    <Section name="comparison" model={model}>
      {comparison !== null && <Comparisons comparison={comparison} />}
    </Section>
  );
}

function Comparisons({ comparison }: { comparison: DayComparison }): JSX.Element {
  const present = COMPARISONS.flatMap((name) => {
    const day = comparison.against[name];
    return day === null ? [] : [{ name, date: day.date }];
  });
  return (
    <div class="split table-first">
      <div>
        <ChartHead
          title="Écart d’énergie de la journée à chaque référence, GWh"
          entries={present.map(({ name, date }) => ({
            tone: name,
            name: `${COMPARISON_WORDS[name].short}, ${shortDate(date)}`,
          }))}
        />
        <Chart
          id="comparison-chart"
          width={520}
          height={430}
          compactHeight={400}
          label={`Écarts d’énergie par filière à ${present.map(({ name }) => COMPARISON_WORDS[name].long).join(', ')}.`}
          draw={(plot) => comparisonChart(comparison, plot)}
        />
      </div>
      <ComparisonTable comparison={comparison} present={present} />
    </div>
  );
}

/** The day itself is in the legend as well, where a telephone has no room for it here. */
function referenceHead({ name, date }: Reference): JSX.Element {
  return (
    <>
      {COMPARISON_WORDS[name].short} <small>{shortDate(date)}</small>
    </>
  );
}

interface Reference {
  readonly name: ComparisonName;
  readonly date: string;
}

function ComparisonTable({
  comparison,
  present,
}: {
  comparison: DayComparison;
  present: readonly Reference[];
}): JSX.Element {
  return (
    <FigureTable
      class="comparison"
      caption="La journée et ses références&nbsp;: valeur de référence, écart"
      head={['Grandeur', 'Journée', ...present.map(referenceHead)]}
    >
      {ROWS.map(({ quantity, name, text }) => {
        const values = present.map(
          (reference) => comparison.against[reference.name]?.values[quantity],
        );
        return (
          <Row
            key={quantity}
            name={name}
            cells={[
              text(values[0]?.value ?? null),
              ...values.map((value) => (
                <>
                  <span class="reference">{text(value?.reference ?? null)}</span>{' '}
                  <span class="change">{change(quantity, value)}</span>
                </>
              )),
            ]}
          />
        );
      })}
    </FigureTable>
  );
}

/**
 * Percentages mislead where the value is a percentage itself or has a sign; these change by points
 * and by energy.
 */
function change(quantity: ComparedQuantity, value: ComparedValue | undefined): string {
  const { difference, difference_pct } = value ?? { difference: null, difference_pct: null };
  if (difference === null) return UNKNOWN;
  if (quantity === 'low_carbon_share') return withUnit(signed(difference * 100, 1), 'pt');
  if (quantity === 'exchange_net_mwh') return signed(difference / 1000, 1);
  return withUnit(signed(difference_pct, 1), '%');
}

interface ComparedRow {
  readonly quantity: ComparedQuantity;
  readonly name: string;
  readonly text: (value: number | null) => string;
}

const ROWS: readonly ComparedRow[] = [
  { quantity: 'load_energy_mwh', name: 'Consommation, GWh', text: gigawattHourFigure },
  { quantity: 'load_mean_mw', name: 'Puissance moyenne, MW', text: number },
  { quantity: 'load_peak_mw', name: 'Pic, MW', text: number },
  { quantity: 'generation_mwh', name: 'Production, GWh', text: gigawattHourFigure },
  ...SOURCES.map((source) => ({
    quantity: `generation_${source}_mwh` as const,
    name: `${quantityName(source)}, GWh`,
    text: gigawattHourFigure,
  })),
  { quantity: 'exchange_net_mwh', name: 'Solde des échanges, GWh', text: gigawattHourFigure },
  {
    quantity: 'low_carbon_share',
    name: 'Part bas-carbone, %',
    text: (share) => number(share === null ? null : share * 100, 1),
  },
  {
    quantity: 'carbon_intensity_g_per_kwh',
    name: 'Intensité carbone, g/kWh',
    text: (grams) => number(grams, 1),
  },
];
