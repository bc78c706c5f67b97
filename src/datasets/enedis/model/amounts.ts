import { REGISTERS } from '../flux/registers.ts';
import { ACCISE_POWERS_KVA } from '../rates/taxes.ts';

/**
 * The network tariff of subscriptions and energies: every amount in whole cents, rounded once, half
 * away from zero.
 */

const SHARE = 'CAST(least(p.fin, r.au) - greatest(p.debut, r.du) AS INTEGER)';
const OVERLAP = 'r.formule = p.fta AND r.du < p.fin AND r.au > p.debut';

/** The coefficient of a formula for a register; null where the formula does not have it. */
const ENERGY_TERMS = REGISTERS.map(
  (register) => `coalesce(r.c_${register} * p.energie_${register}_kwh, 0)`,
).join(' + ');
const COARSE = REGISTERS.map(
  (register) => `(r.c_${register} IS NOT NULL AND p.energie_${register}_kwh IS NULL)`,
).join(' OR ');

/** One power, or four of them step by step. */
const STEP = (last: number): string => `p.puissances_m[${last}] - p.puissances_m[${last - 1}]`;
const POWER_TERMS = `CASE WHEN r.b2 IS NULL OR p.puissances_m IS NULL THEN r.b1 * p.puissance_m
  ELSE r.b1 * p.puissances_m[1] + r.b2 * (${STEP(2)}) + r.b3 * (${STEP(3)})
    + r.b4 * (${STEP(4)}) END`;

/** What is wrong with a formula at a date, in words of French billing. */
function formulaProblem(date: string): string {
  return `CASE WHEN fta IS NULL THEN 'formule tarifaire inconnue au ' || ${date}
    WHEN NOT EXISTS (SELECT 1 FROM turpe_rates x WHERE x.formule = fta) THEN 'formule ' || fta ||
      ' inconnue au ' || ${date}
    WHEN jours_couverts < nb_jours THEN 'pas de tarif pour ' || fta || ' à partir du '
      || ${date} END`;
}

/**
 * Spans of energy with the variable part of the tariff, or an error: `energies` and tables with its
 * columns, one row for a contract and first day.
 */
export function paidEnergies(from: string, into: string): string {
  return `CREATE OR REPLACE TEMP TABLE ${into} AS
   WITH parts AS (
     SELECT p.rsc, p.debut, CAST(sum(${SHARE}) AS INTEGER) AS jours_couverts, count(*) AS parts,
       bool_or(${COARSE}) AS est_grossiere,
       CAST(sum(rounded((${ENERGY_TERMS}) * ${SHARE}, 100 * p.nb_jours)) AS BIGINT) AS variable_c
     FROM ${from} p JOIN turpe_rates r ON ${OVERLAP}
     GROUP BY p.rsc, p.debut
   ), jointes AS (
     SELECT p.*, coalesce(t.jours_couverts, 0) AS jours_couverts,
       coalesce(t.parts, 0) > 1 AS est_partage,
       coalesce(t.est_grossiere, false) AS est_grossiere, t.variable_c
     FROM ${from} p LEFT JOIN parts t USING (rsc, debut)
   ), jugees AS (
     SELECT *, CASE
       WHEN (SELECT count(*) FROM conflits c WHERE c.rsc = jointes.rsc AND c.jour < jointes.fin) > 0
         THEN 'deux valeurs au même instant avant le ' || fin
       WHEN energie_base_kwh IS NULL THEN NULL
       WHEN ${formulaProblem('debut')} IS NOT NULL THEN ${formulaProblem('debut')}
       WHEN est_grossiere THEN 'énergie plus grossière que ' || fta || ' au ' || debut END AS erreur
     FROM jointes
   )
   SELECT * REPLACE (CASE WHEN erreur IS NULL
     AND energie_base_kwh IS NOT NULL THEN variable_c END AS variable_c) FROM jugees`;
}

/**
 * Makes `abonnements_payes` and `energies_payees`: amounts by span, or an error that names formula
 * and date.
 */
export const AMOUNTS: readonly string[] = [
  // (b·P + cg + cc) / 365 · days, in leap years too; a span over a change of rates is divided. Four
  // powers are billed step by step, where the formula has four coefficients; with one power for all
  // hours the steps are zero.
  `CREATE OR REPLACE TEMP TABLE abonnements_payes AS
   WITH parts AS (
     SELECT p.rsc, p.debut, CAST(sum(${SHARE}) AS INTEGER) AS jours_couverts, count(*) AS parts,
       CAST(sum(rounded((${POWER_TERMS} + r.annuel_c * 1000) * ${SHARE},
       365000)) AS BIGINT) AS fixe_c
     FROM abonnements p JOIN turpe_rates r ON ${OVERLAP}
     GROUP BY p.rsc, p.debut
   ), jointes AS (
     SELECT p.*, coalesce(t.jours_couverts, 0) AS jours_couverts,
       coalesce(t.parts, 0) > 1 AS est_partage, t.fixe_c,
       coalesce(p.puissances_m <> list_sort(p.puissances_m), false) AS baissent
     FROM abonnements p LEFT JOIN parts t USING (rsc, debut)
   ), jugees AS (
     SELECT *, CASE WHEN (SELECT count(*) FROM conflits c WHERE c.rsc = jointes.rsc
       AND c.jour < jointes.fin) > 0
         THEN 'deux valeurs au même instant avant le ' || fin
       WHEN baissent THEN 'puissances en baisse de hph à hcb au ' || debut
       WHEN puissance_m IS NULL THEN 'puissance souscrite inconnue au ' || debut
       ELSE ${formulaProblem('debut')} END AS erreur
     FROM jointes
   )
   SELECT * REPLACE (CASE WHEN erreur IS NULL THEN fixe_c END AS fixe_c) FROM jugees`,
  paidEnergies('energies', 'energies_payees'),
];

/** The accise in cents for kWh and a power: rounded(kWh / 1000 · rate). */
export function acciseCents(kwh: string, power: string): string {
  const [small, middle] = ACCISE_POWERS_KVA;
  const rate = `CASE WHEN ${power} <= ${small}000 THEN a.jusqu_a_${small}_c
    WHEN ${power} <= ${middle}000 THEN a.jusqu_a_${middle}_c
    ELSE a.au_dela_c END`;
  return `rounded(${kwh} * (${rate}), 1000)`;
}
