import { quoteTexts } from '../../kit/index.ts';
import { CALENDARS, energyColumn, FOUR_HOURS, REGISTERS } from '../flux/registers.ts';
import { WITHOUT_RSC } from './c12.ts';
import { FIRST_KEPT } from './spine-events.ts';

/**
 * The chronology of a contract and its energies: what was read at its bounds, and the difference of
 * each register between two of them. A bound without a reading stays a bound: its periods are
 * there, without energy.
 */

/** More a day is no household. */
export const MAX_KWH_A_DAY = 1_000;
/**
 * Digits of a counter of which no event says how many it has; those of the communicating meters.
 */
const USUAL_DIGITS = 6;

const INDEXES = REGISTERS.map((register) => `index_${register}_kwh`);
const NO_INDEXES = INDEXES.map((name) => `CAST(NULL AS BIGINT) AS ${name}`).join(', ');

/** The registers that count under the calendar of the period's first reading. */
function isOf(register: string): string {
  const calendars = Object.entries(CALENDARS).filter(([, own]) =>
    (own as readonly string[]).includes(register),
  );
  return calendars.map(([id]) => `calendrier = '${id}'`).join(' OR ');
}

/** The calendar that a reading names, or that its registers tell. */
const CALENDAR = `CASE
  WHEN id_calendrier_distributeur IN (${quoteTexts(Object.keys(CALENDARS))}) THEN id_calendrier_distributeur
   WHEN coalesce(index_hph_kwh, index_hch_kwh, index_hpb_kwh,
   index_hcb_kwh) IS NOT NULL THEN 'DI000003'
   WHEN coalesce(index_hp_kwh, index_hc_kwh) IS NOT NULL THEN 'DI000002'
   WHEN index_base_kwh IS NOT NULL THEN 'DI000001' END`;

/** Makes `chronologie` from `echine` and `releves`. */
export const CHRONOLOGY: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE bornes_evenement AS
   SELECT * FROM echine
   WHERE rang = 0 AND (est_entree OR est_sortie OR change_calendrier OR change_cadran OR change_fta)
     AND NOT starts_with(rsc, '${WITHOUT_RSC}')`,
  `CREATE OR REPLACE TEMP TABLE chronologie AS
   WITH evenements_lus AS (
     SELECT e.rsc, e.pdl, e.instant, e.moment, e.jour, r.ordre_index, r.source, r.nature_index, r.releve_id, r.est_douteux,
       r.nb_chiffres_cadran, r.id_calendrier_distributeur, ${INDEXES.map((name) => `r.${name}`).join(', ')}
     FROM bornes_evenement e JOIN releves r
       ON r.source = 'flux_C15' AND r.ref_situation_contractuelle = e.rsc AND r.date_releve = e.moment
   ), sans_releve AS (
     -- An entry needs a reading after it, an exit one before it, either may stand on the other side; a change needs both.
     SELECT rsc, pdl, instant, moment, jour, unnest(CASE
         WHEN est_entree THEN CASE WHEN a_avant OR a_apres THEN CAST([] AS BOOLEAN[]) ELSE [true] END
         WHEN est_sortie THEN CASE WHEN a_avant OR a_apres THEN CAST([] AS BOOLEAN[]) ELSE [false] END
         ELSE list_filter([CASE WHEN NOT a_avant THEN false END, CASE WHEN NOT a_apres THEN true END], x -> x IS NOT NULL)
       END) AS ordre_index
     FROM bornes_evenement
   ), lus_le_jour AS (
     SELECT pdl, jour, arg_min(releve_id, rang) AS releve_id FROM (
       SELECT *, row_number() OVER (PARTITION BY pdl, jour ORDER BY CASE source WHEN 'flux_R64' THEN 0 ELSE 1 END, instant,
         CASE nature_index WHEN 'corrigé' THEN 0 ELSE 1 END, releve_id) AS rang
       FROM releves WHERE source IN ('flux_R64', 'flux_R151')
     ) GROUP BY pdl, jour
   ), facturations AS (
     SELECT e.rsc, e.pdl, e.instant, e.moment, e.jour, false AS ordre_index, r.source, r.nature_index, r.releve_id, r.est_douteux,
       r.nb_chiffres_cadran, r.id_calendrier_distributeur, ${INDEXES.map((name) => `r.${name}`).join(', ')}
     FROM echine e
     LEFT JOIN lus_le_jour l ON l.pdl = e.pdl AND l.jour = e.jour
     LEFT JOIN releves r ON r.releve_id = l.releve_id AND r.source IN ('flux_R64', 'flux_R151')
     -- Events of contracts that only C12 knows come without a reading: they are read as the firsts of months are.
     WHERE (e.rang = 1 OR (starts_with(e.rsc, '${WITHOUT_RSC}') AND (e.est_entree OR e.est_sortie OR e.change_fta))) AND NOT EXISTS (SELECT 1 FROM evenements_lus v WHERE v.rsc = e.rsc AND v.instant = e.instant)
   )
   , tous AS (
     SELECT * FROM evenements_lus UNION ALL
     SELECT rsc, pdl, instant, moment, jour, ordre_index, NULL, NULL, NULL, false, NULL, NULL, ${NO_INDEXES} FROM sans_releve UNION ALL
     SELECT * FROM facturations
   ), situees AS (
     SELECT t.*, ${CALENDAR} AS calendrier, e.fta, e.niveau
     FROM tous t ASOF LEFT JOIN (
       SELECT rsc, instant, last(fta ORDER BY rang) AS fta, last(niveau ORDER BY rang) AS niveau FROM echine GROUP BY rsc, instant
     ) e ON e.rsc = t.rsc AND e.instant <= t.instant
   )
   SELECT * FROM situees
   QUALIFY row_number() OVER (PARTITION BY rsc, instant, ordre_index ORDER BY source IS NULL, source, releve_id) = 1`,
];

const DIFFERENCES = REGISTERS.map(
  (register) =>
    `CASE WHEN ${isOf(register)} THEN f_${register} - d_${register} END AS ecart_${register}`,
).join(', ');

/**
 * What a fall becomes: the counter passed zero when that makes a possible energy, otherwise nobody
 * knows.
 */
function passed(register: string): string {
  return `CASE WHEN ecart_${register} >= 0 THEN ecart_${register}
    WHEN ecart_${register} + bout <= ${MAX_KWH_A_DAY} * greatest(nb_jours,
    1) THEN ecart_${register} + bout END AS e_${register}`;
}

const FALLS = REGISTERS.map((register) => `coalesce(ecart_${register} < 0, false)`).join(' OR ');
const UNKNOWN_FALLS = REGISTERS.map(
  (register) => `coalesce(ecart_${register} < 0, false) AND e_${register} IS NULL`,
).join(' OR ');

/**
 * The energy of the minute between midnight and an event joins the period after it, register by
 * register.
 */
const WITH_MINUTE = REGISTERS.map(
  (register) =>
    `CASE WHEN e_${register} IS NOT NULL THEN e_${register} + coalesce(minute_${register},
      0) END AS ${register}`,
).join(', ');

const MINUTES = REGISTERS.map(
  (register) =>
    `sum(e_${register}) FILTER (WHERE nb_jours = 0) OVER suivante AS minute_${register}`,
).join(', ');

/** Under each calendar: the sum of its registers, all of them. */
const TOTAL = `CASE calendrier WHEN 'DI000001' THEN base WHEN 'DI000002' THEN hp + hc WHEN 'DI000003' THEN hph + hch + hpb + hcb END`;

/**
 * Makes `energies` from `chronologie`: one row per span between two bounds, [debut, fin) in civil
 * days.
 */
export const ENERGIES: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE energies AS
   WITH paires AS (
     SELECT rsc, pdl, lag(jour) OVER suite AS debut, jour AS fin, lag(instant) OVER suite AS d_instant, instant,
       lag(ordre_index) OVER suite AS d_ordre, ordre_index, lag(calendrier) OVER suite AS calendrier, calendrier AS f_calendrier,
       lag(fta) OVER suite AS fta, lag(niveau) OVER suite AS d_niveau, niveau AS f_niveau,
       lag(nature_index) OVER suite AS d_nature, nature_index AS f_nature,
       lag(source) OVER suite AS d_source, source AS f_source,
       lag(releve_id) OVER suite AS d_releve_id, releve_id AS f_releve_id,
       est_douteux OR coalesce(lag(est_douteux) OVER suite, false) AS est_douteux,
       CAST(10 ** coalesce(last_value(nb_chiffres_cadran IGNORE NULLS) OVER (suite ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
         ${USUAL_DIGITS}) AS BIGINT) AS bout,
       ${REGISTERS.map((r) => `lag(index_${r}_kwh) OVER suite AS d_${r}, index_${r}_kwh AS f_${r}`).join(', ')}
     FROM chronologie WINDOW suite AS (PARTITION BY rsc ORDER BY instant, ordre_index)
   ), ecarts AS (
     SELECT *, CAST(fin - debut AS INTEGER) AS nb_jours, ${DIFFERENCES}
     FROM paires
     -- The two sides of an event are one moment: nothing is consumed between them.
     WHERE debut IS NOT NULL AND NOT (d_instant = instant AND NOT d_ordre AND ordre_index)
   ), passes AS (
     SELECT *, ${REGISTERS.map(passed).join(', ')}, (${FALLS}) AS a_baisse FROM ecarts
   ), groupes AS (
     SELECT *, coalesce(count(*) FILTER (WHERE nb_jours > 0) OVER (PARTITION BY rsc ORDER BY instant, ordre_index
       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS groupe FROM passes
   ), minutes AS (
     SELECT *, ${MINUTES},
       -- Energy of the minute that the registers of the period do not have cannot be shared out.
       coalesce(bool_or(nb_jours = 0 AND (e_base > 0 OR e_hp > 0 OR e_hc > 0 OR e_hph > 0 OR e_hch > 0 OR e_hpb > 0 OR e_hcb > 0)
         AND calendrier IS DISTINCT FROM calendrier_suivant) OVER suivante, false) AS est_perdue
     FROM (SELECT *, max(calendrier) FILTER (WHERE nb_jours > 0) OVER (PARTITION BY rsc, groupe) AS calendrier_suivant FROM groupes)
     WINDOW suivante AS (PARTITION BY rsc, groupe)
   ), periodes AS (
     SELECT rsc, pdl, strftime(debut, '%Y-%m') AS mois, debut, fin, nb_jours, fta, calendrier, d_niveau, f_niveau, d_nature, f_nature,
       d_source, f_source, d_releve_id, f_releve_id, est_douteux, a_baisse, est_perdue,
       (${UNKNOWN_FALLS}) AS est_baisse_inconnue, ${WITH_MINUTE}
     FROM minutes WHERE nb_jours > 0 AND debut >= ${FIRST_KEPT}
   ), totaux AS (
     SELECT * REPLACE (CASE WHEN est_perdue OR est_baisse_inconnue THEN NULL ELSE ${TOTAL} END AS base) FROM periodes
   )
   SELECT rsc, pdl, mois, debut, fin, nb_jours, fta, calendrier, d_source, f_source, d_releve_id, f_releve_id,
     d_nature AS nature_debut, f_nature AS nature_fin,
     -- A part of a sum that is not whole is no energy.
     base AS energie_base_kwh,
     CASE WHEN base IS NOT NULL THEN CASE calendrier WHEN 'DI000002' THEN hp WHEN 'DI000003' THEN hph + hpb END END AS energie_hp_kwh,
     CASE WHEN base IS NOT NULL THEN CASE calendrier WHEN 'DI000002' THEN hc WHEN 'DI000003' THEN hch + hcb END END AS energie_hc_kwh,
     ${FOUR_HOURS.map((r) => `CASE WHEN base IS NOT NULL THEN ${r} END AS ${energyColumn(r)}`).join(', ')},
     CASE WHEN base IS NULL THEN 'incalculable' WHEN d_nature = 'estimé' OR f_nature = 'estimé' THEN 'estimée' ELSE 'réelle' END AS qualite,
     coalesce(CAST(d_niveau AS INTEGER) >= 1 AND CAST(f_niveau AS INTEGER) >= 1, false) AS est_communicante,
     d_source IS NULL OR f_source IS NULL AS releve_manquant,
     a_baisse AND base IS NOT NULL AS est_passage_a_zero, est_baisse_inconnue, est_perdue, est_douteux,
     coalesce(base > ${MAX_KWH_A_DAY} * nb_jours, false) AS est_saut
   FROM totaux`,
];
