import { csvText, utf8 } from '../../kit/index.ts';
import type { RowsFile, SqlSession } from '../../kit/index.ts';
import { copyRows } from '../days/tables.ts';
import { LINES_SQL } from '../model/billing.ts';
import { LISSE_SQL } from '../lines/smoothed-line.ts';
import { markedRows } from './marked-rows.ts';
import { nameMonths } from '../model/unit-names.ts';

/**
 * What the billing team looks at: months that wait or were decided on, invoices that say something
 * else than what was measured, and invoiced months that changed since. Contracts stand under the
 * pseudonym of their month, as in records of holds.
 */

/** Of each subject, the first this many. */
export const ROWS_SHOWN = 100;

type Sujet =
  | 'mois retenu'
  | 'mois estimé'
  | 'facture du réseau'
  | 'lissage'
  | 'facturé autrement'
  | 'régularisation';

/** One thing to look at. */
export interface ReviewRow {
  readonly sujet: Sujet;
  /** A month of a contract, `2025-10/113d4158b966`; `quotidien enedis contrat` takes it. */
  readonly repere: string;
  readonly mois: string;
  /** The reason of a hold, the category of invoice lines, or the component of a month. */
  readonly detail: string;
  /** Of the three figures; null stands for one that is not known. */
  readonly unite: string;
  readonly facture: number | null;
  readonly calcule: number | null;
  /**
   * Invoiced less measured; of a regularisation what is to be invoiced in addition, null while it
   * waits.
   */
  readonly ecart: number | null;
  /** What became of it, in French; null where there is nothing to say. */
  readonly suite: string | null;
}

const NAMES = [
  'sujet',
  'repere',
  'mois',
  'detail',
  'unite',
  'facture',
  'calcule',
  'ecart',
  'suite',
] as const;

/**
 * Makes `factures_comparees`, over `lignes` and `mois`: what was invoiced of a category and month
 * of a contract (all lines that are no drafts, credits included), beside what was measured.
 */
const COMPARED = `CREATE OR REPLACE TEMP TABLE factures_comparees AS
  SELECT ref_situation_contractuelle AS rsc, mois, categorie, CASE categorie WHEN 'Abonnements' THEN 'jours' ELSE 'kWh' END AS unite,
    CAST(sum(quantite) AS DECIMAL(18, 3)) AS facture, any_value(quantite_enedis) AS mesure,
    CAST(sum(quantite) AS DECIMAL(18, 3)) - any_value(quantite_enedis) AS ecart
  FROM (${LINES_SQL})
  WHERE NOT est_brouillon AND mois IS NOT NULL AND ref_situation_contractuelle IS NOT NULL AND categorie IN ('Base', 'HP', 'HC', 'Abonnements')
    -- Of a smoothed contract the year is compared.
    AND NOT (categorie <> 'Abonnements' AND ${LISSE_SQL})
  GROUP BY ref_situation_contractuelle, mois, categorie`;

const HELD = `SELECT 'mois retenu' AS sujet, 1 AS rang_sujet, r.unite AS repere, r.mois,
  string_agg(DISTINCT r.motif, ', ' ORDER BY r.motif) AS detail,
    'kWh' AS unite, CAST(NULL AS DECIMAL(18, 3)) AS facture,
    CAST(any_value(r.mois_kwh) AS DECIMAL(18, 3)) AS calcule,
    CAST(NULL AS DECIMAL(18, 3)) AS ecart,
    CASE any_value(d.decision) WHEN 'accept' THEN 'accepté' WHEN 'reject' THEN 'rejeté'
      ELSE 'à décider' END AS suite,
    row_number() OVER (ORDER BY any_value(d.decision) IS NOT NULL, r.mois DESC, r.unite) AS rang
  FROM retenus r LEFT JOIN decisions d ON d.unite = r.unite GROUP BY r.unite, r.mois`;

const ESTIMATED = `SELECT 'mois estimé', 2, n.unite, n.mois, e.methode, 'kWh', NULL,
  CAST(e.energie_base_kwh AS DECIMAL(18, 3)), NULL,
    CASE d.decision WHEN 'accept' THEN 'accepté' WHEN 'reject' THEN 'rejeté'
      WHEN 'ask' THEN 'à décider' ELSE 'à décider plus tard' END,
    row_number() OVER (ORDER BY CASE d.decision WHEN 'ask' THEN 0 WHEN 'wait' THEN 1 ELSE 2 END,
      n.mois DESC, n.unite)
  FROM estimations_nommees n JOIN estimations_mois e ON e.rsc = n.rsc AND e.mois = n.mois
    JOIN estimations_decidees d ON d.unite = n.unite`;

const INVOICED = `SELECT 'facturé autrement', 3, r.unite AS repere, mois, categorie, f.unite,
  facture,
    CAST(mesure AS DECIMAL(18, 3)), CAST(ecart AS DECIMAL(18, 3)), NULL,
    row_number() OVER (ORDER BY abs(ecart) DESC, mois DESC, repere, categorie)
  FROM factures_comparees f JOIN reperes r USING (rsc, mois) WHERE ecart <> 0`;

const NETWORK = `SELECT 'facture du réseau', 5, coalesce(r.unite, g.mois || '/point inconnu'),
  g.mois, composante, '€', CAST(facture_eur AS DECIMAL(18, 3)),
    CAST(calcule_eur AS DECIMAL(18, 3)), CAST(ecart_eur AS DECIMAL(18, 3)),
      coalesce(sans_comparaison, nullif(concat_ws(' ; ',
      CASE WHEN ecart_jours_eur <> 0 THEN 'jours ' || ecart_jours_eur END, CASE
        WHEN ecart_puissance_eur <> 0 THEN 'puissance ' || ecart_puissance_eur END,
      CASE WHEN ecart_index_eur <> 0 THEN 'index ' || ecart_index_eur END, CASE
        WHEN ecart_taux_eur <> 0 THEN 'taux ' || ecart_taux_eur END), '')),
    row_number() OVER (ORDER BY abs(coalesce(ecart_eur, facture_eur)) DESC, g.mois DESC, r.unite,
      composante)
  FROM controle_reseau g LEFT JOIN reperes r ON r.rsc = g.rsc AND r.mois = g.mois
    WHERE ecart_eur IS DISTINCT FROM 0`;

const SETTLED = `SELECT 'lissage', 6, coalesce(n.unite, l.mois || '/à compléter'), l.mois,
  l.categorie, 'kWh', l.facture, l.calcule, l.calcule - l.facture,
    CASE WHEN l.mois_manquants > 0 THEN l.mois_manquants || ' mois sans mesure ou sans facture'
      WHEN d.decision = 'accept' THEN 'accepté'
      WHEN d.decision = 'reject' THEN 'rejeté' ELSE 'à décider' END,
    row_number() OVER (ORDER BY d.decision IS NOT NULL, l.mois_manquants > 0,
      abs(l.calcule - l.facture) DESC, l.mois DESC, n.unite, l.rsc, l.categorie)
  FROM lissages l LEFT JOIN lissages_nommes n ON n.rsc = l.rsc AND n.mois = l.mois
    LEFT JOIN lissages_decides d ON d.unite = n.unite
  WHERE l.calcule IS DISTINCT FROM l.facture`;

const CHANGED = `SELECT 'régularisation', 4,
  coalesce(r.unite, mois || '/plusieurs contrats') AS repere, mois, composante, g.unite, facture,
  calcule,
    CAST(ecart AS DECIMAL(18, 3)), CASE WHEN est_en_attente THEN 'en attente' END,
    row_number() OVER (ORDER BY g.unite <> '€', abs(ecart) DESC NULLS LAST, mois DESC, repere,
      composante)
  FROM regularisations g LEFT JOIN reperes r USING (rsc, mois)`;

/**
 * Makes `factures_comparees` and, for all months that somebody has to look at, `reperes`. A frozen
 * month has the pseudonym that it has now, not that of the version that froze it. The secret is
 * that of the installation.
 */
export async function nameReviewed(sql: SqlSession, secret: string): Promise<void> {
  await sql.run(COMPARED);
  await nameMonths(
    sql,
    secret,
    `SELECT rsc, mois FROM retenus UNION ALL SELECT rsc, mois FROM regularisations
     UNION ALL SELECT rsc, mois FROM estimations_mois
     UNION ALL SELECT rsc, mois FROM controle_reseau WHERE ecart_eur IS DISTINCT FROM 0
     UNION ALL SELECT rsc, mois FROM factures_comparees WHERE ecart <> 0
     UNION ALL SELECT ref_situation_contractuelle, mois FROM mois WHERE unite_retenue IS NOT NULL`,
  );
  await sql.run(`UPDATE mois SET unite_retenue = r.unite FROM reperes r
    WHERE r.rsc = mois.ref_situation_contractuelle AND r.mois = mois.mois
      AND mois.unite_retenue IS NOT NULL`);
}

/**
 * Makes `a_regarder` from `reperes`, `decisions` and the tables of the model; gives the rows, by
 * subject, the largest first.
 */
export async function reviewOf(sql: SqlSession): Promise<readonly ReviewRow[]> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE a_regarder AS
    SELECT * FROM (${[HELD, ESTIMATED, INVOICED, CHANGED, NETWORK, SETTLED].join(' UNION ALL ')})
      WHERE rang <= ${ROWS_SHOWN}`);
  return sql.rows<ReviewRow>(SELECTED);
}

const SELECTED = `SELECT ${NAMES.join(', ')} FROM a_regarder ORDER BY rang_sujet, rang`;

/** The same as CSV (semicolons) and as Parquet. */
export async function reviewFiles(
  sql: SqlSession,
  rows: readonly ReviewRow[],
  sample: readonly string[] = [],
): Promise<{
  readonly review_csv: { readonly bytes: Uint8Array };
  readonly review_table: RowsFile;
}> {
  return {
    review_csv: {
      bytes: utf8(
        csvText(markedRows([NAMES, ...rows.map((row) => NAMES.map((name) => row[name]))], sample)),
      ),
    },
    review_table: await copyRows(sql, SELECTED, 'review-table'),
  };
}
