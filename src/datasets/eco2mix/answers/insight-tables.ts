import type { TableColumn, TableDefinition, Words } from '../../kit/index.ts';
import type { Insight } from '../rollup/insights.ts';
import { column } from '../../kit/index.ts';

/**
 * Tables over all time, as readers may ask for them; what their figures mean is said where they are
 * made (`rollup`).
 */

function insight(
  output: Insight,
  title: Words,
  description: Words,
  order: readonly string[],
  columns: readonly TableColumn[],
): TableDefinition {
  const rows = { step: 'rollup/history', output, each: 'history' } as const;
  return { id: `eco2mix_${output}`, title, description, rows, order, columns };
}

/** By year and of all time, a row per quantity. */
export const PEAKS = insight(
  'peaks',
  { fr: 'Pointes et creux', en: 'Peaks and troughs' },
  {
    fr: 'La plus grande et la plus petite puissance de chaque grandeur, par année et de toujours (all).',
    en: 'The largest and smallest power of each quantity, by year and of all time (all).',
  },
  ['period', 'quantity'],
  [
    column('period', 'text', 'Année, ou all', 'Year, or all'),
    column('quantity', 'text', 'Grandeur', 'Quantity'),
    column('peak_mw', 'integer', 'Pointe', 'Peak', 'MW'),
    column('peak_at', 'instant', 'Instant de la pointe (UTC)', 'Instant of the peak (UTC)'),
    column('trough_mw', 'integer', 'Creux', 'Trough', 'MW'),
    column('trough_at', 'instant', 'Instant du creux (UTC)', 'Instant of the trough (UTC)'),
    column('instants', 'integer', 'Valeurs examinées', 'Values looked at'),
    column('coverage', 'number', 'Couverture (0–1)', 'Coverage (0–1)'),
  ],
);

const LOW_CARBON = insight(
  'low_carbon',
  { fr: 'Part bas-carbone', en: 'Low-carbon share' },
  {
    fr: 'La part bas-carbone de la production de chaque jour, et de son année jusqu’à ce jour.',
    en: 'The low-carbon share of generation of each day, and of its year up to that day.',
  },
  ['date'],
  [
    column('date', 'date', 'Jour', 'Day'),
    column('generation_mwh', 'number', 'Production', 'Generation', 'MWh'),
    column('low_carbon_mwh', 'number', 'Production bas-carbone', 'Low-carbon generation', 'MWh'),
    column('share', 'number', 'Part bas-carbone (0–1)', 'Low-carbon share (0–1)'),
    column(
      'generation_to_date_mwh',
      'number',
      'Production de l’année',
      'Generation of the year to date',
      'MWh',
    ),
    column(
      'low_carbon_to_date_mwh',
      'number',
      'Production bas-carbone de l’année',
      'Low-carbon generation of the year to date',
      'MWh',
    ),
    column('share_to_date', 'number', 'Part de l’année (0–1)', 'Share of the year to date (0–1)'),
    column('days_known', 'integer', 'Jours connus de l’année', 'Days of the year that are known'),
    column('days_of_year', 'integer', 'Jours écoulés de l’année', 'Days of the year to date'),
    column(
      'coverage',
      'number',
      'Couverture de l’année (0–1)',
      'Coverage of the year to date (0–1)',
    ),
  ],
);

/** By day, a row per forecast. */
export const FORECAST_SKILL = insight(
  'forecast_skill',
  { fr: 'Qualité des prévisions sur 30 jours', en: 'Forecast skill over 30 days' },
  {
    fr: 'Erreurs des prévisions de consommation sur les 30 jours jusqu’à une date, à côté de la persistance (24 h et 168 h avant).',
    en: 'Errors of the load forecasts over the 30 days up to a date, beside persistence (24 h and 168 h before).',
  },
  ['date', 'forecast'],
  [
    column('date', 'date', 'Dernier jour', 'Last day'),
    column('forecast', 'text', 'Prévision (j1, j)', 'Forecast (j1, j)'),
    column('days', 'integer', 'Jours connus sur 30', 'Days of 30 that are known'),
    column('samples', 'integer', 'Instants comparés', 'Instants compared'),
    column('mae_mw', 'number', 'Erreur absolue moyenne', 'Mean absolute error', 'MW'),
    column('mape_pct', 'number', 'Erreur relative moyenne', 'Mean absolute percentage error', '%'),
    column('bias_mw', 'number', 'Biais', 'Bias', 'MW'),
    column(
      'persistence_day_mae_mw',
      'number',
      'EAM de la persistance 24 h',
      'MAE of persistence, 24 h',
      'MW',
    ),
    column('skill_day', 'number', 'Compétence contre 24 h', 'Skill against 24 h'),
    column(
      'persistence_week_mae_mw',
      'number',
      'EAM de la persistance 168 h',
      'MAE of persistence, 168 h',
      'MW',
    ),
    column('skill_week', 'number', 'Compétence contre 168 h', 'Skill against 168 h'),
  ],
);

const CALENDAR = insight(
  'calendar',
  { fr: 'Calendrier des jours ouvrés', en: 'Calendar of working days' },
  {
    fr: 'Jours fériés, ouvrables et ouvrés de métropole par règle, avec ceux d’Alsace-Moselle, pour les années entières connues.',
    en: 'Public holidays and working days (ouvrable, ouvré) of mainland France by rule, with those of Alsace-Moselle, for the whole years known.',
  },
  ['date'],
  [
    column('date', 'date', 'Jour', 'Day'),
    column('iso_weekday', 'integer', 'Jour de la semaine (1 = lundi)', 'Weekday (1 = Monday)'),
    column('public_holiday', 'text', 'Jour férié', 'Public holiday'),
    column('is_ouvrable', 'boolean', 'Ouvrable', 'Ouvrable: Monday to Saturday, no holiday'),
    column('is_ouvre', 'boolean', 'Ouvré', 'Ouvré: Monday to Friday, no holiday'),
    column('is_pont', 'boolean', 'Pont', 'Between a holiday and a weekend'),
    column(
      'public_holiday_alsace_moselle',
      'text',
      'Jour férié en Alsace-Moselle',
      'Public holiday in Alsace-Moselle',
    ),
    column(
      'is_ouvrable_alsace_moselle',
      'boolean',
      'Ouvrable en Alsace-Moselle',
      'Ouvrable in Alsace-Moselle',
    ),
    column(
      'is_ouvre_alsace_moselle',
      'boolean',
      'Ouvré en Alsace-Moselle',
      'Ouvré in Alsace-Moselle',
    ),
    column(
      'school_holiday_zones',
      'text',
      'Zones en vacances scolaires (importées)',
      'Zones with school holidays (imported)',
    ),
  ],
);

/** Records, low-carbon share, skill of forecasts, and the calendar. */
export const INSIGHT_TABLES: readonly TableDefinition[] = [
  PEAKS,
  LOW_CARBON,
  FORECAST_SKILL,
  CALENDAR,
];
