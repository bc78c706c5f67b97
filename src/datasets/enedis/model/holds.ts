import { REGISTERS } from '../flux/registers.ts';
import { MAX_KWH_A_DAY } from './energies.ts';
import { MAX_KWH_A_MONTH } from './months.ts';

/**
 * Months of contracts that look wrong: not billed before a person has looked at the readings. A unit is a month of a contract under a pseudonym, because
 * its name is kept in records.
 */

const INDEXES = (side: string): string =>
  `concat_ws(', ', ${REGISTERS.map((register) => `'${register} ' || ${side}.index_${register}_kwh`).join(', ')})`;

/** SQL of the pseudonym of a month of a contract, `2025-10/113d4158b966`. */
export function unitSql(rsc: string, month: string): string {
  return `${month} || '/' || left(sha256(${rsc} || '|' || ${month}), 12)`;
}

/** Makes `retenus`: for each month that looks wrong, the periods and readings that make it so. */
export const HELD_MONTHS: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE retenus AS
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
   SELECT ${unitSql('w.rsc', 'w.mois')} AS unite, w.*, ${INDEXES('d')} AS index_debut, ${INDEXES('f')} AS index_fin
   FROM mauvaises w
   LEFT JOIN lus d ON d.rsc = w.rsc AND d.releve_id = w.d_releve_id AND d.jour = w.debut
   LEFT JOIN lus f ON f.rsc = w.rsc AND f.releve_id = w.f_releve_id AND f.jour = w.fin
   QUALIFY row_number() OVER (PARTITION BY w.rsc, w.debut ORDER BY index_debut, index_fin) = 1`,
];

/** Applies the table `decisions` (unite, decision) to `mois`: what was accepted is billed, what was rejected never is. */
export const DECIDED_MONTHS: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE mois AS
   SELECT m.* REPLACE (m.est_retenu AND d.decision IS DISTINCT FROM 'accept' AS est_retenu), r.unite AS unite_retenue,
     CASE d.decision WHEN 'accept' THEN 'acceptée' WHEN 'reject' THEN 'rejetée' END AS decision
   FROM mois m
   LEFT JOIN (SELECT DISTINCT unite, rsc, mois FROM retenus) r ON r.rsc = m.ref_situation_contractuelle AND r.mois = m.mois
   LEFT JOIN decisions d ON d.unite = r.unite`,
];
