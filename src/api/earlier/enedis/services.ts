import { z } from 'zod';
import { tableId } from '../../../datasets/enedis/answers/tables.ts';
import { quoteTexts } from '../../../pipelines/sql-text.ts';
import type { AnswerRow } from '../../../pipelines/tables.ts';
import type { ApiApp } from '../../shared/app.ts';
import { contentHash } from './content-hash.ts';
import type { HashedValue } from './content-hash.ts';
import { fluxOf } from './flux.ts';
import { asLines, LINES_TYPE, tags } from './frame.ts';
import { listed } from './given.ts';
import type { Supplier } from './supplier.ts';

/**
 * `/facturation/prestations`: services and penalties that the distributor invoiced, to be billed
 * on; all of them, each time.
 */

const VERSION = 1;

const query = z.strictObject({ rsc: listed.optional() });

const text = z.string().nullable();
const amount = z.number().nullable();
const service = z.object({
  reference: z.string(),
  pdl: text,
  ref_situation_contractuelle: text,
  id_ev: text,
  nature_ev: text,
  libelle_ev: text,
  taux_tva_applicable: text,
  prix_unitaire: amount,
  quantite: amount,
  montant_ht: amount,
  date_debut: text,
  date_fin: text,
  num_facture: text,
  date_facture: text,
});

/** What a service is known by; labels and rates may be mended, and it is the same one. */
const KNOWN_BY = ['num_facture', 'pdl', 'id_ev', 'date_debut', 'date_fin'] as const;
const AMOUNTS = ['prix_unitaire', 'quantite', 'montant_ht'] as const;

/**
 * Lines that are equal in all that they are known by are one: nobody could tell a second delivery
 * from a second service.
 */
export function addServices(app: ApiApp, supplier: Supplier): void {
  const schema = { tags, querystring: query, response: asLines };
  app.get('/facturation/prestations', { schema }, (request, reply) => {
    const { rsc } = request.query;
    const { rows, order } = fluxOf(supplier, 'f15_detail');
    const of = rsc === undefined ? '' : ` AND ref_situation_contractuelle IN (${quoteTexts(rsc)})`;
    return supplier.answer({ request, reply }, [tableId('f15_detail')], async (sql) => {
      const found = await sql.rows<AnswerRow>(
        `SELECT * FROM (${rows}) WHERE unite = 'UNITE'${of} ORDER BY ${order}`,
      );
      const services = found.map((row) =>
        service.parse({ ...row, ...numbers(row), reference: referenceOf(row) }),
      );
      reply.type(LINES_TYPE).header('x-contract-version', VERSION);
      return services.map((one) => `${JSON.stringify(one)}\n`).join('');
    });
  });
}

function numberOf(row: AnswerRow, name: string): number | null {
  const value = row[name] ?? null;
  return value === null ? null : Number(value);
}

function numbers(row: AnswerRow): AnswerRow {
  return Object.fromEntries(AMOUNTS.map((name) => [name, numberOf(row, name)]));
}

/** The same as in the earlier system, so that an ERP bills nothing twice. */
function referenceOf(row: AnswerRow): string {
  const texts = KNOWN_BY.map((name) => (row[name] ?? null) as HashedValue);
  return contentHash([...texts, ...AMOUNTS.map((name) => ({ float: numberOf(row, name) }))]);
}
