import { INVOICED_ACCISE_SQL } from '../model/billing.ts';
import { ACCISE_POWERS_KVA } from '../rates/taxes.ts';

/**
 * Taxes of a point and month: the accise of what was invoiced (lines that are no drafts), beside
 * that of what was measured, and the CTA. What is declared is what was invoiced; the measured
 * energy is there to compare.
 */

const POWERS = `SELECT pdl, mois, CAST(CAST(max(puissance_max_m) AS DECIMAL(18,
  3)) / 1000 AS DECIMAL(18, 3)) AS kva FROM mois GROUP BY pdl, mois`;

/**
 * Makes `lignes_facturees` from `lignes` and `mois`. An invoice without a date is of the 5th after
 * its month.
 */
export const INVOICED_LINES_SQL = `
  CREATE OR REPLACE TEMP TABLE lignes_facturees AS
  WITH points AS (SELECT ref_situation_contractuelle AS rsc, min(pdl) AS pdl FROM mois
    GROUP BY ALL),
  puissances AS (${POWERS})
  SELECT coalesce(l.pdl, p.pdl) AS pdl, CAST(l.mois || '-05' AS DATE) + INTERVAL 1
    MONTH AS date_facture, l.categorie,
    l.quantite AS quantite_kwh, k.kva AS puissance_kva
  FROM lignes l
  LEFT JOIN points p ON p.rsc = l.ref_situation_contractuelle
  LEFT JOIN puissances k ON k.pdl = coalesce(l.pdl, p.pdl) AND k.mois = l.mois
  WHERE NOT l.est_brouillon AND l.mois IS NOT NULL`;

/** The rate of a power at a month, in hundredths of a euro per MWh. */
function rateOf(power: string): string {
  const [small, middle] = ACCISE_POWERS_KVA;
  return `CASE WHEN ${power} <= ${small} THEN r.jusqu_a_${small}_c
    WHEN ${power} <= ${middle} THEN r.jusqu_a_${middle}_c
    WHEN ${power} IS NOT NULL THEN r.au_dela_c END`;
}

const AT = (alias: string, month: string): string =>
  `${alias}.du <= CAST(${month} || '-01' AS DATE)
    AND (${alias}.au IS NULL OR CAST(${month} || '-01' AS DATE) < ${alias}.au)`;

/**
 * One row per point and month, over `mois`, `accise_mois`, `lignes_facturees` and the tables of
 * rates.
 */
export const TAXES_SQL = `
  WITH facturees AS (SELECT * FROM (${INVOICED_ACCISE_SQL})),
  fixes AS (
    SELECT pdl, mois, CAST(sum(turpe_fixe_eur) AS DECIMAL(18, 2)) AS turpe_fixe_eur,
      CAST(sum(cta_eur) AS DECIMAL(18, 2)) AS cta_eur, min(debut) AS debut
    FROM mois GROUP BY pdl, mois
  ), puissances AS (${POWERS}),
  lignes AS (
    SELECT coalesce(f.pdl, x.pdl, a.pdl) AS pdl, coalesce(f.mois, x.mois, a.mois) AS mois,
      f.energie_kwh AS energie_facturee_kwh, f.accise_eur AS accise_facturee_eur,
      a.energie_kwh AS energie_mesuree_kwh, a.accise_eur AS accise_mesuree_eur,
      x.turpe_fixe_eur, x.cta_eur, x.debut,
      nullif(concat_ws(' ; ', f.erreur, a.erreur), '') AS erreur
    FROM facturees f
    FULL JOIN fixes x ON x.pdl = f.pdl AND x.mois = f.mois
    FULL JOIN accise_mois a ON a.pdl = coalesce(f.pdl, x.pdl) AND a.mois = coalesce(f.mois, x.mois)
  )
  SELECT left(l.mois, 4) || '-T' || ((CAST(right(l.mois, 2) AS INTEGER) + 2) // 3) AS trimestre,
    l.mois, l.pdl, k.kva AS puissance_souscrite_kva,
    CAST(CAST(${rateOf('k.kva')} AS DECIMAL(18, 2)) / 100 AS DECIMAL(18, 2)) AS taux_accise_eur_mwh,
    l.energie_facturee_kwh, l.accise_facturee_eur, l.energie_mesuree_kwh, l.accise_mesuree_eur,
    CAST(CAST(c.pourcent_c AS DECIMAL(18, 2)) / 100 AS DECIMAL(18, 2)) AS taux_cta_pourcent,
      l.turpe_fixe_eur, l.cta_eur, l.erreur
  FROM lignes l
  LEFT JOIN puissances k ON k.pdl = l.pdl AND k.mois = l.mois
  LEFT JOIN accise_rates r ON ${AT('r', 'l.mois')}
  LEFT JOIN cta_rates c ON c.du <= coalesce(l.debut, CAST(l.mois || '-01' AS DATE))
    AND (c.au IS NULL OR coalesce(l.debut, CAST(l.mois || '-01' AS DATE)) < c.au)
  ORDER BY l.mois, l.pdl`;
