import { z } from 'zod';
import { tableId } from '../../../datasets/enedis/answers/tables.ts';
import { EXITS } from '../../../datasets/enedis/model/spine-events.ts';
import { quoteText, quoteTexts } from '../../../pipelines/sql-text.ts';
import type { AnswerRow } from '../../../pipelines/tables.ts';
import type { ApiApp } from '../../shared/app.ts';
import { civilDate } from '../../shared/fields.ts';
import { csvText, unchanged } from '../../shared/responses.ts';
import { fluxOf } from './flux.ts';
import { asJson, details, tags } from './frame.ts';
import type { Supplier } from './supplier.ts';

/** `/perimetre/…`: affairs under way, and the points that a supplier has. */

const affairsQuery = z.strictObject({
  origine: z.enum(['initiee', 'recue']).optional().describe('X12 or X13'),
  inclure_ame: z.stringbool().default(false).describe('With subscriptions to data (AME)'),
});
const MAX_POINTS = 1_000_000;
const pointsQuery = z.strictObject({
  jour: civilDate.optional(),
  limit: z.coerce.number().int().min(1).max(MAX_POINTS).default(100_000),
});

/** Ages are in whole days until today. */
export function addPerimeter(app: ApiApp, supplier: Supplier): void {
  const schema = { tags, querystring: affairsQuery, response: asJson };
  app.get('/perimetre/affaires', { schema }, (request, reply) => {
    const { origine, inclure_ame: withData } = request.query;
    const { rows, tables } = fluxOf(supplier, 'affaires');
    const conditions = [
      `coalesce(statut, '') IN ('COURS', '')`,
      ...(withData ? [] : [`prestation IS DISTINCT FROM 'AME'`]),
      ...(origine === undefined ? [] : [`origine = ${quoteText(origine)}`]),
    ];
    const last = (name: string): string => `arg_max(${name}, jalon_num) AS ${name}`;
    return supplier.answer({ request, reply }, tables, async (sql) => ({
      affaires: await sql.rows<AnswerRow>(
        `WITH affaires AS (
           SELECT affaire_id, ${['origine', 'prestation', 'prestation_libelle', 'pdl', 'segment', 'statut'].map(last).join(', ')},
             arg_max(affaire_etat, jalon_num) AS dernier_etat,
               arg_max(affaire_etat_libelle, jalon_num) AS dernier_etat_libelle,
             arg_max(jalon_date_heure, CAST(jalon_date_heure AS TIMESTAMPTZ)) AS dernier_jalon_date,
             arg_min(jalon_date_heure, CAST(jalon_date_heure AS TIMESTAMPTZ)) AS premier_jalon_date
           FROM (${rows}) GROUP BY affaire_id
         )
         SELECT * EXCLUDE (statut),
           date_diff('day', CAST(left(premier_jalon_date, 10) AS DATE),
           CAST(${quoteText(supplier.today())} AS DATE)) AS anciennete_jours
         FROM affaires WHERE ${conditions.join(' AND ')} ORDER BY anciennete_jours DESC,
           affaire_id`,
      ),
    }));
  });
  addPoints(app, supplier);
}

/** A contract is there from its first event to its exit, whose day is left out. */
function addPoints(app: ApiApp, supplier: Supplier): void {
  const schema = {
    tags,
    querystring: pointsQuery,
    response: { 200: csvText, ...unchanged, ...details },
  };
  app.get('/perimetre/pdls.csv', { schema }, (request, reply) => {
    const { jour = supplier.today(), limit } = request.query;
    const day = quoteText(jour);
    return supplier.answer({ request, reply }, [tableId('echine')], async (sql) => {
      const points = await sql.rows<{ pdl: string }>(
        `SELECT DISTINCT pdl FROM (
           SELECT ref_situation_contractuelle, min(pdl) AS pdl
             FROM ${tableId('echine')} GROUP BY ref_situation_contractuelle
           HAVING left(min(date_evenement), 10) <= ${day}
             AND coalesce(left(min(date_evenement)
               FILTER (WHERE evenement IN (${quoteTexts(EXITS)})), 10) > ${day}, true)
         ) ORDER BY pdl LIMIT ${limit}`,
      );
      reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="perimetre_pdls.csv"');
      return `${['pdl', ...points.map(({ pdl }) => pdl)].join('\n')}\n`;
    });
  });
}
