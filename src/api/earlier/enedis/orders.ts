import { z } from 'zod';
import { tableId } from '../../../datasets/enedis/answers/tables.ts';
import { ENERGY_COLUMNS } from '../../../datasets/enedis/flux/registers.ts';
import { calculateTurpe } from '../../../datasets/enedis/model/turpe-calculator.ts';
import { EXITS } from '../../../datasets/enedis/model/spine-events.ts';
import { addDays } from '../../../pipelines/civil-date.ts';
import { quoteTexts } from '../../../pipelines/sql-text.ts';
import type { AnswerRow } from '../../../pipelines/tables.ts';
import type { SqlSession } from '../../../ports/sql.ts';
import type { ApiApp } from '../../shared/app.ts';
import { fluxOf } from './flux.ts';
import { asJson, tags } from './frame.ts';
import { dayInParis, items } from './given.ts';
import type { Supplier } from './supplier.ts';

/**
 * Questions of an ERP about many things at once, by POST: each item is answered, or has its error.
 * Nothing is changed by them.
 */

const VERSION = 1;
const TOLD = { 'x-contract-version': VERSION };
/** Of ten thousand items. */
const BODY_BYTES = 8 * 1024 * 1024;
const MAX_LINES = 10_000;

/** A day, or an instant: without an offset it is that of Paris. */
const begin = z.union([z.iso.date(), z.iso.datetime({ offset: true, local: true })]);

/** Lines may have other members, which are not looked at, as in the earlier system. */
const tariffLine = z.object({
  id: z.string(),
  formule_tarifaire_acheminement: z.string(),
  debut: begin,
  ...Object.fromEntries(ENERGY_COLUMNS.map((column) => [column, z.number().nullish()])),
});

/** `turpe-variable`, `rsc` and `sorties`. */
export function addOrders(app: ApiApp, supplier: Supplier): void {
  const lines = z.strictObject({ lignes: z.array(tariffLine).max(MAX_LINES) });
  const priced = { tags, body: lines, response: asJson };
  app.post(
    '/facturation/turpe-variable',
    { schema: priced, bodyLimit: BODY_BYTES },
    (request, reply) =>
      reply
        .headers(TOLD)
        .send({ contract_version: VERSION, results: request.body.lignes.map(variablePart) }),
  );
  const affairs = { tags, body: z.strictObject({ ids: items }), response: asJson };
  app.post('/facturation/rsc', { schema: affairs, bodyLimit: BODY_BYTES }, (request, reply) => {
    const tables = ['c15', 'x12', 'x13'].map(tableId);
    return supplier.answer({ request, reply }, tables, async (sql) => {
      const results = await contractsOf(supplier, sql, request.body.ids);
      reply.headers(TOLD);
      return { contract_version: VERSION, results };
    });
  });
  const contracts = { tags, body: z.strictObject({ rsc: items }), response: asJson };
  app.post('/perimetre/sorties', { schema: contracts, bodyLimit: BODY_BYTES }, (request, reply) =>
    supplier.answer({ request, reply }, [tableId('echine')], async (sql) => {
      const sorties = await exitsOf(sql, request.body.rsc);
      reply.headers(TOLD);
      return { contract_version: VERSION, sorties };
    }),
  );
}

/**
 * The rate is that of the first day. A register that the formula needs and the line lacks is an
 * error: it is not taken for nothing.
 */
function variablePart(line: z.infer<typeof tariffLine>): Readonly<Record<string, unknown>> {
  const { id, debut: begun, ...rest } = line;
  const debut = dayInParis(begun);
  const answer = calculateTurpe({ ...rest, debut, fin: addDays(debut, 1) });
  if ('erreur' in answer) return { id, error: answer.erreur };
  const { turpe_variable_eur: amount } = answer;
  if (amount === null)
    return { id, error: `${line.formule_tarifaire_acheminement} du ${debut} : aucune énergie` };
  return { id, turpe_variable_eur: Number(amount) };
}

/** The contract of each affair, as its event names it. */
async function contractsOf(
  supplier: Supplier,
  sql: SqlSession,
  ids: readonly string[],
): Promise<AnswerRow[]> {
  if (ids.length === 0) return [];
  const listed = quoteTexts(ids);
  const found = await sql.rows<{ id: string; contracts: string[] }>(
    `SELECT id_affaire AS id, list(DISTINCT ref_situation_contractuelle
      ORDER BY ref_situation_contractuelle) AS contracts
     FROM (${fluxOf(supplier, 'c15').rows})
     WHERE id_affaire IN (${listed}) AND ref_situation_contractuelle IS NOT NULL
       GROUP BY id_affaire`,
  );
  const affairs = await sql.rows<{ id: string }>(
    `SELECT DISTINCT affaire_id AS id FROM (${fluxOf(supplier, 'affaires').rows})
      WHERE affaire_id IN (${listed})`,
  );
  const contracts = new Map(found.map((one) => [one.id, one.contracts]));
  const known = new Set(affairs.map(({ id }) => id));
  return ids.map((id) => {
    const [contract, ...others] = contracts.get(id) ?? [];
    if (contract !== undefined && others.length === 0)
      return { id_affaire: id, ref_situation_contractuelle: contract };
    return { id_affaire: id, error: whyWithout(id, contracts.get(id), known.has(id)) };
  });
}

function whyWithout(
  id: string,
  contracts: readonly string[] | undefined,
  isKnown: boolean,
): string {
  if (contracts !== undefined)
    return `Résolution ambiguë : ${contracts.length} situations contractuelles pour l'affaire ${id} (${contracts.join(', ')}).`;
  if (isKnown)
    return 'Affaire connue (X12, X13) sans situation contractuelle C15 (précurseur en cours ou affaire non contractuelle).';
  return `Affaire inconnue : ${id}`;
}

/** Those of the contracts that have left; on the day of its exit a contract is no longer there. */
async function exitsOf(sql: SqlSession, contracts: readonly string[]): Promise<AnswerRow[]> {
  if (contracts.length === 0) return [];
  return sql.rows<AnswerRow>(
    `SELECT ref_situation_contractuelle, arg_min(pdl, date_evenement) AS pdl,
       arg_min(evenement, date_evenement) AS evenement_declencheur,
         CAST(left(min(date_evenement), 10) AS DATE) AS date_sortie
     FROM ${tableId('echine')}
     WHERE evenement IN (${quoteTexts(EXITS)})
       AND ref_situation_contractuelle IN (${quoteTexts(contracts)})
     GROUP BY ref_situation_contractuelle ORDER BY ref_situation_contractuelle`,
  );
}
