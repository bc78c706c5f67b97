/**
 * The network's invoice (F15, F12) beside our amounts. No list of the distributor's codes of
 * components is public, so that a line is known by what it says itself: the unit kWh, and words of
 * the tariff in its label. What neither tells is a component nobody knows, and is named so.
 */

/**
 * What a line bills, by unit and label; penalties, services and taxes are none of the tariff's
 * parts.
 */
const COMPONENT = `CASE
    WHEN regexp_matches(mots, 'accise|cspe|cta|contribution|taxe|penalite|prestation') THEN 'inconnue'
    WHEN regexp_matches(mots, 'depassement') THEN 'dépassement'
    WHEN lower(unite) IN ('kwh', 'mwh') THEN 'énergie'
    WHEN regexp_matches(mots, 'gestion|comptage|soutirage|puissance souscrite|abonnement|part fixe') THEN 'fixe'
    ELSE 'inconnue' END`;

const NEWEST = `archive_timestamp || '/' || archive || '/' || archive_sha256`;
const OF_LINE = 'pdl, libelle_ev, id_ev, unite, quantite, montant_ht, date_debut, date_fin';

function lines(table: string, power: string): string {
  return `SELECT ${OF_LINE}, ${power} AS puissance FROM ${table} QUALIFY ${NEWEST} = max(${NEWEST})
    OVER (PARTITION BY document)`;
}

/** Of an amount over days, what falls on the month: the parts add up to it. */
const PART = (of: string): string =>
  `rounded(${of} * avant_fin, jours) - rounded(${of} * avant, jours)`;

/**
 * Makes `controle_reseau`: a row for each point, month and component of an invoice, with the amount
 * of \`mois\` beside it and the difference in parts. The end of a line is excluded, unless it is
 * the last day of a month or the first one of the line: then it is a day of it.
 */
export const INVOICE_CHECK: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE lignes_reseau AS
   WITH lues AS (
     ${lines('f15_detail', 'CAST(NULL AS DECIMAL(24, 8))')} UNION ALL ${lines('f12_detail', 'puissance_ponderee')}
   ), datees AS (
     SELECT *, lower(strip_accents(coalesce(libelle_ev, ''))) AS mots,
       CAST(date_debut AS DATE) AS du, CAST(coalesce(date_fin, date_debut) AS DATE) AS fin
     FROM lues WHERE pdl IS NOT NULL AND date_debut IS NOT NULL AND montant_ht IS NOT NULL
   ), bornees AS (
     SELECT *, CASE WHEN fin <= du OR fin = last_day(fin) THEN greatest(fin, du) + 1
       ELSE fin END AS au, ${COMPONENT} AS composante FROM datees
   ), mensuelles AS (
     SELECT b.*, strftime(m.jour, '%Y-%m') AS mois, CAST(b.au - b.du AS BIGINT) AS jours,
       CAST(greatest(CAST(m.jour AS DATE), b.du) - b.du AS BIGINT) AS avant,
       CAST(least(CAST(m.jour + INTERVAL 1 MONTH AS DATE), b.au) - b.du AS BIGINT) AS avant_fin
     FROM bornees b, generate_series(date_trunc('month', b.du), date_trunc('month', b.au - 1),
       INTERVAL 1 MONTH) AS m(jour)
   )
   SELECT pdl, mois, composante, id_ev, libelle_ev, puissance, avant_fin - avant AS jours,
     ${PART('CAST(round(montant_ht * 100) AS BIGINT)')} AS montant_c,
     ${PART(`CAST(round(quantite * CASE lower(unite) WHEN 'kwh' THEN 1000 WHEN 'mwh' THEN 1000000 END) AS BIGINT)`)} AS wh
   FROM mensuelles`,
  `CREATE OR REPLACE TEMP TABLE controle_reseau AS
   WITH par_element AS (
     SELECT pdl, mois, composante, id_ev, libelle_ev, sum(CASE WHEN montant_c < 0 THEN -jours ELSE jours END) AS jours, sum(montant_c) AS montant_c,
       sum(CASE WHEN montant_c < 0 THEN -abs(wh) ELSE wh END) AS wh, max(puissance) AS puissance, count(*) AS nb_lignes
     FROM lignes_reseau GROUP BY ALL
   ), factures AS (
     SELECT pdl, mois, composante, CAST(sum(montant_c) AS BIGINT) AS facture_c, CAST(max(jours) AS BIGINT) AS jours_factures, CAST(sum(wh) AS BIGINT) AS wh_factures,
       CAST(max(puissance) * 1000 AS BIGINT) AS puissance_m, CAST(sum(nb_lignes) AS INTEGER) AS nb_lignes,
       string_agg(DISTINCT libelle_ev, ', ' ORDER BY libelle_ev) AS libelles
     FROM par_element GROUP BY pdl, mois, composante
   ), points AS (
     SELECT pdl, mois, arg_max(ref_situation_contractuelle, debut) AS rsc, arg_max(formule_tarifaire_acheminement, debut) AS fta, min(debut) AS debut,
       CAST(sum(nb_jours) AS BIGINT) AS jours, CAST(max(puissance_moyenne_kva) * 1000 AS BIGINT) AS puissance_m,
       CASE WHEN count(energie_base_kwh) = count(*) THEN CAST(sum(energie_base_kwh) AS BIGINT) END AS kwh,
       CASE WHEN count(turpe_fixe_eur) = count(*) THEN CAST(sum(turpe_fixe_eur) * 100 AS BIGINT) END AS fixe_c,
       CASE WHEN count(turpe_energies_eur) = count(*) THEN CAST(sum(turpe_energies_eur) * 100 AS BIGINT) END AS energie_c,
       CASE WHEN count(turpe_depassement_eur) = count(*) THEN CAST(sum(turpe_depassement_eur) * 100 AS BIGINT) END AS depassement_c
     FROM mois GROUP BY pdl, mois
   ), ensemble AS (
     SELECT f.*, p.rsc, p.kwh, p.jours, p.puissance_m AS puissance_calculee_m, r.b1,
       CASE f.composante WHEN 'fixe' THEN p.fixe_c WHEN 'énergie' THEN p.energie_c WHEN 'dépassement' THEN p.depassement_c END AS calcule_c
     FROM factures f LEFT JOIN points p ON p.pdl = f.pdl AND p.mois = f.mois
     LEFT JOIN turpe_rates r ON r.formule = p.fta AND r.du <= p.debut AND p.debut < r.au
   ), expliques AS (
     SELECT *, facture_c - calcule_c AS ecart_c,
       CASE WHEN composante = 'fixe' AND jours > 0 THEN rounded((jours_factures - jours) * calcule_c, jours) ELSE 0 END AS jours_c,
       CASE WHEN composante = 'fixe' AND puissance_m IS NOT NULL AND b1 IS NOT NULL
         THEN rounded((puissance_m - puissance_calculee_m) * b1 * jours_factures, 365000) ELSE 0 END AS puissance_c,
       CASE WHEN composante = 'énergie' AND kwh > 0 THEN rounded((wh_factures - kwh * 1000) * calcule_c, kwh * 1000) ELSE 0 END AS index_c
     FROM ensemble
   )
   SELECT pdl, rsc, mois, composante, nb_lignes, libelles, euros(facture_c) AS facture_eur, euros(calcule_c) AS calcule_eur, euros(ecart_c) AS ecart_eur,
     CAST(jours_factures AS INTEGER) AS jours_factures, CAST(jours AS INTEGER) AS nb_jours,
     CAST(CAST(wh_factures AS DECIMAL(18, 3)) / 1000 AS DECIMAL(18, 3)) AS kwh_factures, kwh AS energie_base_kwh,
     CAST(CAST(puissance_m AS DECIMAL(18, 3)) / 1000 AS DECIMAL(18, 3)) AS puissance_facturee_kva,
     CASE WHEN ecart_c IS NOT NULL THEN euros(jours_c) END AS ecart_jours_eur, CASE WHEN ecart_c IS NOT NULL THEN euros(puissance_c) END AS ecart_puissance_eur,
     CASE WHEN ecart_c IS NOT NULL THEN euros(index_c) END AS ecart_index_eur,
     -- What days, power and index leave: another rate, or what nobody can tell.
     CASE WHEN ecart_c IS NOT NULL THEN euros(ecart_c - jours_c - puissance_c - index_c) END AS ecart_taux_eur,
     CASE WHEN composante = 'inconnue' THEN 'composante inconnue' WHEN rsc IS NULL THEN 'point ou mois inconnu' WHEN calcule_c IS NULL THEN 'pas de montant calculé' END AS sans_comparaison
   FROM expliques`,
];

/** The check as a table; contracts have their point's name. */
export const INVOICE_CHECK_SQL =
  'SELECT * RENAME (rsc AS ref_situation_contractuelle) FROM controle_reseau';
