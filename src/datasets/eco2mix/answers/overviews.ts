import { z } from 'zod';
import { addDays, question, quoteText } from '../../kit/index.ts';
import type { QuestionDefinition, TableColumn, Words } from '../../kit/index.ts';
import { ZONE } from '../local-time.ts';
import { SOURCES } from '../metrics-model.ts';
import { TOTAL_EXCHANGE } from '../rollup/energies.ts';
import { holidaysSql } from './holidays.ts';
import { LIST, RANGE } from './quantities.ts';

/** Questions about all of it at once: what there is, the cards of the first page, the calendar, installed power. */

const LOW_CARBON = ['nucleaire', 'hydraulique', 'bioenergies', 'solaire', 'eolien'];

function inList(names: readonly string[]): string {
  return names.map(quoteText).join(', ');
}

function column(name: string, type: TableColumn['type'], fr: string, en: string, unit?: string): TableColumn {
  return { name, type, title: { fr, en }, ...(unit === undefined ? {} : { unit }) };
}

function thousands(value: unknown, language: keyof Words): string {
  return Number(value).toLocaleString(language === 'fr' ? 'fr-FR' : 'en-GB', { maximumFractionDigits: 1 });
}

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

/** Its rows are figures with names, so that a figure may be left out where nothing is known of it. */
const dashboard = question({
  id: 'get_dashboard',
  title: { fr: 'Tableau de bord', en: 'Dashboard' },
  description: {
    fr: 'Pointe de l’année et de toujours, part bas-carbone, éolien et solaire, solde des échanges.',
    en: 'Peak of the year and of all time, low-carbon share, wind and solar, balance of exchanges.',
  },
  parameters: z.strictObject({}),
  tables: ['eco2mix_national', 'eco2mix_energies_year'],
  span: (_, { known }) => known,
  sql: (_, { known }) => {
    const year = known.to.slice(0, 4);
    const peak = (name: string, where: string): string =>
      `(SELECT '${name}' AS figure, load_mw AS value, 'MW' AS unit, CAST(instant_at AS VARCHAR) AS at FROM eco2mix_national
        WHERE load_mw IS NOT NULL${where} ORDER BY load_mw DESC, instant_at LIMIT 1)`;
    const energy = (name: string, value: string, unit: string): string =>
      `(SELECT '${name}', ${value}, '${unit}', '${year}' FROM eco2mix_energies_year WHERE period = '${year}')`;
    const of = (names: readonly string[]): string => `sum(energy_mwh) FILTER (quantity IN (${inList(names)}))`;
    return [
      peak('peak_of_year', ` AND year(timezone('${ZONE}', instant_at)) = ${year}`),
      peak('peak_of_all_time', ''),
      energy('low_carbon_share', `${of(LOW_CARBON)} / ${of(SOURCES)}`, '1'),
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
});

const parc = question({
  id: 'get_parc',
  title: { fr: 'Plus grande production observée', en: 'Largest observed generation' },
  description: {
    fr: 'La puissance installée n’est pas publiée par éCO2mix ; la plus grande production observée en est une borne basse.',
    en: 'eCO2mix does not publish installed power; the largest generation that was observed is a lower bound of it.',
  },
  parameters: z.strictObject({
    granularity: z.enum(['monthly', 'annual']).default('annual').describe('One row per month or year'),
    filiere: z.enum(['eolien', 'solaire']).default('eolien').describe('Wind or solar'),
    ...RANGE,
  }),
  tables: ['eco2mix_national'],
  span: ({ start, end }, { known }) => ({ from: start ?? known.from, to: end ?? known.to }),
  sql: ({ granularity, filiere }) => {
    const power = filiere === 'eolien' ? 'wind_mw' : 'solar_mw';
    const format = granularity === 'annual' ? '%Y' : '%Y-%m';
    return `SELECT strftime(timezone('${ZONE}', instant_at), '${format}') AS period, max(${power}) AS value
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

const calendrier = question({
  id: 'get_calendrier',
  title: { fr: 'Calendrier', en: 'Calendar' },
  description: {
    fr: 'Les jours connus : jour de la semaine, jour férié, énergie consommée.',
    en: 'The days that are known: weekday, public holiday, energy used.',
  },
  parameters: z.strictObject({
    ...RANGE,
    summary: z.stringbool().default(false).describe('One row per kind of day instead of one per day'),
    top_n: LIST.top_n,
  }),
  tables: ['eco2mix_energies_day'],
  span: ({ start, end }, { known }) => {
    const to = end ?? known.to;
    return { from: start ?? addDays(to, -365), to };
  },
  sql: ({ summary, top_n: limit }) => {
    const days = `SELECT period, isodow(CAST(period AS DATE)) AS weekday,
        CAST(period AS DATE) IN (${holidaysSql('CAST(period AS DATE)')}) AS is_holiday, energy_mwh
      FROM eco2mix_energies_day WHERE quantity = 'consommation'`;
    const kind = `CASE WHEN is_holiday THEN 'holiday' WHEN weekday >= 6 THEN 'weekend' ELSE 'workday' END`;
    const select = summary
      ? `SELECT ${kind} AS kind, count(*) AS days, avg(energy_mwh) AS mean_mwh FROM (${days}) GROUP BY 1 ORDER BY 1`
      : `SELECT period, weekday, ${kind} AS kind, energy_mwh FROM (${days}) ORDER BY period`;
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
          column('energy_mwh', 'number', 'Énergie', 'Energy', 'MWh'),
        ],
  sentence: (rows, { summary }) =>
    summary
      ? { fr: `${rows.length} types de jours.`, en: `${rows.length} kinds of days.` }
      : { fr: `${rows.length} jours.`, en: `${rows.length} days.` },
});

export const OVERVIEW_QUESTIONS: readonly QuestionDefinition[] = [overview, dashboard, parc, calendrier];
