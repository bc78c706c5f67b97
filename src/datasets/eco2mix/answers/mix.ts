import { z } from 'zod';
import { ASKED_RANGE, column, question } from '../../kit/index.ts';
import type { ChartDefinition, QuestionDefinition, TableColumn, Words } from '../../kit/index.ts';
import { COLUMN_OF } from '../columns.ts';
import { BORDERS, SOURCES } from '../metrics-model.ts';
import { AT, exchangeLabel, labelOf, PERIOD, thousands } from './quantities.ts';
import { grain, SERIES_TABLES, spanOf } from './series.ts';

/**
 * Several quantities beside each other over time: the generation by source, the exchanges by
 * country, the load by how final it is.
 */

const BY_GRAIN = { daily: 'day', monthly: 'month', annual: 'year' } as const;
/** Of what the questions of one series take, these have no order and no limit. */
const WHOLE = { order: 'recent' } as const;

function counted(rows: readonly unknown[]): Words {
  return { fr: `${rows.length} valeurs.`, en: `${rows.length} values.` };
}

const mix = question({
  id: 'get_mix',
  title: { fr: 'Production par filière, ensemble', en: 'Generation by source, together' },
  description: {
    fr: 'Toutes les filières côte à côte, par instant (MW), jour, mois ou année (MWh).',
    en: 'All sources beside each other, by instant (MW), day, month or year (MWh).',
  },
  parameters: z.strictObject({ granularity: grain, ...ASKED_RANGE }),
  tables: SERIES_TABLES,
  span: (asked, scene) => spanOf({ ...asked, ...WHOLE }, scene),
  sql: ({ granularity }) => {
    if (granularity === 'raw') {
      const powers = SOURCES.map((source) => `${COLUMN_OF[source]} AS "${source}"`);
      return `SELECT instant_at, ${powers.join(', ')} FROM eco2mix_national ORDER BY instant_at`;
    }
    const energies = SOURCES.map(
      (source) => `max(energy_mwh) FILTER (quantity = '${source}') AS "${source}"`,
    );
    return `SELECT period, ${energies.join(', ')} FROM eco2mix_energies_${BY_GRAIN[granularity]} GROUP BY period ORDER BY period`;
  },
  columns: ({ granularity }) => [
    granularity === 'raw' ? AT : PERIOD,
    ...SOURCES.map((source): TableColumn => {
      const label = labelOf(source);
      return column(source, 'number', label, label, granularity === 'raw' ? 'MW' : 'MWh');
    }),
  ],
  sentence: (rows, { granularity }) => {
    const last = rows.at(-1);
    if (last === undefined) return { fr: 'Aucune donnée.', en: 'No data.' };
    const at = String(last['instant_at'] ?? last['period']);
    const sum = SOURCES.reduce((total, source) => total + Number(last[source] ?? 0), 0);
    const unit = granularity === 'raw' ? 'MW' : 'MWh';
    return {
      fr: `${at} : ${thousands(sum, 'fr')} ${unit} toutes filières, ${rows.length} valeurs.`,
      en: `${at}: ${thousands(sum, 'en')} ${unit} of all sources, ${rows.length} values.`,
    };
  },
  chart: ({ granularity }): ChartDefinition =>
    granularity === 'raw'
      ? { kind: 'stack', x: 'instant_at', y: SOURCES, unit: 'MW' }
      : { kind: 'stacked-bar', x: 'period', y: SOURCES, unit: 'MWh' },
});

const revisions: Readonly<Record<string, Words>> = {
  provisional: { fr: 'temps réel', en: 'real time' },
  consolidated: { fr: 'consolidée', en: 'consolidated' },
  definitive: { fr: 'définitive', en: 'definitive' },
};

const loadCurve = question({
  id: 'get_courbe_consommation',
  title: { fr: 'Courbe de consommation par état des données', en: 'Load curve by revision' },
  description: {
    fr: 'Puissance à chaque instant, avec l’état de la donnée : temps réel, consolidée ou définitive.',
    en: 'Power at each instant with how final it is: real time, consolidated or definitive.',
  },
  parameters: z.strictObject({ ...ASKED_RANGE }),
  tables: ['eco2mix_national'],
  span: (asked, scene) => spanOf({ ...asked, granularity: 'raw', ...WHOLE }, scene),
  sql: () =>
    `SELECT instant_at, load_mw AS value, revision FROM eco2mix_national WHERE load_mw IS NOT NULL
      ORDER BY instant_at`,
  columns: () => [
    AT,
    column('value', 'number', 'Consommation', 'Load', 'MW'),
    column('revision', 'text', 'État des données', 'Revision'),
  ],
  sentence: counted,
  chart: () => ({
    kind: 'line',
    x: 'instant_at',
    y: ['value'],
    series: 'revision',
    labels: revisions,
    unit: 'MW',
  }),
});

const exchangeCurves = question({
  id: 'get_courbes_echanges',
  title: { fr: 'Échanges par pays', en: 'Exchanges by country' },
  description: {
    fr: 'Échanges commerciaux avec chaque pays à chaque instant ; positif : import.',
    en: 'Traded exchanges with each country at each instant; positive is import.',
  },
  parameters: z.strictObject({ ...ASKED_RANGE }),
  tables: ['eco2mix_national'],
  span: (asked, scene) => spanOf({ ...asked, granularity: 'raw', ...WHOLE }, scene),
  sql: () => {
    const powers = BORDERS.map((border) => `${COLUMN_OF[`ech_comm_${border}`]} AS "${border}"`);
    return `SELECT instant_at, ${powers.join(', ')} FROM eco2mix_national ORDER BY instant_at`;
  },
  columns: () => [
    AT,
    ...BORDERS.map((border): TableColumn => {
      const { fr, en } = exchangeLabel(border);
      return column(border, 'number', fr, en, 'MW');
    }),
  ],
  sentence: counted,
  chart: () => ({ kind: 'line', x: 'instant_at', y: BORDERS, unit: 'MW' }),
});

const balances = question({
  id: 'get_soldes',
  title: { fr: 'Solde avec chaque pays', en: 'Balance with each country' },
  description: {
    fr: 'Import, export et solde de chaque pays sur les jours demandés, le dernier par défaut ; positif : import.',
    en: 'Import, export and balance of each country over the days asked for, the last one by default; positive is import.',
  },
  parameters: z.strictObject({ ...ASKED_RANGE }),
  tables: ['eco2mix_energies_day'],
  span: (asked, scene) => spanOf({ ...asked, granularity: 'raw', ...WHOLE }, scene),
  sql: () => `SELECT replace(quantity, 'ech_comm_', '') AS country, sum(import_mwh) AS import_mwh,
    -sum(export_mwh) AS export_mwh,
      sum(energy_mwh) AS net_mwh, min(coverage) AS coverage
    FROM eco2mix_energies_day WHERE quantity LIKE 'ech_comm_%'
      AND quantity IN (${BORDERS.map((border) => `'ech_comm_${border}'`).join(', ')})
    GROUP BY quantity ORDER BY net_mwh, country`,
  columns: () => [
    column('country', 'text', 'Pays', 'Country'),
    column('import_mwh', 'number', 'Import', 'Import', 'MWh'),
    column('export_mwh', 'number', 'Export (négatif)', 'Export (negative)', 'MWh'),
    column('net_mwh', 'number', 'Solde', 'Balance', 'MWh'),
    column('coverage', 'number', 'Couverture (0–1)', 'Coverage (0–1)'),
  ],
  sentence: (rows) => {
    const net = rows.reduce((sum, row) => sum + Number(row['net_mwh'] ?? 0), 0) / 1e6;
    return {
      fr: `Solde de ${net.toLocaleString('fr-FR', { maximumFractionDigits: 3 })} TWh avec ${rows.length} pays.`,
      en: `Balance of ${net.toLocaleString('en-GB', { maximumFractionDigits: 3 })} TWh with ${rows.length} countries.`,
    };
  },
  chart: () => ({
    kind: 'bar',
    x: 'country',
    y: ['import_mwh', 'export_mwh', 'net_mwh'],
    lines: ['net_mwh'],
    labels: Object.fromEntries(BORDERS.map((border) => [border, exchangeLabel(border)])),
    unit: 'MWh',
  }),
});

/** What the charts of the dashboards show and no question about one quantity does. */
export const MIX_QUESTIONS: readonly QuestionDefinition[] = [
  mix,
  loadCurve,
  exchangeCurves,
  balances,
];
