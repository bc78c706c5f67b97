import { z } from 'zod';
import { ASKED_DAY, addDays, question, quoteText } from '../../kit/index.ts';
import type { QuestionDefinition } from '../../kit/index.ts';
import { columnsOf } from './tables.ts';

/**
 * Questions behind the charts of the page of a fleet. Those that name meters are for those who say
 * who they are.
 */

const end = ASKED_DAY.describe('Last day; by default the last known one');
const DAYS = 28;

const lastDay = (
  asked: { readonly end?: string | undefined },
  { known }: { readonly known: { readonly to: string } },
) => {
  const to = asked.end ?? known.to;
  return { from: to, to };
};

const figures = question({
  id: 'get_meter_figures',
  title: { fr: 'Chiffres du parc', en: 'Figures of the fleet' },
  description: { fr: 'Le parc, un jour donné.', en: 'The fleet on one day.' },
  parameters: z.strictObject({ end }),
  tables: ['meter_fleet'],
  span: lastDay,
  sql: () => {
    const list = [
      ['meters', 'meters', ''],
      ['total_kwh', 'total_kwh', 'kWh'],
      ['peak_kwh', 'peak_kwh', 'kWh'],
      ['coverage', 'coverage', '1'],
      ['anomaly_count', 'anomaly_count', ''],
    ] as const;
    const rows = list.map(
      ([name, column, unit], index) =>
        `SELECT ${index} AS place, ${quoteText(name)} AS id, CAST(${column} AS DOUBLE) AS value,
          nullif(${quoteText(unit)}, '') AS unit
         FROM meter_fleet WHERE segment = 'fleet'`,
    );
    return `SELECT id, value, unit FROM (${rows.join(' UNION ALL ')}) ORDER BY place`;
  },
  columns: () => columnsOf('id', 'value', 'unit'),
  sentence: (rows) => ({ fr: `${rows.length} chiffres.`, en: `${rows.length} figures.` }),
  chart: () => ({
    kind: 'figures',
    x: 'id',
    y: ['value'],
    series: 'unit',
    labels: Object.fromEntries(
      columnsOf('meters', 'total_kwh', 'peak_kwh', 'coverage', 'anomaly_count').map(
        ({ name, title }) => [name, title],
      ),
    ),
  }),
});

const WEEKDAYS = [
  ['1', 'lundi', 'Monday'],
  ['2', 'mardi', 'Tuesday'],
  ['3', 'mercredi', 'Wednesday'],
  ['4', 'jeudi', 'Thursday'],
  ['5', 'vendredi', 'Friday'],
  ['6', 'samedi', 'Saturday'],
  ['7', 'dimanche', 'Sunday'],
] as const;

const week = question({
  id: 'get_meter_week',
  title: { fr: 'Charge par jour de la semaine et heure', en: 'Load by weekday and hour' },
  description: {
    fr: 'Énergie moyenne du parc par heure, sur les quatre semaines qui finissent avec le jour.',
    en: 'Mean energy of the fleet by hour, over the four weeks that end with the day.',
  },
  parameters: z.strictObject({ end }),
  tables: ['meter_week'],
  span: lastDay,
  sql: () =>
    'SELECT CAST(weekday AS VARCHAR) AS weekday, hour, mean_kwh, days FROM meter_week ORDER BY weekday, hour',
  columns: () =>
    columnsOf('weekday', 'hour', 'mean_kwh', 'days').map((column) => ({
      ...column,
      type: column.name === 'weekday' ? 'text' : column.type,
    })),
  sentence: (rows) => {
    const largest = rows.reduce(
      (greatest, row) => Math.max(greatest, Number(row['mean_kwh'] ?? 0)),
      0,
    );
    return { fr: `Au plus ${largest} kWh en une heure.`, en: `At most ${largest} kWh in an hour.` };
  },
  chart: () => ({
    kind: 'heat',
    x: 'hour',
    y: ['mean_kwh'],
    series: 'weekday',
    labels: Object.fromEntries(WEEKDAYS.map(([weekday, fr, en]) => [weekday, { fr, en }])),
    unit: 'kWh',
  }),
});

const scatter = question({
  id: 'get_meter_scores',
  title: { fr: 'Score et consommation', en: 'Score and consumption' },
  description: {
    fr: 'Chaque compteur : son énergie du jour et à quel point le jour est inhabituel.',
    en: 'Each meter: its energy of the day, and how odd the day is.',
  },
  parameters: z.strictObject({ end }),
  tables: ['meter_scores', 'meter_days'],
  span: lastDay,
  sql: () => `SELECT meter_key, total_wh, anomaly_score, coalesce(severity, '–') AS severity
    FROM meter_scores
    JOIN meter_days USING (meter_key) WHERE channel = 'import' AND anomaly_score IS NOT NULL
      ORDER BY anomaly_score DESC, meter_key LIMIT 5000`,
  columns: () => columnsOf('meter_key', 'total_wh', 'anomaly_score', 'severity'),
  sentence: (rows) => ({ fr: `${rows.length} compteurs.`, en: `${rows.length} meters.` }),
  chart: () => ({ kind: 'scatter', x: 'total_wh', y: ['anomaly_score'], series: 'severity' }),
});

const odd = question({
  id: 'get_meter_suspicions',
  title: { fr: 'Dix compteurs à voir', en: 'Ten meters to look at' },
  description: {
    fr: 'Ceux dont l’usage s’écarte le plus de leur habitude, depuis longtemps.',
    en: 'Those whose use is furthest from what is usual, for longest.',
  },
  parameters: z.strictObject({ end }),
  tables: ['meter_suspicions'],
  span: lastDay,
  sql: () =>
    `SELECT meter_key, shape, score, lasting FROM meter_suspicions ORDER BY lasting DESC NULLS LAST,
      score DESC, meter_key LIMIT 10`,
  columns: () => columnsOf('meter_key', 'shape', 'score', 'lasting'),
  sentence: (rows) => ({ fr: `${rows.length} compteurs.`, en: `${rows.length} meters.` }),
  chart: () => ({ kind: 'list', x: 'meter_key', y: ['lasting'] }),
});

const quality = question({
  id: 'get_meter_quality',
  title: { fr: 'Relève par jour', en: 'Readings that came, by day' },
  description: {
    fr: 'Couverture et taux d’anomalies du parc, quatre semaines par défaut.',
    en: 'Coverage and rate of anomalies of the fleet, four weeks by default.',
  },
  parameters: z.strictObject({ start: ASKED_DAY.describe('First day'), end }),
  tables: ['meter_fleet'],
  span: ({ start, end: last }, { known }) => {
    const to = last ?? known.to;
    return { from: start ?? addDays(to, 1 - DAYS), to };
  },
  sql: () =>
    `SELECT metric_date, coverage, anomaly_rate_pct / 100 AS anomaly_rate_pct FROM meter_fleet
      WHERE segment = 'fleet' ORDER BY metric_date`,
  columns: () =>
    columnsOf('metric_date', 'coverage', 'anomaly_rate_pct').map((column) =>
      column.name === 'anomaly_rate_pct' ? { ...column, unit: '0–1' } : column,
    ),
  sentence: (rows) => ({ fr: `${rows.length} jours.`, en: `${rows.length} days.` }),
  chart: () => ({ kind: 'line', x: 'metric_date', y: ['coverage', 'anomaly_rate_pct'] }),
});

/** By page: the fleet, then single meters. */
export const METER_PAGE_QUESTIONS: readonly QuestionDefinition[] = [
  figures,
  week,
  quality,
  scatter,
  odd,
];
