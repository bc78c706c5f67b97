import { z } from 'zod';
import { ASKED_RANGE, question } from '../../kit/index.ts';
import type { QuestionDefinition } from '../../kit/index.ts';
import { COLUMN_OF } from '../columns.ts';
import {
  AT,
  exchangeLabel,
  exchangeQuantity,
  exchangeSql,
  FILIERES,
  labelOf,
  LIST,
  MONTH,
  PAYS,
  PERIOD,
  valueColumn,
} from './quantities.ts';
import type { SeriesOf } from './series.ts';
import {
  grain,
  SERIES_TABLES,
  seriesChart,
  seriesColumns,
  seriesSentence,
  seriesSql,
  spanOf,
} from './series.ts';

/** The questions about a quantity over time, and about its extremes. */

const LOAD: SeriesOf = {
  power: COLUMN_OF.consommation,
  quantity: 'consommation',
  label: { fr: 'Consommation', en: 'Load' },
};

function generation(filiere: (typeof FILIERES)[number]): SeriesOf {
  const label = labelOf(filiere);
  return { power: COLUMN_OF[filiere], quantity: filiere, label: { fr: label, en: label } };
}

function exchange(pays: (typeof PAYS)[number]): SeriesOf {
  return { power: exchangeSql(pays), quantity: exchangeQuantity(pays), label: exchangeLabel(pays) };
}

const filiere = z.enum(FILIERES).default('nucleaire').describe('Source of generation');
const pays = z.enum(PAYS).default('total').describe('Country; positive is import');

const consommation = question({
  id: 'get_consommation',
  title: { fr: 'Consommation', en: 'Load' },
  description: {
    fr: 'Consommation française par instant (MW), jour, mois ou année (MWh).',
    en: 'French load by instant (MW), day, month or year (MWh).',
  },
  parameters: z.strictObject({ granularity: grain, ...ASKED_RANGE, ...MONTH, ...LIST }),
  tables: SERIES_TABLES,
  span: spanOf,
  sql: (asked) => seriesSql(asked, LOAD),
  columns: (asked) => seriesColumns(asked, LOAD),
  sentence: (rows, asked) => seriesSentence(rows, asked, LOAD),
  chart: seriesChart,
});

const production = question({
  id: 'get_production',
  title: { fr: 'Production par filière', en: 'Generation by source' },
  description: {
    fr: 'Production d’une filière par instant (MW), jour, mois ou année (MWh).',
    en: 'Generation of one source by instant (MW), day, month or year (MWh).',
  },
  parameters: z.strictObject({ filiere, granularity: grain, ...ASKED_RANGE, ...MONTH, ...LIST }),
  tables: SERIES_TABLES,
  span: spanOf,
  sql: (asked) => seriesSql(asked, generation(asked.filiere)),
  columns: (asked) => seriesColumns(asked, generation(asked.filiere)),
  sentence: (rows, asked) => seriesSentence(rows, asked, generation(asked.filiere)),
  chart: seriesChart,
});

const echanges = question({
  id: 'get_echanges',
  title: { fr: 'Échanges', en: 'Exchanges' },
  description: {
    fr: 'Échanges avec un pays par instant (MW) ou solde par jour (MWh) ; positif : import.',
    en: 'Exchanges with a country by instant (MW) or net by day (MWh); positive is import.',
  },
  parameters: z.strictObject({
    pays,
    granularity: z.enum(['raw', 'daily']).default('daily').describe('One value per instant or day'),
    ...ASKED_RANGE,
    ...LIST,
  }),
  tables: SERIES_TABLES,
  span: spanOf,
  sql: (asked) => seriesSql(asked, exchange(asked.pays)),
  columns: (asked) => seriesColumns(asked, exchange(asked.pays)),
  sentence: (rows, asked) => seriesSentence(rows, asked, exchange(asked.pays)),
  chart: seriesChart,
});

const ENERGY_TABLE = {
  monthly: 'eco2mix_energies_month',
  annual: 'eco2mix_energies_year',
} as const;
const SORTED = { import: 'import_mwh', export: 'export_mwh', net: 'energy_mwh' } as const;

const echangesEnergie = question({
  id: 'get_echanges_energie',
  title: { fr: 'Énergies échangées', en: 'Exchanged energy' },
  description: {
    fr: 'Import, export et solde d’un pays par mois ou année (MWh).',
    en: 'Import, export and net of a country by month or year (MWh).',
  },
  parameters: z.strictObject({
    granularity: z
      .enum(['monthly', 'annual'])
      .default('monthly')
      .describe('One row per month or year'),
    pays,
    ...ASKED_RANGE,
    ...MONTH,
    ...LIST,
    sort_by: z
      .enum(['net', 'import', 'export'])
      .default('net')
      .describe('What order=value sorts by'),
  }),
  tables: Object.values(ENERGY_TABLE),
  span: spanOf,
  sql: ({ granularity, pays: country, month, order, sort_by: sortBy, top_n: limit }) => {
    const only =
      month === undefined || granularity === 'annual'
        ? ''
        : ` AND CAST(period[6:7] AS INTEGER) = ${month}`;
    return `SELECT period, import_mwh, export_mwh, energy_mwh AS net_mwh, coverage
      FROM ${ENERGY_TABLE[granularity]}
      WHERE quantity = '${exchangeQuantity(country)}' AND energy_mwh IS NOT NULL${only}
      ORDER BY ${order === 'value' ? `${SORTED[sortBy]} DESC, period` : 'period DESC'}${limit === undefined ? '' : ` LIMIT ${limit}`}`;
  },
  columns: () => [
    PERIOD,
    { name: 'import_mwh', type: 'number', unit: 'MWh', title: { fr: 'Import', en: 'Import' } },
    { name: 'export_mwh', type: 'number', unit: 'MWh', title: { fr: 'Export', en: 'Export' } },
    { name: 'net_mwh', type: 'number', unit: 'MWh', title: { fr: 'Solde', en: 'Net import' } },
    { name: 'coverage', type: 'number', title: { fr: 'Couverture (0–1)', en: 'Coverage (0–1)' } },
  ],
  sentence: (rows, { pays: country }) => {
    const net = rows.reduce((sum, row) => sum + Number(row['net_mwh']), 0);
    const [way, voie] = net >= 0 ? ['net import', 'importateur'] : ['net export', 'exportateur'];
    const { fr, en } = exchangeLabel(country);
    const gwh = Math.abs(net) / 1000;
    return {
      fr: `${fr} : solde ${voie} de ${gwh.toLocaleString('fr-FR', { maximumFractionDigits: 1 })} GWh sur ${rows.length} périodes.`,
      en: `${en}: ${way} of ${gwh.toLocaleString('en-GB', { maximumFractionDigits: 1 })} GWh over ${rows.length} periods.`,
    };
  },
  chart: () => ({
    kind: 'bar',
    x: 'period',
    y: ['import_mwh', 'export_mwh', 'net_mwh'],
    lines: ['net_mwh'],
    unit: 'MWh',
  }),
});

const peak = question({
  id: 'get_peak',
  title: { fr: 'Pointes et creux', en: 'Peaks and troughs' },
  description: {
    fr: 'Les valeurs extrêmes d’une grandeur, instant par instant.',
    en: 'The extreme values of a quantity, instant by instant.',
  },
  parameters: z.strictObject({
    dataset: z
      .enum(['consommation', 'production', 'echanges'])
      .default('consommation')
      .describe('What is measured'),
    filiere,
    pays,
    ...ASKED_RANGE,
    direction: z.enum(['max', 'min']).default('max').describe('Largest or smallest'),
    n: z.coerce.number().int().min(1).max(20).default(1).describe('How many, 1–20'),
  }),
  tables: ['eco2mix_national'],
  span: ({ start, end }, { known }) => ({ from: start ?? known.from, to: end ?? known.to }),
  sql: (asked) => {
    const by = asked.direction === 'max' ? 'DESC' : 'ASC';
    return `SELECT instant_at, ${peakOf(asked).power} AS value FROM eco2mix_national
      WHERE ${peakOf(asked).power} IS NOT NULL ORDER BY value ${by}, instant_at LIMIT ${asked.n}`;
  },
  columns: (asked) => [AT, valueColumn('MW', peakOf(asked).label)],
  sentence: (rows, asked) => {
    const { label } = peakOf(asked);
    const [first] = rows;
    if (first === undefined)
      return { fr: `${label.fr} : aucune donnée.`, en: `${label.en}: no data.` };
    const at = String(first['instant_at']);
    const value = Number(first['value']);
    const [word, mot] = asked.direction === 'max' ? ['peak', 'pointe'] : ['trough', 'creux'];
    return {
      fr: `${label.fr} : ${mot} de ${value.toLocaleString('fr-FR')} MW le ${at}.`,
      en: `${label.en}: ${word} of ${value.toLocaleString('en-GB')} MW at ${at}.`,
    };
  },
});

function peakOf(asked: {
  dataset: 'consommation' | 'production' | 'echanges';
  filiere: (typeof FILIERES)[number];
  pays: (typeof PAYS)[number];
}): SeriesOf {
  if (asked.dataset === 'consommation') return LOAD;
  return asked.dataset === 'production' ? generation(asked.filiere) : exchange(asked.pays);
}

/** Their ids and parameters are those of the earlier system. */
export const SERIES_QUESTIONS: readonly QuestionDefinition[] = [
  consommation,
  production,
  echanges,
  echangesEnergie,
  peak,
];
