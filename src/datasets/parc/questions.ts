import { z } from 'zod';
import { question } from '../kit/index.ts';
import type { QuestionDefinition } from '../kit/index.ts';

/** Questions about installed capacity. */

const LABELS = {
  eolien: { fr: 'Éolien', en: 'Wind' },
  solaire: { fr: 'Solaire', en: 'Solar' },
  nucleaire: { fr: 'Nucléaire', en: 'Nuclear' },
};
/** The others are not in the monthly figures of the earlier system. */
const SHOWN = `('eolien', 'solaire')`;

const installed = question({
  id: 'get_parc_installe',
  title: { fr: 'Parc éolien et solaire installé', en: 'Installed wind and solar capacity' },
  description: {
    fr: 'Par mois : le registre où il existe, sinon déduit de RTE.',
    en: 'By month: the register where there is one, else derived from RTE.',
  },
  parameters: z.strictObject({}),
  tables: ['parc_mensuel'],
  span: (_, { known }) => known,
  sql: () => `SELECT period, source, capacity_mw, capacity_from FROM parc_mensuel
    WHERE source IN ${SHOWN} AND capacity_mw IS NOT NULL ORDER BY period, source`,
  columns: () => [
    { name: 'period', type: 'text', title: { fr: 'Mois', en: 'Month' } },
    { name: 'source', type: 'text', title: { fr: 'Filière', en: 'Source' } },
    { name: 'capacity_mw', type: 'number', unit: 'MW', title: { fr: 'Parc', en: 'Capacity' } },
    { name: 'capacity_from', type: 'text', title: { fr: 'Origine', en: 'From' } },
  ],
  sentence: (rows) => ({
    fr: `${rows.length} mois et filières.`,
    en: `${rows.length} months and sources.`,
  }),
  chart: () => ({
    kind: 'line',
    x: 'period',
    y: ['capacity_mw'],
    series: 'source',
    labels: LABELS,
    unit: 'MW',
  }),
});

const change = question({
  id: 'get_parc_evolution',
  title: { fr: 'Éolien et solaire, et l’année écoulée', en: 'Wind and solar, and the year before' },
  description: {
    fr: 'Le dernier parc connu de chaque filière, et ce qui s’y est ajouté en un an.',
    en: 'The last known capacity of each source, and what a year has added.',
  },
  parameters: z.strictObject({}),
  tables: ['parc_mensuel'],
  span: (_, { known }) => known,
  sql: () => `WITH known AS (SELECT * FROM parc_mensuel
    WHERE source IN ${SHOWN} AND capacity_mw IS NOT NULL),
      last AS (SELECT source, max(period) AS period FROM known GROUP BY source)
    SELECT source AS figure, capacity_mw / 1000 AS value, 'GW' AS unit, period AS at
      FROM known SEMI JOIN last USING (source, period)
    UNION ALL SELECT source || '_change', (k.capacity_mw - b.capacity_mw) / 1000, 'GW', k.period
      FROM known k SEMI JOIN last USING (source, period)
      JOIN known b USING (source)
      WHERE b.period = strftime(CAST(k.period || '-01' AS DATE) - INTERVAL 1 YEAR, '%Y-%m')
    ORDER BY figure`,
  columns: () => [
    { name: 'figure', type: 'text', title: { fr: 'Chiffre', en: 'Figure' } },
    { name: 'value', type: 'number', title: { fr: 'Valeur', en: 'Value' } },
    { name: 'unit', type: 'text', title: { fr: 'Unité', en: 'Unit' } },
    { name: 'at', type: 'text', title: { fr: 'Mois', en: 'Month' } },
  ],
  sentence: (rows) => ({ fr: `${rows.length} chiffres.`, en: `${rows.length} figures.` }),
  chart: () => ({
    kind: 'figures',
    x: 'figure',
    y: ['value'],
    series: 'unit',
    labels: {
      ...LABELS,
      eolien_change: { fr: 'Éolien, en un an', en: 'Wind, change of a year' },
      solaire_change: { fr: 'Solaire, en un an', en: 'Solar, change of a year' },
    },
  }),
});

/** Of months. */
export const PARC_QUESTIONS: readonly QuestionDefinition[] = [installed, change];
