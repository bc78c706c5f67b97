import type { SqlSession } from '../../kit/index.ts';
import { quoteText } from '../../kit/index.ts';
import { ENERGY_COLUMNS, REGISTERS } from '../flux/registers.ts';
import { ACCISE_MONTHS, acciseSql } from './months.ts';

/**
 * Frozen months: what was invoiced stays what `mois` says, and what is known since becomes lines of
 * regularisation. The reasons are the difference between what a month rested on then and what it
 * rests on now, so that a late archive with an early timestamp is one too.
 */

const INDEXES = `concat_ws(' ', ${REGISTERS.map((register) => `'${register}=' || index_${register}_kwh`).join(', ')})`;

/** Makes `preuves`: what a month of a contract rests on, in words, each once. */
const EVIDENCE: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE preuves AS
   WITH bornes AS (
     SELECT rsc, mois, debut AS jour, d_releve_id AS releve_id FROM energies UNION
     SELECT rsc, mois, fin, f_releve_id FROM energies
   ), lignes AS (
     SELECT b.rsc, b.mois, 'relevé ' || c.source || ' du ' || b.jour || CASE
       WHEN c.ordre_index THEN ' (après)' ELSE '' END || ' : ' || ${INDEXES} AS preuve
     FROM bornes b JOIN chronologie c ON c.rsc = b.rsc AND c.jour = b.jour
       AND c.releve_id = b.releve_id
     UNION
     SELECT e.rsc, strftime(e.jour, '%Y-%m'), 'événement ' || e.evenement || ' du ' || e.jour
       FROM evenements e
     UNION
     SELECT rsc, mois, 'abonnement du ' || debut || ' au ' || fin || ' : ' ||
       coalesce(fta, 'sans formule') || ' '
       || coalesce(array_to_string(puissances_m, '/'), CAST(puissance_m AS VARCHAR), '?') || ' VA'
         FROM abonnements
     UNION
     SELECT rsc, mois, 'dépassement de ' || heures || ' h' FROM heures_depassees
   )
   SELECT rsc, mois, list(DISTINCT preuve ORDER BY preuve) AS preuves FROM lignes GROUP BY rsc,
     mois`,
];

const KWH = ENERGY_COLUMNS.map((column) => [column, 'kWh'] as const);
const COMPONENTS = [
  ['nb_jours', 'jours'],
  ...KWH,
  ['depassement_puissance_h', 'h'],
  ['turpe_fixe_eur', '€'],
  ['turpe_variable_eur', '€'],
  ['cta_eur', '€'],
] as const;

/** One row for each part of a month, of what was invoiced (`f`) and what is known now (`c`). */
const PARTS = COMPONENTS.map(
  ([name, unit]) => `SELECT rsc, pdl, mois, '${name}' AS composante, '${unit}' AS unite,
    CAST(f_${name} AS DECIMAL(18, 3)) AS facture, CAST(c_${name} AS DECIMAL(18, 3)) AS calcule,
      en_attente FROM ensemble`,
).join(' UNION ALL ');

const sides = (prefix: string, alias: string): string =>
  COMPONENTS.map(
    ([name]) => `CASE WHEN ${alias}.est_facturable THEN ${alias}.${name} END AS ${prefix}_${name}`,
  ).join(', ');

/** What a month that a person has to look at, or that has an error, was or is billed: nothing. */
const BILLABLE = 'NOT est_retenu AND erreur IS NULL AS est_facturable';

const REGULARISATIONS = `CREATE OR REPLACE TEMP TABLE regularisations AS
  WITH f AS (SELECT *, ${BILLABLE} FROM factures), c AS (
    SELECT *, ${BILLABLE} FROM mois_calcules WHERE mois IN (SELECT mois FROM gels_courants)
  ), ensemble AS (
    SELECT coalesce(f.ref_situation_contractuelle, c.ref_situation_contractuelle) AS rsc, coalesce(f.pdl, c.pdl) AS pdl, coalesce(f.mois, c.mois) AS mois,
      c.ref_situation_contractuelle IS NOT NULL AND NOT c.est_facturable AS en_attente, ${sides('f', 'f')}, ${sides('c', 'c')}
    FROM f FULL JOIN c ON c.ref_situation_contractuelle = f.ref_situation_contractuelle AND c.mois = f.mois
  ), lignes AS (${PARTS}), anciennes AS (
    SELECT ref_situation_contractuelle AS rsc, mois, preuves FROM factures
  )
  SELECT l.rsc, l.pdl, l.mois, l.composante, l.unite, l.facture, l.calcule,
    -- What is not known now is no credit of what was invoiced.
    CASE WHEN NOT l.en_attente AND (l.calcule IS NOT NULL OR p.preuves IS NULL) THEN coalesce(l.calcule, 0) - coalesce(l.facture, 0) END AS ecart,
    l.en_attente OR (l.calcule IS NULL AND p.preuves IS NOT NULL) AS est_en_attente,
    g.version AS version_facturee, g.gele_le, g.gele_par,
    nullif(concat_ws('; ',
      array_to_string(list_transform(list_filter(coalesce(p.preuves, []), x -> NOT list_contains(coalesce(a.preuves, []), x)), x -> '+ ' || x), '; '),
      array_to_string(list_transform(list_filter(coalesce(a.preuves, []), x -> NOT list_contains(coalesce(p.preuves, []), x)), x -> '- ' || x), '; ')), '') AS cause
  FROM lignes l
  JOIN (SELECT DISTINCT mois, version, gele_le, gele_par FROM gels_courants) g ON g.mois = l.mois
  LEFT JOIN preuves p ON p.rsc = l.rsc AND p.mois = l.mois
  LEFT JOIN anciennes a ON a.rsc = l.rsc AND a.mois = l.mois
  WHERE l.facture IS DISTINCT FROM l.calcule`;

/**
 * Adds the accise to `regularisations`: it is of a point, so that the line is of the contract whose
 * energy changed, or of the one that the point has in the month; of several nobody can say it, and
 * the contract is null.
 */
const ACCISE_REGULARISATIONS = `INSERT INTO regularisations BY NAME
  WITH f AS (${acciseSql(`(SELECT * FROM factures WHERE NOT est_retenu AND erreur IS NULL)`)}),
  c AS (${acciseSql(`(SELECT * FROM mois_calcules WHERE mois IN (SELECT mois FROM gels_courants) AND NOT est_retenu AND erreur IS NULL)`)}),
  ensemble AS (
    SELECT coalesce(f.pdl, c.pdl) AS pdl, coalesce(f.mois, c.mois) AS mois,
      c.pdl IS NOT NULL AS est_connu, f.accise_eur AS facture, c.accise_eur AS calcule
    FROM f FULL JOIN c ON c.pdl = f.pdl AND c.mois = f.mois
  ), contrats AS (
    SELECT pdl, mois, list(DISTINCT rsc) AS tous FROM (
      SELECT pdl, mois, ref_situation_contractuelle AS rsc FROM factures UNION SELECT pdl, mois,
        ref_situation_contractuelle FROM mois_calcules
    ) GROUP BY pdl, mois
  ), changes AS (
    SELECT pdl, mois, list(DISTINCT rsc) FILTER (WHERE composante = 'energie_base_kwh') AS energies,
      bool_or(est_en_attente) AS en_attente,
      string_agg(DISTINCT cause, '; ' ORDER BY cause) AS cause
    FROM regularisations GROUP BY pdl, mois
  )
  SELECT CASE WHEN len(h.energies) = 1 THEN h.energies[1]
    WHEN len(k.tous) = 1 THEN k.tous[1] END AS rsc, e.pdl, e.mois, 'accise_eur' AS composante,
    '€' AS unite, CAST(e.facture AS DECIMAL(18, 3)) AS facture,
    CAST(e.calcule AS DECIMAL(18, 3)) AS calcule,
    CASE WHEN NOT coalesce(h.en_attente, false) AND (e.calcule IS NOT NULL OR NOT e.est_connu)
      THEN coalesce(CAST(e.calcule AS DECIMAL(18, 3)), 0)
        - coalesce(CAST(e.facture AS DECIMAL(18, 3)), 0) END AS ecart,
    coalesce(h.en_attente, false) OR (e.calcule IS NULL AND e.est_connu) AS est_en_attente,
      g.version AS version_facturee, g.gele_le, g.gele_par, h.cause
  FROM ensemble e
  JOIN (SELECT DISTINCT mois, version, gele_le, gele_par FROM gels_courants) g ON g.mois = e.mois
  LEFT JOIN contrats k ON k.pdl = e.pdl AND k.mois = e.mois
  LEFT JOIN changes h ON h.pdl = e.pdl AND h.mois = e.mois
  WHERE e.facture IS DISTINCT FROM e.calcule`;

interface Column {
  readonly column_name: string;
  readonly column_type: string;
}

/**
 * Makes `regularisations`, and `mois` with frozen months as they were invoiced (`est_gele`,
 * `version_facturee`); contracts that a frozen month did not have are lines of regularisation
 * alone. Reads `gels`.
 */
export async function freezeMonths(sql: SqlSession): Promise<void> {
  for (const statement of EVIDENCE) await sql.run(statement);
  await sql.run(`CREATE OR REPLACE TEMP TABLE mois_calcules AS
    SELECT m.*, coalesce(p.preuves, []) AS preuves FROM mois m LEFT JOIN preuves p
      ON p.rsc = m.ref_situation_contractuelle AND p.mois = m.mois`);
  // Of several freezes of a month the newest counts; the others are kept in their days. A month
  // that is not made any more is no credit of what was invoiced.
  await sql.run(`CREATE OR REPLACE TEMP TABLE gels_courants AS
    SELECT * FROM gels WHERE mois >= (SELECT strftime(min(jour), '%Y-%m') FROM premiers)
    QUALIFY archive_timestamp || '/' || archive || '/' || archive_sha256
      = max(archive_timestamp || '/' || archive || '/' || archive_sha256)
        OVER (PARTITION BY mois)`);
  const columns = await sql.rows<Column>('DESCRIBE mois_calcules');
  const shape = JSON.stringify(
    Object.fromEntries(columns.map((column) => [column.column_name, typeInJson(column)])),
  );
  const row = `from_json(ligne, ${quoteText(shape)})`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE factures AS
    SELECT unnest(${row}), version AS version_facturee FROM gels_courants`);
  await sql.run(REGULARISATIONS);
  await sql.run(ACCISE_REGULARISATIONS);
  await sql.run(`CREATE OR REPLACE TEMP TABLE mois AS
    SELECT * REPLACE (CAST(puissance_max_kva * 1000 AS BIGINT) AS puissance_max_m), true AS est_gele
      FROM factures
    UNION ALL BY NAME
    SELECT *, CAST(NULL AS BIGINT) AS version_facturee, false AS est_gele FROM mois_calcules
      WHERE mois NOT IN (SELECT mois FROM gels_courants)`);
  for (const statement of ACCISE_MONTHS) await sql.run(statement);
}

function typeInJson({ column_type: type }: Column): string | readonly string[] {
  return type === 'VARCHAR[]' ? ['VARCHAR'] : type;
}
