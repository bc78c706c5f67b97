import { definedMembers } from '../../kit/index.ts';
import type { RowsOutput, TableColumn, TableDefinition, Words } from '../../kit/index.ts';
import { SCOPE } from './columns.ts';

/**
 * What the metrics of a day tell of its parts, as tables: the figures are those of the reports,
 * because they are read from the same documents.
 */

type Told = readonly [
  member: string,
  type: TableColumn['type'],
  fr: string,
  en: string,
  unit?: string,
];

/** `list`: the member that has the rows; without it the document is one row. */
function ofDocument(
  id: string,
  step: RowsOutput['step'],
  title: Words,
  {
    list,
    order,
    columns,
  }: {
    readonly list?: string;
    readonly order: readonly string[];
    readonly columns: readonly Told[];
  },
): TableDefinition {
  const cells = columns.map(([member]) => `one->>'$.${member}' AS "${nameOf(member)}"`);
  const one = list === undefined ? 'json' : `unnest(CAST(json->'$.${list}' AS JSON[]))`;
  return {
    id,
    title,
    description: {
      fr: `${title.fr}, d’après les indicateurs de la journée.`,
      en: `${title.en}, as the metrics of the day have them.`,
    },
    rows: { step, output: 'metrics', each: 'day' },
    order,
    scoped: true,
    from: (files) =>
      `SELECT ${cells.join(', ')} FROM (SELECT ${one} AS one
        FROM read_json_objects(${files}, format = 'unstructured'))`,
    columns: [
      SCOPE,
      ...columns.map(([member, type, fr, en, unit]): TableColumn => ({
        name: nameOf(member),
        type,
        title: { fr, en },
        ...definedMembers({ unit }),
      })),
    ],
  };
}

/** `global_metrics.total` is the column `total`. */
function nameOf(member: string): string {
  return member.slice(member.lastIndexOf('.') + 1);
}

const SEGMENT: readonly Told[] = [
  ['identifiant_arc', 'text', 'Arc', 'Arc'],
  ['libelle', 'text', 'Nom', 'Name'],
  ['debit_journalier_total', 'number', 'Véhicules', 'Vehicles', 'vehicles'],
  ['debit_horaire_moyen', 'number', 'Débit moyen', 'Mean flow', 'vehicles/h'],
  ['taux_occupation_moyen', 'number', 'Taux d’occupation moyen', 'Mean occupancy', '%'],
  ['etat_trafic_dominant', 'text', 'État du trafic', 'Traffic state'],
  ['temps_perdu_total_minutes', 'number', 'Temps perdu', 'Lost time', 'min'],
];

const SEGMENTS = ofDocument(
  'cityflow_segments',
  'metrics/comptages',
  { fr: 'Tronçons d’une journée', en: 'Segments of a day' },
  { list: 'metrics', order: ['identifiant_arc'], columns: SEGMENT },
);

const CONGESTION = ofDocument(
  'cityflow_congestion_alerts',
  'metrics/comptages',
  { fr: 'Alertes de congestion', en: 'Congestion alerts' },
  {
    list: 'alertes_congestion',
    order: ['identifiant_arc'],
    columns: [...SEGMENT, ['severite', 'text', 'Gravité', 'Severity']],
  },
);

const ZONES = ofDocument(
  'cityflow_zones',
  'metrics/comptages',
  { fr: 'Zones d’une journée', en: 'Zones of a day' },
  {
    list: 'by_zone',
    order: ['zone'],
    columns: [
      ['zone', 'text', 'Zone', 'Zone'],
      ['nom', 'text', 'Nom', 'Name'],
      ['troncons', 'integer', 'Tronçons', 'Segments'],
      ['vehicules', 'number', 'Véhicules', 'Vehicles', 'vehicles'],
      ['temps_perdu_minutes', 'number', 'Temps perdu', 'Lost time', 'min'],
      ['troncons_satures', 'integer', 'Tronçons saturés', 'Saturated segments'],
      ['taux_occupation_moyen', 'number', 'Taux d’occupation moyen', 'Mean occupancy', '%'],
    ],
  },
);

const ROADS = ofDocument(
  'cityflow_roads_days',
  'metrics/comptages',
  { fr: 'Routes, journée entière', en: 'Roads, whole day' },
  {
    order: ['scope'],
    columns: [
      ['global_metrics.total_vehicules_jour', 'number', 'Véhicules', 'Vehicles', 'vehicles'],
      [
        'global_metrics.taux_occupation_moyen',
        'number',
        'Taux d’occupation moyen',
        'Mean occupancy',
        '%',
      ],
      [
        'global_metrics.nombre_troncons_satures',
        'integer',
        'Tronçons saturés',
        'Saturated segments',
      ],
      ['global_metrics.nombre_troncons_actifs', 'integer', 'Tronçons actifs', 'Active segments'],
      ['global_metrics.temps_perdu_total_heures', 'number', 'Temps perdu', 'Lost time', 'h'],
      [
        'global_metrics.taux_disponibilite_capteurs',
        'number',
        'Capteurs disponibles',
        'Available sensors',
        '%',
      ],
    ],
  },
);

const COUNTERS = ofDocument(
  'cityflow_counters',
  'metrics/bikes',
  { fr: 'Compteurs d’une journée', en: 'Counters of a day' },
  {
    list: 'metrics',
    order: ['id_compteur'],
    columns: [
      ['id_compteur', 'text', 'Compteur', 'Counter'],
      ['nom_compteur', 'text', 'Nom', 'Name'],
      ['total_jour', 'number', 'Vélos', 'Bikes', 'bikes'],
      ['moyenne_horaire', 'number', 'Moyenne horaire', 'Mean of an hour', 'bikes/h'],
      ['arrondissement', 'text', 'Arrondissement', 'District'],
      ['coordinates.lon', 'number', 'Longitude', 'Longitude', '°'],
      ['coordinates.lat', 'number', 'Latitude', 'Latitude', '°'],
    ],
  },
);

const TRANSPORT = ofDocument(
  'cityflow_transport_days',
  'metrics/traffic',
  { fr: 'Transports, journée entière', en: 'Public transport, whole day' },
  {
    order: ['scope'],
    columns: [
      ['total_disruptions_count', 'integer', 'Perturbations', 'Disruptions'],
      [
        'active_disruptions_count',
        'integer',
        'En cours en fin de journée',
        'Going on at the end of the day',
      ],
      ['reliability_index', 'number', 'Fiabilité du métro', 'Reliability of the metro', '%'],
    ],
  },
);

const EVENTS = ofDocument(
  'cityflow_disruption_days',
  'metrics/traffic',
  { fr: 'Perturbations d’une journée', en: 'Disruptions of a day' },
  {
    list: 'disruptions',
    order: ['id'],
    columns: [
      ['id', 'text', 'Perturbation', 'Disruption'],
      ['titre', 'text', 'Titre', 'Title'],
      ['severite', 'text', 'Gravité', 'Severity'],
      ['minutes', 'number', 'Durée dans la journée', 'Minutes of the day', 'min'],
      ['planifiee', 'boolean', 'Planifiée', 'Planned'],
    ],
  },
);

const LINES = ofDocument(
  'cityflow_disrupted_lines',
  'metrics/traffic',
  { fr: 'Lignes perturbées', en: 'Disrupted lines' },
  {
    list: 'lignes_perturbees',
    order: ['ligne'],
    columns: [
      ['ligne', 'text', 'Ligne', 'Line'],
      ['count', 'integer', 'Perturbations', 'Disruptions'],
      ['minutes', 'number', 'Minutes en service', 'Minutes within service', 'min'],
    ],
  },
);

const WORKS = ofDocument(
  'cityflow_active_works',
  'metrics/chantiers',
  { fr: 'Chantiers actifs d’une journée', en: 'Active roadworks of a day' },
  {
    list: 'chantiers_actifs',
    order: ['identifiant'],
    columns: [
      ['identifiant', 'text', 'Chantier', 'Roadwork'],
      ['typologie', 'text', 'Typologie', 'Kind'],
      ['impact', 'text', 'Impact', 'Impact'],
      ['arrondissement', 'text', 'Arrondissement', 'District'],
      ['points', 'number', 'Points d’impact', 'Points of impact'],
      ['surface_m2', 'number', 'Surface', 'Area', 'm²'],
    ],
  },
);

/** By day, each from the one document of its metrics. */
export const DAY_TABLES: readonly TableDefinition[] = [
  SEGMENTS,
  CONGESTION,
  ZONES,
  ROADS,
  COUNTERS,
  TRANSPORT,
  EVENTS,
  LINES,
  WORKS,
];
