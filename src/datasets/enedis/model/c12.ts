import { quoteList } from '../../kit/index.ts';
import { FOUR_POWERS } from '../flux/registers.ts';
import { ENTRIES, EXITS } from './spine-events.ts';

/**
 * Contracts of segments C2 to C4 as C12 has them: four powers from a day on. C12 names no RSC. A
 * point that C15 knows has its powers from here and all else from C15; a point that only C12 knows
 * is a contract under a name of ours.
 */

/** The beginning of the name of a contract that has no RSC. */
export const WITHOUT_RSC = 'C12-';

/** Four powers in thousandths of a kVA; one power for all hours is four times the same. */
const POWERS = `CASE WHEN ${FOUR_POWERS.map((column) => `${column} IS NOT NULL`).join(' AND ')}
     THEN [${FOUR_POWERS.map((column) => `CAST(${column} * 1000 AS BIGINT)`).join(', ')}]
   WHEN puissance_souscrite_base_kva IS NOT NULL
     THEN list_transform([1, 2, 3, 4],
       x -> CAST(puissance_souscrite_base_kva * 1000 AS BIGINT)) END`;

/** Midnight in Paris as our tables write it, whatever the zone of the session. */
const MIDNIGHT = (day: string): string => {
  const at = `timezone('Europe/Paris', CAST(${day} AS TIMESTAMP))`;
  const hours = `date_diff('hour', timezone('UTC', ${at}), timezone('Europe/Paris', ${at}))`;
  return `strftime(${day}, '%Y-%m-%dT00:00:00') || '+0' || ${hours} || ':00'`;
};

const NATURES = `string_split(coalesce(nature_evenement, ''), '+')`;

/**
 * Makes `c12_situations` (point, days `[du, au)`, formula, four powers) and `evenements_c12`: the
 * events of contracts that only C12 knows, in the columns of `evenements`. An event holds from its
 * day, and not before its contract.
 */
export const C12_CONTRACTS: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE c12_situations AS
   WITH lues AS (
     SELECT *, archive_timestamp || '/' || archive || '/' || archive_sha256 AS livraison FROM c12
     WHERE pdl IS NOT NULL AND coalesce(date_evenement, date_debut) IS NOT NULL
   ), datees AS (
     SELECT *, greatest(CAST(coalesce(left(date_evenement, 10), date_debut) AS DATE),
         CAST(coalesce(date_debut, left(date_evenement, 10)) AS DATE)) AS du
     FROM lues QUALIFY livraison = max(livraison) OVER (PARTITION BY document)
   ), connues AS (
     SELECT * FROM datees QUALIFY row_number()
       OVER (PARTITION BY pdl, du ORDER BY livraison DESC, occurrence_id DESC) = 1
   )
   SELECT pdl, du, least(lead(du) OVER (PARTITION BY pdl ORDER BY du),
     CAST(date_fin AS DATE)) AS au, CAST(date_fin AS DATE) AS date_fin,
     formule_tarifaire_acheminement AS fta, ${POWERS} AS puissances_m,
     list_has_any(${NATURES}, ${quoteList(ENTRIES)}) AS est_entree,
     list_has_any(${NATURES}, ${quoteList(EXITS)}) AS est_sortie,
     livraison
   FROM connues`,
  `CREATE OR REPLACE TEMP TABLE evenements_c12 AS
   WITH suites AS (
     -- What a point had before its exit, or after a gap, is another contract.
     SELECT *, est_entree OR coalesce(lag(est_sortie) OVER points, true) OR coalesce(lag(au) OVER points < du, false) AS commence
     FROM c12_situations WHERE pdl NOT IN (SELECT pdl FROM points_c15)
     WINDOW points AS (PARTITION BY pdl ORDER BY du)
   ), contrats AS (
     SELECT *, max(CASE WHEN commence THEN du END) OVER (PARTITION BY pdl ORDER BY du) AS debut,
       lead(du) OVER (PARTITION BY pdl ORDER BY du) AS suivante
     FROM suites
   ), lignes AS (
     SELECT '${WITHOUT_RSC}' || pdl || '-' || strftime(debut, '%Y%m%d') AS rsc, pdl, du AS jour, fta, puissances_m,
       commence AND NOT est_sortie AS est_entree, est_sortie FROM contrats
     UNION ALL
     SELECT '${WITHOUT_RSC}' || pdl || '-' || strftime(debut, '%Y%m%d'), pdl, date_fin, NULL, NULL, false, true
     FROM contrats WHERE date_fin IS NOT NULL AND date_fin > du AND NOT est_sortie AND (suivante IS NULL OR suivante > date_fin)
   )
   SELECT rsc, pdl, ${MIDNIGHT('jour')} AS moment, timezone('Europe/Paris', CAST(jour AS TIMESTAMP)) AS instant, jour, 'C12' AS evenement,
     est_entree, est_sortie, list_max(puissances_m) AS puissance_m, fta, CAST(NULL AS VARCHAR) AS niveau, CAST(NULL AS VARCHAR) AS segment,
     CAST(NULL AS VARCHAR) AS categorie, false AS a_avant, false AS a_apres, false AS change_calendrier, false AS change_cadran,
     1 AS formules, 1 AS puissances
   FROM lignes WHERE jour <= (SELECT max(jour) FROM premiers)`,
];

/**
 * In a spine: a line for each day on which C12 changes the powers of a contract that C15 knows,
 * where C15 has no event of its own.
 */
export const POWER_DAYS = `
  SELECT c.rsc, c.pdl, ${MIDNIGHT('s.du')}, timezone('Europe/Paris', CAST(s.du AS TIMESTAMP)), s.du,
    0, 'C12', false, false, NULL, NULL, NULL, NULL,
    NULL, false, false, false, false
  FROM contrats c JOIN c12_situations s ON s.pdl = c.pdl AND s.du > c.entree
    AND s.du < coalesce(c.sortie, (SELECT max(jour) FROM premiers))
  WHERE NOT EXISTS (SELECT 1 FROM evenements e WHERE e.rsc = c.rsc AND e.jour = s.du)`;
