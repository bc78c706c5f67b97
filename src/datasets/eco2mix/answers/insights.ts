import { z } from 'zod';
import { ASKED_RANGE, addDays, column, question, quoteText } from '../../kit/index.ts';
import type {
  DaySpan,
  QuestionDefinition,
  QuestionScene,
  TableColumn,
  TableDefinition,
} from '../../kit/index.ts';
import { ALL_TIME, PEAK_QUANTITIES } from '../rollup/peaks.ts';
import { FORECAST_SKILL, PEAKS } from './insight-tables.ts';
import { labelOf, thousands } from './quantities.ts';

/**
 * Questions about the tables over all time: records, low-carbon share, quality of the forecasts.
 */

interface Range {
  readonly start?: string | undefined;
  readonly end?: string | undefined;
}

/** These tables have one file of all days, so the question itself keeps to its range. */
function within(range: Range, scene: QuestionScene, backDays: number): string {
  const { from, to } = spanOf(range, scene, backDays);
  return `date BETWEEN ${quoteText(from)} AND ${quoteText(to)}`;
}

function spanOf({ start, end }: Range, { known }: QuestionScene, backDays: number): DaySpan {
  const to = end ?? known.to;
  return { from: start ?? addDays(to, -backDays), to };
}

/** The columns of a table without the one that the question asks for. */
function columnsBut({ columns }: TableDefinition, asked: string): readonly TableColumn[] {
  return columns.filter(({ name }) => name !== asked);
}

const NO_DATA = { fr: 'Aucune donnée.', en: 'No data.' };

const records = question({
  id: 'get_records',
  title: { fr: 'Records', en: 'Records' },
  description: {
    fr: 'La pointe et le creux d’une grandeur, de toujours et de chaque année.',
    en: 'The peak and the trough of a quantity, of all time and of each year.',
  },
  parameters: z.strictObject({
    grandeur: z.enum(PEAK_QUANTITIES).default('consommation').describe('What is measured'),
    period: z
      .enum(['all', 'annual'])
      .default('annual')
      .describe('Of all time alone, or of each year as well'),
  }),
  tables: ['eco2mix_peaks'],
  span: (_, { known }) => known,
  sql: ({ grandeur, period }) => `SELECT * EXCLUDE (quantity) FROM eco2mix_peaks
    WHERE quantity = ${quoteText(grandeur)}${period === 'all' ? ` AND period = '${ALL_TIME}'` : ''} ORDER BY period DESC`,
  columns: () => columnsBut(PEAKS, 'quantity'),
  sentence: (rows, { grandeur }) => {
    const all = rows.find(({ period }) => period === ALL_TIME);
    if (all === undefined) return NO_DATA;
    const [label, at] = [labelOf(grandeur), String(all['peak_at'])];
    return {
      fr: `${label} : record de ${thousands(all['peak_mw'], 'fr')} MW le ${at}, creux de ${thousands(all['trough_mw'], 'fr')} MW le ${String(all['trough_at'])}.`,
      en: `${label}: record of ${thousands(all['peak_mw'], 'en')} MW at ${at}, trough of ${thousands(all['trough_mw'], 'en')} MW at ${String(all['trough_at'])}.`,
    };
  },
});

const lowCarbon = question({
  id: 'get_part_bas_carbone',
  title: { fr: 'Part bas-carbone de l’année', en: 'Low-carbon share of the year to date' },
  description: {
    fr: 'La part bas-carbone de la production, chaque jour et depuis le 1er janvier.',
    en: 'The low-carbon share of generation, each day and since 1 January.',
  },
  parameters: z.strictObject({ ...ASKED_RANGE }),
  tables: ['eco2mix_low_carbon'],
  span: (asked, scene) => spanOf(asked, scene, 365),
  sql: (asked, scene) => `SELECT date, share, share_to_date, days_known, days_of_year, coverage
    FROM eco2mix_low_carbon WHERE ${within(asked, scene, 365)} ORDER BY date`,
  columns: () => [
    column('date', 'date', 'Jour', 'Day'),
    column('share', 'number', 'Part du jour (0–1)', 'Share of the day (0–1)'),
    column('share_to_date', 'number', 'Part de l’année (0–1)', 'Share of the year to date (0–1)'),
    column('days_known', 'integer', 'Jours connus', 'Days known'),
    column('days_of_year', 'integer', 'Jours écoulés', 'Days of the year to date'),
    column('coverage', 'number', 'Couverture (0–1)', 'Coverage (0–1)'),
  ],
  sentence: (rows) => {
    const last = rows.at(-1);
    if (last === undefined) return NO_DATA;
    const percent = Number(last['share_to_date']) * 100;
    const [date, known, elapsed] = [
      String(last['date']),
      String(last['days_known']),
      String(last['days_of_year']),
    ];
    return {
      fr: `${thousands(percent, 'fr')} % de production bas-carbone du 1er janvier au ${date} (${known} jours connus sur ${elapsed}).`,
      en: `${thousands(percent, 'en')} % low-carbon generation from 1 January to ${date} (${known} of ${elapsed} days known).`,
    };
  },
  chart: () => ({ kind: 'line', x: 'date', y: ['share', 'share_to_date'] }),
});

const MADE = {
  j1: { fr: 'de la veille', en: 'day-ahead' },
  j: { fr: 'du jour', en: 'same-day' },
} as const;

const forecastSkill = question({
  id: 'get_qualite_previsions',
  title: { fr: 'Qualité des prévisions', en: 'Forecast skill' },
  description: {
    fr: 'Erreurs de la prévision de consommation sur 30 jours glissants, et sa compétence contre la persistance.',
    en: 'Errors of the load forecast over the 30 days up to each day, and its skill against persistence.',
  },
  parameters: z.strictObject({
    prevision: z
      .enum(['j1', 'j'])
      .default('j1')
      .describe('Made the day before (j1) or on the day (j)'),
    ...ASKED_RANGE,
  }),
  tables: ['eco2mix_forecast_skill'],
  span: (asked, scene) => spanOf(asked, scene, 90),
  sql: (asked, scene) => `SELECT * EXCLUDE (forecast) FROM eco2mix_forecast_skill
    WHERE forecast = ${quoteText(asked.prevision)} AND ${within(asked, scene, 90)} ORDER BY date`,
  columns: () => columnsBut(FORECAST_SKILL, 'forecast'),
  sentence: (rows, { prevision }) => {
    const last = rows.at(-1);
    if (last === undefined) return NO_DATA;
    const [date, days] = [String(last['date']), String(last['days'])];
    const { fr, en } = MADE[prevision];
    const of = (language: 'fr' | 'en'): string =>
      `${thousands(last['mae_mw'], language)} MW, ${thousands(last['mape_pct'], language)} %`;
    return {
      fr: `Prévision ${fr}, 30 jours jusqu’au ${date} (${days} connus) : erreur moyenne ${of('fr')}, biais ${thousands(last['bias_mw'], 'fr')} MW.`,
      en: `The ${en} forecast over the 30 days to ${date} (${days} known): mean error ${of('en')}, bias ${thousands(last['bias_mw'], 'en')} MW.`,
    };
  },
  chart: () => ({ kind: 'line', x: 'date', y: ['mae_mw', 'persistence_day_mae_mw'], unit: 'MW' }),
});

/** Each reads one table that the history keeps, whatever the span. */
export const INSIGHT_QUESTIONS: readonly QuestionDefinition[] = [records, lowCarbon, forecastSkill];
