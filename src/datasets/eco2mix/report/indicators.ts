import type { CivilDate, FlatTable } from '../../kit/index.ts';
import type { DayMetrics, Exchange, ForecastError } from '../metrics-model.ts';
import { BORDERS, SOURCES, STORAGES, SUB_SOURCES } from '../metrics-model.ts';
import type { Indicator } from './model.ts';

/** Every figure of the day, one row each, in an order that never depends on the data. */
export function indicatorsOf(metrics: DayMetrics): readonly Indicator[] {
  return [
    ...loadIndicators(metrics),
    ...forecastIndicators('forecast_j1', metrics.forecasts.j1),
    ...forecastIndicators('forecast_j', metrics.forecasts.j),
    ...generationIndicators(metrics),
    ...STORAGES.map((storage) => {
      const { energy_mwh, coverage } = metrics.storage[storage];
      return figure(`storage_${storage}_energy`, energy_mwh, 'MWh', { coverage });
    }),
    ...exchangeIndicators('exchange_physical', metrics.exchanges.physical),
    ...exchangeIndicators('exchange_commercial', metrics.exchanges.total),
    ...BORDERS.flatMap((border) =>
      exchangeIndicators(`exchange_commercial_${border}`, metrics.exchanges.by_border[border]),
    ),
    ...carbonIndicators(metrics),
  ];
}

/** The indicators as the flat table that is published as Parquet. */
export function indicatorTable(date: CivilDate, indicators: readonly Indicator[]): FlatTable {
  return {
    columns: [
      { name: 'date', type: 'text' },
      { name: 'indicator', type: 'text' },
      { name: 'value', type: 'number' },
      { name: 'unit', type: 'text' },
      { name: 'instant', type: 'instant' },
      { name: 'coverage', type: 'number' },
    ],
    rows: indicators.map(({ indicator, value, unit, instant, coverage }) => [
      date,
      indicator,
      value,
      unit,
      instant,
      coverage,
    ]),
  };
}

function figure(
  indicator: string,
  value: number | null,
  unit: string,
  { instant = null, coverage = null }: { instant?: string | null; coverage?: number | null } = {},
): Indicator {
  return { indicator, value, unit, instant, coverage };
}

function loadIndicators({ load }: DayMetrics): Indicator[] {
  const { coverage } = load;
  return [
    figure('load_energy', load.energy_mwh, 'MWh', { coverage }),
    figure('load_mean', load.mean_mw, 'MW', { coverage }),
    figure('load_peak', load.peak?.mw ?? null, 'MW', { instant: load.peak?.at ?? null }),
    figure('load_trough', load.trough?.mw ?? null, 'MW', { instant: load.trough?.at ?? null }),
  ];
}

function forecastIndicators(name: string, error: ForecastError): Indicator[] {
  return [
    figure(`${name}_mae`, error.mae_mw, 'MW'),
    figure(`${name}_mape`, error.mape_pct, '%'),
    figure(`${name}_bias`, error.bias_mw, 'MW'),
  ];
}

function generationIndicators({ generation }: DayMetrics): Indicator[] {
  return [
    figure('generation_energy', generation.total_mwh, 'MWh'),
    figure('generation_low_carbon_share', generation.low_carbon_share, '1'),
    ...SOURCES.flatMap((source) => {
      const { energy_mwh, share, coverage } = generation.by_source[source];
      return [
        figure(`generation_${source}_energy`, energy_mwh, 'MWh', { coverage }),
        figure(`generation_${source}_share`, share, '1', { coverage }),
      ];
    }),
    ...SUB_SOURCES.map((source) => {
      const { energy_mwh, coverage } = generation.by_sub_source[source];
      return figure(`generation_${source}_energy`, energy_mwh, 'MWh', { coverage });
    }),
  ];
}

function exchangeIndicators(name: string, exchange: Exchange): Indicator[] {
  const { coverage } = exchange;
  return [
    figure(`${name}_import`, exchange.import_mwh, 'MWh', { coverage }),
    figure(`${name}_export`, exchange.export_mwh, 'MWh', { coverage }),
    figure(`${name}_net`, exchange.net_mwh, 'MWh', { coverage }),
  ];
}

function carbonIndicators({ carbon_intensity: carbon }: DayMetrics): Indicator[] {
  const { coverage } = carbon;
  return [
    figure('carbon_intensity_mean', carbon.mean_g_per_kwh, 'g/kWh', { coverage }),
    figure('carbon_intensity_min', carbon.min_g_per_kwh, 'g/kWh', { coverage }),
    figure('carbon_intensity_max', carbon.max_g_per_kwh, 'g/kWh', { coverage }),
  ];
}
