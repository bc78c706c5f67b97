import type { JSX } from 'preact';
import {
  FigureTable,
  gigawattHourFigure,
  gigawattHours,
  number,
  percentOf,
  Row,
  signed,
  UNKNOWN,
  withUnit,
} from '../../../kit/page/index.ts';
import type { DayCurves, DayMetrics } from '../../metrics-model.ts';
import { BORDERS, SOURCES, STORAGES, SUB_SOURCES } from '../../metrics-model.ts';
import type { ReportModel } from '../model.ts';
import { Chart, ChartHead, Swatch } from './chart.tsx';
import { carbonChart } from './charts/carbon.ts';
import { exchangesChart } from './charts/exchanges.ts';
import { generationChart } from './charts/generation.ts';
import type { DayHover } from './hover.ts';
import { dayHover, hoverCurve } from './hover.ts';
import { hasValues } from './samples.ts';
import { Section } from './section.tsx';
import { quantityName } from './words.ts';

const STACK_NOTE = ' L’empilement s’interrompt au-dessus d’une valeur manquante.';

/** A stack by source with storage and exchanges; it breaks where a value is missing. */
export function GenerationSection({ model }: { model: ReportModel }): JSX.Element {
  const { metrics } = model;
  return (
    <Section name="generation" model={model}>
      <div class="split">
        <div>
          <ChartHead
            title="Production par filière, stockage et échanges physiques, MW"
            entries={[
              ...(hasValues(metrics.curves.consommation)
                ? [{ tone: 'ink', name: 'Consommation', mark: 'line' } as const]
                : []),
            ]}
          />
          <Chart
            id="generation-chart"
            height={430}
            compactHeight={320}
            label={generationLabel(metrics)}
            draw={(plot) => generationChart(metrics.curves, plot)}
            hover={generationHover(metrics.curves)}
          />
          <p class="note">
            Au-dessus de zéro&nbsp;: production, déstockage et importations. Au-dessous&nbsp;:
            pompage, charge des batteries et exportations.
            {model.sections.generation.status === 'degraded' && STACK_NOTE}
          </p>
          <SubSources metrics={metrics} />
        </div>
        <GenerationTable metrics={metrics} />
      </div>
    </Section>
  );
}

function GenerationTable({ metrics }: { metrics: DayMetrics }): JSX.Element {
  const { generation, storage, exchanges } = metrics;
  const stored = STORAGES.filter((name) => storage[name].energy_mwh !== null);
  return (
    <FigureTable caption="Énergie par filière" head={['Filière', 'GWh', 'Part']}>
      {SOURCES.map((source) => {
        const { energy_mwh, share } = generation.by_source[source];
        return (
          <Row
            key={source}
            name={<Named tone={source} name={quantityName(source)} />}
            cells={[gigawattHourFigure(energy_mwh), percentOf(share)]}
          />
        );
      })}
      <Row
        class="total"
        name="Production totale"
        cells={[gigawattHourFigure(generation.total_mwh), '']}
      />
      <Row name="dont bas-carbone" cells={['', percentOf(generation.low_carbon_share)]} />
      {stored.map((name) => (
        <Row
          key={name}
          name={<Named tone={name} name={quantityName(name)} />}
          cells={[gigawattHourFigure(storage[name].energy_mwh), '']}
        />
      ))}
      <Row
        name={<Named tone="ech_physiques" name="Solde physique" />}
        cells={[gigawattHourFigure(exchanges.physical.net_mwh), '']}
      />
    </FigureTable>
  );
}

function Named({
  tone,
  name,
}: {
  tone: Parameters<typeof Swatch>[0]['tone'];
  name: string;
}): JSX.Element {
  return (
    <>
      <Swatch tone={tone} /> {name}
    </>
  );
}

/**
 * Closed at first: parts of a source are published for some years only, and do not add up to their
 * source.
 */
function SubSources({ metrics }: { metrics: DayMetrics }): JSX.Element | null {
  const { by_sub_source } = metrics.generation;
  const published = SOURCES.flatMap((source) =>
    SUB_SOURCES.filter(
      (name) => name.startsWith(`${source}_`) && by_sub_source[name].energy_mwh !== null,
    ),
  );
  if (published.length === 0) return null;
  return (
    <details>
      <summary>Détail des filières</summary>
      <FigureTable
        caption="Sous-filières (leur somme n’est pas celle de la filière)"
        head={['Sous-filière', 'GWh', 'Couverture']}
      >
        {published.map((name) => (
          <Row
            key={name}
            name={quantityName(name)}
            cells={[
              gigawattHourFigure(by_sub_source[name].energy_mwh),
              percentOf(by_sub_source[name].coverage, 0),
            ]}
          />
        ))}
      </FigureTable>
    </details>
  );
}

function generationHover(curves: DayCurves): DayHover {
  return dayHover(curves, [
    hoverCurve('consommation', curves.consommation),
    ...SOURCES.map((source) => hoverCurve(source, curves.sources[source])),
    ...STORAGES.map((storage) => hoverCurve(storage, curves.storages[storage])),
    hoverCurve('ech_physiques', curves.ech_physiques),
  ]);
}

function generationLabel({ generation }: DayMetrics): string {
  const shares = SOURCES.filter((source) => generation.by_source[source].share !== null).map(
    (source) => `${quantityName(source)} ${percentOf(generation.by_source[source].share)}`,
  );
  return `Empilement de la production par filière au long de la journée : ${shares.join(', ')}.`;
}

/** Import is positive; borders that offset each other do so in the total. */
export function ExchangesSection({ model }: { model: ReportModel }): JSX.Element {
  const { exchanges, curves } = model.metrics;
  const total = exchanges.total.net_mwh;
  return (
    <Section name="exchanges" model={model}>
      <div class="split">
        <div>
          <ChartHead
            title="Échanges commerciaux par frontière, MW (positif&nbsp;: importation)"
            entries={
              hasValues(curves.ech_physiques)
                ? [{ tone: 'ink', name: 'Solde physique', mark: 'line' }]
                : []
            }
          />
          <Chart
            id="exchanges-chart"
            height={320}
            label={`Échanges commerciaux par frontière au long de la journée, solde ${gigawattHours(total)}.`}
            draw={(plot) => exchangesChart(curves, plot)}
            hover={dayHover(curves, [
              ...BORDERS.map((border) => hoverCurve(`ech_comm_${border}`, curves.borders[border])),
              hoverCurve('ech_physiques', curves.ech_physiques),
            ])}
          />
          {model.sections.exchanges.status === 'degraded' && <p class="note">{STACK_NOTE}</p>}
          <p class="note">
            Dans le total commercial, les frontières se compensent à chaque instant&nbsp;: son
            import et son export peuvent être inférieurs aux sommes de leurs colonnes.
          </p>
        </div>
        <FigureTable
          caption="Énergie échangée, GWh"
          head={['Frontière', 'Import', 'Export', 'Solde']}
        >
          {BORDERS.map((border) => (
            <Row
              key={border}
              name={<Named tone={border} name={quantityName(`ech_comm_${border}`)} />}
              cells={exchangeCells(exchanges.by_border[border])}
            />
          ))}
          <Row class="total" name="Total commercial" cells={exchangeCells(exchanges.total)} />
          <Row name="Physique" cells={exchangeCells(exchanges.physical)} />
        </FigureTable>
      </div>
    </Section>
  );
}

function exchangeCells(exchange: DayMetrics['exchanges']['total']): readonly string[] {
  const { import_mwh, export_mwh, net_mwh } = exchange;
  return [
    gigawattHourFigure(import_mwh),
    gigawattHourFigure(export_mwh),
    net_mwh === null ? UNKNOWN : signed(net_mwh / 1000, 1),
  ];
}

/** The mean is weighted by generation, as in the metrics. */
export function CarbonSection({ model }: { model: ReportModel }): JSX.Element {
  const { carbon_intensity: carbon, curves } = model.metrics;
  const grams = (value: number | null, decimals = 0): string =>
    withUnit(number(value, decimals), 'g/kWh');
  return (
    <Section name="carbon_intensity" model={model}>
      <div class="split">
        <div>
          <ChartHead
            title="Émissions de la production, g CO₂éq/kWh"
            entries={[
              { tone: 'carbon', name: 'Instantanée', mark: 'line' },
              {
                tone: 'carbon',
                name: `Moyenne ${grams(carbon.mean_g_per_kwh, 1)}`,
                mark: 'dashed',
              },
            ]}
          />
          <Chart
            id="carbon-chart"
            height={220}
            compactHeight={200}
            label={`Intensité carbone au long de la journée, moyenne ${grams(carbon.mean_g_per_kwh, 1)}.`}
            draw={(plot) => carbonChart(model.metrics, plot)}
            hover={dayHover(curves, [hoverCurve('taux_co2', curves.taux_co2, 'g/kWh')])}
          />
        </div>
        <FigureTable caption="Intensité carbone de la journée" head={['Grandeur', 'Valeur']}>
          <Row name="Moyenne pondérée" cells={[grams(carbon.mean_g_per_kwh, 1)]} />
          <Row name="Minimum" cells={[grams(carbon.min_g_per_kwh)]} />
          <Row name="Maximum" cells={[grams(carbon.max_g_per_kwh)]} />
        </FigureTable>
      </div>
    </Section>
  );
}
