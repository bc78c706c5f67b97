import { ENERGY_COLUMNS, energyColumn, FOUR_HOURS, REGISTERS } from '../flux/registers.ts';
import { paidEnergies } from './amounts.ts';
import { MAX_KWH_A_DAY } from './energies.ts';

/**
 * Energies of spans without a reading, estimated. Methods, the first that has something to rest on
 * counts:
 *
 * 1. `entre relevés`: the energy between the last reading before and the first after, by days. The
 *    sum over a gap is what the counter went on.
 * 2. `année précédente`: the same month of the contract one year before, measured, under the same
 *    formula, by days.
 * 3. `R67`: billed energies of the twelve months before, since the contract began, at least half a
 *    year of them, by days.
 *
 * An estimate is no energy of its month until a person accepts it. A counter that fell is not
 * estimated: somebody has to look at it.
 */

/** Fewer billed days are of one season. */
const MIN_BILLED_DAYS = 180;

/** Which registers a row of energies counts under, by those that it has. */
const calendarOf = (alias: string): string =>
  `CASE WHEN ${alias}.t_hph IS NOT NULL OR ${alias}.t_hpb IS NOT NULL THEN 'DI000003'
    WHEN ${alias}.t_hp IS NOT NULL THEN 'DI000002' ELSE 'DI000001' END`;

/**
 * A bound with its reading, or one that no gap may be counted over: an event that should have been
 * read.
 */
const BOUND = `CASE WHEN source IS NOT NULL AND calendrier IS NOT NULL
    THEN {'jour': jour, 'releve_id': releve_id,
    'calendrier': calendrier, ${REGISTERS.map((register) => `'${register}': index_${register}_kwh`).join(', ')}}
  WHEN source IS NOT NULL OR (rsc, instant) IN (SELECT (rsc, instant) FROM bornes_evenement)
    THEN {'jour': jour, 'releve_id': NULL,
    'calendrier': NULL, ${REGISTERS.map((register) => `'${register}': CAST(NULL AS BIGINT)`).join(', ')}} END`;

const BETWEEN_TOTALS = REGISTERS.map(
  (register) => `f_lu.${register} - d_lu.${register} AS t_${register}`,
).join(', ');
const RISES = REGISTERS.map(
  (register) => `coalesce(f_lu.${register} >= d_lu.${register}, true)`,
).join(' AND ');
const OF_MONTH = REGISTERS.map((register) =>
  // The hours of a contract with seasons are sums of the others.
  register === 'hp' || register === 'hc'
    ? `CASE WHEN a.energie_hph_kwh IS NULL THEN a.energie_${register}_kwh END AS t_${register}`
    : register === 'base'
      ? `CASE WHEN coalesce(a.energie_hp_kwh,
        a.energie_hph_kwh) IS NULL THEN a.energie_base_kwh END AS t_base`
      : `a.energie_${register}_kwh AS t_${register}`,
).join(', ');
const BILLED = REGISTERS.map(
  (register) => `CAST(sum(${energyColumn(register)}) AS BIGINT) AS t_${register}`,
).join(', ');

/** By days, so that the parts of a gap add up to it. */
const SHARES = REGISTERS.map(
  (register) =>
    `rounded(t_${register} * (jours_avant + nb_jours), jours) - rounded(t_${register} * jours_avant, jours) AS e_${register}`,
).join(', ');

const TOTAL = `CASE calendrier WHEN 'DI000001' THEN e_base WHEN 'DI000002' THEN e_hp + e_hc WHEN 'DI000003' THEN e_hph + e_hch + e_hpb + e_hcb END`;

/**
 * Makes `estimations`, a row for each span that can be estimated, and `estimations_mois` for months
 * of which every span is known or estimated.
 */
export const ESTIMATES: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE trous AS
   SELECT rsc, pdl, mois, debut, fin, nb_jours, fta FROM energies_payees
   WHERE energie_base_kwh IS NULL AND releve_manquant AND NOT est_baisse_inconnue AND NOT est_perdue
     AND erreur IS NULL`,
  `CREATE OR REPLACE TEMP TABLE entre_releves AS
   WITH bornes AS (
     SELECT rsc, jour, instant, ordre_index, ${BOUND} AS lu FROM chronologie
       WHERE rsc IN (SELECT rsc FROM trous)
   ), suites AS (
     SELECT rsc, lag(jour) OVER suite AS debut, jour AS fin,
       last_value(lu IGNORE NULLS) OVER (suite ROWS BETWEEN UNBOUNDED PRECEDING
         AND 1 PRECEDING) AS d_lu,
       first_value(lu IGNORE NULLS) OVER (suite ROWS BETWEEN CURRENT ROW
         AND UNBOUNDED FOLLOWING) AS f_lu
     FROM bornes WINDOW suite AS (PARTITION BY rsc ORDER BY instant, ordre_index)
   )
   SELECT t.rsc, t.debut, 1 AS rang, 'entre relevés' AS methode,
     'relevés du ' || d_lu.jour || ' et du ' || f_lu.jour AS appui, d_lu.calendrier AS calendrier,
     CAST(f_lu.jour - d_lu.jour AS BIGINT) AS jours,
       CAST(t.debut - d_lu.jour AS BIGINT) AS jours_avant, ${BETWEEN_TOTALS}
   FROM trous t JOIN suites s ON s.rsc = t.rsc AND s.debut = t.debut AND s.fin = t.fin
   WHERE d_lu.calendrier = f_lu.calendrier AND f_lu.jour > d_lu.jour AND (${RISES})`,
  `CREATE OR REPLACE TEMP TABLE annee_precedente AS
   WITH mesures AS (
     SELECT t.rsc, t.debut, a.mois AS appui, CAST(a.nb_jours AS BIGINT) AS jours, ${OF_MONTH}
     FROM trous t JOIN mois a ON a.ref_situation_contractuelle = t.rsc
       AND a.formule_tarifaire_acheminement = t.fta
       AND a.mois = strftime(CAST(t.mois || '-01' AS DATE) - INTERVAL 12 MONTH, '%Y-%m')
     WHERE a.qualite = 'réelle' AND NOT a.est_retenu AND a.nb_jours > 0
   )
   SELECT rsc, debut, 2 AS rang, 'année précédente' AS methode,
     'mois ' || appui AS appui, ${calendarOf('m')} AS calendrier, jours,
     CAST(0 AS BIGINT) AS jours_avant,
     ${REGISTERS.map((register) => `t_${register}`).join(', ')} FROM mesures m`,
  `CREATE OR REPLACE TEMP TABLE selon_r67 AS
   WITH courantes AS (
     SELECT * FROM r67
     QUALIFY row_number() OVER (PARTITION BY pdl, debut, fin ORDER BY archive_timestamp DESC,
       archive DESC, occurrence_id DESC) = 1
   ), sommes AS (
     SELECT t.rsc, t.debut, CAST(sum(CAST(r.fin AS DATE)
       - CAST(r.debut AS DATE)) AS BIGINT) AS jours, min(CAST(r.debut AS DATE)) AS premier,
       max(CAST(r.fin AS DATE)) AS dernier, ${BILLED}
     FROM trous t JOIN contrats c ON c.rsc = t.rsc
     JOIN courantes r ON r.pdl = t.pdl AND r.code_nature IN ('R', 'E', 'C')
       AND CAST(r.fin AS DATE) <= t.debut
       AND CAST(r.debut AS DATE) >= greatest(c.entree, CAST(t.debut - INTERVAL 12 MONTH AS DATE))
     GROUP BY t.rsc, t.debut
   )
   SELECT rsc, debut, 3 AS rang, 'R67' AS methode, 'R67 du ' || premier || ' au ' || dernier || ', '
     || jours || ' jours' AS appui, ${calendarOf('s')} AS calendrier,
     jours, CAST(0 AS BIGINT) AS jours_avant, ${REGISTERS.map((register) => `t_${register}`).join(', ')}
   FROM sommes s WHERE jours >= ${MIN_BILLED_DAYS}`,
  `CREATE OR REPLACE TEMP TABLE estimables AS
   WITH candidates AS (
     SELECT * FROM entre_releves UNION ALL SELECT * FROM annee_precedente UNION ALL
       SELECT * FROM selon_r67
   ), parts AS (
     SELECT t.*, c.* EXCLUDE (rsc, debut), ${SHARES} FROM trous t JOIN candidates c ON c.rsc = t.rsc
       AND c.debut = t.debut
   ), totaux AS (
     SELECT *, ${TOTAL} AS total FROM parts
   )
   SELECT rsc, pdl, mois, debut, fin, nb_jours, fta, methode, appui, total AS energie_base_kwh,
     CASE calendrier WHEN 'DI000002' THEN e_hp
       WHEN 'DI000003' THEN e_hph + e_hpb END AS energie_hp_kwh,
     CASE calendrier WHEN 'DI000002' THEN e_hc
       WHEN 'DI000003' THEN e_hch + e_hcb END AS energie_hc_kwh,
     ${FOUR_HOURS.map((register) => `CASE calendrier WHEN 'DI000003' THEN e_${register} END AS ${energyColumn(register)}`).join(', ')}
   FROM totaux WHERE total BETWEEN 0 AND ${MAX_KWH_A_DAY} * nb_jours
   QUALIFY row_number() OVER (PARTITION BY rsc, debut ORDER BY rang) = 1`,
  paidEnergies('estimables', 'estimables_payees'),
  // One whose registers the formula does not bill is none.
  'CREATE OR REPLACE TEMP TABLE estimations AS SELECT * FROM estimables_payees WHERE erreur IS NULL',
  `CREATE OR REPLACE TEMP TABLE estimations_mois AS
   WITH spans AS (
     SELECT rsc, mois, variable_c,
       NULL AS methode, ${ENERGY_COLUMNS.join(', ')} FROM energies_payees
     WHERE (rsc, debut) NOT IN (SELECT (rsc, debut) FROM estimations)
     UNION ALL
     SELECT rsc, mois, variable_c, methode, ${ENERGY_COLUMNS.join(', ')} FROM estimations
   ), sommes AS (
     SELECT rsc, mois, string_agg(DISTINCT methode, ', ' ORDER BY methode) AS methode,
       CASE WHEN count(variable_c) = count(*) THEN CAST(sum(variable_c) AS BIGINT) END AS variable_c,
       ${ENERGY_COLUMNS.map((column) => `CASE WHEN count(${column}) = count(*) THEN CAST(sum(${column}) AS BIGINT) END AS ${column}`).join(', ')}
     FROM spans GROUP BY rsc, mois HAVING count(methode) > 0
   )
   SELECT s.* FROM sommes s JOIN mois m ON m.ref_situation_contractuelle = s.rsc AND m.mois = s.mois
   WHERE s.energie_base_kwh IS NOT NULL AND m.qualite = 'incalculable' AND NOT m.est_retenu`,
];

/**
 * Applies the table `estimations_decidees` (unite, decision) to `mois`: an accepted estimate is the
 * energy of its month, and says so.
 */
export const ACCEPTED_ESTIMATES = `CREATE OR REPLACE TEMP TABLE mois AS
  WITH acceptees AS (
    SELECT e.* FROM estimations_mois e JOIN estimations_nommees n ON n.rsc = e.rsc
      AND n.mois = e.mois
    JOIN estimations_decidees d ON d.unite = n.unite AND d.decision = 'accept'
  )
  SELECT m.* REPLACE (
      ${ENERGY_COLUMNS.map((column) => `CASE WHEN e.rsc IS NULL THEN m.${column} ELSE e.${column} END AS ${column}`).join(', ')},
      CASE WHEN e.rsc IS NULL THEN m.turpe_energies_eur
        ELSE euros(e.variable_c) END AS turpe_energies_eur,
      CASE WHEN e.rsc IS NULL THEN m.turpe_variable_eur
        ELSE euros(e.variable_c) + m.turpe_depassement_eur END AS turpe_variable_eur,
      CASE WHEN e.rsc IS NULL THEN m.qualite ELSE 'estimée' END AS qualite
    ), e.methode AS methode_estimation
  FROM mois m LEFT JOIN acceptees e ON e.rsc = m.ref_situation_contractuelle AND e.mois = m.mois`;

/**
 * Every estimated span with its month's pseudonym and what was decided of it, null while nobody
 * has.
 */
export const ESTIMATIONS_SQL = `
  SELECT n.unite, e.rsc AS ref_situation_contractuelle, e.pdl, e.mois, e.debut, e.fin, e.nb_jours,
    e.methode AS methode_estimation, e.appui,
    ${ENERGY_COLUMNS.map((column) => `e.${column}`).join(', ')},
    euros(e.variable_c) AS turpe_variable_eur,
    CASE d.decision WHEN 'accept' THEN 'acceptée' WHEN 'reject' THEN 'rejetée' END AS decision
  FROM estimations e
  LEFT JOIN estimations_nommees n ON n.rsc = e.rsc AND n.mois = e.mois
  LEFT JOIN estimations_decidees d ON d.unite = n.unite`;
