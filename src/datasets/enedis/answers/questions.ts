import { z } from 'zod';
import { definedMembers, MONTH_FORM, question, quoteText } from '../../kit/index.ts';
import type { DashboardDefinition, QuestionDefinition, TableColumn } from '../../kit/index.ts';
import { columnsOf } from './columns.ts';

/** Questions about the billing of a supplier: sums over contracts, which name none of them. */

const month = z.string().regex(MONTH_FORM, 'YYYY-MM').optional();

function counted(name: string, fr: string, en: string): TableColumn {
  return { name, type: 'integer', title: { fr, en } };
}

const SUMS = (column: string, type = 'DECIMAL(18, 2)'): string =>
  `CAST(sum(CAST(${column} AS ${type})) AS ${type}) AS ${column}`;

const months = question({
  id: 'get_enedis_mois',
  title: { fr: 'Mois de facturation', en: 'Billing months' },
  description: {
    fr: 'Contrats, qualité, énergie et montants par mois, tous contrats ensemble.',
    en: 'Contracts, quality, energy and amounts by month, of all contracts together.',
  },
  parameters: z.strictObject({
    start: month.describe('First month, YYYY-MM'),
    end: month.describe('Last month, YYYY-MM'),
  }),
  tables: ['enedis_mois', 'enedis_accise'],
  span: (_, { known }) => known,
  sql: ({ start, end }) => `
    SELECT m.*, a.accise_eur FROM (
      SELECT mois, count(*) AS contrats, count(*) FILTER (WHERE qualite = 'réelle') AS reelle,
        count(*) FILTER (WHERE qualite = 'estimée') AS estimee,
        count(*) FILTER (WHERE qualite = 'incalculable') AS incalculable, count(*)
          FILTER (WHERE est_retenu) AS retenus,
        CAST(sum(energie_base_kwh) AS BIGINT) AS energie_kwh, ${['turpe_fixe_eur', 'turpe_variable_eur', 'cta_eur'].map((name) => SUMS(name)).join(', ')}
      FROM enedis_mois WHERE ${between(start, end)} GROUP BY mois
    ) m LEFT JOIN (SELECT mois, ${SUMS('accise_eur')} FROM enedis_accise GROUP BY mois) a
      ON a.mois = m.mois ORDER BY m.mois`,
  columns: () => [
    ...columnsOf('mois'),
    counted('contrats', 'Contrats', 'Contracts'),
    counted('reelle', 'Réelle', 'Measured'),
    counted('estimee', 'Estimée', 'Estimated'),
    counted('incalculable', 'Incalculable', 'Not calculable'),
    counted('retenus', 'Retenus', 'Held'),
    ...columnsOf('energie_kwh', 'turpe_fixe_eur', 'turpe_variable_eur', 'cta_eur', 'accise_eur'),
  ],
  sentence: (rows) => {
    const last = rows.at(-1);
    if (last === undefined) return { fr: 'Aucun mois.', en: 'No month.' };
    const [of, kwh, none] = [
      String(last['mois']),
      String(last['energie_kwh']),
      String(last['incalculable']),
    ];
    return {
      fr: `${of} : ${kwh} kWh pour ${String(last['contrats'])} contrats, dont ${none} incalculables.`,
      en: `${of}: ${kwh} kWh for ${String(last['contrats'])} contracts, ${none} of them not calculable.`,
    };
  },
  chart: () => ({ kind: 'bar', x: 'mois', y: ['energie_kwh'], unit: 'kWh' }),
});

function between(start: string | undefined, end: string | undefined): string {
  const bounds = Object.entries(definedMembers({ start, end })).map(
    ([name, value]) => `mois ${name === 'start' ? '>=' : '<='} ${quoteText(value)}`,
  );
  return bounds.length === 0 ? 'true' : bounds.join(' AND ');
}

const formulas = question({
  id: 'get_enedis_formules',
  title: { fr: 'Formules tarifaires', en: 'Network tariff formulas' },
  description: {
    fr: 'Contrats, énergie et TURPE d’un mois par formule tarifaire ; par défaut le dernier mois.',
    en: 'Contracts, energy and TURPE of a month by formula; by default of the last month.',
  },
  parameters: z.strictObject({ month: month.describe('YYYY-MM') }),
  tables: ['enedis_mois'],
  span: (_, { known }) => known,
  sql: ({ month: asked }) => `
    SELECT mois, formule_tarifaire_acheminement, count(*) AS contrats,
      CAST(sum(energie_base_kwh) AS BIGINT) AS energie_kwh,
      ${SUMS('turpe_fixe_eur')}, ${SUMS('turpe_variable_eur')}
    FROM enedis_mois
      WHERE mois = ${asked === undefined ? '(SELECT max(mois) FROM enedis_mois)' : quoteText(asked)} GROUP BY ALL ORDER BY ALL`,
  columns: () => [
    ...columnsOf('mois', 'formule_tarifaire_acheminement'),
    counted('contrats', 'Contrats', 'Contracts'),
    ...columnsOf('energie_kwh', 'turpe_fixe_eur', 'turpe_variable_eur'),
  ],
  sentence: (rows) => {
    const [first] = rows;
    if (first === undefined)
      return { fr: 'Aucun contrat ce mois-ci.', en: 'No contract in this month.' };
    const of = String(first['mois']);
    return { fr: `${of} : ${rows.length} formules.`, en: `${of}: ${rows.length} formulas.` };
  },
  chart: () => ({
    kind: 'bar',
    x: 'formule_tarifaire_acheminement',
    y: ['turpe_fixe_eur', 'turpe_variable_eur'],
    unit: '€',
  }),
});

const taxes = question({
  id: 'get_enedis_taxes',
  title: { fr: 'Accise et CTA par trimestre', en: 'Accise and CTA by quarter' },
  description: {
    fr: 'L’accise de ce qui est facturé et de ce qui est mesuré, et la CTA, par mois d’un trimestre ou de tous.',
    en: 'The accise of what was invoiced and of what was measured, and the CTA, by month of a quarter or of all.',
  },
  parameters: z.strictObject({
    quarter: z
      .string()
      .regex(/^\d{4}-T[1-4]$/, 'YYYY-TN')
      .optional()
      .describe('YYYY-T1 … T4'),
  }),
  tables: ['enedis_taxes'],
  span: (_, { known }) => known,
  sql: ({ quarter }) => `
    SELECT trimestre, mois,
      CAST(sum(energie_facturee_kwh) AS BIGINT) AS energie_facturee_kwh, ${SUMS('accise_facturee_eur')},
      CAST(sum(energie_mesuree_kwh) AS BIGINT) AS energie_mesuree_kwh, ${SUMS('accise_mesuree_eur')}, ${SUMS('cta_eur')}
    FROM enedis_taxes ${quarter === undefined ? '' : `WHERE trimestre = ${quoteText(quarter)}`} GROUP BY trimestre, mois ORDER BY mois`,
  columns: () =>
    columnsOf(
      ...[
        'trimestre',
        'mois',
        'energie_facturee_kwh',
        'accise_facturee_eur',
        'energie_mesuree_kwh',
        'accise_mesuree_eur',
      ],
      'cta_eur',
    ),
  sentence: (rows) => {
    const sum = rows
      .reduce((total, row) => total + Number(row['accise_facturee_eur'] ?? 0), 0)
      .toFixed(2);
    return {
      fr: `Accise de ce qui est facturé : ${sum} € sur ${rows.length} mois.`,
      en: `Accise of what was invoiced: €${sum} over ${rows.length} months.`,
    };
  },
  chart: () => ({
    kind: 'bar',
    x: 'mois',
    y: ['accise_facturee_eur', 'accise_mesuree_eur', 'cta_eur'],
    unit: '€',
  }),
});

const affairs = question({
  id: 'get_enedis_affaires',
  title: { fr: 'Affaires ouvertes', en: 'Open affairs' },
  description: {
    fr: 'Combien d’affaires sont ouvertes par prestation et état, et depuis combien de jours.',
    en: 'How many affairs are open by service and state, and for how many days.',
  },
  parameters: z.strictObject({}),
  tables: ['enedis_affaires'],
  span: (_, { known }) => known,
  sql: () =>
    `SELECT prestation, etat, sens, count(*) AS affaires, max(age_jours) AS age_jours
      FROM enedis_affaires GROUP BY ALL ORDER BY ALL`,
  columns: () => [
    ...columnsOf('prestation', 'etat', 'sens'),
    counted('affaires', 'Affaires', 'Affairs'),
    ...columnsOf('age_jours'),
  ],
  sentence: (rows) => {
    const open = rows.reduce((sum, row) => sum + Number(row['affaires']), 0);
    return { fr: `${open} affaires ouvertes.`, en: `${open} open affairs.` };
  },
});

/** Sums over contracts, that name none. */
export const ENEDIS_QUESTIONS: readonly QuestionDefinition[] = [months, formulas, taxes, affairs];

/** The page of charts of the billing team. */
export const ENEDIS_DASHBOARDS: readonly DashboardDefinition[] = [
  {
    id: 'enedis-billing',
    title: { fr: 'Facturation Enedis', en: 'Enedis billing' },
    charts: [
      {
        title: { fr: 'Énergie par mois', en: 'Energy by month' },
        question: 'get_enedis_mois',
        parameters: {},
      },
      {
        title: { fr: 'TURPE par formule', en: 'TURPE by formula' },
        question: 'get_enedis_formules',
        parameters: {},
      },
      { title: { fr: 'Taxes', en: 'Taxes' }, question: 'get_enedis_taxes', parameters: {} },
    ],
  },
];
