import { z } from 'zod';
import { addDays, quoteText } from '../../kit/index.ts';
import type {
  AnswerRow,
  ChartDefinition,
  DaySpan,
  QuestionScene,
  TableColumn,
  Words,
} from '../../kit/index.ts';
import { ZONE } from '../local-time.ts';
import { AT, COVERED, PERIOD, valueColumn } from './quantities.ts';

/**
 * One quantity over time, at the grain that is asked for: what most questions are about. Exact
 * rows, never a sample of them.
 */

/** `raw` gives power in MW at each instant, the others energy in MWh. */
export const GRAINS = ['raw', 'daily', 'monthly', 'annual'] as const;
/** How long one value of the answer stands for. */
export type Grain = (typeof GRAINS)[number];
/** The parameter `granularity`; a day when nothing is asked. */
export const grain = z
  .enum(GRAINS)
  .default('daily')
  .describe('One value per instant, day, month or year');

/** What every question about a series takes; days are civil and both ends are included. */
export interface SeriesParameters {
  readonly granularity: Grain;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly month?: number | undefined;
  /** Newest first, or largest first. */
  readonly order: 'recent' | 'value';
  readonly top_n?: number | undefined;
}

/**
 * What is asked of: power at an instant as SQL over `eco2mix_national`, and the quantity in the
 * tables of energies.
 */
export interface SeriesOf {
  readonly power: string;
  readonly quantity: string;
  readonly label: Words;
}

const TABLE_OF = {
  daily: 'eco2mix_energies_day',
  monthly: 'eco2mix_energies_month',
  annual: 'eco2mix_energies_year',
} as const;

/** The tables that such a question may read, by its grain. */
export const SERIES_TABLES = ['eco2mix_national', ...Object.values(TABLE_OF)] as const;

/**
 * Days without a start: the last one in full detail, a year of days, or all of months and years.
 */
const BACK_DAYS: Readonly<Record<Grain, number | null>> = {
  raw: 0,
  daily: 365,
  monthly: null,
  annual: null,
};

/** A month without a start asks all years; the end is the last known day. */
export function spanOf(
  { granularity, start, end, month }: SeriesParameters,
  { known }: QuestionScene,
): DaySpan {
  const to = end ?? known.to;
  const back = month === undefined ? BACK_DAYS[granularity] : null;
  const from = start ?? (back === null ? known.from : addDays(to, -back));
  return { from, to };
}

/** Whether values are MW at instants; else they are MWh of periods. */
export function isPower({ granularity }: Pick<SeriesParameters, 'granularity'>): boolean {
  return granularity === 'raw';
}

/**
 * Rows `instant_at, value`, or `period, value, coverage`; values that were not published have no
 * row.
 */
export function seriesSql(asked: SeriesParameters, of: SeriesOf): string {
  const { granularity, month, order, top_n: limit } = asked;
  const time = granularity === 'raw' ? 'instant_at' : 'period';
  const from =
    granularity === 'raw'
      ? `SELECT instant_at, ${of.power} AS value, timezone('${ZONE}', instant_at) AS local
        FROM eco2mix_national`
      : `SELECT period, energy_mwh AS value, coverage, ${localOf(granularity)} AS local
         FROM ${TABLE_OF[granularity]} WHERE quantity = ${quoteText(of.quantity)}`;
  const only =
    month === undefined || granularity === 'annual' ? '' : ` AND month(local) = ${month}`;
  const rest = granularity === 'raw' ? '' : ', coverage';
  const by = order === 'value' ? `value DESC, ${time}` : `${time} DESC`;
  return `SELECT ${time}, value${rest} FROM (${from}) WHERE value IS NOT NULL${only}
    ORDER BY ${by}${limit === undefined ? '' : ` LIMIT ${limit}`}`;
}

function localOf(granularity: Exclude<Grain, 'raw'>): string {
  const rest = { daily: "''", monthly: "'-01'", annual: "'-01-01'" }[granularity];
  return `CAST(period || ${rest} AS DATE)`;
}

/** The columns of `seriesSql` in their order. */
export function seriesColumns(
  asked: Pick<SeriesParameters, 'granularity'>,
  { label }: SeriesOf,
): TableColumn[] {
  return isPower(asked)
    ? [AT, valueColumn('MW', label)]
    : [PERIOD, valueColumn('MWh', label), COVERED];
}

/** A line of power, or bars of energy. */
export function seriesChart(asked: Pick<SeriesParameters, 'granularity'>): ChartDefinition {
  return isPower(asked)
    ? { kind: 'line', x: 'instant_at', y: ['value'], unit: 'MW' }
    : { kind: 'bar', x: 'period', y: ['value'], unit: 'MWh' };
}

/** Names the largest value, and how many there are. */
export function seriesSentence(
  rows: readonly AnswerRow[],
  asked: SeriesParameters,
  { label }: SeriesOf,
): Words {
  const unit = isPower(asked) ? 'MW' : 'MWh';
  const time = isPower(asked) ? 'instant_at' : 'period';
  const largest = rows.reduce<AnswerRow | undefined>(
    (best, row) =>
      best === undefined || Number(row['value']) > Number(best['value']) ? row : best,
    undefined,
  );
  if (largest === undefined)
    return { fr: `${label.fr} : aucune donnée.`, en: `${label.en}: no data.` };
  const value = Number(largest['value']);
  const at = String(largest[time]);
  return {
    fr: `${label.fr} : ${rows.length} valeurs, au plus ${value.toLocaleString('fr-FR')} ${unit} (${at}).`,
    en: `${label.en}: ${rows.length} values, at most ${value.toLocaleString('en-GB')} ${unit} (${at}).`,
  };
}
