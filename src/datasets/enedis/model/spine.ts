import { quoteTexts } from '../../kit/index.ts';
import { REGISTERS } from '../flux/registers.ts';
import { POWER_DAYS } from './c12.ts';
import { BILLED, ENTRIES, EXITS, FIRST_KEPT } from './spine-events.ts';

/**
 * The spine of a contract (one RSC): its events, and FACTURATION at the first of each month between
 * entry and exit.
 */

/** Another index on one side than on the other, a register that appears or disappears included. */
const OTHER_REGISTERS = REGISTERS.map(
  (register) => `avant_index_${register}_kwh IS DISTINCT FROM apres_index_${register}_kwh`,
).join(' OR ');

const SIDE = (side: string): string =>
  `coalesce(${REGISTERS.map((register) => `${side}_index_${register}_kwh`).join(', ')}) IS NOT NULL`;

const LAST_KNOWN = ['puissance_m', 'fta', 'niveau', 'pdl', 'segment', 'categorie']
  .map((name) => `last_value(${name} IGNORE NULLS) OVER jusqu_ici AS ${name}`)
  .join(', ');

/**
 * Makes `evenements`, `conflits` and `contrats` (entry and exit of each) from `c15_current`,
 * `evenements_c12` and `premiers`.
 */
export const CONTRACTS: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE evenements AS
   SELECT ref_situation_contractuelle AS rsc, min(pdl) AS pdl, date_evenement AS moment,
     CAST(date_evenement AS TIMESTAMPTZ) AS instant, CAST(left(date_evenement, 10) AS DATE) AS jour,
     string_agg(DISTINCT evenement_declencheur, '+' ORDER BY evenement_declencheur) AS evenement,
     bool_or(evenement_declencheur IN (${quoteTexts(ENTRIES)})) AS est_entree,
     bool_or(evenement_declencheur IN (${quoteTexts(EXITS)})) AS est_sortie,
     CAST(max(CAST(puissance_souscrite_kva AS DECIMAL(18, 3))) * 1000 AS BIGINT) AS puissance_m,
     max(formule_tarifaire_acheminement) AS fta, max(niveau_ouverture_services) AS niveau,
     max(segment_clientele) AS segment, max(categorie) AS categorie,
     bool_or(${SIDE('avant')}) AS a_avant, bool_or(${SIDE('apres')}) AS a_apres,
     bool_or(${SIDE('avant')} AND ${SIDE('apres')}
       AND avant_id_calendrier_distributeur IS DISTINCT FROM apres_id_calendrier_distributeur) AS change_calendrier,
     bool_or(${SIDE('avant')} AND ${SIDE('apres')} AND (${OTHER_REGISTERS})) AS change_cadran,
     count(DISTINCT formule_tarifaire_acheminement) AS formules,
     count(DISTINCT puissance_souscrite_kva) AS puissances
   FROM c15_current
   WHERE ref_situation_contractuelle IS NOT NULL AND date_evenement IS NOT NULL
     AND left(date_evenement, 10) <= (SELECT CAST(max(jour) AS VARCHAR) FROM premiers)
   GROUP BY ref_situation_contractuelle, date_evenement
   UNION ALL BY NAME SELECT * FROM evenements_c12`,
  // Which of two values holds at one instant nobody can tell: the contract is not billed from there
  // on.
  `CREATE OR REPLACE TEMP TABLE conflits AS
   SELECT rsc, pdl, moment, jour, formules, puissances FROM evenements WHERE formules > 1
     OR puissances > 1`,
  `CREATE OR REPLACE TEMP TABLE contrats AS
   SELECT rsc, min(pdl) AS pdl, coalesce(min(jour) FILTER (WHERE est_entree), min(jour)) AS entree,
     min(jour) FILTER (WHERE est_sortie) AS sortie
   FROM evenements GROUP BY rsc`,
];

/**
 * Makes `evenements`, `conflits` and `echine` from `c15_current` and the table `premiers` (jour,
 * moment): the firsts of all months up to the horizon. Powers are in thousandths of a kVA;
 * `puissances_m` are the four of C12, where it has them for the contract's present power.
 */
export const SPINE: readonly string[] = [
  ...CONTRACTS,
  `CREATE OR REPLACE TEMP TABLE echine AS
   WITH lignes AS (
     SELECT rsc, pdl, moment, instant, jour, 0 AS rang, evenement, est_entree, est_sortie, puissance_m, fta, niveau, segment, categorie,
       a_avant, a_apres, change_calendrier, change_cadran FROM evenements
     UNION ALL
     SELECT c.rsc, c.pdl, p.moment, CAST(p.moment AS TIMESTAMPTZ), p.jour, 1, '${BILLED}', false, false, NULL, NULL, NULL, NULL, NULL,
       false, false, false, false
     FROM contrats c JOIN premiers p
       ON p.jour > date_trunc('month', c.entree) AND p.jour <= coalesce(date_trunc('month', c.sortie), p.jour)
     UNION ALL
     ${POWER_DAYS}
   ), remplies AS (
     SELECT * REPLACE (${LAST_KNOWN})
     FROM lignes
     WINDOW jusqu_ici AS (PARTITION BY rsc ORDER BY instant, rang ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
   ), changees AS (
     SELECT *, puissance_m IS DISTINCT FROM lag(puissance_m) OVER suite AS change
     FROM remplies WINDOW suite AS (PARTITION BY rsc ORDER BY instant, rang)
   ), datees AS (
     SELECT * EXCLUDE (change), last_value(CASE WHEN change THEN jour END IGNORE NULLS) OVER jusqu_ici AS puissance_depuis
     FROM changees WINDOW jusqu_ici AS (PARTITION BY rsc ORDER BY instant, rang ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
   ), puissantes AS (
     -- A power that C15 changed later than C12 did replaces all four; of the four the highest is the power of means and of the accise.
     SELECT d.* REPLACE (coalesce(list_max(s.puissances_m), d.puissance_m) AS puissance_m), s.puissances_m FROM datees d
     LEFT JOIN c12_situations s ON s.pdl = d.pdl AND s.du <= d.jour AND d.jour < coalesce(s.au, d.jour + 1) AND s.du >= d.puissance_depuis
   )
   SELECT *,
     fta IS DISTINCT FROM lag(fta) OVER suite AND lag(rang) OVER suite IS NOT NULL AS change_fta,
     (puissance_m IS DISTINCT FROM lag(puissance_m) OVER suite OR puissances_m IS DISTINCT FROM lag(puissances_m) OVER suite) AND lag(rang) OVER suite IS NOT NULL AS change_puissance
   FROM puissantes
   WINDOW suite AS (PARTITION BY rsc ORDER BY instant, rang)`,
];

/**
 * Makes `abonnements`: spans of one power and formula, cut at the first of each month; the values
 * are those of the event that opens them.
 */
export const SUBSCRIPTIONS: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE abonnements AS
   WITH coupures AS (
     SELECT * FROM echine WHERE rang = 1 OR est_entree OR est_sortie OR change_fta OR change_puissance
       OR (rsc, instant) IN (SELECT (rsc, min(instant)) FROM echine GROUP BY rsc)
   ), bornes AS (
     SELECT *, lead(jour) OVER suite AS fin,
       -- Nothing opens again after an exit.
       coalesce(bool_or(est_sortie) OVER (suite ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), false) AS est_sorti
     FROM coupures WINDOW suite AS (PARTITION BY rsc ORDER BY instant, rang)
   )
   SELECT rsc, pdl, strftime(jour, '%Y-%m') AS mois, jour AS debut, fin, CAST(fin - jour AS INTEGER) AS nb_jours,
     fta, puissance_m, puissances_m, niveau
   FROM bornes WHERE fin IS NOT NULL AND fin > jour AND NOT est_sorti AND jour >= ${FIRST_KEPT}`,
];
