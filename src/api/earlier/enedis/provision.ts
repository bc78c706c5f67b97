import { z } from 'zod';
import { tableId } from '../../../datasets/enedis/answers/tables.ts';
import { energyColumn, REGISTERS } from '../../../datasets/enedis/flux/registers.ts';
import { PipelineError } from '../../../errors.ts';
import { quoteText } from '../../../pipelines/sql-text.ts';
import type { AnswerRow } from '../../../pipelines/tables.ts';
import type { ApiApp } from '../../shared/app.ts';
import { fluxOf } from './flux.ts';
import { asJson, tags } from './frame.ts';
import type { Supplier } from './supplier.ts';

/**
 * `/provision/estimation`: the energy of an average month of a point, by the billed energies (R67)
 * of the twelve months before today.
 */

const VERSION = 1;
const DAYS_OF_A_MONTH = 30.4375;
const query = z.strictObject({ pdl: z.string().min(1).max(64) });

/** 503 while no file of R67 has come, as in the earlier system. */
export function addProvision(app: ApiApp, supplier: Supplier): void {
  const schema = { tags, querystring: query, response: asJson };
  app.get('/provision/estimation', { schema }, (request, reply) => {
    const { pdl } = request.query;
    const asOf = supplier.today();
    const { rows, tables } = fluxOf(supplier, 'r67');
    return supplier.answer({ request, reply }, tables, async (sql) => {
      const [any] = await sql.rows(`SELECT 1 FROM ${tableId('r67')} LIMIT 1`);
      if (any === undefined) {
        reply.header('x-error-kind', 'precondition');
        throw new PipelineError(
          'STORE_UNAVAILABLE',
          'aucun fichier R67 (M023) n’est arrivé : le demander sur le portail SGE',
        );
      }
      const [estimate] = await sql.rows<AnswerRow>(estimateSql(rows, pdl, asOf));
      reply.header('x-contract-version', VERSION);
      const found = estimate === undefined ? null : estimateOf(estimate);
      return {
        contract_version: VERSION,
        pdl,
        as_of: asOf,
        trouve: found !== null,
        estimation: found,
      };
    });
  });
}

/**
 * Finer registers count only where all periods have them; days that are covered are those that have
 * ended.
 */
function estimateSql(rows: string, pdl: string, asOf: string): string {
  const day = `CAST(${quoteText(asOf)} AS DATE)`;
  const sums = REGISTERS.map((register) => {
    const column = energyColumn(register);
    return `CASE WHEN count(${column}) = count(*) THEN CAST(sum(${column}) AS BIGINT) END AS ${register}`;
  });
  const total = [
    'energie_base_kwh',
    'energie_hp_kwh + energie_hc_kwh',
    FOUR.map(energyColumn).join(' + '),
  ].join(', ');
  return `
  SELECT pdl, CAST(sum(coalesce(${total})) AS BIGINT) AS total, ${sums.join(', ')},
    CAST(min(debut) AS VARCHAR) AS debut, CAST(max(fin) AS VARCHAR) AS fin,
    CAST(coalesce(sum(CAST(fin AS DATE) - CAST(debut AS DATE))
      FILTER (WHERE CAST(fin AS DATE) <= ${day}), 0) AS INTEGER) AS jours,
    date_diff('day', CAST(${day} - INTERVAL 12 MONTH AS DATE), ${day}) AS fenetre,
    count(*) FILTER (WHERE code_nature = 'R') * 2 > count(*) AS est_reelle,
    bool_or(code_nature = 'C') AS regularisee
  FROM (${rows})
  WHERE pdl = ${quoteText(pdl)} AND code_nature IN ('R', 'E', 'C')
    AND CAST(debut AS DATE) >= ${day} - INTERVAL 12 MONTH AND CAST(debut AS DATE) < ${day}
  GROUP BY pdl`;
}

const FOUR = ['hph', 'hch', 'hpb', 'hcb'] as const;

type Energies = Readonly<Record<(typeof REGISTERS)[number], number | null>>;

/** As deep as all periods are: `base` is the total, also where it was not published. */
function energiesOf(row: AnswerRow): { readonly depth: string; readonly energies: Energies } {
  const value = (name: string): number | undefined =>
    (row[name] ?? undefined) as number | undefined;
  const base = value('total') ?? null;
  const none = { hp: null, hc: null, hph: null, hch: null, hpb: null, hcb: null };
  const [hph, hch, hpb, hcb] = FOUR.map(value);
  if (hph !== undefined && hch !== undefined && hpb !== undefined && hcb !== undefined)
    return {
      depth: '4_cadrans',
      energies: { base, hp: hph + hpb, hc: hch + hcb, hph, hch, hpb, hcb },
    };
  const [hp, hc] = [value('hp'), value('hc')];
  if (hp !== undefined && hc !== undefined)
    return { depth: 'hp_hc', energies: { ...none, base, hp, hc } };
  return { depth: 'base', energies: { ...none, base } };
}

function estimateOf(row: AnswerRow): Readonly<Record<string, unknown>> {
  const { depth, energies } = energiesOf(row);
  const [days, needed] = [Number(row['jours']), Number(row['fenetre'])];
  const isMeasured = row['est_reelle'] === true;
  const perMonth = (value: number | null): number | null => (value === null ? null : value / 12);
  return {
    pdl: row['pdl'],
    ...Object.fromEntries(
      REGISTERS.map((register) => [energyColumn(register), energies[register]]),
    ),
    ...Object.fromEntries(
      REGISTERS.map((register) => [
        `energie_${register}_mensuel_kwh`,
        perMonth(energies[register]),
      ]),
    ),
    couverture_debut: String(row['debut']).slice(0, 10),
    couverture_fin: String(row['fin']).slice(0, 10),
    couverture_mois: days / DAYS_OF_A_MONTH,
    couverture_suffisante: days >= needed,
    profondeur_cadran: depth,
    qualite: isMeasured ? 'réelle' : 'estimée',
    presence_regularisation: row['regularisee'],
    signal_alertable: days < needed || !isMeasured,
  };
}
