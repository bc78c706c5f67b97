import { z } from 'zod';
import { tableId } from '../../../datasets/enedis/answers/tables.ts';
import { REGISTERS } from '../../../datasets/enedis/flux/registers.ts';
import { acciseRateOf } from '../../../datasets/enedis/rates/taxes.ts';
import { PipelineError } from '../../../errors.ts';
import { definedMembers } from '../../../given.ts';
import { quoteText, quoteTexts } from '../../../pipelines/sql-text.ts';
import type { AnswerRow } from '../../../pipelines/tables.ts';
import type { SqlSession } from '../../../ports/sql.ts';
import type { ApiApp } from '../../shared/app.ts';
import { contentHash } from './content-hash.ts';
import { asLines, LINES_TYPE, tags } from './frame.ts';
import { listed, startOfDay } from './given.ts';
import type { Supplier } from './supplier.ts';

/**
 * `/facturation/meta-periodes`: the months of contracts, with the readings that they stand on, for
 * an ERP that makes its invoices of them.
 */

const VERSION = 3;
const [MONTHS, PERIODS, ENERGIES] = [tableId('mois'), tableId('abonnements'), tableId('energies')];
const [CHRONOLOGY, READINGS] = [tableId('chronologie'), tableId('releves')];

const query = z.strictObject({
  mois: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])(-01)?$/, 'YYYY-MM-01')
    .optional()
    .describe('The first of the month (default: the newest)'),
  rsc: listed.optional(),
  page_size: z.coerce.number().int().min(1).optional().describe('Without effect: nothing is paged'),
});

const amount = z.number().nullable();
const reading = z.object({
  releve_id: z.string(),
  date_releve: z.string(),
  nature_index: z.string().nullable(),
  origine_releve: z.enum(['événementiel', 'périodique']),
  evenement: z.string().optional(),
  famille_cadrans: z.enum(['base', 'hp_hc', '4_cadrans']).optional(),
  ...Object.fromEntries(REGISTERS.map((register) => [`index_${register}_kwh`, z.int().optional()])),
});

/**
 * A line as the contract of the earlier system has it; each is held against it before the first is
 * sent.
 */
const period = z.object({
  ref_situation_contractuelle: z.string(),
  pdl: z.string(),
  mois_annee: z.string(),
  debut: z.string(),
  fin: z.string(),
  nb_jours: z.int(),
  puissance_moyenne_kva: amount,
  formule_tarifaire_acheminement: z.string().nullable(),
  energie_base_kwh: amount,
  energie_hp_kwh: amount,
  energie_hc_kwh: amount,
  turpe_fixe_eur: amount,
  turpe_variable_eur: amount,
  cta_eur: amount,
  taux_accise_eur_mwh: amount,
  has_changement: z.boolean(),
  qualite: z.enum(['réelle', 'estimée', 'incalculable']),
  statut_communication: z.enum(['communicante', 'non_communicante']),
  releves_utilises: z.array(reading),
});

type Period = z.infer<typeof period>;
type Reading = z.infer<typeof reading>;

/**
 * A month that cannot be calculated has its line, without energy or amount; nothing is filled in.
 */
export function addMetaPeriods(app: ApiApp, supplier: Supplier): void {
  const schema = { tags, querystring: query, response: asLines };
  app.get('/facturation/meta-periodes', { schema }, (request, reply) => {
    const { mois, rsc } = request.query;
    const tables = [MONTHS, PERIODS, ENERGIES, CHRONOLOGY, READINGS];
    return supplier.answer({ request, reply }, tables, async (sql) => {
      const month = await monthOf(sql, mois?.slice(0, 7));
      const periods = await periodsOf(sql, month, rsc);
      reply.type(LINES_TYPE).headers({ 'x-contract-version': VERSION, 'x-mois': `${month}-01` });
      return periods
        .map((one) => `${JSON.stringify({ ...one, source_hash: hashOf(one) })}\n`)
        .join('');
    });
  });
}

async function monthOf(sql: SqlSession, asked: string | undefined): Promise<string> {
  const [newest] = await sql.rows<{ mois: string | null }>(
    `SELECT max(mois) AS mois FROM ${MONTHS}`,
  );
  const month = asked ?? newest?.mois ?? undefined;
  if (month === undefined) throw new PipelineError('NOT_FOUND', 'aucun mois n’est connu');
  return month;
}

async function periodsOf(
  sql: SqlSession,
  month: string,
  rsc: readonly string[] | undefined,
): Promise<Period[]> {
  const of = rsc === undefined ? '' : ` AND m.ref_situation_contractuelle IN (${quoteTexts(rsc)})`;
  const parts = (table: string): string =>
    `(SELECT ref_situation_contractuelle, count(*) AS parts
      FROM ${table} WHERE mois = ${quoteText(month)} GROUP BY ALL)`;
  const months = await sql.rows<AnswerRow>(
    `SELECT m.*, coalesce(a.parts, 1) > 1 OR coalesce(e.parts, 0) > 1 AS has_changement
     FROM ${MONTHS} m LEFT JOIN ${parts(PERIODS)} a USING (ref_situation_contractuelle)
       LEFT JOIN ${parts(ENERGIES)} e USING (ref_situation_contractuelle)
     WHERE m.mois = ${quoteText(month)}${of} ORDER BY m.ref_situation_contractuelle`,
  );
  const readings = await readingsOf(sql, month, of);
  return months.map((row) =>
    period.parse(periodOf(row, readings.get(String(row['ref_situation_contractuelle'])))),
  );
}

/**
 * By contract, the readings at the bounds of a month and between them: a month without a quality
 * has none.
 */
async function readingsOf(
  sql: SqlSession,
  month: string,
  of: string,
): Promise<ReadonlyMap<string, Reading[]>> {
  const rows = await sql.rows<AnswerRow>(
    `SELECT c.*, r.evenement_declencheur FROM ${MONTHS} m
     JOIN ${CHRONOLOGY} c ON c.ref_situation_contractuelle = m.ref_situation_contractuelle
       AND c.releve_id IS NOT NULL
       AND left(c.date_releve, 19) BETWEEN CAST(m.debut AS VARCHAR) || 'T00:00:00'
         AND CAST(m.fin AS VARCHAR) || 'T00:00:00'
     LEFT JOIN ${READINGS} r ON r.releve_id = c.releve_id
       AND r.ref_situation_contractuelle = c.ref_situation_contractuelle
     WHERE m.mois = ${quoteText(month)} AND m.qualite IN ('réelle', 'estimée')${of}
     ORDER BY c.ref_situation_contractuelle, c.date_releve, c.ordre_index`,
  );
  const readings = new Map<string, Reading[]>();
  for (const row of rows) {
    const contract = String(row['ref_situation_contractuelle']);
    readings.set(contract, [...(readings.get(contract) ?? []), readingOf(row)]);
  }
  return readings;
}

/** Calendars of the distributor, by what a meter of them counts apart. */
const FAMILIES: Readonly<Record<string, string>> = {
  DI000001: 'base',
  DI000002: 'hp_hc',
  DI000003: '4_cadrans',
};

function readingOf(row: AnswerRow): Reading {
  const isOfEvent = row['source'] === 'flux_C15';
  const indexes = REGISTERS.map((register) => `index_${register}_kwh`).map((name) => [
    name,
    row[name] ?? undefined,
  ]);
  return {
    releve_id: row['releve_id'],
    date_releve: row['date_releve'],
    nature_index: row['nature_index'],
    origine_releve: isOfEvent ? 'événementiel' : 'périodique',
    ...definedMembers({
      evenement: isOfEvent ? (row['evenement_declencheur'] ?? undefined) : undefined,
      famille_cadrans: FAMILIES[String(row['calendrier'])],
      ...Object.fromEntries(indexes),
    }),
  } as Reading;
}

function periodOf(row: AnswerRow, readings: readonly Reading[] | undefined): unknown {
  const [debut, fin] = [String(row['debut']), String(row['fin'])];
  return {
    ...row,
    mois_annee: row['mois'],
    debut: startOfDay(debut),
    fin: startOfDay(fin),
    taux_accise_eur_mwh: acciseRateOf(debut, row['puissance_moyenne_kva'] as number | null),
    statut_communication: row['est_communicante'] === true ? 'communicante' : 'non_communicante',
    releves_utilises: readings ?? [],
  };
}

/**
 * Also of every reading: an index that changes at both bounds leaves the energy as it is, and not
 * the invoice.
 */
function hashOf(one: Period): string {
  const {
    ref_situation_contractuelle: rsc,
    pdl,
    mois_annee: month,
    debut,
    fin,
    nb_jours: days,
  } = one;
  const float = (value: number | null) => ({ float: value });
  return contentHash([
    ...[rsc, pdl, month, debut, fin, days],
    ...[float(one.puissance_moyenne_kva), one.formule_tarifaire_acheminement],
    ...[one.energie_base_kwh, one.energie_hp_kwh, one.energie_hc_kwh].map(float),
    ...[one.turpe_fixe_eur, one.turpe_variable_eur, one.cta_eur, one.taux_accise_eur_mwh].map(
      float,
    ),
    ...[one.has_changement, one.qualite, one.statut_communication, one.releves_utilises],
  ]);
}
