import { z } from 'zod';
import { ASKED_RANGE, column, question } from '../../kit/index.ts';
import type { QuestionDefinition, Words } from '../../kit/index.ts';
import { ZONE } from '../local-time.ts';
import { LOW_CARBON, SOURCES } from '../metrics-model.ts';
import { TOTAL_EXCHANGE } from '../rollup/energies.ts';
import { ALL_TIME } from '../rollup/peaks.ts';
import { inList, thousands } from './quantities.ts';

/**
 * Questions about all of it at once: what there is, the cards of the first page, installed power.
 */

const overview = question({
  id: 'get_overview',
  title: { fr: 'Vue d’ensemble', en: 'Overview' },
  description: {
    fr: 'Ce qui est connu : première et dernière valeur, et l’énergie de chaque année.',
    en: 'What is known: first and last value, and the energy of each year.',
  },
  parameters: z.strictObject({}),
  tables: ['eco2mix_energies_year'],
  span: (_, { known }) => known,
  sql: () => `SELECT period,
      max(energy_mwh) FILTER (quantity = 'consommation') AS load_mwh,
      sum(energy_mwh) FILTER (quantity IN (${inList(SOURCES)})) AS generation_mwh,
      max(energy_mwh) FILTER (quantity = '${TOTAL_EXCHANGE}') AS net_import_mwh,
      max(coverage) FILTER (quantity = 'consommation') AS coverage
    FROM eco2mix_energies_year GROUP BY period ORDER BY period`,
  columns: () => [
    column('period', 'text', 'Année', 'Year'),
    column('load_mwh', 'number', 'Consommation', 'Load', 'MWh'),
    column('generation_mwh', 'number', 'Production', 'Generation', 'MWh'),
    column('net_import_mwh', 'number', 'Solde importateur', 'Net import', 'MWh'),
    column('coverage', 'number', 'Couverture (0–1)', 'Coverage (0–1)'),
  ],
  sentence: (rows) => {
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) return { fr: 'Aucune année.', en: 'No year.' };
    return {
      fr: `De ${String(first['period'])} à ${String(last['period'])} : ${rows.length} années, ${thousands(Number(last['load_mwh']) / 1e6, 'fr')} TWh consommés en ${String(last['period'])}.`,
      en: `From ${String(first['period'])} to ${String(last['period'])}: ${rows.length} years, ${thousands(Number(last['load_mwh']) / 1e6, 'en')} TWh used in ${String(last['period'])}.`,
    };
  },
  chart: () => ({ kind: 'bar', x: 'period', y: ['load_mwh', 'generation_mwh'], unit: 'MWh' }),
});

const FIGURE_LABELS: Readonly<Record<string, Words>> = {
  peak_of_year: { fr: 'Pointe de l’année', en: 'Peak of the year' },
  peak_of_all_time: { fr: 'Pointe de toujours', en: 'Peak of all time' },
  low_carbon_share: { fr: 'Part bas-carbone de l’année', en: 'Low-carbon share of the year' },
  low_carbon: { fr: 'Production bas-carbone', en: 'Low-carbon generation' },
  wind: { fr: 'Éolien', en: 'Wind' },
  solar: { fr: 'Solaire', en: 'Solar' },
  net_import: { fr: 'Solde des échanges', en: 'Balance of exchanges' },
};

/**
 * Its rows are figures with names, so that a figure may be left out where nothing is known of it.
 */
const dashboard = question({
  id: 'get_dashboard',
  title: { fr: 'Tableau de bord', en: 'Dashboard' },
  description: {
    fr: 'Pointe de l’année et de toujours, part bas-carbone, éolien et solaire, solde des échanges.',
    en: 'Peak of the year and of all time, low-carbon share, wind and solar, balance of exchanges.',
  },
  parameters: z.strictObject({}),
  tables: ['eco2mix_peaks', 'eco2mix_low_carbon', 'eco2mix_energies_year'],
  span: (_, { known }) => known,
  sql: (_, { known }) => {
    const year = known.to.slice(0, 4);
    const peak = (name: string, period: string): string =>
      `(SELECT '${name}' AS figure, peak_mw AS value, 'MW' AS unit, CAST(peak_at AS VARCHAR) AS at
        FROM eco2mix_peaks
        WHERE quantity = 'consommation' AND period = '${period}')`;
    const energy = (name: string, value: string, unit: string): string =>
      `(SELECT '${name}', ${value}, '${unit}', '${year}' FROM eco2mix_energies_year
        WHERE period = '${year}')`;
    const of = (names: readonly string[]): string =>
      `sum(energy_mwh) FILTER (quantity IN (${inList(names)}))`;
    return [
      peak('peak_of_year', year),
      peak('peak_of_all_time', ALL_TIME),
      `(SELECT 'low_carbon_share', share_to_date, '1', CAST(date AS VARCHAR) FROM eco2mix_low_carbon
        ORDER BY date DESC LIMIT 1)`,
      energy('low_carbon', of(LOW_CARBON), 'MWh'),
      energy('wind', of(['eolien']), 'MWh'),
      energy('solar', of(['solaire']), 'MWh'),
      energy('net_import', of([TOTAL_EXCHANGE]), 'MWh'),
    ].join(' UNION ALL ');
  },
  columns: () => [
    column('figure', 'text', 'Chiffre', 'Figure'),
    column('value', 'number', 'Valeur', 'Value'),
    column('unit', 'text', 'Unité', 'Unit'),
    column('at', 'text', 'Quand', 'When'),
  ],
  sentence: (rows) => {
    const peak = rows.find(({ figure }) => figure === 'peak_of_year');
    const share = rows.find(({ figure }) => figure === 'low_carbon_share');
    if (peak === undefined) return { fr: 'Aucune donnée.', en: 'No data.' };
    const part = Number(share?.['value'] ?? 0) * 100;
    return {
      fr: `Pointe de l’année : ${thousands(peak['value'], 'fr')} MW ; ${thousands(part, 'fr')} % de production bas-carbone.`,
      en: `Peak of the year: ${thousands(peak['value'], 'en')} MW; ${thousands(part, 'en')} % low-carbon generation.`,
    };
  },
  chart: () => ({
    kind: 'figures',
    x: 'figure',
    y: ['value'],
    series: 'unit',
    labels: FIGURE_LABELS,
  }),
});

const parc = question({
  id: 'get_parc',
  title: { fr: 'Plus grande production observée', en: 'Largest observed generation' },
  description: {
    fr: 'La puissance installée n’est pas publiée par éCO2mix ; la plus grande production observée en est une borne basse.',
    en: 'eCO2mix does not publish installed power; the largest generation that was observed is a lower bound of it.',
  },
  parameters: z.strictObject({
    granularity: z
      .enum(['monthly', 'annual'])
      .default('annual')
      .describe('One row per month or year'),
    filiere: z.enum(['eolien', 'solaire']).default('eolien').describe('Wind or solar'),
    ...ASKED_RANGE,
  }),
  tables: ['eco2mix_national'],
  span: ({ start, end }, { known }) => ({ from: start ?? known.from, to: end ?? known.to }),
  sql: ({ granularity, filiere }) => {
    const power = filiere === 'eolien' ? 'wind_mw' : 'solar_mw';
    const format = granularity === 'annual' ? '%Y' : '%Y-%m';
    return `SELECT strftime(timezone('${ZONE}', instant_at), '${format}') AS period,
      max(${power}) AS value
      FROM eco2mix_national WHERE ${power} IS NOT NULL GROUP BY 1 ORDER BY 1`;
  },
  columns: () => [
    column('period', 'text', 'Période', 'Period'),
    column('value', 'number', 'Production la plus grande', 'Largest generation', 'MW'),
  ],
  sentence: (rows) => {
    const last = rows.at(-1);
    if (last === undefined) return { fr: 'Aucune donnée.', en: 'No data.' };
    const [period, value] = [String(last['period']), last['value']];
    return {
      fr: `${period} : au plus ${thousands(value, 'fr')} MW observés ; la puissance installée est supérieure.`,
      en: `${period}: at most ${thousands(value, 'en')} MW observed; installed power is larger.`,
    };
  },
  chart: () => ({ kind: 'bar', x: 'period', y: ['value'], unit: 'MW' }),
});

/** The last of them, `get_parc`, has only a lower bound of installed power to tell. */
export const OVERVIEW_QUESTIONS: readonly QuestionDefinition[] = [overview, dashboard, parc];
