import type { JSX } from 'preact';
import {
  gigawattHourFigure,
  gigawattHours,
  instantText,
  megawatts,
  number,
  percentOf,
  percentText,
  signed,
  UNKNOWN,
  withUnit,
} from '../../../kit/page/index.ts';
import type { ComparedQuantity, ComparisonName, DayMetrics, Extreme } from '../../metrics-model.ts';
import { SOURCES } from '../../metrics-model.ts';
import type { ReportModel } from '../model.ts';
import { COMPARISON_WORDS } from './words.ts';

interface Kpi {
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  /** What is known besides the value; an unknown note is left out. */
  readonly notes: readonly (string | undefined)[];
}

/** The figures that an analyst looks for first. */
export function Kpis({ model }: { model: ReportModel }): JSX.Element {
  return (
    <dl class="kpis">
      {[...loadKpis(model), ...mixKpis(model)].map(({ name, value, unit, notes }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="value">
            {value}
            {value !== UNKNOWN && <span class="unit">{`\u00a0${unit}`}</span>}
          </dd>
          <Notes notes={notes} />
        </div>
      ))}
    </dl>
  );
}

/** Lines break between notes, never inside one. */
function Notes({ notes }: Pick<Kpi, 'notes'>): JSX.Element | null {
  const present = notes.filter((note) => note !== undefined);
  if (present.length === 0) return null;
  return (
    <dd>
      {present.map((note, index) => [
        index > 0 && <i key={`before ${note}`}> · </i>,
        <span key={note}>{note}</span>,
      ])}
    </dd>
  );
}

function loadKpis(model: ReportModel): readonly Kpi[] {
  const { metrics } = model;
  const { load, forecasts } = metrics;
  return [
    {
      name: 'Énergie consommée',
      value: gigawattHourFigure(load.energy_mwh),
      unit: 'GWh',
      notes: energyNotes(model, 'load_energy_mwh', load.coverage),
    },
    {
      name: 'Pic',
      value: number(load.peak?.mw ?? null),
      unit: 'MW',
      notes: [instantNote(load.peak, metrics), changeNote(model, 'previous_week', 'load_peak_mw')],
    },
    {
      name: 'Puissance moyenne',
      value: number(load.mean_mw),
      unit: 'MW',
      notes: [
        load.trough === null ? undefined : `creux ${megawatts(load.trough.mw)}`,
        instantNote(load.trough, metrics),
      ],
    },
    {
      name: 'Erreur de prévision J−1',
      value: number(forecasts.j1.mape_pct, 2),
      unit: '% MAPE',
      notes: [
        noteOf(forecasts.j1.bias_mw, (bias) => `biais ${withUnit(signed(bias), 'MW')}`),
        noteOf(forecasts.j.mape_pct, (mape) => `prévision J ${withUnit(number(mape, 2), '%')}`),
      ],
    },
  ];
}

function mixKpis(model: ReportModel): readonly Kpi[] {
  const { generation, carbon_intensity: carbon, exchanges } = model.metrics;
  const net = exchanges.physical.net_mwh;
  return [
    {
      name: 'Production',
      value: gigawattHourFigure(generation.total_mwh),
      unit: 'GWh',
      notes: energyNotes(model, 'generation_mwh', generationCoverage(model.metrics)),
    },
    {
      name: 'Part bas-carbone',
      value: percentText(generation.low_carbon_share),
      unit: '%',
      notes: [
        noteOf(generation.by_source.nucleaire.share, (share) => `nucléaire ${percentOf(share)}`),
        changeNote(model, 'previous_week', 'low_carbon_share'),
      ],
    },
    {
      name: 'Intensité carbone',
      value: number(carbon.mean_g_per_kwh, 1),
      unit: 'g CO₂éq/kWh',
      notes: [
        noteOf(
          carbon.min_g_per_kwh,
          (min) => `de ${number(min)} à ${number(carbon.max_g_per_kwh)}`,
        ),
        changeNote(model, 'previous_week', 'carbon_intensity_g_per_kwh'),
      ],
    },
    {
      name: 'Solde physique des échanges',
      value: net === null ? UNKNOWN : signed(net / 1000, 1),
      unit: 'GWh',
      notes: [
        noteOf(net, (mwh) =>
          mwh < 0 ? 'exportateur net' : mwh > 0 ? 'importateur net' : 'équilibré',
        ),
        noteOf(exchanges.total.net_mwh, (mwh) => `commercial ${gigawattHours(mwh)}`),
      ],
    },
  ];
}

/**
 * The sources can be observed for different parts of the day; their sum is no better than the least
 * of them.
 */
function generationCoverage({ generation }: DayMetrics): number {
  return Math.min(...SOURCES.map((source) => generation.by_source[source].coverage));
}

/** The energy of a part of a day is not set against that of whole days. */
function energyNotes(
  model: ReportModel,
  quantity: ComparedQuantity,
  coverage: number,
): Kpi['notes'] {
  if (coverage === 0) return [];
  if (coverage < 1) return [`sur ${percentOf(coverage)} de la journée`];
  return [
    changeNote(model, 'previous_day', quantity),
    changeNote(model, 'previous_week', quantity),
  ];
}

function noteOf(value: number | null, words: (value: number) => string): string | undefined {
  return value === null ? undefined : words(value);
}

function instantNote(extreme: Extreme | null, { hours }: DayMetrics): string | undefined {
  return extreme === null ? undefined : `à ${instantText(extreme.at, hours)}`;
}

/** Shares change by points, everything else in percent. */
function changeNote(
  { comparison }: ReportModel,
  name: ComparisonName,
  quantity: ComparedQuantity,
): string | undefined {
  const values = comparison?.against[name]?.values[quantity];
  const share = quantity === 'low_carbon_share';
  const change = share ? (values?.difference ?? null) : (values?.difference_pct ?? null);
  if (change === null) return undefined;
  const text = share ? withUnit(signed(change * 100, 1), 'pt') : withUnit(signed(change, 1), '%');
  return `${text} vs ${COMPARISON_WORDS[name].short}`;
}
