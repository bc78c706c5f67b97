import { LISSE_SQL } from '../lines/smoothed-line.ts';
import { LINES_SQL } from '../model/billing.ts';

/** Invoice lines with what the distributor measured, over `lignes` and `mois`. */

/** A number as a person writes it: without zeros at its end, and with a decimal comma. */
function told(value: string): string {
  return `replace(regexp_replace(CAST(CAST(${value} AS DECIMAL(18, 3)) AS VARCHAR), '\\.?0+$', ''),
    '.', ',')`;
}

/**
 * What a person should know of a line before it is billed, in French; null where there is nothing.
 */
const MEMO = `nullif(concat_ws(' ; ',
  CASE WHEN ref_situation_contractuelle IS NULL THEN 'ligne sans RSC : non rapprochée'
    WHEN mois IS NULL THEN 'ligne sans mois : non rapprochée'
    WHEN mois_connu IS NULL THEN 'aucun mois ' || mois ||
      ' pour ce contrat dans les flux : quantité inconnue' END,
  CASE WHEN categorie IS NULL OR categorie NOT IN ('Base', 'HP', 'HC', 'Abonnements')
    THEN 'catégorie ' || coalesce('« ' || categorie || ' » ', '') || 'non rapprochée' END,
  memo_puissance,
  CASE WHEN est_lisse
    AND categorie <> 'Abonnements' THEN 'contrat lissé : comparé à l’échéance' END,
  CASE WHEN est_retenu THEN 'mois retenu : à décider avant facturation' END,
  erreur_mois,
  CASE WHEN mois_connu IS NOT NULL AND categorie IN ('Base', 'HP', 'HC')
    AND quantite_enedis IS NULL THEN
    CASE WHEN qualite = 'incalculable' THEN 'mois incalculable : relevé manquant ou incohérent'
      ELSE 'pas de cadran ' || categorie || ' ce mois-ci' END END,
  CASE WHEN qualite = 'estimée' AND categorie <> 'Abonnements' THEN 'index estimé' END,
  CASE WHEN NOT est_brouillon AND NOT est_lisse AND quantite <> quantite_enedis
    THEN 'facturé ' || ${told('quantite')} || ', Enedis ' || ${told('quantite_enedis')} END), '')`;

/**
 * Every line with \`quantite_enedis\`, \`a_facturer\`, \`a_supprimer\` and \`memo\`; none is
 * dropped.
 */
export const RECONCILED_SQL = `
  SELECT id, ref_situation_contractuelle, pdl, mois, categorie, quantite, est_brouillon,
    quantite_enedis, a_facturer, a_supprimer, ${MEMO} AS memo,
    qualite, date_facture, campagne, fichier, fichier_sha256, ligne, reste
  FROM (
    SELECT r.* EXCLUDE (pdl), coalesce(r.pdl, m.pdl) AS pdl, m.mois AS mois_connu, m.qualite,
      m.est_retenu, m.erreur AS erreur_mois, ${LISSE_SQL} AS est_lisse
    FROM (${LINES_SQL}) r
    LEFT JOIN mois m ON m.ref_situation_contractuelle = r.ref_situation_contractuelle
      AND m.mois = r.mois
  )
  ORDER BY mois NULLS FIRST, ref_situation_contractuelle NULLS FIRST, campagne, fichier,
    fichier_sha256, ligne`;
