import { matchOf, MONTH_FORM } from '../../kit/index.ts';
import type { Finding, FluxReader, Linear, LinearTable } from './linear.ts';
import { wrongRow } from './linear.ts';
import type { DocumentRecord } from './document-tree.ts';
import { decimalOf } from './registers.ts';
import { textAt } from './shape.ts';

/**
 * Hours over the subscribed power of contracts above 36 kVA. No flux that is read has them: the
 * distributor tells of them in its portal and, after the fact, in its invoice. The billing team
 * gives them as a file, a row for a point and month, and says where each figure is from.
 */

/** Stands for every contract of the month that has no row of its own; its hours are none. */
export const EVERY_POINT = '*';

const COLUMNS = [
  'pdl',
  'ref_situation_contractuelle',
  'mois',
  'heures',
  'origine',
  'saisi_par',
] as const;
const REQUIRED = ['pdl', 'mois', 'heures', 'origine'] as const;

function linear({ occurrence, record }: DocumentRecord, document: string): Linear {
  const row = {
    ...Object.fromEntries(COLUMNS.map((name) => [name, textAt(record, name)])),
    heures: decimalOf(hoursOf(record)),
    occurrence_id: `${document}#${occurrence}`,
  };
  return { rows: [row] };
}

/** French spreadsheets write a comma. */
function hoursOf(record: DocumentRecord['record']): string | null {
  return textAt(record, 'heures')?.replace(',', '.') ?? null;
}

function findings({ occurrence, record }: DocumentRecord): Finding[] {
  const pdl = textAt(record, 'pdl') ?? '';
  const hours = decimalOf(hoursOf(record));
  return wrongRow(occurrence, [
    [/^\d{14}$/.test(pdl) || pdl === EVERY_POINT, 'pdl is neither a number of 14 digits nor *'],
    [matchOf(MONTH_FORM, textAt(record, 'mois')) !== null, 'mois is not YYYY-MM'],
    [hours !== null && !hours.startsWith('-'), 'heures is not a number from 0'],
    [pdl !== EVERY_POINT || Number(hours) === 0, 'only 0 hours can be said of every point'],
    [textAt(record, 'origine') !== null, 'origine is empty: say where the figure is from'],
  ]);
}

const TABLE: LinearTable = {
  name: 'depassements',
  title: 'Hours over the subscribed power, as the billing team gives them',
  columns: {
    pdl: 'text',
    ref_situation_contractuelle: 'text',
    mois: 'text',
    heures: 'decimal',
    origine: 'text',
    saisi_par: 'text',
    occurrence_id: 'text',
  },
  personal: ['pdl', 'ref_situation_contractuelle', 'saisi_par', 'occurrence_id'],
  linear,
};

/** A CSV with a header; a wrong row is a finding that says which row and why. */
export const DEPASSEMENTS: FluxReader = {
  shape: { rows: { columns: COLUMNS, required: REQUIRED } },
  findings,
  tables: [TABLE],
};
