import { z } from 'zod';
import { tableId } from '../../../datasets/enedis/answers/tables.ts';
import { energyColumn, REGISTERS } from '../../../datasets/enedis/flux/registers.ts';
import { ENTRIES, EXITS } from '../../../datasets/enedis/model/spine-events.ts';
import { PipelineError } from '../../../errors.ts';
import { quoteText, quoteTexts } from '../../../pipelines/sql-text.ts';
import type { AnswerRow } from '../../../pipelines/tables.ts';
import type { SqlSession } from '../../../ports/sql.ts';
import type { ApiApp } from '../../shared/app.ts';
import { asLines, LINES_TYPE, tags } from './frame.ts';
import { startOfDay } from './given.ts';
import type { Supplier } from './supplier.ts';

/**
 * `/facturation/chronologie`: everything that happened to a point or a contract, in the order of
 * time, with what was concluded from it; without amounts, which the months have.
 */

const VERSION = 1;
const [EVENTS, CHRONOLOGY] = [tableId('echine'), tableId('chronologie')];
const [READINGS, ENERGIES] = [tableId('releves'), tableId('energies')];

const id = z.string().min(1).max(64).optional();
const query = z.strictObject({
  pdl: id.describe('All contracts of a point'),
  rsc: id.describe('One contract, from entry to exit'),
  page_size: z.coerce.number().int().min(1).optional().describe('Without effect: nothing is paged'),
});

const fact = {
  date: z.iso.datetime({ offset: true }),
  pdl: z.string().optional(),
  ref_situation_contractuelle: z.string().optional(),
};
const text = z.string().optional();
const whole = z.int().optional();
const byRegister = (name: (register: (typeof REGISTERS)[number]) => string) =>
  Object.fromEntries(REGISTERS.map((register) => [name(register), whole]));

/** A line as the contract of the earlier system has it; members without a value are left out. */
const line = z.discriminatedUnion('type_ligne', [
  z.strictObject({
    type_ligne: z.literal('evenement'),
    ...fact,
    source: z.enum(['flux_C15', 'synthese_mensuelle']),
    type_fait: z.enum(['evenement', 'facturation']),
    evenement_declencheur: z.string(),
    puissance_souscrite_kva: z.number().optional(),
    formule_tarifaire_acheminement: text,
    niveau_ouverture_services: text,
    impacte_abonnement: z.boolean(),
    resume_modification: z.string(),
  }),
  z.strictObject({
    type_ligne: z.literal('releve'),
    ...fact,
    source: z.string(),
    releve_id: z.string(),
    nature_index: text,
    origine_releve: z.enum(['événementiel', 'périodique']),
    ordre_index: z.int(),
    evenement_declencheur: text,
    ...byRegister((register) => `index_${register}_kwh`),
  }),
  z.strictObject({
    type_ligne: z.literal('periode_energie'),
    ...fact,
    debut: z.string(),
    fin: z.string(),
    nb_jours: z.int(),
    qualite: z.enum(['réelle', 'estimée', 'incalculable']),
    statut_communication: z.enum(['communicante', 'non_communicante']),
    ...byRegister(energyColumn),
  }),
]);

/** One point or one contract, which none of them leaves out. */
export function addChronology(app: ApiApp, supplier: Supplier): void {
  const schema = { tags, querystring: query, response: asLines };
  app.get('/facturation/chronologie', { schema }, (request, reply) => {
    const { pdl, rsc } = request.query;
    const where = grainSql(pdl, rsc);
    return supplier.answer(
      { request, reply },
      [EVENTS, CHRONOLOGY, READINGS, ENERGIES],
      async (sql) => {
        const facts = [
          ...(await events(sql, where)),
          ...(await readings(sql, where)),
          ...(await periods(sql, where)),
        ];
        const lines = facts.map((one) => line.parse(withoutNulls(one)));
        // A stable sort: at one instant, events stand before readings, and those before the period
        // that begins.
        lines.sort((a, b) => Date.parse(a.date) - Date.parse(b.date));
        const grain = pdl === undefined ? 'contrat' : 'point';
        reply.type(LINES_TYPE).headers({ 'x-contract-version': VERSION, 'x-grain': grain });
        return lines.map((one) => `${JSON.stringify(one)}\n`).join('');
      },
    );
  });
}

function grainSql(pdl: string | undefined, rsc: string | undefined): string {
  if (pdl !== undefined && rsc === undefined) return `pdl = ${quoteText(pdl)}`;
  if (pdl === undefined && rsc !== undefined)
    return `ref_situation_contractuelle = ${quoteText(rsc)}`;
  throw new PipelineError('INPUT_INVALID', 'un grain est à fournir : pdl (point) ou rsc (contrat)');
}

function withoutNulls(row: AnswerRow): AnswerRow {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

/** Events of the contract and the first of each month, with what changed of power and formula. */
async function events(sql: SqlSession, where: string): Promise<AnswerRow[]> {
  const isBilling = `evenement = 'FACTURATION'`;
  const changed = (column: string): string =>
    `lag(${column}) OVER suite IS NOT NULL AND ${column} IS NOT NULL AND lag(${column}) OVER suite <> ${column}`;
  const told = (column: string, name: string): string =>
    `CASE WHEN ${changed(column)} THEN '${name}: ' || lag(${column})
      OVER suite || ' → ' || ${column} END`;
  return sql.rows<AnswerRow>(
    `SELECT 'evenement' AS type_ligne, date_evenement AS date, pdl, ref_situation_contractuelle,
       CASE WHEN ${isBilling} THEN 'synthese_mensuelle' ELSE 'flux_C15' END AS source,
       CASE WHEN ${isBilling} THEN 'facturation' ELSE 'evenement' END AS type_fait,
         evenement AS evenement_declencheur,
       puissance_souscrite_kva, formule_tarifaire_acheminement, niveau_ouverture_services,
       ${isBilling} OR evenement IN (${quoteTexts([...ENTRIES, ...EXITS])})
         OR coalesce(${changed('puissance_souscrite_kva')}, false)
         OR coalesce(${changed('formule_tarifaire_acheminement')}, false) AS impacte_abonnement,
       concat_ws(', ', ${told('puissance_souscrite_kva', 'P')}, ${told('formule_tarifaire_acheminement', 'FTA')}) AS resume_modification
     FROM ${EVENTS} WHERE ${where}
     WINDOW suite AS (PARTITION BY ref_situation_contractuelle
       ORDER BY CAST(date_evenement AS TIMESTAMPTZ), ${isBilling}, evenement)
     ORDER BY ref_situation_contractuelle, CAST(date_evenement AS TIMESTAMPTZ), ${isBilling},
       evenement`,
  );
}

/** The readings that bound periods. */
async function readings(sql: SqlSession, where: string): Promise<AnswerRow[]> {
  const indexes = REGISTERS.map((register) => `c.index_${register}_kwh`).join(', ');
  return sql.rows<AnswerRow>(
    `SELECT 'releve' AS type_ligne, c.date_releve AS date, c.pdl, c.ref_situation_contractuelle,
      c.source, c.releve_id, c.nature_index,
       CASE WHEN c.source = 'flux_C15' THEN 'événementiel' ELSE 'périodique' END AS origine_releve,
       CAST(c.ordre_index AS INTEGER) AS ordre_index,
       CASE WHEN c.source = 'flux_C15' THEN r.evenement_declencheur END AS evenement_declencheur, ${indexes}
     FROM (SELECT * FROM ${CHRONOLOGY} WHERE ${where} AND releve_id IS NOT NULL) c
     LEFT JOIN ${READINGS} r ON r.releve_id = c.releve_id
       AND r.ref_situation_contractuelle = c.ref_situation_contractuelle
     ORDER BY c.ref_situation_contractuelle, CAST(c.date_releve AS TIMESTAMPTZ), c.ordre_index`,
  );
}

/**
 * Periods of energy with both verdicts, from the instant of one reading to that of another.
 * Communicating is a period whose bounds both are.
 */
async function periods(sql: SqlSession, where: string): Promise<AnswerRow[]> {
  const energies = REGISTERS.map((register) => `e.${energyColumn(register)}`).join(', ');
  const bound = (name: string, day: string, reading: string): string =>
    `LEFT JOIN bornes ${name} ON ${name}.ref_situation_contractuelle = e.ref_situation_contractuelle
       AND ${name}.jour = ${day} AND ${name}.releve_id IS NOT DISTINCT FROM ${reading}`;
  const rows = await sql.rows<AnswerRow>(
    `WITH bornes AS (
       SELECT ref_situation_contractuelle, CAST(left(date_releve, 10) AS DATE) AS jour, releve_id,
         max(date_releve) AS instant,
         coalesce(bool_and(TRY_CAST(niveau_ouverture_services AS INTEGER) >= 1),
         false) AS communique
       FROM ${CHRONOLOGY} WHERE ${where} GROUP BY ALL
     )
     SELECT 'periode_energie' AS type_ligne, e.pdl, e.ref_situation_contractuelle, e.debut,
       d.instant AS depuis, e.fin, f.instant AS jusqu_a,
       e.nb_jours, e.qualite, CASE WHEN d.communique AND f.communique THEN 'communicante'
         ELSE 'non_communicante' END AS statut_communication,
       ${energies}
     FROM (SELECT * FROM ${ENERGIES} WHERE ${where}) e
     ${bound('d', 'e.debut', 'e.d_releve_id')} ${bound('f', 'e.fin', 'e.f_releve_id')}
     ORDER BY e.ref_situation_contractuelle, e.debut, e.fin`,
  );
  return rows.map(({ depuis, jusqu_a: until, ...row }) => {
    const debut = depuis ?? startOfDay(String(row['debut']));
    return { ...row, date: debut, debut, fin: until ?? startOfDay(String(row['fin'])) };
  });
}
