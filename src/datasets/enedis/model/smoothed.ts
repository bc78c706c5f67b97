import { LISSE_SQL } from '../lines/smoothed-line.ts';

/**
 * Smoothed contracts: the ERP invoices the same quantity each month, and settles with what was
 * measured once a year, or when the contract ends. Which contracts these are the lines of the ERP
 * say (`x_lisse`). All that was invoiced since the first smoothed month counts, a settlement that
 * was invoiced too, so that what is left is what is still to be settled. A year with a month that
 * was not measured, or not invoiced, waits.
 */

/**
 * Makes `lissages`: a row for each contract, month in which it is to be settled, and category, from
 * `lignes`, `mois` and `contrats`.
 */
export const SMOOTHED: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE lignes_postees AS
   SELECT ref_situation_contractuelle AS rsc, mois, categorie,
     CAST(sum(quantite) AS DECIMAL(18, 3)) AS quantite, bool_or(${LISSE_SQL}) AS est_lisse
   FROM lignes
   WHERE NOT est_brouillon AND mois IS NOT NULL AND ref_situation_contractuelle IS NOT NULL
     AND categorie IN ('Base', 'HP', 'HC')
   GROUP BY ALL`,
  `CREATE OR REPLACE TEMP TABLE echeances AS
   WITH lisses AS (
     SELECT rsc, min(mois) AS premier FROM lignes_postees WHERE est_lisse GROUP BY rsc
   ), bornes AS (
     SELECT l.rsc, l.premier, max(m.mois) AS dernier, min(m.pdl) AS pdl,
       strftime(any_value(c.sortie) - INTERVAL 1 DAY, '%Y-%m') AS sortie
     FROM lisses l JOIN mois m ON m.ref_situation_contractuelle = l.rsc LEFT JOIN contrats c
       ON c.rsc = l.rsc
     GROUP BY l.rsc, l.premier
   )
   SELECT DISTINCT rsc, pdl, premier, strftime(jour, '%Y-%m') AS mois FROM bornes,
     generate_series(CAST(premier || '-01' AS DATE) + INTERVAL 11 MONTH,
       CAST(dernier || '-01' AS DATE), INTERVAL 12 MONTH) AS g(jour)
   UNION
   SELECT rsc, pdl, premier, sortie FROM bornes WHERE sortie IS NOT NULL AND sortie >= premier
     AND sortie <= dernier`,
  `CREATE OR REPLACE TEMP TABLE lissages AS
   WITH mois_attendus AS (
     SELECT e.rsc, e.mois AS echeance, strftime(g.jour, '%Y-%m') AS mois FROM echeances e,
       generate_series(CAST(e.premier || '-01' AS DATE), CAST(e.mois || '-01' AS DATE),
         INTERVAL 1 MONTH) AS g(jour)
   ), compares AS (
     SELECT a.rsc, a.echeance, a.mois, l.categorie, l.quantite,
       CASE WHEN m.est_retenu OR m.erreur IS NOT NULL THEN NULL
         ELSE CASE l.categorie WHEN 'Base' THEN m.energie_base_kwh WHEN 'HP' THEN m.energie_hp_kwh
           WHEN 'HC' THEN m.energie_hc_kwh END END AS mesure
     FROM mois_attendus a
     LEFT JOIN lignes_postees l ON l.rsc = a.rsc AND l.mois = a.mois
     LEFT JOIN mois m ON m.ref_situation_contractuelle = a.rsc AND m.mois = a.mois
   ), manques AS (
     SELECT rsc, echeance, CAST(count(DISTINCT mois)
       FILTER (WHERE mesure IS NULL) AS INTEGER) AS mois_manquants FROM compares GROUP BY rsc,
       echeance
   )
   SELECT e.rsc, e.pdl, e.mois, e.premier AS debut_lissage, c.categorie,
     CAST(sum(c.quantite) AS DECIMAL(18, 3)) AS facture,
     CASE WHEN q.mois_manquants = 0 THEN CAST(sum(c.mesure) AS DECIMAL(18, 3)) END AS calcule,
       q.mois_manquants
   FROM echeances e JOIN compares c ON c.rsc = e.rsc AND c.echeance = e.mois
     AND c.categorie IS NOT NULL
   JOIN manques q ON q.rsc = e.rsc AND q.echeance = e.mois
   GROUP BY e.rsc, e.pdl, e.mois, e.premier, c.categorie, q.mois_manquants`,
];

/** The settlements as a table. What nobody accepted is not to be billed. */
export const SMOOTHED_SQL = `
  SELECT n.unite, l.rsc AS ref_situation_contractuelle, l.pdl, l.mois, l.debut_lissage, l.categorie,
    l.facture, l.calcule, l.calcule - l.facture AS ecart,
    l.mois_manquants, CASE d.decision WHEN 'accept' THEN 'acceptée'
      WHEN 'reject' THEN 'rejetée' END AS decision,
    coalesce(d.decision = 'accept' AND l.calcule <> l.facture, false) AS a_facturer
  FROM lissages l LEFT JOIN lissages_nommes n ON n.rsc = l.rsc AND n.mois = l.mois
    LEFT JOIN lissages_decides d ON d.unite = n.unite`;
