import { LINEAR_TABLES } from '../../../datasets/enedis/flux/readers.ts';
import { PLACE_COLUMNS, PLACE_ORDER } from '../../../datasets/enedis/days/tables.ts';
import { tableId } from '../../../datasets/enedis/answers/tables.ts';
import { NEWEST_DOCUMENT, STAGE_RANK } from '../../../datasets/enedis/model/readings.ts';
import { PipelineError } from '../../../errors.ts';
import { quoteIdentifier, quoteText } from '../../../pipelines/sql-text.ts';
import type { TableColumn } from '../../../pipelines/tables.ts';
import type { Supplier } from './supplier.ts';

/**
 * The flux of the distributor as the earlier system had them: a row for each logical fact, that of
 * its newest delivery.
 */

/** A flux by the name of the earlier system. */
export interface Flux {
  readonly name: string;
  /** The declared tables that it is made from. */
  readonly tables: readonly string[];
  readonly columns: readonly TableColumn[];
  /** SQL of its rows over views of these tables; `order` names each. */
  readonly rows: string;
  readonly order: string;
  /** The column by which it was said how new the flux is. */
  readonly dated: string;
}

/**
 * Facts that come again in other documents, by what they are known by; those of other flux are
 * known by document and place.
 */
const KEYS: Readonly<Record<string, string>> = {
  r151: 'releve_id',
  r64: 'pdl, type_releve, date_releve',
  r67: 'pdl, debut, fin',
};

const DATED: Readonly<Record<string, string>> = {
  c15: 'date_evenement',
  c12: 'date_evenement',
  f12_detail: 'date_facture',
  f15_detail: 'date_facture',
  r67: 'fin',
};

/** Rows of the newest delivery of each document, and of those the newest of each fact. */
function newest(from: string, key: string | undefined, ranked = ''): string {
  const current = `SELECT * FROM ${from} QUALIFY ${NEWEST_DOCUMENT} = max(${NEWEST_DOCUMENT})
    OVER (PARTITION BY document)`;
  if (key === undefined) return current;
  return `SELECT * FROM (${current})
    QUALIFY row_number()
      OVER (PARTITION BY ${key} ORDER BY ${NEWEST_DOCUMENT} DESC, ${ranked}occurrence_id DESC) = 1`;
}

/** Steps of affairs: labels are none of what is read, as they come encoded twice. */
const AFFAIRS = `SELECT id_affaire AS affaire_id, sens AS origine, prestation,
  CAST(NULL AS VARCHAR) AS prestation_libelle, statut, pdl, segment,
  num AS jalon_num, id_affaire || '#' || num AS affaire_jalon_id, date_heure AS jalon_date_heure,
  affaire_date_effet, affaire_etat,
  CAST(NULL AS VARCHAR) AS affaire_etat_libelle, 'flux_X12X13' AS source
  FROM (${newest(`(SELECT * FROM ${tableId('x12')} UNION ALL BY NAME SELECT * FROM ${tableId('x13')})`, 'id_affaire, num')})`;

const AFFAIR_COLUMNS: Readonly<Record<string, TableColumn['type']>> = {
  affaire_id: 'text',
  origine: 'text',
  prestation: 'text',
  prestation_libelle: 'text',
  statut: 'text',
  pdl: 'text',
  segment: 'text',
  jalon_num: 'integer',
  affaire_jalon_id: 'text',
  jalon_date_heure: 'text',
  affaire_date_effet: 'text',
  affaire_etat: 'text',
  affaire_etat_libelle: 'text',
  source: 'text',
};

const AFFAIR_STEPS: Flux = {
  name: 'affaires',
  tables: [tableId('x12'), tableId('x13')],
  columns: Object.entries(AFFAIR_COLUMNS).map(([name, type]) => ({
    name,
    type,
    title: { fr: name, en: name },
  })),
  rows: AFFAIRS,
  order: 'affaire_id, jalon_num',
  dated: 'jalon_date_heure',
};

/** Both flux of affairs are one, and files that people give are none of the distributor's. */
const NOT_ALONE: ReadonlySet<string> = new Set(['X12', 'X13', 'DEPASSEMENTS', 'GEL']);

/** Every flux of the earlier system. */
export const FLUX_NAMES: readonly string[] = [
  ...LINEAR_TABLES.filter(({ flux }) => !NOT_ALONE.has(flux)).map(({ name }) => name),
  AFFAIR_STEPS.name,
].sort();

/** The flux of a name; `NOT_FOUND` lists those there are. */
export function fluxOf(supplier: Supplier, name: string): Flux {
  if (name === AFFAIR_STEPS.name) return AFFAIR_STEPS;
  if (!FLUX_NAMES.includes(name))
    throw new PipelineError(
      'NOT_FOUND',
      `flux inconnu : ${name} ; il y a ${FLUX_NAMES.join(', ')}`,
    );
  const id = tableId(name);
  const columns = supplier.columnsOf(id).filter((column) => !(column.name in PLACE_COLUMNS));
  const ranked = name === 'r64' ? `${STAGE_RANK}, ` : '';
  return {
    name,
    tables: [id],
    columns,
    rows: newest(id, KEYS[name], ranked),
    order: PLACE_ORDER,
    dated: DATED[name] ?? 'date_releve',
  };
}

/** SQL of some of its rows, of one point or of all. */
export function fluxSql(
  { columns, rows, order }: Flux,
  { prm, limit, offset = 0 }: FluxRange,
): string {
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const where = prm === undefined ? '' : ` WHERE pdl = ${quoteText(prm)}`;
  return `SELECT ${names} FROM (${rows})${where} ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`;
}

/** Which rows of a flux are asked for. */
export interface FluxRange {
  readonly prm?: string | undefined;
  readonly limit: number;
  readonly offset?: number;
}
