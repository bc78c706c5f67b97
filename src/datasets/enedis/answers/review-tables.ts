import type { Words } from '../../kit/index.ts';
import { FTA, registers, RSC } from './columns.ts';

/** Tables of what people decide upon, and of what became of invoiced months. */

/** A table of the history, before its columns are declared. */
export interface HistoryTable {
  /** Default: the name of the output. */
  readonly called?: string;
  readonly title: Words;
  readonly description: Words;
  readonly order: readonly string[];
  readonly columns: readonly string[];
  /** Titles of columns that are something else here than elsewhere. */
  readonly words?: Readonly<Record<string, Words>>;
}

/** What a month of a contract has, frozen or not. */
export const MONTH_COLUMNS: readonly string[] = [
  ...[
    RSC,
    'pdl',
    'mois',
    'debut',
    'fin',
    'nb_jours',
    'puissance_moyenne_kva',
    'memo_puissance',
    FTA,
  ],
  ...registers('energie_'),
  ...['depassement_puissance_h', 'turpe_fixe_eur', 'turpe_energies_eur', 'turpe_depassement_eur'],
  ...['turpe_variable_eur', 'cta_eur', 'qualite', 'est_communicante', 'est_passage_a_zero'],
  ...['est_partage', 'est_douteux', 'releve_manquant', 'depassement_manquant'],
  ...['est_baisse_inconnue', 'est_saut', 'est_retenu', 'decision', 'methode_estimation', 'erreur'],
];

/** By output of the history. */
export const REVIEW_TABLES: Readonly<Record<string, HistoryTable>> = {
  retenus: {
    title: { fr: 'Mois retenus', en: 'Held months' },
    description: {
      fr: 'Les périodes et relevés qui retiennent un mois, et ce qui a été décidé de lui.',
      en: 'The periods and readings that hold a month, and what was decided on it.',
    },
    order: ['unite', 'debut'],
    columns: [
      ...[
        'unite',
        RSC,
        'pdl',
        'mois',
        'motif',
        'debut',
        'fin',
        'nb_jours',
        'energie_kwh',
        'mois_kwh',
      ],
      ...[
        'd_source',
        'f_source',
        'd_releve_id',
        'f_releve_id',
        'index_debut',
        'index_fin',
        'decision',
      ],
    ],
    words: { unite: { fr: 'Unité', en: 'Unit' } },
  },
  estimations: {
    title: { fr: 'Estimations', en: 'Estimates' },
    description: {
      fr: 'L’énergie estimée de chaque période sans relevé, sa méthode et ce qui a été décidé d’elle.',
      en: 'The estimated energy of each span without a reading, its method and what was decided on it.',
    },
    order: ['mois', RSC, 'debut'],
    columns: [
      ...['unite', RSC, 'pdl', 'mois', 'debut', 'fin', 'nb_jours', 'methode_estimation', 'appui'],
      ...registers('energie_'),
      ...['turpe_variable_eur', 'decision'],
    ],
    words: { unite: { fr: 'Repère', en: 'Pseudonym' } },
  },
  controle_reseau: {
    title: { fr: 'Contrôle de la facture du réseau', en: 'Check of the network’s invoice' },
    description: {
      fr: 'F15 et F12 par point, mois et composante, à côté du TURPE calculé, et l’écart expliqué.',
      en: 'F15 and F12 by point, month and component, beside the calculated TURPE, and the difference explained.',
    },
    order: ['mois', 'pdl', 'composante'],
    columns: [
      ...[
        'pdl',
        RSC,
        'mois',
        'composante',
        'nb_lignes',
        'libelles',
        'facture_eur',
        'calcule_eur',
        'ecart_eur',
      ],
      ...[
        'jours_factures',
        'nb_jours',
        'kwh_factures',
        'energie_base_kwh',
        'puissance_facturee_kva',
      ],
      ...[
        'ecart_jours_eur',
        'ecart_puissance_eur',
        'ecart_index_eur',
        'ecart_taux_eur',
        'sans_comparaison',
      ],
    ],
  },
  lissages: {
    title: { fr: 'Régularisations des contrats lissés', en: 'Settlements of smoothed contracts' },
    description: {
      fr: 'Facturé et mesuré depuis le début du lissage, à chaque échéance annuelle et à la sortie.',
      en: 'Invoiced and measured since smoothing began, each year and at the end of the contract.',
    },
    order: ['mois', RSC, 'categorie'],
    columns: [
      ...[
        'unite',
        RSC,
        'pdl',
        'mois',
        'debut_lissage',
        'categorie',
        'facture',
        'calcule',
        'ecart',
        'mois_manquants',
      ],
      ...['decision', 'a_facturer'],
    ],
    words: { unite: { fr: 'Repère', en: 'Pseudonym' }, calcule: { fr: 'Mesuré', en: 'Measured' } },
  },
  reperes: {
    title: { fr: 'Repères', en: 'Pseudonyms' },
    description: {
      fr: 'Le contrat de chaque repère des rapports et des décisions.',
      en: 'The contract behind each pseudonym of reports and decisions.',
    },
    order: ['mois', 'unite'],
    columns: ['unite', RSC, 'mois'],
    words: { unite: { fr: 'Repère', en: 'Pseudonym' } },
  },
  mois_calcules: {
    title: { fr: 'Mois gelés, tels que calculés depuis', en: 'Frozen months, as calculated since' },
    description: {
      fr: 'Ce que serait chaque mois facturé d’après tout ce qui est connu depuis.',
      en: 'What each invoiced month would be from all that is known since.',
    },
    order: ['mois', RSC],
    columns: MONTH_COLUMNS,
  },
  regularisations: {
    title: { fr: 'Régularisations', en: 'Regularisations' },
    description: {
      fr: 'Ce qui, d’un mois gelé, n’est plus ce qui a été facturé, par composante et avec la cause.',
      en: 'What of a frozen month is no longer as it was invoiced, by component and with the reason.',
    },
    order: ['mois', RSC, 'composante'],
    columns: [
      ...[
        RSC,
        'pdl',
        'mois',
        'composante',
        'unite',
        'facture',
        'calcule',
        'ecart',
        'est_en_attente',
      ],
      ...['version_facturee', 'gele_le', 'gele_par', 'cause'],
    ],
    words: { unite: { fr: 'Unité', en: 'Unit of measure' } },
  },
  depassements: {
    called: 'heures_depassees',
    title: { fr: 'Dépassements par contrat', en: 'Hours over the power, by contract' },
    description: {
      fr: 'Les heures fournies qui comptent, avec le contrat auquel elles sont rattachées.',
      en: 'The given hours that count, with the contract that they are of.',
    },
    order: ['mois', 'pdl', RSC, 'archive', 'origine', 'depassement_puissance_h'],
    columns: [
      RSC,
      'pdl',
      'mois',
      'depassement_puissance_h',
      'origine',
      'saisi_par',
      'archive',
      'est_rattache',
    ],
  },
  anomalies_r151: {
    title: { fr: 'Anomalies des index quotidiens', en: 'Oddities of daily indexes' },
    description: {
      fr: 'Index R151 en baisse, en saut, douteux ou absents, et les événements qui l’expliquent peut-être.',
      en: 'Indexes of R151 that fall, jump, are doubtful or missing, with the events that may explain it.',
    },
    order: ['pdl', 'jour', 'anomalie', 'registre', 'releve_id'],
    columns: [
      ...['pdl', 'mois', 'jour', 'anomalie', 'registre', 'jour_precedent', 'nb_jours'],
      ...['index_precedent_kwh', 'index_kwh', 'ecart_kwh', 'releve_id', 'evenements'],
    ],
  },
};
