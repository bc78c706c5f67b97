import { EVERY_POINT } from '../flux/depassements.ts';

/**
 * Hours over the subscribed power by contract and month, from what the billing team gave. Of
 * several files the newest counts for a contract and month; rows of one file for the same contract
 * and month add up. A row without RSC is of the one contract that its point has in the month.
 */
export const OVERRUNS: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE contrats_du_mois AS
   SELECT DISTINCT rsc, pdl, mois FROM abonnements`,
  `CREATE OR REPLACE TEMP TABLE depassements_lus AS
   WITH alone AS (
     SELECT pdl, mois, any_value(rsc) AS rsc FROM contrats_du_mois GROUP BY pdl, mois
       HAVING count(*) = 1
   ), resolved AS (
     SELECT d.* EXCLUDE (ref_situation_contractuelle),
       coalesce(d.ref_situation_contractuelle, a.rsc) AS rsc,
       archive_timestamp || '/' || archive || '/' || archive_sha256 AS fichier
     FROM depassements d LEFT JOIN alone a ON a.pdl = d.pdl AND a.mois = d.mois
   )
   SELECT rsc, pdl, mois, CAST(heures AS DECIMAL(18, 3)) AS heures, origine, saisi_par, archive,
     archive_timestamp,
     pdl = '${EVERY_POINT}' OR (rsc, mois) IN (SELECT (rsc, mois)
       FROM contrats_du_mois) AS est_rattache
   FROM resolved
   QUALIFY fichier = max(fichier) OVER (PARTITION BY coalesce(rsc, pdl), mois)`,
  `CREATE OR REPLACE TEMP TABLE heures_depassees AS
   WITH own AS (
     SELECT rsc, mois, CAST(sum(heures) AS DECIMAL(18, 3)) AS heures FROM depassements_lus
       WHERE est_rattache AND rsc IS NOT NULL GROUP BY rsc, mois
   )
   SELECT * FROM own
   UNION ALL
   SELECT c.rsc, c.mois, CAST(0 AS DECIMAL(18, 3)) FROM contrats_du_mois c
   WHERE c.mois IN (SELECT mois FROM depassements_lus WHERE pdl = '${EVERY_POINT}')
     AND (c.rsc, c.mois) NOT IN (SELECT (rsc, mois) FROM own)`,
];
