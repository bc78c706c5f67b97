import { matchOf, MONTH_FORM } from '../../kit/index.ts';
import type { Finding, FluxReader, Linear, LinearTable } from './linear.ts';
import { wrongRow } from './linear.ts';
import type { DocumentRecord } from './document-tree.ts';
import { textAt } from './shape.ts';

/**
 * Months that were invoiced, as they were when a person froze them: a row for each contract, with
 * its whole row of `mois` as JSON. `quotidien enedis freeze` writes such files; they are inputs
 * like any others, so that what was invoiced is known whatever is delivered later.
 */

const COLUMNS = [
  ...[
    'mois',
    'ref_situation_contractuelle',
    'pdl',
    'version',
    'gele_le',
    'gele_par',
    'motif',
    'ligne',
  ],
] as const;

function linear({ occurrence, record }: DocumentRecord, document: string): Linear {
  const texts = Object.fromEntries(COLUMNS.map((name) => [name, textAt(record, name)]));
  return {
    rows: [
      {
        ...texts,
        version: Number(textAt(record, 'version')),
        occurrence_id: `${document}#${occurrence}`,
      },
    ],
  };
}

function findings({ occurrence, record }: DocumentRecord): Finding[] {
  return wrongRow(occurrence, [
    [matchOf(MONTH_FORM, textAt(record, 'mois')) !== null, 'mois is not YYYY-MM'],
    [matchOf(/^[1-9]\d*$/, textAt(record, 'version')) !== null, 'version is not a number from 1'],
    [isObject(textAt(record, 'ligne')), 'ligne is no JSON object'],
    ...['ref_situation_contractuelle', 'gele_le', 'gele_par', 'motif'].map(
      (name) => [textAt(record, name) !== null, `${name} is empty`] as const,
    ),
  ]);
}

function isObject(text: string | null): boolean {
  try {
    const value = text === null ? null : (JSON.parse(text) as unknown);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const TABLE: LinearTable = {
  name: 'gels',
  title: 'Months that a person froze, as they were invoiced',
  columns: {
    mois: 'text',
    ref_situation_contractuelle: 'text',
    pdl: 'text',
    version: 'integer',
    gele_le: 'text',
    gele_par: 'text',
    motif: 'text',
    ligne: 'text',
    occurrence_id: 'text',
  },
  personal: ['ref_situation_contractuelle', 'pdl', 'gele_par', 'ligne', 'occurrence_id'],
  linear,
};

/** How a file of frozen months is read. */
export const GEL: FluxReader = {
  shape: { rows: { columns: COLUMNS, required: COLUMNS } },
  findings,
  tables: [TABLE],
};
