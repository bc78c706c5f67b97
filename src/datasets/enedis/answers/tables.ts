import { definedMembers } from '../../kit/index.ts';
import type { TableColumn, TableDefinition } from '../../kit/index.ts';
import { PLACE_COLUMNS } from '../days/tables.ts';
import type { ColumnKind, LinearColumns } from '../flux/linear.ts';
import { LINEAR_TABLES } from '../flux/readers.ts';
import { FOUR_POWERS } from '../flux/registers.ts';
import { columnsOf, FTA, registers, RSC } from './columns.ts';
import type { HistoryTable } from './review-tables.ts';
import { MONTH_COLUMNS, REVIEW_TABLES } from './review-tables.ts';

/**
 * What readers may ask of Enedis: the model's tables of all deliveries, and the linear tables of
 * each day. Nearly all have columns of households, which the definition classifies: they are for
 * those who say who they are.
 */

/** Of contracts above 36 kVA. */

const HISTORY: Readonly<Record<string, HistoryTable>> = {
  mois: {
    title: { fr: 'Mois des contrats', en: 'Months of contracts' },
    description: {
      fr: 'Un contrat et un mois : énergies, TURPE, CTA, qualité. Un mois incalculable garde sa ligne, sans énergie ni montant.',
      en: 'A contract and a month: energies, TURPE, CTA, quality. A month that cannot be calculated keeps its row, without energy or amount.',
    },
    order: ['mois', RSC],
    columns: [...MONTH_COLUMNS, 'est_gele', 'version_facturee'],
  },
  releves: {
    title: { fr: 'Relevés', en: 'Readings' },
    description: {
      fr: 'Un relevé d’index de C15 (de chaque côté d’un événement), R64 ou R151.',
      en: 'A reading of C15 (each side of an event), R64 or R151.',
    },
    order: ['pdl', 'date_releve', 'source', 'ordre_index', 'releve_id', RSC],
    columns: [
      ...[
        'releve_id',
        'pdl',
        'date_releve',
        'ordre_index',
        'source',
        'nature_index',
        RSC,
        FTA,
        'niveau_ouverture_services',
      ],
      ...[
        'evenement_declencheur',
        'id_calendrier_distributeur',
        'nb_chiffres_cadran',
        'est_douteux',
      ],
      ...registers('index_'),
      ...['occurrence_id', 'jour'],
    ],
  },
  echine: {
    title: { fr: 'Événements des contrats', en: 'Events of contracts' },
    description: {
      fr: 'Les événements de chaque contrat, et FACTURATION au premier de chaque mois.',
      en: 'The events of each contract, and FACTURATION at the first of each month.',
    },
    order: [RSC, 'date_evenement', 'evenement'],
    columns: [
      ...[
        RSC,
        'pdl',
        'date_evenement',
        'evenement',
        FTA,
        'puissance_souscrite_kva',
        ...FOUR_POWERS,
      ],
      'niveau_ouverture_services',
    ],
  },
  chronologie: {
    title: { fr: 'Chronologie des relevés', en: 'Chronology of readings' },
    description: {
      fr: 'Les bornes des périodes d’énergie de chaque contrat, relevés manquants compris.',
      en: 'The bounds of the energy periods of each contract, missing readings included.',
    },
    order: [RSC, 'date_releve', 'ordre_index'],
    columns: [
      ...[
        RSC,
        'pdl',
        'date_releve',
        'ordre_index',
        'source',
        'nature_index',
        'releve_id',
        'calendrier',
        'releve_manquant',
      ],
      ...[FTA, 'niveau_ouverture_services'],
      ...registers('index_'),
    ],
  },
  abonnements: {
    title: { fr: 'Périodes d’abonnement', en: 'Subscription periods' },
    description: {
      fr: 'Une puissance et une formule, avec la part fixe du TURPE.',
      en: 'One power and one formula, with the fixed part of the TURPE.',
    },
    order: [RSC, 'debut'],
    columns: [
      ...[
        RSC,
        'pdl',
        'mois',
        'debut',
        'fin',
        'nb_jours',
        FTA,
        'puissance_souscrite_kva',
        ...FOUR_POWERS,
        'turpe_fixe_eur',
        'est_partage',
      ],
      'erreur',
    ],
  },
  energies: {
    title: { fr: 'Périodes d’énergie', en: 'Energy periods' },
    description: {
      fr: 'L’énergie entre deux relevés, avec leurs identifiants et la part variable du TURPE.',
      en: 'The energy between two readings, with their ids and the variable part of the TURPE.',
    },
    order: [RSC, 'debut', 'fin'],
    columns: [
      ...[
        RSC,
        'pdl',
        'mois',
        'debut',
        'fin',
        'nb_jours',
        'fta',
        'calendrier',
        'd_source',
        'f_source',
        'd_releve_id',
      ],
      ...['f_releve_id', 'nature_debut', 'nature_fin'],
      ...registers('energie_'),
      ...[
        'turpe_variable_eur',
        'qualite',
        'releve_manquant',
        'est_passage_a_zero',
        'est_baisse_inconnue',
        'est_saut',
      ],
      ...['est_partage', 'erreur'],
    ],
  },
  accise: {
    title: { fr: 'Accise des énergies mesurées', en: 'Accise of measured energies' },
    description: { fr: 'Un point et un mois.', en: 'A point and a month.' },
    order: ['mois', 'pdl'],
    columns: ['pdl', 'mois', 'energie_kwh', 'accise_eur', 'erreur'],
  },
  provision: {
    title: { fr: 'Mois moyens (R67)', en: 'Average months (R67)' },
    description: {
      fr: 'L’énergie d’un mois moyen de chaque point, au dernier premier du mois.',
      en: 'The energy of an average month of each point, as of the last first of a month.',
    },
    order: ['pdl'],
    columns: [
      'pdl',
      ...registers('mensuel_'),
      'mensuel_kwh',
      'jours_couverts',
      'est_couverte',
      'qualite',
      'est_alerte',
    ],
  },
  affaires: {
    title: { fr: 'Affaires ouvertes', en: 'Open affairs' },
    description: {
      fr: 'Les affaires en cours et leur dernier état, au dernier premier du mois.',
      en: 'Affairs under way with their last state, as of the last first of a month.',
    },
    order: ['id_affaire'],
    columns: [
      'id_affaire',
      'pdl',
      'sens',
      'prestation',
      'etat',
      'date_effet',
      'debut',
      'age_jours',
    ],
  },
  lignes: {
    title: { fr: 'Lignes de facture rapprochées', en: 'Invoice lines beside what was measured' },
    description: {
      fr: 'Chaque ligne de l’ERP avec la quantité d’Enedis, à facturer ou à supprimer, et un mémo.',
      en: 'Each line of the ERP with the distributor’s quantity, to be billed or removed, and a memo.',
    },
    order: ['mois', RSC, 'campagne', 'fichier', 'ligne'],
    columns: [
      ...[
        'id',
        RSC,
        'pdl',
        'mois',
        'categorie',
        'quantite',
        'est_brouillon',
        'quantite_enedis',
        'a_facturer',
        'a_supprimer',
      ],
      ...['memo', 'qualite', 'date_facture', 'campagne', 'fichier', 'ligne', 'reste'],
    ],
  },
  taxes: {
    title: { fr: 'Accise et CTA par point et mois', en: 'Accise and CTA by point and month' },
    description: {
      fr: 'L’accise de ce qui est facturé, celle de ce qui est mesuré, et la CTA.',
      en: 'The accise of what was invoiced, that of what was measured, and the CTA.',
    },
    order: ['mois', 'pdl'],
    columns: [
      ...[
        'trimestre',
        'mois',
        'pdl',
        'puissance_souscrite_kva',
        'taux_accise_eur_mwh',
        'energie_facturee_kwh',
      ],
      ...[
        'accise_facturee_eur',
        'energie_mesuree_kwh',
        'accise_mesuree_eur',
        'taux_cta_pourcent',
        'turpe_fixe_eur',
        'cta_eur',
      ],
      'erreur',
    ],
  },
};

function historyTable([name, table]: [string, HistoryTable]): TableDefinition {
  const { called = name, title, description, order, words = {} } = table;
  const rows = { step: 'rollup/history', output: name, each: 'history' } as const;
  const columns = columnsOf(...table.columns).map((column) => ({
    ...column,
    ...definedMembers({ title: words[column.name] }),
  }));
  return { id: tableId(called), title, description, rows, order, columns };
}

/** The id of a table of Enedis. */
export function tableId(name: string): string {
  return `enedis_${name}`;
}

const TYPES: Readonly<Record<ColumnKind, TableColumn['type']>> = {
  text: 'text',
  integer: 'integer',
  decimal: 'number',
  boolean: 'boolean',
};

function linearColumns(columns: LinearColumns): TableColumn[] {
  return Object.entries({ ...columns, ...PLACE_COLUMNS }).map(([name, kind]) => {
    const words = name.replaceAll('_', ' ');
    return { name, type: TYPES[kind], title: { fr: words, en: words } };
  });
}

const LINEAR: readonly TableDefinition[] = LINEAR_TABLES.map(({ name, title, flux, columns }) => ({
  id: tableId(name),
  title: { fr: `${flux} : ${name}, par jour de remise`, en: `${title}, by day of delivery` },
  description: {
    fr: 'Comme remis, une ligne par occurrence, avec l’archive et le fichier dont elle vient.',
    en: 'As delivered, a row per occurrence, with the archive and the inner file that it comes from.',
  },
  rows: { step: `transform/${flux.toLowerCase()}`, output: name, each: 'day' },
  months: { step: 'rollup/month', output: name, input: name },
  order: Object.keys(PLACE_COLUMNS),
  columns: linearColumns(columns),
}));

/** Every declared table: the model’s first, then the linear ones. */
export const ENEDIS_TABLES: readonly TableDefinition[] = [
  ...Object.entries({ ...HISTORY, ...REVIEW_TABLES }).map(historyTable),
  ...LINEAR,
];

/** The columns of the table of this name. */
export function columnsOfTable(name: string): readonly TableColumn[] {
  return ENEDIS_TABLES.find(({ id }) => id === tableId(name))?.columns ?? [];
}
