import { R151_SOURCE } from '../flux/r151.ts';
import { REGISTERS } from '../flux/registers.ts';
import { MAX_KWH_A_DAY } from './energies.ts';

/**
 * What is odd in the daily indexes of R151, whether or not a billing month rests on it: indexes
 * that fall or jump, another calendar than the reading before, readings that the distributor
 * doubts, and days without one where a point is usually read every day. An event of C15 in between
 * may explain it.
 */

const LONG = REGISTERS.map(
  (register) => `SELECT pdl, jour, releve_id, calendrier, '${register}' AS registre,
    index_${register}_kwh AS valeur FROM lus
    WHERE index_${register}_kwh IS NOT NULL`,
).join(' UNION ALL ');

/**
 * Makes `anomalies_r151` from `releves` and `evenements`: a row for each oddity of a reading, by
 * register where it is about one.
 */
export const DAILY_ANOMALIES: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE anomalies_r151 AS
   WITH lus AS (
     SELECT *, id_calendrier_distributeur AS calendrier FROM releves WHERE source = '${R151_SOURCE}'
   ), jours AS (
     SELECT pdl, jour, releve_id, calendrier, est_douteux, lag(jour) OVER points AS jour_precedent,
       lag(calendrier) OVER points AS calendrier_precedent
     FROM lus WINDOW points AS (PARTITION BY pdl ORDER BY jour)
   ), suivis AS (
     SELECT pdl FROM jours WHERE jour_precedent IS NOT NULL GROUP BY pdl
       HAVING median(jour - jour_precedent) = 1
   ), ecarts AS (
     SELECT *, valeur - lag(valeur) OVER suite AS ecart, lag(valeur) OVER suite AS precedente,
       lag(jour) OVER suite AS jour_precedent
     FROM (${LONG}) WINDOW suite AS (PARTITION BY pdl, registre ORDER BY jour)
   ), trouvees AS (
     SELECT pdl, jour, releve_id, 'index en baisse' AS anomalie, registre, jour_precedent,
       precedente, valeur, ecart FROM ecarts WHERE ecart < 0
     UNION ALL
     SELECT pdl, jour, releve_id, 'plus de ${MAX_KWH_A_DAY} kWh par jour', registre, jour_precedent,
       precedente, valeur, ecart
     FROM ecarts WHERE ecart > ${MAX_KWH_A_DAY} * (jour - jour_precedent)
     UNION ALL
     SELECT pdl, jour, releve_id, 'autre calendrier', NULL, jour_precedent, NULL, NULL, NULL
       FROM jours
     WHERE jour_precedent IS NOT NULL AND calendrier IS DISTINCT FROM calendrier_precedent
     UNION ALL
     SELECT pdl, jour, releve_id, 'douteux selon le distributeur', NULL, jour_precedent, NULL, NULL,
       NULL FROM jours WHERE est_douteux
     UNION ALL
     SELECT pdl, jour, releve_id, 'jours sans relevé', NULL, jour_precedent, NULL, NULL, NULL
       FROM jours
     WHERE jour - jour_precedent > 1 AND pdl IN (SELECT pdl FROM suivis)
   )
   SELECT t.pdl, strftime(t.jour, '%Y-%m') AS mois, t.jour, t.anomalie, t.registre,
     t.jour_precedent, CAST(t.jour - t.jour_precedent AS INTEGER) AS nb_jours,
     t.precedente AS index_precedent_kwh, t.valeur AS index_kwh, t.ecart AS ecart_kwh, t.releve_id,
     string_agg(DISTINCT e.evenement || ' du ' || e.jour, ', '
       ORDER BY e.evenement || ' du ' || e.jour) AS evenements
   FROM trouvees t LEFT JOIN evenements e ON e.pdl = t.pdl AND e.jour > t.jour_precedent
     AND e.jour <= t.jour
   GROUP BY ALL`,
];
