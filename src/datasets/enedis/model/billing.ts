import { energyColumn, REGISTERS } from '../flux/registers.ts';
import { acciseCents } from './amounts.ts';

/**
 * What billing asks of the model: lines of invoices with their quantities, the accise of what was
 * invoiced, provisions, open affairs and exits. Each is a query over the tables named in it.
 */

/**
 * Invoice lines with the distributor's quantities, over `lignes` and `mois`; a line is never
 * dropped. A month that is held or has an error is not billed. Columns of `lignes`:
 * ref_situation_contractuelle, mois, categorie (Base, HP, HC, Abonnements), quantite, est_brouillon
 * and any others.
 */
export const LINES_SQL = `
  SELECT l.*, q.quantite_enedis,
    coalesce(l.est_brouillon AND q.quantite_enedis > 0 AND NOT m.est_retenu AND m.erreur IS NULL,
    false) AS a_facturer,
    coalesce(l.est_brouillon AND q.quantite_enedis = 0, false) AS a_supprimer, m.memo_puissance
  FROM lignes l
  LEFT JOIN mois m ON m.ref_situation_contractuelle = l.ref_situation_contractuelle
    AND m.mois = l.mois
  LEFT JOIN LATERAL (SELECT CASE l.categorie WHEN 'Base' THEN m.energie_base_kwh
    WHEN 'HP' THEN m.energie_hp_kwh
    WHEN 'HC' THEN m.energie_hc_kwh WHEN 'Abonnements' THEN m.nb_jours END AS quantite_enedis) q
      ON true`;

/**
 * The accise of what was invoiced, over `lignes_facturees` (pdl, date_facture, categorie,
 * quantite_kwh, puissance_kva): the month is the one before the invoice's, amounts per point and
 * month are signed, quarters are \`YYYY-TN\`.
 */
export const INVOICED_ACCISE_SQL = `
  WITH mensuelles AS (
    SELECT pdl, strftime(date_trunc('month', date_facture) - INTERVAL 1 MONTH, '%Y-%m') AS mois,
      CAST(sum(quantite_kwh) AS BIGINT) AS energie_kwh,
      CAST(max(puissance_kva) * 1000 AS BIGINT) AS puissance_m
    FROM lignes_facturees WHERE categorie IN ('Base', 'HP', 'HC') GROUP BY ALL
  )
  SELECT p.pdl, p.mois, left(p.mois, 4) || '-T' ||
    ((CAST(right(p.mois, 2) AS INTEGER) + 2) // 3) AS trimestre, p.energie_kwh,
    euros(${acciseCents('p.energie_kwh', 'p.puissance_m')}) AS accise_eur,
    CASE WHEN a.du IS NULL THEN 'pas de taux d’accise pour ' || p.mois END AS erreur
  FROM mensuelles p
  LEFT JOIN accise_rates a ON a.du <= CAST(p.mois || '-01' AS DATE)
    AND (a.au IS NULL OR CAST(p.mois || '-01' AS DATE) < a.au)
  ORDER BY p.pdl, p.mois`;

/**
 * The energy of an average month, over `r67` (the newest archive of a period counts).
 *
 * @param asOf a literal: energies that begin in the twelve months before it count, and what ended
 * by then is covered
 */
export function provisionSql(asOf: string): string {
  const day = `CAST(${asOf} AS DATE)`;
  const sums = REGISTERS.map(
    (register) => `CAST(sum(${energyColumn(register)}) AS BIGINT) AS ${register}`,
  ).join(', ');
  return `
  WITH periodes AS (
    SELECT * FROM r67
    WHERE CAST(debut AS DATE) >= ${day} - INTERVAL 12 MONTH AND CAST(debut AS DATE) < ${day}
    QUALIFY row_number() OVER (PARTITION BY pdl, debut, fin ORDER BY archive_timestamp DESC,
      archive DESC, occurrence_id DESC) = 1
  ), points AS (
    SELECT pdl, ${sums},
      coalesce(sum(CAST(fin AS DATE) - CAST(debut AS DATE))
        FILTER (WHERE CAST(fin AS DATE) <= ${day}), 0) AS jours_couverts,
      count(*) FILTER (WHERE code_nature = 'R') * 2 > count(*) AS est_reelle
    FROM periodes WHERE code_nature IN ('R', 'E', 'C') GROUP BY pdl
  ), totaux AS (
    SELECT *, coalesce(base, hp + hc, hph + hch + hpb + hcb) AS total,
      jours_couverts >= date_diff('day', CAST(${day} - INTERVAL 12
        MONTH AS DATE), ${day}) AS est_couverte
    FROM points
  )
  SELECT pdl, ${REGISTERS.map((name) => `CAST(CAST(${name} AS DECIMAL(18, 3)) / 12 AS DECIMAL(18, 3)) AS mensuel_${name}_kwh`).join(', ')},
    CAST(CAST(total AS DECIMAL(18, 3)) / 12 AS DECIMAL(18, 3)) AS mensuel_kwh,
      CAST(jours_couverts AS INTEGER) AS jours_couverts, est_couverte,
    CASE WHEN est_reelle THEN 'réelle' ELSE 'estimée' END AS qualite, NOT est_couverte
      OR NOT est_reelle AS est_alerte
  FROM totaux ORDER BY pdl`;
}

/**
 * Open affairs with their last state, over \`affaires\` (the rows of X12 and X13 together; files
 * are cumulative, the newest counts).
 *
 * @param asOf a literal: the age is in whole days until then
 */
export function openAffairsSql(asOf: string): string {
  return `
  WITH jalons AS (
    SELECT * FROM affaires
    QUALIFY row_number() OVER (PARTITION BY id_affaire, num ORDER BY archive_timestamp DESC,
      archive DESC, occurrence_id DESC) = 1
  ), dernieres AS (
    SELECT id_affaire, arg_max(statut, num) AS statut, arg_max(pdl, num) AS pdl,
      arg_max(prestation, num) AS prestation,
      arg_max(sens, num) AS sens, arg_max(affaire_etat, num) AS etat,
        arg_max(affaire_date_effet, num) AS date_effet,
      min(CAST(left(date_heure, 10) AS DATE)) AS debut
    FROM jalons GROUP BY id_affaire
  )
  SELECT id_affaire, pdl, sens, prestation, etat, date_effet, debut,
    date_diff('day', debut, CAST(${asOf} AS DATE)) AS age_jours
  FROM dernieres
  WHERE coalesce(statut, '') IN ('COURS', '') AND prestation IS DISTINCT FROM 'AME'
  ORDER BY id_affaire`;
}

/**
 * The points that a supplier has on a day, over \`evenements\`: a contract is from its first event
 * to its exit, the day of the exit left out.
 *
 * @param day a literal
 */
export function perimeterSql(day: string): string {
  return `
  SELECT rsc AS ref_situation_contractuelle, min(pdl) AS pdl, min(jour) AS debut, min(jour)
    FILTER (WHERE est_sortie) AS fin
  FROM evenements GROUP BY rsc
  HAVING min(jour) <= CAST(${day} AS DATE)
    AND coalesce(min(jour) FILTER (WHERE est_sortie) > CAST(${day} AS DATE), true)
  ORDER BY rsc`;
}
