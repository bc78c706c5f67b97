import { FOUR_POWERS } from '../flux/registers.ts';
import { openAffairsSql, provisionSql } from '../model/billing.ts';
import { ESTIMATIONS_SQL } from '../model/estimates.ts';
import { INVOICE_CHECK_SQL } from '../model/invoice-check.ts';
import { SMOOTHED_SQL } from '../model/smoothed.ts';
import { BILLED } from '../model/spine-events.ts';

/** Of contracts that C12 tells of. */
const POWERS = FOUR_POWERS.map(
  (column, index) =>
    `CAST(CAST(puissances_m[${index + 1}] AS DECIMAL(18, 3)) / 1000 AS DECIMAL(18,
      3)) AS ${column}`,
).join(', ');

/** A table of the history. */
export interface HistoryTable {
  /** `asOf` is the horizon, as a literal. */
  readonly rows: (asOf: string) => string;
  /** A total order, in the columns of the table. */
  readonly order: string;
  /** The columns that name a row; absent where none do. */
  readonly keyColumns?: readonly string[];
  /**
   * The session has only the rows of points that were made now: the others are taken from the
   * newest version.
   */
  readonly ofPoints?: true;
}

const EVENT_AT = 'CAST(date_evenement AS TIMESTAMPTZ)';

/** The outputs that are tables, by name. */
export const HISTORY_TABLES: Readonly<Record<string, HistoryTable>> = {
  releves: {
    rows: () => 'SELECT * EXCLUDE (instant) FROM releves',
    order: 'pdl, date_releve, source, ordre_index, releve_id, ref_situation_contractuelle',
    ofPoints: true,
  },
  echine: {
    rows: () => `SELECT rsc AS ref_situation_contractuelle, pdl, moment AS date_evenement,
      evenement, fta AS formule_tarifaire_acheminement,
       CAST(CAST(puissance_m AS DECIMAL(18, 3)) / 1000 AS DECIMAL(18,
         3)) AS puissance_souscrite_kva, niveau AS niveau_ouverture_services,
       ${POWERS} FROM echine`,
    // What happens at the first of a month comes before it is billed.
    order: `ref_situation_contractuelle, ${EVENT_AT}, evenement = '${BILLED}'`,
    ofPoints: true,
  },
  chronologie: {
    rows: () => `SELECT rsc AS ref_situation_contractuelle, pdl, moment AS date_releve, ordre_index,
      source, nature_index, releve_id, calendrier,
       source IS NULL AS releve_manquant, fta AS formule_tarifaire_acheminement,
       niveau AS niveau_ouverture_services,
       index_base_kwh, index_hp_kwh, index_hc_kwh, index_hph_kwh, index_hch_kwh, index_hpb_kwh,
       index_hcb_kwh
     FROM chronologie`,
    order: 'ref_situation_contractuelle, CAST(date_releve AS TIMESTAMPTZ), ordre_index',
    ofPoints: true,
  },
  abonnements: {
    rows: () => `SELECT rsc AS ref_situation_contractuelle, pdl, mois, debut, fin, nb_jours,
      fta AS formule_tarifaire_acheminement,
       CAST(CAST(puissance_m AS DECIMAL(18, 3)) / 1000 AS DECIMAL(18,
         3)) AS puissance_souscrite_kva, ${POWERS}, euros(fixe_c) AS turpe_fixe_eur,
       est_partage, erreur FROM abonnements_payes`,
    order: 'ref_situation_contractuelle, debut',
    keyColumns: ['ref_situation_contractuelle', 'debut'],
    ofPoints: true,
  },
  energies: {
    rows: () => `SELECT rsc AS ref_situation_contractuelle, * EXCLUDE
      (rsc, variable_c, jours_couverts), euros(variable_c) AS turpe_variable_eur
     FROM energies_payees`,
    order: 'ref_situation_contractuelle, debut',
    keyColumns: ['ref_situation_contractuelle', 'debut'],
    ofPoints: true,
  },
  mois: {
    rows: () => 'SELECT * EXCLUDE (puissance_max_m) FROM mois',
    order: 'mois, ref_situation_contractuelle',
    keyColumns: ['mois', 'ref_situation_contractuelle'],
  },
  anomalies_r151: {
    rows: () => 'SELECT * FROM anomalies_r151',
    order: 'pdl, jour, anomalie, registre, releve_id',
  },
  mois_calcules: {
    rows: () =>
      'SELECT * EXCLUDE (puissance_max_m) FROM mois_calcules WHERE mois IN (SELECT mois FROM gels_courants)',
    order: 'mois, ref_situation_contractuelle',
    keyColumns: ['mois', 'ref_situation_contractuelle'],
  },
  regularisations: {
    rows: () => 'SELECT * RENAME (rsc AS ref_situation_contractuelle) FROM regularisations',
    order: 'mois, ref_situation_contractuelle, composante, pdl',
    keyColumns: ['mois', 'ref_situation_contractuelle', 'composante', 'pdl'],
  },
  reperes: {
    rows: () =>
      'SELECT unite, rsc AS ref_situation_contractuelle, mois FROM (SELECT * FROM reperes UNION ALL SELECT * FROM lissages_nommes)',
    order: 'mois, unite',
    keyColumns: ['unite'],
  },
  retenus: {
    rows: () => `SELECT r.unite, r.rsc AS ref_situation_contractuelle, r.pdl, r.mois, r.motif,
      r.debut, r.fin, r.nb_jours, r.energie_kwh, r.mois_kwh,
       r.d_source, r.f_source, r.d_releve_id, r.f_releve_id, r.index_debut, r.index_fin,
       CASE d.decision WHEN 'accept' THEN 'acceptée' WHEN 'reject' THEN 'rejetée' END AS decision
     FROM retenus r LEFT JOIN decisions d ON d.unite = r.unite`,
    order: 'unite, debut',
    keyColumns: ['unite', 'debut'],
  },
  estimations: {
    rows: () => ESTIMATIONS_SQL,
    order: 'mois, ref_situation_contractuelle, debut',
    keyColumns: ['mois', 'ref_situation_contractuelle', 'debut'],
  },
  controle_reseau: {
    rows: () => INVOICE_CHECK_SQL,
    order: 'mois, pdl, composante',
    keyColumns: ['mois', 'pdl', 'composante'],
  },
  lissages: {
    rows: () => SMOOTHED_SQL,
    order: 'mois, ref_situation_contractuelle, categorie',
    keyColumns: ['mois', 'ref_situation_contractuelle', 'categorie'],
  },
  depassements: {
    rows: () => `SELECT rsc AS ref_situation_contractuelle, pdl, mois,
      heures AS depassement_puissance_h, origine, saisi_par, archive, est_rattache
     FROM depassements_lus`,
    order: 'mois, pdl, ref_situation_contractuelle, archive, origine, depassement_puissance_h',
  },
  accise: {
    rows: () => 'SELECT * FROM accise_mois',
    order: 'mois, pdl',
    keyColumns: ['mois', 'pdl'],
  },
  provision: { rows: provisionSql, order: 'pdl', keyColumns: ['pdl'] },
  affaires: { rows: openAffairsSql, order: 'id_affaire', keyColumns: ['id_affaire'] },
};

/**
 * Those of which the rows of points that did not change are taken from the newest version of the
 * history.
 */
export const KEPT_TABLES: readonly string[] = [
  ...Object.entries(HISTORY_TABLES).flatMap(([name, { ofPoints }]) =>
    ofPoints === true ? [name] : [],
  ),
  ...[
    'mois',
    'mois_calcules',
    'regularisations',
    'accise',
    'anomalies_r151',
    'retenus',
    'estimations',
  ],
];
