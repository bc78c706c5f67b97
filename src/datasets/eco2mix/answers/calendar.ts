import { z } from 'zod';
import { ASKED_RANGE, addDays, column, question, quoteText } from '../../kit/index.ts';
import type { DaySpan, QuestionDefinition, QuestionScene } from '../../kit/index.ts';
import { LIST } from './quantities.ts';

/** Questions about the calendar of working days. */

interface Range {
  readonly start?: string | undefined;
  readonly end?: string | undefined;
}

/** A year of days unless told otherwise. */
function spanOf({ start, end }: Range, { known }: QuestionScene): DaySpan {
  const to = end ?? known.to;
  return { from: start ?? addDays(to, -365), to };
}

const calendrier = question({
  id: 'get_calendrier',
  title: { fr: 'Calendrier', en: 'Calendar' },
  description: {
    fr: 'Les jours connus : jour de la semaine, jour férié, jour ouvré, énergie consommée.',
    en: 'The days that are known: weekday, public holiday, working day, energy used.',
  },
  parameters: z.strictObject({
    ...ASKED_RANGE,
    summary: z
      .stringbool()
      .meta({ enum: ['true', 'false', 'yes', 'no', 'on', 'off', '1', '0'] })
      .default(false)
      .describe('One row per kind of day instead of one per day'),
    top_n: LIST.top_n,
  }),
  tables: ['eco2mix_energies_day', 'eco2mix_calendar'],
  span: spanOf,
  sql: ({ summary, top_n: limit }) => {
    const kind = `CASE WHEN public_holiday IS NOT NULL THEN 'holiday'
      WHEN iso_weekday >= 6 THEN 'weekend'
        WHEN is_ouvre THEN 'workday' END`;
    const days = `SELECT period, iso_weekday AS weekday, ${kind} AS kind, public_holiday,
      is_ouvrable, is_ouvre, is_pont, school_holiday_zones, energy_mwh
      FROM eco2mix_energies_day LEFT JOIN eco2mix_calendar ON date = CAST(period AS DATE)
        WHERE quantity = 'consommation'`;
    const select = summary
      ? `SELECT kind, count(*) AS days, avg(energy_mwh) AS mean_mwh FROM (${days}) GROUP BY 1
        ORDER BY 1`
      : `${days} ORDER BY period`;
    return limit === undefined ? select : `${select} LIMIT ${limit}`;
  },
  columns: ({ summary }) =>
    summary
      ? [
          column('kind', 'text', 'Type de jour', 'Kind of day'),
          column('days', 'integer', 'Jours', 'Days'),
          column('mean_mwh', 'number', 'Énergie moyenne', 'Mean energy', 'MWh'),
        ]
      : [
          column('period', 'text', 'Jour', 'Day'),
          column('weekday', 'integer', 'Jour de la semaine (1 = lundi)', 'Weekday (1 = Monday)'),
          column('kind', 'text', 'Type de jour', 'Kind of day'),
          column('public_holiday', 'text', 'Jour férié', 'Public holiday'),
          column('is_ouvrable', 'boolean', 'Ouvrable', 'Ouvrable'),
          column('is_ouvre', 'boolean', 'Ouvré', 'Ouvré'),
          column('is_pont', 'boolean', 'Pont', 'Bridge'),
          column('school_holiday_zones', 'text', 'Zones en vacances', 'Zones with school holidays'),
          column('energy_mwh', 'number', 'Énergie', 'Energy', 'MWh'),
        ],
  sentence: (rows, { summary }) =>
    summary
      ? { fr: `${rows.length} types de jours.`, en: `${rows.length} kinds of days.` }
      : { fr: `${rows.length} jours.`, en: `${rows.length} days.` },
});

const PERIOD_OF = { monthly: '%Y-%m', annual: '%Y' } as const;

const workingDays = question({
  id: 'get_jours_ouvres',
  title: { fr: 'Jours ouvrés', en: 'Working days' },
  description: {
    fr: 'Jours ouvrés, ouvrables et fériés par mois ou année, en métropole ou en Alsace-Moselle.',
    en: 'Working days (ouvrés, ouvrables) and public holidays by month or year, of the mainland or Alsace-Moselle.',
  },
  parameters: z.strictObject({
    granularity: z
      .enum(['monthly', 'annual'])
      .default('monthly')
      .describe('One row per month or year'),
    territoire: z
      .enum(['metropole', 'alsace_moselle'])
      .default('metropole')
      .describe('Whose public holidays'),
    ...ASKED_RANGE,
  }),
  tables: ['eco2mix_calendar'],
  span: spanOf,
  sql: (asked, scene) => {
    const own = asked.territoire === 'metropole' ? '' : '_alsace_moselle';
    const { from, to } = spanOf(asked, scene);
    return `SELECT strftime(date, ${quoteText(PERIOD_OF[asked.granularity])}) AS period,
      count(*) AS days,
        count(*) FILTER (is_ouvre${own}) AS ouvres, count(*)
          FILTER (is_ouvrable${own}) AS ouvrables,
        count(public_holiday${own}) AS feries
      FROM eco2mix_calendar WHERE date BETWEEN ${quoteText(from)} AND ${quoteText(to)} GROUP BY 1
        ORDER BY 1`;
  },
  columns: () => [
    column('period', 'text', 'Période', 'Period'),
    column('days', 'integer', 'Jours', 'Days'),
    column('ouvres', 'integer', 'Jours ouvrés', 'Jours ouvrés (Monday to Friday)'),
    column('ouvrables', 'integer', 'Jours ouvrables', 'Jours ouvrables (Monday to Saturday)'),
    column('feries', 'integer', 'Jours fériés', 'Public holidays'),
  ],
  sentence: (rows) => {
    const of = (name: string): number => rows.reduce((sum, row) => sum + Number(row[name]), 0);
    return {
      fr: `${of('days')} jours, dont ${of('ouvres')} ouvrés, ${of('ouvrables')} ouvrables et ${of('feries')} fériés.`,
      en: `${of('days')} days, of which ${of('ouvres')} are ouvrés, ${of('ouvrables')} ouvrables and ${of('feries')} public holidays.`,
    };
  },
  chart: () => ({ kind: 'bar', x: 'period', y: ['ouvres'] }),
});

/** What kind of day each is, and how many working days a span has. */
export const CALENDAR_QUESTIONS: readonly QuestionDefinition[] = [calendrier, workingDays];
