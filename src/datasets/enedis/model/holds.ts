import { makeKeyedTable } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';
import { REGISTERS } from '../flux/registers.ts';
import { MAX_KWH_A_DAY } from './energies.ts';
import { MAX_KWH_A_MONTH } from './months.ts';
import { nameMonths } from './unit-names.ts';

/**
 * Months of contracts that look wrong: not billed before a person has looked at the readings. A
 * unit is a month of a contract under a pseudonym, because its name is kept in records.
 */

const INDEXES = (side: string): string =>
  `concat_ws(', ', ${REGISTERS.map((register) => `'${register} ' || ${side}.index_${register}_kwh`).join(', ')})`;

/** Makes `suspects`: for each month that looks wrong, the periods and readings that make it so. */
const SUSPECTS = `CREATE OR REPLACE TEMP TABLE suspects AS
   WITH lus AS (
     -- Of readings at an event each contract has its own.
     SELECT * FROM chronologie WHERE source IS NOT NULL
   ), mauvaises AS (
     SELECT m.ref_situation_contractuelle AS rsc, m.pdl, m.mois, m.energie_base_kwh AS mois_kwh, e.debut, e.fin, e.nb_jours,
       e.energie_base_kwh AS energie_kwh, e.d_releve_id, e.f_releve_id, e.d_source, e.f_source,
       CASE WHEN e.est_baisse_inconnue THEN 'index en baisse' WHEN e.est_saut THEN 'plus de ${MAX_KWH_A_DAY} kWh par jour'
         ELSE 'plus de ${MAX_KWH_A_MONTH} kWh dans le mois' END AS motif
     FROM mois m JOIN energies e ON e.rsc = m.ref_situation_contractuelle AND e.mois = m.mois
     WHERE m.est_retenu AND (e.est_baisse_inconnue OR e.est_saut OR NOT (m.est_saut OR m.est_baisse_inconnue))
   )
   SELECT w.*, ${INDEXES('d')} AS index_debut, ${INDEXES('f')} AS index_fin
   FROM mauvaises w
   LEFT JOIN lus d ON d.rsc = w.rsc AND d.releve_id = w.d_releve_id AND d.jour = w.debut
   LEFT JOIN lus f ON f.rsc = w.rsc AND f.releve_id = w.f_releve_id AND f.jour = w.fin
   QUALIFY row_number() OVER (PARTITION BY w.rsc, w.debut ORDER BY index_debut, index_fin) = 1`;

const READ = `concat_ws('|', d_releve_id, f_releve_id, index_debut, index_fin)`;

/**
 * Makes `retenus` from the tables of the model: months that look wrong with their pseudonym
 * (`unite`), and a keyed hash of their readings (`preuve`). `ancienne` and `ancienne_preuve` are
 * what earlier versions had in place of these. `others` is a query of the months that look wrong of
 * contracts that are not in the tables of the model.
 */
export async function holdMonths(sql: SqlSession, secret: string, others?: string): Promise<void> {
  await sql.run(SUSPECTS);
  if (others !== undefined) await sql.run(`INSERT INTO suspects BY NAME ${others}`);
  await nameMonths(sql, secret, 'SELECT rsc, mois FROM suspects');
  await makeKeyedTable(sql, secret, {
    table: 'retenus',
    from: '(SELECT r.unite, r.ancienne, s.* FROM suspects s JOIN reperes r ON r.rsc = s.rsc AND r.mois = s.mois)',
    text: `'enedis/preuve/' || ${READ}`,
    columns: (hmac) =>
      `named.*, left(${hmac}, 16) AS preuve, left(sha256(${READ}), 16) AS ancienne_preuve`,
  });
}

/**
 * Applies the table `decisions` (unite, decision) to `mois`: what was accepted is billed, what was
 * rejected never is.
 */
export const DECIDED_MONTHS: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE mois AS
   SELECT m.* REPLACE (m.est_retenu AND d.decision IS DISTINCT FROM 'accept' AS est_retenu),
     r.unite AS unite_retenue,
     CASE d.decision WHEN 'accept' THEN 'acceptée' WHEN 'reject' THEN 'rejetée' END AS decision
   FROM mois m
   LEFT JOIN (SELECT DISTINCT unite, rsc, mois FROM retenus) r
     ON r.rsc = m.ref_situation_contractuelle AND r.mois = m.mois
   LEFT JOIN decisions d ON d.unite = r.unite`,
];
