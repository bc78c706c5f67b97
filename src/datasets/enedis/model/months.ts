import { ENERGY_COLUMNS } from '../flux/registers.ts';
import { acciseCents } from './amounts.ts';
import { WITHOUT_RSC } from './c12.ts';

/**
 * A month of a contract: what it subscribed, what it used, and what the network and the state ask
 * for it.
 */

/** A household uses less in a month. */
export const MAX_KWH_A_MONTH = 10_000;
const HOUSEHOLD_M = 36_000;

/** Sums are there when all of their terms are. */
function wholeSum(column: string): string {
  return `CASE WHEN count(${column}) = count(*) THEN CAST(sum(${column}) AS BIGINT) END`;
}

/**
 * `15 jours à 6kVA, puis le 16/03/2025 : 16 jours à 9kVA`, for a month in which the power changed.
 */
const MEMO = `string_agg(
  CASE WHEN debut = premier_debut THEN '' ELSE 'puis le ' || strftime(debut, '%d/%m/%Y') ||
    ' : ' END
  || nb_jours || ' jours à ' || puissance || 'kVA', ', ' ORDER BY debut) FILTER (WHERE autres > 1)`;

/** `6`, or `36/36/60/60` where a contract has four powers. */
const KVA = (thousandths: string): string =>
  `regexp_replace(CAST(CAST(${thousandths} AS DECIMAL(18, 3)) / 1000 AS VARCHAR), '\\.?0+$', '')`;
const POWER = `coalesce(array_to_string(list_transform(puissances_m, x -> ${KVA('x')}),
  '/'), ${KVA('puissance_m')})`;

/**
 * Makes `mois`, one row per RSC and month. Overruns come from `heures_depassees` (rsc, mois,
 * heures): a formula that bills them needs them, and without them its variable part is not known. A
 * contract that has only one half of a month, power or energy, has the month all the same.
 */
export const MONTHS: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE mois_abonnements AS
   SELECT rsc, min(pdl) AS pdl, mois, min(debut) AS debut, max(fin) AS fin,
     CAST(sum(nb_jours) AS INTEGER) AS nb_jours,
     rounded(sum(puissance_m * nb_jours), sum(nb_jours)) AS puissance_moyenne_m,
       max(puissance_m) AS puissance_max_m,
     ${MEMO} AS memo_puissance, arg_max(fta, debut) AS fta,
     ${wholeSum('fixe_c')} AS fixe_c, bool_or(est_partage) AS est_partage,
     string_agg(DISTINCT erreur, '; ' ORDER BY erreur) AS erreur
   FROM (
     SELECT *, min(debut) OVER du_mois AS premier_debut, count(DISTINCT puissance)
       OVER du_mois AS autres
     FROM (SELECT *, ${POWER} AS puissance FROM abonnements_payes)
       WINDOW du_mois AS (PARTITION BY rsc, mois)
   )
   GROUP BY rsc, mois`,
  `CREATE OR REPLACE TEMP TABLE mois_energies AS
   SELECT rsc, min(pdl) AS pdl,
     mois, ${ENERGY_COLUMNS.map((column) => `${wholeSum(column)} AS ${column}`).join(', ')},
     ${wholeSum('variable_c')} AS variable_c, count(*) AS periodes,
     CASE max(CASE qualite WHEN 'réelle' THEN 0 WHEN 'estimée' THEN 1 ELSE 2 END)
       WHEN 0 THEN 'réelle' WHEN 1 THEN 'estimée' ELSE 'incalculable' END AS qualite,
     bool_and(est_communicante) AS est_communicante,
     bool_or(est_passage_a_zero) AS est_passage_a_zero,
     bool_or(est_partage) AS est_partage, bool_or(est_saut) AS est_saut,
     bool_or(est_baisse_inconnue) AS est_baisse_inconnue,
     bool_or(est_douteux) AS est_douteux, bool_or(releve_manquant) AS releve_manquant,
     string_agg(DISTINCT erreur, '; ' ORDER BY erreur) AS erreur
   FROM energies_payees GROUP BY rsc, mois`,
  `CREATE OR REPLACE TEMP TABLE mois AS
   WITH jointes AS (
     SELECT coalesce(a.rsc, e.rsc) AS rsc, coalesce(a.pdl, e.pdl) AS pdl, coalesce(a.mois, e.mois) AS mois,
       a.debut, a.fin, a.nb_jours, a.puissance_moyenne_m, a.puissance_max_m, a.memo_puissance, a.fta, a.fixe_c,
       ${ENERGY_COLUMNS.map((column) => `e.${column}`).join(', ')}, e.variable_c,
       coalesce(e.qualite, 'incalculable') AS qualite, coalesce(e.est_communicante, false) AS est_communicante,
       coalesce(e.est_passage_a_zero, false) AS est_passage_a_zero, coalesce(e.est_saut, false) AS est_saut,
       coalesce(e.est_baisse_inconnue, false) AS est_baisse_inconnue, coalesce(e.est_douteux, false) AS est_douteux,
       coalesce(e.releve_manquant, true) AS releve_manquant,
       coalesce(a.est_partage, false) OR coalesce(e.est_partage, false) AS est_partage,
       nullif(concat_ws('; ', a.erreur, e.erreur), '') AS erreur_turpe
     FROM mois_abonnements a FULL JOIN mois_energies e ON e.rsc = a.rsc AND e.mois = a.mois
   ), taxees AS (
     SELECT j.*, d.heures, CASE WHEN r.cmdps IS NOT NULL THEN rounded(d.heures_m * r.cmdps, 1000) ELSE 0 END AS depassement_c,
       r.cmdps IS NOT NULL AND d.heures IS NULL AS depassement_manquant,
       CASE WHEN d.heures_m <> 0 AND r.cmdps IS NULL THEN 'pas de tarif de dépassement pour ' || j.fta || ' au ' || j.debut END AS erreur_depassement,
       rounded(j.fixe_c * c.pourcent_c, 10000) AS cta_c,
       CASE WHEN j.fixe_c IS NOT NULL AND c.pourcent_c IS NULL THEN 'pas de taux de CTA au ' || j.debut END AS erreur_cta
     FROM jointes j
     LEFT JOIN (SELECT rsc, mois, heures, CAST(heures * 1000 AS BIGINT) AS heures_m FROM heures_depassees) d
       ON d.rsc = j.rsc AND d.mois = j.mois
     LEFT JOIN turpe_rates r ON r.formule = j.fta AND r.du <= j.debut AND j.debut < r.au
     LEFT JOIN cta_rates c ON c.du <= j.debut AND (c.au IS NULL OR j.debut < c.au)
   )
   SELECT rsc AS ref_situation_contractuelle, pdl, mois, starts_with(rsc, '${WITHOUT_RSC}') AS est_sans_rsc, debut, fin, nb_jours,
     CAST(CAST(puissance_moyenne_m AS DECIMAL(18, 3)) / 1000 AS DECIMAL(18, 3)) AS puissance_moyenne_kva, puissance_max_m,
     CAST(CAST(puissance_max_m AS DECIMAL(18, 3)) / 1000 AS DECIMAL(18, 3)) AS puissance_max_kva, memo_puissance, fta AS formule_tarifaire_acheminement, ${ENERGY_COLUMNS.join(', ')}, heures AS depassement_puissance_h,
     euros(fixe_c) AS turpe_fixe_eur, euros(variable_c) AS turpe_energies_eur, euros(depassement_c) AS turpe_depassement_eur,
     euros(variable_c + depassement_c) AS turpe_variable_eur, euros(cta_c) AS cta_eur,
     qualite, est_communicante, est_passage_a_zero, est_partage, est_douteux, releve_manquant, depassement_manquant, est_baisse_inconnue, est_saut,
     -- Not billed before a person has looked at it.
     est_saut OR est_baisse_inconnue
       OR coalesce(energie_base_kwh > ${MAX_KWH_A_MONTH} AND puissance_max_m <= ${HOUSEHOLD_M}, false) AS est_retenu,
     nullif(concat_ws('; ', erreur_turpe, erreur_depassement, erreur_cta), '') AS erreur
   FROM taxees`,
];

/**
 * The accise of points and months, from rows of `mois`: contracts that a point has in a month are
 * one for the state.
 */
export function acciseSql(months: string): string {
  return `WITH points AS (
     SELECT pdl, mois, ${wholeSum('energie_base_kwh')} AS energie_kwh,
       CAST(max(puissance_max_kva) * 1000 AS BIGINT) AS puissance_m
     FROM ${months} GROUP BY pdl, mois
   )
   SELECT p.pdl, p.mois, p.energie_kwh,
     euros(${acciseCents('p.energie_kwh', 'p.puissance_m')}) AS accise_eur,
     CASE WHEN a.du IS NULL THEN 'pas de taux d’accise pour ' || p.mois
       WHEN p.puissance_m IS NULL THEN 'puissance inconnue en ' || p.mois END AS erreur
   FROM points p
   LEFT JOIN accise_rates a ON a.du <= CAST(p.mois || '-01' AS DATE)
     AND (a.au IS NULL OR CAST(p.mois || '-01' AS DATE) < a.au)`;
}

/** Makes `accise_mois` from `mois`. */
export const ACCISE_MONTHS: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE accise_mois AS ${acciseSql('mois')}`,
];
