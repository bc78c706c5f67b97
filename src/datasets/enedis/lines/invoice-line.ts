import { addMonths, isCivilDate, PipelineError } from '../../kit/index.ts';
import type { CivilDate } from '../../kit/index.ts';
import type { LinearColumns } from '../flux/linear.ts';
import { textOfCell } from './objects-of-file.ts';
import type { GivenRow } from './objects-of-file.ts';

/**
 * A line of an invoice as the ERP has it, draft or not. What is not read of it is kept, and given
 * back.
 */
export interface InvoiceLine {
  /** Of the line in the ERP; null where the file has none. */
  readonly id: string | null;
  readonly ref_situation_contractuelle: string | null;
  readonly pdl: string | null;
  /**
   * `YYYY-MM`: that of the energy, which is the one before the invoice’s. Null where the line says
   * neither.
   */
  readonly mois: string | null;
  readonly date_facture: CivilDate | null;
  /** `Base`, `HP`, `HC`, `Abonnements`, or what else the ERP has. */
  readonly categorie: string | null;
  /** Decimal text, in kWh or days. */
  readonly quantite: string | null;
  readonly est_brouillon: boolean;
  /** Every cell as given, by the names of the file and in their order, as JSON. */
  readonly reste: string;
}

/** The columns of a line in tables. */
export const LINE_COLUMNS: LinearColumns = {
  id: 'text',
  ref_situation_contractuelle: 'text',
  pdl: 'text',
  mois: 'text',
  date_facture: 'text',
  categorie: 'text',
  quantite: 'decimal',
  est_brouillon: 'boolean',
  reste: 'text',
};

/** Our names, and those of exports of Odoo. */
const NAMES = {
  id: ['id', '.id', 'id_ligne', 'line_id'],
  ref_situation_contractuelle: [
    'ref_situation_contractuelle',
    'rsc',
    'x_ref_situation_contractuelle',
  ],
  pdl: ['pdl', 'x_pdl', 'prm'],
  mois: ['mois'],
  date_facture: ['date_facture', 'invoice_date'],
  categorie: ['categorie', 'name_product_category', 'product_category'],
  quantite: ['quantite', 'quantity'],
  est_brouillon: ['est_brouillon', 'brouillon', 'state', 'statut'],
} as const;
type Name = keyof typeof NAMES;

const NEEDED: readonly Name[] = [
  'ref_situation_contractuelle',
  'categorie',
  'quantite',
  'est_brouillon',
];

const CATEGORIES: Readonly<Record<string, string>> = {
  base: 'Base',
  hp: 'HP',
  hc: 'HC',
  abonnement: 'Abonnements',
  abonnements: 'Abonnements',
};
const DRAFT = new Set(['true', '1', 'oui', 'vrai', 'draft', 'brouillon']);
const NO_DRAFT = new Set([
  'false',
  '0',
  'non',
  'faux',
  'posted',
  'comptabilisé',
  'cancel',
  'annulé',
  'paid',
  'payé',
]);

/**
 * The lines of a file.
 *
 * @throws `INPUT_INVALID` for a file without a needed column, and for a cell that is not what its
 * column says, with its line
 */
export function invoiceLines(rows: readonly GivenRow[]): InvoiceLine[] {
  if (rows.length === 0)
    throw new PipelineError('INPUT_INVALID', 'the file has no line of an invoice');
  const given = new Set(rows.flatMap(({ cells }) => Object.keys(cells)));
  const columns = columnsOf(given);
  const missing = NEEDED.filter((name) => columns[name] === undefined);
  if (missing.length > 0) throw withoutColumns(missing, given);
  return rows.map((row) => lineOf(row, columns));
}

type Columns = Partial<Record<Name, string>>;

function columnsOf(given: ReadonlySet<string>): Columns {
  const lower = new Map([...given].map((name) => [name.trim().toLowerCase(), name]));
  const found = Object.entries(NAMES).flatMap(([name, names]) => {
    const own = names.map((one) => lower.get(one)).find((one) => one !== undefined);
    return own === undefined ? [] : [[name, own] as const];
  });
  return Object.fromEntries(found);
}

function withoutColumns(missing: readonly Name[], given: ReadonlySet<string>): PipelineError {
  const wanted = missing.map((name) => NAMES[name].join(' or ')).join('; ');
  return new PipelineError(
    'INPUT_INVALID',
    `invoice lines need the columns ${wanted}; the file has ${[...given].slice(0, 30).join(', ')}`,
  );
}

function lineOf({ line, cells }: GivenRow, columns: Columns): InvoiceLine {
  const cell = (name: Name): unknown => {
    const column = columns[name];
    const value = column === undefined ? null : cells[column];
    return value === undefined || (typeof value === 'string' && value.trim() === '') ? null : value;
  };
  const told = (name: Name, what: string): PipelineError =>
    new PipelineError('INPUT_INVALID', `line ${line}: ${columns[name] ?? name} is ${what}`);
  const pdl = idOf(cell('pdl'), () =>
    told('pdl', 'a number with too many digits: give it as text'),
  );
  const invoiced = dateOf(cell('date_facture'), () => told('date_facture', 'no date YYYY-MM-DD'));
  return {
    id: idOf(cell('id'), () => told('id', 'a number with too many digits: give it as text')),
    ref_situation_contractuelle: idOf(cell('ref_situation_contractuelle'), () =>
      told('ref_situation_contractuelle', 'a number with too many digits: give it as text'),
    ),
    pdl: pdl === null ? null : pdl.padStart(14, '0'),
    mois:
      monthOf(cell('mois'), () => told('mois', 'no month YYYY-MM')) ??
      (invoiced === null ? null : addMonths(invoiced.slice(0, 7), -1)),
    date_facture: invoiced,
    categorie: categoryOf(cell('categorie')),
    quantite: decimalOf(cell('quantite'), () => told('quantite', 'no number')),
    est_brouillon: draftOf(cell('est_brouillon'), () =>
      told('est_brouillon', `none of ${[...DRAFT, ...NO_DRAFT].join(', ')}`),
    ),
    reste: JSON.stringify(cells),
  };
}

type Refuse = () => PipelineError;

/**
 * Ids are longer than numbers can hold: a spreadsheet or JSON that made one a number has changed
 * it.
 */
function idOf(value: unknown, refuse: Refuse): string | null {
  if (value === null) return null;
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw refuse();
  return textOfCell(value).trim();
}

function dateOf(value: unknown, refuse: Refuse): CivilDate | null {
  if (value === null) return null;
  if (value instanceof Date && !Number.isNaN(value.getTime()))
    return value.toISOString().slice(0, 10);
  const text = textOfCell(value).trim();
  const isFrench = /^\d\d\/\d\d\/\d{4}$/.test(text);
  const date = isFrench ? text.split('/').toReversed().join('-') : text.slice(0, 10);
  if (!isCivilDate(date)) throw refuse();
  return date;
}

function monthOf(value: unknown, refuse: Refuse): string | null {
  if (value === null) return null;
  const text = value instanceof Date ? value.toISOString() : textOfCell(value).trim();
  const month = text.slice(0, 7);
  if (!isCivilDate(`${month}-01`) || !/^\d{4}-\d\d(-\d\d.*)?$/.test(text)) throw refuse();
  return month;
}

function categoryOf(value: unknown): string | null {
  if (value === null) return null;
  const text = textOfCell(value).trim();
  return CATEGORIES[text.toLowerCase()] ?? text;
}

function decimalOf(value: unknown, refuse: Refuse): string | null {
  if (value === null) return null;
  const text = textOfCell(value)
    .trim()
    .replace(/[\s\u00A0\u202F]/g, '')
    .replace(',', '.');
  if (!/^-?\d{1,15}(\.\d{1,8})?$/.test(text)) throw refuse();
  return text;
}

function draftOf(value: unknown, refuse: Refuse): boolean {
  if (typeof value === 'boolean') return value;
  const text = textOfCell(value).trim().toLowerCase();
  if (!DRAFT.has(text) && !NO_DRAFT.has(text)) throw refuse();
  return DRAFT.has(text);
}

/**
 * SQL of the lines that count among those of several files: a line with an id as the last file has
 * it, in the order given; one without as often as the file has it that has it most, so that the
 * same export under another name adds nothing.
 *
 * @param from a table expression with the columns of lines and their place
 * @param order columns by which files follow each other, the file's name last
 */
export function currentLinesSql(from: string, order: readonly string[]): string {
  const last = [...order, 'ligne'].map((name) => `${name} DESC`).join(', ');
  const file = order.join(', ');
  return `SELECT * EXCLUDE (cle) FROM (
      SELECT *, coalesce('id ' || id, reste || '#' || row_number()
        OVER (PARTITION BY ${file}, reste ORDER BY ligne)) AS cle FROM ${from}
    ) QUALIFY row_number() OVER (PARTITION BY cle ORDER BY ${last}) = 1`;
}

/** The month of the newest campaign among lines; undefined where none says one. */
export function newestMonth(lines: readonly Pick<InvoiceLine, 'mois'>[]): string | undefined {
  return lines.reduce<string | undefined>(
    (newest, { mois }) =>
      mois !== null && (newest === undefined || mois > newest) ? mois : newest,
    undefined,
  );
}

/** The data day of a campaign: the 5th of the month after that of its energy. */
export function campaignDay(month: string): CivilDate {
  return `${addMonths(month, 1)}-05`;
}
