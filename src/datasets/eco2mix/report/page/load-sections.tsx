import type { JSX } from 'preact';
import {
  FigureTable,
  gigawattHours,
  instantText,
  megawatts,
  number,
  percentOf,
  Row,
  signed,
  withUnit,
} from '../../../kit/page/index.ts';
import type { DayMetrics } from '../../metrics-model.ts';
import type { ReportModel } from '../model.ts';
import { Chart, ChartHead } from './chart.tsx';
import { forecastErrorChart, forecastErrors } from './charts/forecast-error.ts';
import { loadChart } from './charts/load.ts';
import { dayHover, hoverCurve } from './hover.ts';
import { hasValues } from './samples.ts';
import { Section } from './section.tsx';

/** Forecasts are drawn where they were published. */
export function LoadSection({ model }: { model: ReportModel }): JSX.Element {
  const { metrics } = model;
  const { curves, load } = metrics;
  return (
    <Section name="load" model={model}>
      <div class="split">
        <div>
          <ChartHead
            title="Puissance appelée et prévisions, MW"
            entries={[
              { tone: 'load', name: 'Consommation', mark: 'line' },
              ...(hasValues(curves.prevision_j1)
                ? [{ tone: 'forecast_j1', name: 'Prévision J−1', mark: 'dashed' } as const]
                : []),
              ...(hasValues(curves.prevision_j)
                ? [{ tone: 'forecast_j', name: 'Prévision J', mark: 'dotted' } as const]
                : []),
            ]}
          />
          <Chart
            id="load-chart"
            height={300}
            label={loadLabel(metrics)}
            draw={(plot) => loadChart(metrics, plot)}
            hover={dayHover(curves, [
              hoverCurve('consommation', curves.consommation),
              hoverCurve('prevision_j1', curves.prevision_j1),
              hoverCurve('prevision_j', curves.prevision_j),
            ])}
          />
        </div>
        <FigureTable caption="Consommation de la journée" head={['Grandeur', 'Valeur', 'Heure']}>
          <Row name="Énergie" cells={[gigawattHours(load.energy_mwh), '']} />
          <Row name="Puissance moyenne" cells={[megawatts(load.mean_mw), '']} />
          <Row
            name="Pic"
            cells={[megawatts(load.peak?.mw ?? null), instant(load.peak?.at, metrics)]}
          />
          <Row
            name="Creux"
            cells={[megawatts(load.trough?.mw ?? null), instant(load.trough?.at, metrics)]}
          />
          <Row name="Amplitude" cells={[megawatts(amplitude(metrics)), '']} />
          <Row name="Moyenne / pic" cells={[percentOf(meanToPeak(metrics)), '']} />
        </FigureTable>
      </div>
    </Section>
  );
}

function instant(at: string | undefined, { hours }: DayMetrics): string {
  return at === undefined ? '' : instantText(at, hours);
}

function amplitude({ load }: DayMetrics): number | null {
  return load.peak === null || load.trough === null ? null : load.peak.mw - load.trough.mw;
}

function meanToPeak({ load }: DayMetrics): number | null {
  return load.peak === null || load.mean_mw === null || load.peak.mw === 0
    ? null
    : load.mean_mw / load.peak.mw;
}

function loadLabel({ load, hours }: DayMetrics): string {
  const parts = [
    load.peak === null
      ? ''
      : `pic de ${megawatts(load.peak.mw)} à ${instantText(load.peak.at, hours)}`,
    load.trough === null
      ? ''
      : `creux de ${megawatts(load.trough.mw)} à ${instantText(load.trough.at, hours)}`,
  ].filter((part) => part !== '');
  return `Courbe de la consommation et de ses prévisions au long de la journée${parts.map((part) => `, ${part}`).join('')}.`;
}

/** Forecast − load at the instants that have both; positive when the forecast was too high. */
export function ForecastSection({ model }: { model: ReportModel }): JSX.Element {
  const { forecasts, curves } = model.metrics;
  const columns = [forecasts.j1, forecasts.j];
  const compared = forecasts.j1.samples + forecasts.j.samples > 0;
  return (
    <Section name="forecasts" model={model}>
      {compared && (
        <div class="split">
          <div>
            <ChartHead
              title="Écart prévision − réalisé, MW (positif&nbsp;: prévision trop haute)"
              entries={[
                ...(forecasts.j1.samples > 0
                  ? [{ tone: 'forecast_j1', name: 'Prévision J−1', mark: 'dashed' } as const]
                  : []),
                ...(forecasts.j.samples > 0
                  ? [{ tone: 'forecast_j', name: 'Prévision J', mark: 'line' } as const]
                  : []),
              ]}
            />
            <Chart
              id="forecast-chart"
              height={220}
              compactHeight={200}
              label={`Écarts des prévisions à la consommation : erreur moyenne J−1 ${withUnit(number(forecasts.j1.mape_pct, 2), '%')}, J ${withUnit(number(forecasts.j.mape_pct, 2), '%')}.`}
              draw={(plot) => forecastErrorChart(curves, plot)}
              hover={dayHover(curves, [
                hoverCurve(
                  'prevision_j1',
                  forecastErrors(curves.prevision_j1, curves.consommation),
                ),
                hoverCurve('prevision_j', forecastErrors(curves.prevision_j, curves.consommation)),
              ])}
            />
          </div>
          <FigureTable class="pair" caption="Erreur des prévisions" head={['Mesure', 'J−1', 'J']}>
            <Row
              name="Erreur absolue moyenne"
              cells={columns.map(({ mae_mw }) => megawatts(mae_mw))}
            />
            <Row
              name="Erreur relative (MAPE)"
              cells={columns.map(({ mape_pct }) => withUnit(number(mape_pct, 2), '%'))}
            />
            <Row
              name="Biais"
              cells={columns.map(({ bias_mw }) => withUnit(signed(bias_mw), 'MW'))}
            />
            <Row name="Instants comparés" cells={columns.map(({ samples }) => number(samples))} />
          </FigureTable>
        </div>
      )}
    </Section>
  );
}
