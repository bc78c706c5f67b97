import { z } from 'zod';
import { ASKED_DAY, addDays, question, quoteText } from '../../kit/index.ts';
import type { DashboardDefinition, QuestionDefinition, TableColumn } from '../../kit/index.ts';
import { columnsOf } from './tables.ts';

/** Questions about a fleet of meters: groups that may be published, and no meter. */

/** Days shown where nobody says which. */
const DAYS = 28;
const segment = z
  .string()
  .max(60)
  .default('fleet')
  .describe('A segment, such as home; by default the whole fleet');

function spanOf(
  { start, end }: { readonly start?: string | undefined; readonly end?: string | undefined },
  known: { readonly from: string; readonly to: string },
) {
  const to = end ?? known.to;
  return { from: start ?? addDays(to, 1 - DAYS), to };
}

const fleet = question({
  id: 'get_meter_fleet',
  title: { fr: 'Consommation du parc de compteurs', en: 'Consumption of the fleet of meters' },
  description: {
    fr: 'Énergie, pointe, couverture et pertes estimées par jour, du parc ou d’un segment.',
    en: 'Energy, peak, coverage and estimated losses by day, of the fleet or of a segment.',
  },
  parameters: z.strictObject({
    start: ASKED_DAY.describe('First day'),
    end: ASKED_DAY.describe('Last day'),
    segment,
  }),
  tables: ['meter_fleet'],
  span: (asked, { known }) => spanOf(asked, known),
  sql: ({ segment: asked }) =>
    `SELECT metric_date, total_kwh, peak_kwh, peak_hour, meters, coverage, total_loss_estimate_kwh
     FROM meter_fleet WHERE segment = ${quoteText(asked)} ORDER BY metric_date`,
  columns: () =>
    columnsOf(
      'metric_date',
      'total_kwh',
      'peak_kwh',
      'peak_hour',
      'meters',
      'coverage',
      'total_loss_estimate_kwh',
    ),
  sentence: (rows) => {
    const total = rows.reduce((sum, row) => sum + Number(row['total_kwh'] ?? 0), 0).toFixed(0);
    return {
      fr: `${total} kWh en ${rows.length} jours.`,
      en: `${total} kWh in ${rows.length} days.`,
    };
  },
  chart: () => ({ kind: 'bar', x: 'metric_date', y: ['total_kwh'], unit: 'kWh' }),
});

const profiles = question({
  id: 'get_meter_profile',
  title: { fr: 'Profil de charge d’une cohorte', en: 'Load profile of a cohort' },
  description: {
    fr: 'Moyenne et déciles par demi-heure locale, sur les jours demandés.',
    en: 'Mean and deciles by local half-hour, over the days that are asked for.',
  },
  parameters: z.strictObject({
    start: ASKED_DAY.describe('First day'),
    end: ASKED_DAY.describe('Last day'),
    cohort: z.string().max(60).default('home').describe('A segment, such as home'),
  }),
  tables: ['meter_profiles'],
  span: (asked, { known }) => spanOf(asked, known),
  sql: ({ cohort }) => {
    // Sums of decimals are the same in whatever order they are added.
    const mean = (column: string): string =>
      `CAST(sum(CAST(${column} * n AS DECIMAL(28, 4))) AS DOUBLE) / sum(n) AS ${column}`;
    return `SELECT half_hour,
      CAST(sum(n) AS BIGINT) AS n, ${['mean_wh', 'p10_wh', 'p50_wh', 'p90_wh'].map(mean).join(', ')}
      FROM meter_profiles WHERE cohort = ${quoteText(cohort)} GROUP BY half_hour
        ORDER BY half_hour`;
  },
  columns: (): TableColumn[] => [
    ...columnsOf('half_hour', 'n', 'mean_wh'),
    ...columnsOf('p10_wh', 'p50_wh', 'p90_wh').map((column): TableColumn => ({
      ...column,
      type: 'number',
    })),
  ],
  sentence: (rows) => {
    const kwh = (rows.reduce((sum, row) => sum + Number(row['mean_wh'] ?? 0), 0) / 1000).toFixed(1);
    return { fr: `${kwh} kWh par jour moyen.`, en: `${kwh} kWh on a mean day.` };
  },
  chart: () => ({ kind: 'line', x: 'half_hour', y: ['p10_wh', 'p50_wh', 'p90_wh'], unit: 'Wh' }),
});

const indicators = question({
  id: 'get_meter_indicators',
  title: { fr: 'Indicateurs mensuels des compteurs', en: 'Monthly indicators of the meters' },
  description: {
    fr: 'Pertes, coupures, encaissement, relève et validité ; la raison, où une donnée manque.',
    en: 'Losses, outages, collection, telemetry and validity; the reason, where an input is missing.',
  },
  parameters: z.strictObject({}),
  tables: ['meter_indicators'],
  span: (_, { known }) => known,
  sql: () =>
    'SELECT period, id, value, unit, target, absent FROM meter_indicators ORDER BY period, id',
  columns: () => columnsOf('period', 'id', 'value', 'unit', 'target', 'absent'),
  sentence: (rows) => {
    const there = rows.filter((row) => row['value'] !== null).length;
    return {
      fr: `${there} indicateurs sur ${rows.length} sont disponibles.`,
      en: `${there} of ${rows.length} indicators are available.`,
    };
  },
});

/** Sums over meters, that name none. */
export const METER_QUESTIONS: readonly QuestionDefinition[] = [fleet, profiles, indicators];

/** The page of charts of whoever runs the meters. */
export const METER_DASHBOARDS: readonly DashboardDefinition[] = [
  {
    id: 'smart-meter',
    title: { fr: 'Compteurs communicants', en: 'Smart meters' },
    charts: [
      {
        title: { fr: 'Chiffres du jour', en: 'Figures of the day' },
        question: 'get_meter_figures',
        parameters: {},
      },
      {
        title: { fr: 'Consommation du parc', en: 'Consumption of the fleet' },
        question: 'get_meter_fleet',
        parameters: {},
      },
      {
        title: { fr: 'Profil des logements', en: 'Profile of homes' },
        question: 'get_meter_profile',
        parameters: {},
      },
      {
        title: { fr: 'Par jour de la semaine et heure', en: 'By weekday and hour' },
        question: 'get_meter_week',
        parameters: {},
      },
      {
        title: { fr: 'Indicateurs', en: 'Indicators' },
        question: 'get_meter_indicators',
        parameters: {},
      },
    ],
  },
  {
    id: 'smart-meter-anomalies',
    title: { fr: 'Anomalies des compteurs', en: 'Anomalies of meters' },
    charts: [
      {
        title: { fr: 'Qualité de la relève', en: 'Quality of the readings' },
        question: 'get_meter_quality',
        parameters: {},
      },
      {
        title: { fr: 'Score et consommation', en: 'Score and consumption' },
        question: 'get_meter_scores',
        parameters: {},
      },
      {
        title: { fr: 'Dix compteurs à voir', en: 'Ten meters to look at' },
        question: 'get_meter_suspicions',
        parameters: {},
      },
    ],
  },
];
