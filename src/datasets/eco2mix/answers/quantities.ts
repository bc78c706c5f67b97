import { z } from 'zod';
import { quoteText } from '../../kit/index.ts';
import type { TableColumn, Words } from '../../kit/index.ts';
import type { MeasureName } from '../columns.ts';
import { COLUMN_OF, MEASURES } from '../columns.ts';
import { BORDERS, SOURCES } from '../metrics-model.ts';
import { TOTAL_EXCHANGE } from '../rollup/energies.ts';

/** The values that questions about French electricity take, and the quantities that they mean. */

/** The eight sources and pumping, which is ≤ 0. */
export const FILIERES = [...SOURCES, 'pompage'] as const;

/** `total`: all borders together; `physiques`: what flows, which is not what was traded. */
export const PAYS = ['total', 'physiques', ...BORDERS] as const;
/** A border, or one of the two sums. */
export type Pays = (typeof PAYS)[number];

const BORDER_COLUMNS = BORDERS.map((border) => COLUMN_OF[`ech_comm_${border}`]);

/**
 * Power at an instant, as SQL over `eco2mix_national`: of all borders only where each has been
 * published.
 */
export function exchangeSql(pays: Pays): string {
  if (pays === 'total') return `(${BORDER_COLUMNS.join(' + ')})`;
  return pays === 'physiques' ? COLUMN_OF.ech_physiques : COLUMN_OF[`ech_comm_${pays}`];
}

/** The name in the tables of energies. */
export function exchangeQuantity(pays: Pays): string {
  if (pays === 'total') return TOTAL_EXCHANGE;
  return pays === 'physiques' ? 'ech_physiques' : `ech_comm_${pays}`;
}

/** The publisher's French label without its unit. */
export function labelOf(name: MeasureName): string {
  return MEASURES.find((measure) => measure.name === name)?.label ?? name;
}

/** Words for a chart; the name of a border is the publisher's in both languages. */
export function exchangeLabel(pays: Pays): Words {
  if (pays === 'total') return { fr: 'tous les pays', en: 'all countries' };
  if (pays === 'physiques') return { fr: 'échanges physiques', en: 'physical exchanges' };
  const name = labelOf(`ech_comm_${pays}`).replace('Ech. comm. ', '');
  return { fr: name, en: name };
}

/** A parameter that keeps the same month of all years in the span. */
export const MONTH = {
  month: z.coerce
    .number()
    .int()
    .min(1)
    .max(12)
    .optional()
    .describe('Only this month of every year, 1–12'),
};

/** Parameters of lists: without `top_n` every row is returned. */
export const LIST = {
  order: z.enum(['recent', 'value']).default('recent').describe('Newest first, or largest first'),
  top_n: z.coerce.number().int().min(1).max(10_000).optional().describe('At most so many rows'),
};

/** The column `value` of an answer; a null value has no row. */
export function valueColumn(unit: string, title: Words): TableColumn {
  return { name: 'value', type: 'number', unit, title };
}

/** The column of instants, in UTC. */
export const AT: TableColumn = {
  name: 'instant_at',
  type: 'instant',
  title: { fr: 'Instant (UTC)', en: 'Instant (UTC)' },
};
/** `2024-01-15`, `2024-01` or `2024`, by the grain that was asked for. */
export const PERIOD: TableColumn = {
  name: 'period',
  type: 'text',
  title: { fr: 'Période', en: 'Period' },
};
/** How much of the period an energy stands on. */
export const COVERED: TableColumn = {
  name: 'coverage',
  type: 'number',
  title: { fr: 'Couverture (0–1)', en: 'Coverage (0–1)' },
};

/** Names as an SQL list. */
export function inList(names: readonly string[]): string {
  return names.map(quoteText).join(', ');
}

/** A number as readers of a language write it, with one decimal at most. */
export function thousands(value: unknown, language: keyof Words): string {
  return Number(value).toLocaleString(language === 'fr' ? 'fr-FR' : 'en-GB', {
    maximumFractionDigits: 1,
  });
}
