import { R151_SOURCE } from '../flux/r151.ts';
import { R64_SOURCE, STAGES_OF_R64 } from '../flux/r64.ts';
import { quoteTexts } from '../../kit/index.ts';
import { REGISTERS } from '../flux/registers.ts';
import { EXITS, FIRST_KEPT } from './spine-events.ts';

/**
 * Readings: one row per index reading of C15 (each side of an event), R64 and R151. A reading is
 * known by its id AND its RSC: the same point read on the same day belongs to two contracts when
 * one follows the other.
 */

const C15_SOURCE = 'flux_C15';

/**
 * Of documents of one name the newest archive counts; an archive that came twice with other bytes
 * is one of two names in this order.
 */
export const NEWEST_DOCUMENT = `archive_timestamp || '/' || archive || '/' || archive_sha256`;

/** The rows of the newest delivery of each document. */
function current(table: string): string {
  return `CREATE OR REPLACE TEMP TABLE ${table}_current AS
    SELECT * FROM ${table} QUALIFY ${NEWEST_DOCUMENT} = max(${NEWEST_DOCUMENT})
      OVER (PARTITION BY document)`;
}

function indexes(prefix: string): string {
  return REGISTERS.map(
    (register) => `CAST(${prefix}${register}_kwh AS BIGINT) AS index_${register}_kwh`,
  ).join(', ');
}

function side(name: 'avant' | 'apres', isAfter: boolean): string {
  const has = REGISTERS.map((register) => `${name}_index_${register}_kwh`).join(', ');
  return `SELECT
      left(md5('${C15_SOURCE}|' || pdl || '|' || replace(left(date_evenement, 19), 'T', ' ') ||
        '|${isAfter}'), 16) AS releve_id,
      pdl, date_evenement AS date_releve, ${isAfter} AS ordre_index, '${C15_SOURCE}' AS source,
      CASE ${name}_nature_index WHEN 'REEL' THEN 'réel' ELSE 'estimé' END AS nature_index,
      ref_situation_contractuelle, formule_tarifaire_acheminement, niveau_ouverture_services,
      evenement_declencheur,
      ${name}_id_calendrier_distributeur AS id_calendrier_distributeur,
      CAST(${name}_nb_chiffres_cadran AS INTEGER) AS nb_chiffres_cadran,
      false AS est_douteux, ${indexes(`${name}_index_`)}, ${NEWEST_DOCUMENT} AS livraison,
      occurrence_id
    FROM c15_current WHERE coalesce(${has}) IS NOT NULL AND date_evenement IS NOT NULL`;
}

function meterReading(table: string, source: string, isDoubted: string): string {
  return `SELECT releve_id, pdl, date_releve, false AS ordre_index, '${source}' AS source,
    nature_index,
      CAST(NULL AS VARCHAR) AS ref_situation_contractuelle,
      CAST(NULL AS VARCHAR) AS formule_tarifaire_acheminement,
      CAST(NULL AS VARCHAR) AS niveau_ouverture_services,
      CAST(NULL AS VARCHAR) AS evenement_declencheur,
      id_calendrier_distributeur,
      CAST(NULL AS INTEGER) AS nb_chiffres_cadran, ${isDoubted} AS est_douteux, ${indexes('index_')},
      ${NEWEST_DOCUMENT} AS livraison, occurrence_id`;
}

/** The place of a reading of R64 among those of its day: what is most final first. */
export const STAGE_RANK = `CASE etape_metier ${STAGES_OF_R64.map((stage, rank) => `WHEN '${stage}' THEN ${rank}`).join(' ')} ELSE 9 END`;

/**
 * Makes `points_c15`, and `c15_current`: the rows of C15 that count. A contract that ended before
 * the first month is not shown, although the file of a day may hold its events for the sake of
 * others.
 */
export const EVENTS_READ: readonly string[] = [
  current('c15'),
  'CREATE OR REPLACE TEMP TABLE points_c15 AS SELECT DISTINCT pdl FROM c15_current WHERE pdl IS NOT NULL',
  `DELETE FROM c15_current WHERE ref_situation_contractuelle IN (
     SELECT ref_situation_contractuelle FROM c15_current
       WHERE evenement_declencheur IN (${quoteTexts(EXITS)})
     GROUP BY ref_situation_contractuelle
       HAVING CAST(left(min(date_evenement), 10) AS DATE) < ${FIRST_KEPT})`,
];

/**
 * Makes `c15_current`, `r151_current`, `r64_current` and `releves` from the linear tables `c15`,
 * `r151` and `r64`.
 */
export const READINGS: readonly string[] = [
  ...EVENTS_READ,
  current('r151'),
  current('r64'),
  `CREATE OR REPLACE TEMP TABLE releves AS
   WITH tous AS (
     SELECT *, 0 AS rang FROM (${side('avant', false)}) UNION ALL
     SELECT *, 0 AS rang FROM (${side('apres', true)}) UNION ALL
     SELECT *, 0 AS rang
       FROM (${meterReading('r151', R151_SOURCE, 'coalesce(indice_vraisemblance, 0) = 1')} FROM r151_current) UNION ALL
     SELECT * FROM (${meterReading('r64', R64_SOURCE, 'false')}, ${STAGE_RANK} AS rang
       FROM r64_current)
   )
   SELECT * EXCLUDE (rang, livraison), CAST(date_releve AS TIMESTAMPTZ) AS instant,
     CAST(left(date_releve, 10) AS DATE) AS jour
   FROM tous
   QUALIFY row_number() OVER (PARTITION BY releve_id, ref_situation_contractuelle
     ORDER BY livraison DESC, rang, occurrence_id DESC) = 1`,
  'DROP TABLE r151_current',
  'DROP TABLE r64_current',
];
