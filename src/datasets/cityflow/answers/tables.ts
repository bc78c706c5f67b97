import type { TableColumn, TableDefinition } from '../../kit/index.ts';
import { BIKE_TABLE } from '../transform/bikes.ts';
import { WORK_TABLE } from '../transform/works.ts';
import { RIDE_TABLE } from '../transport/rides.ts';
import { SERVICE_TABLE } from '../transport/service.ts';
import { columnsOf, SCOPE } from './columns.ts';
import type { Titles } from './columns.ts';

/** What readers may ask of Paris, by the tables that the transforms declare. */

const TITLES: Titles<string> = {
  counter_id: ['Compteur', 'Counter'],
  name: ['Nom', 'Name'],
  hour: ['Heure du jour', 'Hour of the day'],
  hour_start_at: ['Début de l’heure (UTC)', 'Start of the hour (UTC)'],
  bikes: ['Vélos', 'Bikes', 'bikes/h'],
  lon: ['Longitude', 'Longitude', '°'],
  lat: ['Latitude', 'Latitude', '°'],
  district: ['Arrondissement', 'District'],
  installed_on: ['Installé le', 'Installed on'],
  work_id: ['Chantier', 'Roadwork'],
  typology: ['Typologie', 'Kind'],
  streets: ['Voies', 'Streets'],
  purpose: ['Objet', 'Purpose'],
  impact: ['Impact', 'Impact'],
  level: ['Niveau', 'Level'],
  status: ['Statut', 'Status'],
  postcode: ['Code postal', 'Postcode'],
  starts_on: ['Début', 'Start'],
  ends_on: ['Fin', 'End'],
  has_usable_dates: ['Dates utilisables', 'Usable dates'],
  area_m2: ['Surface', 'Area', 'm²'],
  network: ['Réseau (surface ou ferré)', 'Network: surface (bus, tram) or ferré (metro, train)'],
  unit_id: ['Ligne ou station', 'Line or station: operator-network-code'],
  group_id: ['Groupe de lignes ou zone', 'Group of lines, or zone of stations'],
  category: ['Catégorie de titre', 'Kind of ticket'],
  validations: [
    'Validations',
    'Validations; empty where the publisher says only that they are few',
    'validations',
  ],
  at_most: [
    'Validations au plus',
    'The most that there can be: few at their largest',
    'validations',
  ],
  operator: ['Opérateur', 'Operator'],
  mode: ['Mode', 'Mode'],
  theme: ['Thème', 'Theme'],
  indicator: ['Indicateur', 'Indicator'],
  line_id: ['Identifiant de ligne', 'Id of the line'],
  line: ['Ligne', 'Line'],
  quarter: ['Trimestre', 'Quarter'],
  result_pct: ['Résultat', 'Result', '%'],
  result_count: ['Résultat en occurrences', 'Result as a count'],
  target_pct: ['Objectif du contrat', 'What the contract wants', '%'],
  gap_pct: ['Écart à l’objectif', 'Result − target', 'points'],
  penalty: ['Pénalité', 'Penalty'],
};

/** The columns that have a title; the others are for the steps alone. */
function titledColumns(
  table: readonly { readonly name: string; readonly type: string }[],
): TableColumn[] {
  return columnsOf(
    table.filter(({ name }) => name in TITLES),
    TITLES,
  );
}

const BIKES: TableDefinition = {
  id: 'cityflow_bikes',
  title: { fr: 'Compteurs de vélos', en: 'Bike counters' },
  description: { fr: 'Une ligne par compteur et heure.', en: 'One row per counter and hour.' },
  rows: { step: 'transform/bikes', output: 'core', each: 'day' },
  order: ['counter_id', 'hour_start_at'],
  columns: titledColumns(BIKE_TABLE),
};

const COUNTS: TableDefinition = {
  id: 'cityflow_roads',
  title: { fr: 'Comptages routiers', en: 'Road counts' },
  description: { fr: 'Une ligne par arc et heure.', en: 'One row per arc and hour.' },
  rows: { step: 'transform/comptages', output: 'core', each: 'day' },
  order: ['arc_id', 'hour_start_at'],
  columns: [
    { name: 'arc_id', type: 'text', title: { fr: 'Arc', en: 'Arc' } },
    { name: 'hour', type: 'integer', title: { fr: 'Heure du jour', en: 'Hour of the day' } },
    {
      name: 'hour_start_at',
      type: 'instant',
      title: { fr: 'Début de l’heure (UTC)', en: 'Start of the hour (UTC)' },
    },
    {
      name: 'flow_vehicles',
      type: 'number',
      unit: 'vehicles/h',
      title: { fr: 'Débit', en: 'Flow' },
    },
    {
      name: 'occupancy_pct',
      type: 'number',
      unit: '%',
      title: { fr: 'Taux d’occupation', en: 'Occupancy' },
    },
    { name: 'state', type: 'integer', title: { fr: 'État du trafic', en: 'Traffic state' } },
  ],
};

const ARCS: TableDefinition = {
  id: 'cityflow_streets',
  title: { fr: 'Rues comptées', en: 'Counted streets' },
  description: {
    fr: 'Une ligne par jour et arc compté, avec son nom.',
    en: 'One row per day and counted arc, with its name.',
  },
  rows: { step: 'transform/comptages', output: 'arcs', each: 'day' },
  order: ['arc_id'],
  scoped: true,
  columns: [
    SCOPE,
    { name: 'arc_id', type: 'text', title: { fr: 'Arc', en: 'Arc' } },
    { name: 'label', type: 'text', title: { fr: 'Nom', en: 'Name' } },
    { name: 'upstream_node', type: 'text', title: { fr: 'Nœud amont', en: 'Upstream node' } },
    { name: 'downstream_node', type: 'text', title: { fr: 'Nœud aval', en: 'Downstream node' } },
  ],
};

const WORKS: TableDefinition = {
  id: 'cityflow_works',
  title: { fr: 'Chantiers', en: 'Roadworks' },
  description: {
    fr: 'Une ligne par jour et chantier de la liste.',
    en: 'One row per day and listed roadwork.',
  },
  rows: { step: 'transform/chantiers', output: 'core', each: 'day' },
  order: ['work_id'],
  scoped: true,
  columns: [SCOPE, ...titledColumns(WORK_TABLE)],
};

const DISRUPTIONS: TableDefinition = {
  id: 'cityflow_disruptions',
  title: { fr: 'Perturbations', en: 'Disruptions' },
  description: {
    fr: 'Une ligne par jour et perturbation des transports en commun.',
    en: 'One row per day and disruption of public transport.',
  },
  rows: { step: 'transform/traffic', output: 'core', each: 'day' },
  order: ['id'],
  scoped: true,
  from: (
    files,
  ) => `SELECT one->>'$.id' AS id, one->>'$.status' AS status, one->>'$.effect' AS effect,
      TRY_CAST(one->>'$.priority' AS BIGINT) AS priority, one->>'$.cause' AS cause,
      one->>'$.title' AS title,
      array_to_string(CAST(one->'$.lines' AS VARCHAR[]), ',') AS lines
    FROM (SELECT unnest(CAST(json->'$.disruptions' AS JSON[])) AS one
      FROM read_json_objects(${files}, format = 'unstructured'))`,
  columns: [
    SCOPE,
    { name: 'id', type: 'text', title: { fr: 'Perturbation', en: 'Disruption' } },
    { name: 'status', type: 'text', title: { fr: 'Statut', en: 'Status' } },
    { name: 'effect', type: 'text', title: { fr: 'Effet', en: 'Effect' } },
    { name: 'priority', type: 'integer', title: { fr: 'Priorité', en: 'Priority' } },
    { name: 'cause', type: 'text', title: { fr: 'Cause', en: 'Cause' } },
    { name: 'title', type: 'text', title: { fr: 'Titre', en: 'Title' } },
    { name: 'lines', type: 'text', title: { fr: 'Lignes de métro', en: 'Metro lines' } },
  ],
};

const RIDES: TableDefinition = {
  id: 'cityflow_validations',
  title: { fr: 'Validations', en: 'Ticket validations' },
  description: {
    fr: 'Une ligne par jour, ligne ou station et catégorie de titre, là où elles ont été importées.',
    en: 'One row per day, line or station and kind of ticket, where they were imported.',
  },
  rows: { step: 'transform/validations', output: 'core', each: 'day' },
  order: ['network', 'unit_id', 'category'],
  scoped: true,
  columns: [SCOPE, ...titledColumns(RIDE_TABLE)],
};

const SERVICE: TableDefinition = {
  id: 'cityflow_service_quality',
  title: { fr: 'Qualité de service', en: 'Quality of service' },
  description: {
    fr: 'Les indicateurs SNCF et RATP du trimestre de chaque jour, là où ils ont été importés.',
    en: 'The indicators of SNCF and RATP of the quarter of each day, where they were imported.',
  },
  rows: { step: 'transform/service-quality', output: 'core', each: 'day' },
  order: ['operator', 'mode', 'theme', 'indicator', 'line_id', 'line', 'result_pct'],
  scoped: true,
  columns: [SCOPE, ...titledColumns(SERVICE_TABLE)],
};

/**
 * Counts and disruptions by hour or period, the network, roadworks, and what the transport files
 * say.
 */
export const CITY_TABLES: readonly TableDefinition[] = [
  BIKES,
  COUNTS,
  ARCS,
  WORKS,
  DISRUPTIONS,
  RIDES,
  SERVICE,
];
