import type { TableDefinition } from '../../kit/index.ts';
import { BIKE_STUDY_TABLE } from '../studies/bike-counters.ts';
import { FIGURE_TABLE } from '../studies/figures.ts';
import { SENSOR_TABLE } from '../studies/sensors.ts';
import { columnsOf, SCOPE } from './columns.ts';

/**
 * The tables of the studies. Each title is the definition of its column: the data dictionary is
 * made from them.
 */

const FIGURES: TableDefinition = {
  id: 'cityflow_days',
  title: { fr: 'Chiffres des jours', en: 'Figures of days' },
  description: {
    fr: 'Une ligne par jour : ce qui est comparé d’un jour à l’autre.',
    en: 'One row per day: what is held against other days.',
  },
  rows: { step: 'metrics/figures', output: 'figures', each: 'day' },
  order: ['date'],
  columns: columnsOf(FIGURE_TABLE, {
    date: ['Jour', 'Day'],
    bikes: ['Vélos comptés', 'Bikes, all counters', 'bikes'],
    vehicles: ['Véhicules comptés', 'Vehicles, all arcs', 'vehicles'],
    lost_minutes: ['Temps perdu', 'Time lost against 50 km/h, all vehicles', 'min'],
    saturated_arcs: [
      'Tronçons saturés',
      'Arcs whose dominant state is saturated or blocked',
      'arcs',
    ],
    temp_c: ['Température moyenne', 'Mean temperature', '°C'],
    precip_mm: ['Précipitations', 'Precipitation', 'mm'],
    wind_kmh: ['Vent', 'Wind', 'km/h'],
    works_active: ['Chantiers actifs', 'Roadworks that are active on the day', 'works'],
    disruptions: [
      'Perturbations',
      'Disruptions of public transport that touch the day',
      'disruptions',
    ],
    metro_reliability: [
      'Fiabilité du métro',
      'Share of the metro’s service that no disruption touched, 0–1',
    ],
    validations: [
      'Validations',
      'Ticket validations published as numbers, both networks',
      'validations',
    ],
    quality_pct: ['Qualité de service', 'Mean result of all indicators of the quarter', '%'],
  }).map((column) => (column.name === 'date' ? { ...column, type: 'date' } : column)),
  from: (files) =>
    `SELECT * REPLACE (CAST(date AS DATE) AS date)
      FROM read_parquet(${files}, union_by_name = true, hive_partitioning = false)`,
};

const SENSORS: TableDefinition = {
  id: 'cityflow_sensors',
  title: { fr: 'Capteurs', en: 'Sensors' },
  description: {
    fr: 'Une ligne par jour et capteur routier ou compteur de vélos attendu.',
    en: 'One row per day and expected road sensor or bike counter.',
  },
  rows: { step: 'metrics/sensors', output: 'sensors', each: 'day' },
  order: ['kind', 'sensor_id'],
  scoped: true,
  columns: [
    SCOPE,
    ...columnsOf(SENSOR_TABLE, {
      kind: ['Genre (route ou vélo)', 'Kind: route (road sensor) or vélo (bike counter)'],
      sensor_id: ['Capteur', 'Arc or counter'],
      sensor_name: ['Nom', 'Label of the arc, or normalised name of the counter'],
      expected_hours: ['Heures attendues', 'Real hours of the day: 23, 24 or 25', 'h'],
      observed_hours: ['Heures observées', 'Hours of the day with a value', 'h'],
      missing_pct: [
        'Part manquante',
        'Hours of the day without a value, of all hours of the day',
        '%',
      ],
      window_expected_hours: [
        'Heures attendues, 31 jours',
        'The same over the stored days of the 31 that end with the day',
        'h',
      ],
      window_observed_hours: [
        'Heures observées, 31 jours',
        'Hours of those days with a value',
        'h',
      ],
      window_missing_pct: [
        'Part manquante, 31 jours',
        'Hours of those days without a value, of all their hours',
        '%',
      ],
      silent_hours: [
        'Durée du silence',
        'Hours without any value, counted back from the end of the day',
        'h',
      ],
      silent_at_least: ['Au moins', 'An earlier day is not stored: the silence may be longer'],
      health: [
        'État',
        'ok; silencieux: silent for more than 6 hours; longtemps silencieux: for more than 24',
      ],
    }),
  ],
};

const OVER = 'over 60 days';

const BIKE_STUDY: TableDefinition = {
  id: 'cityflow_bike_counters',
  title: { fr: 'Étude des compteurs de vélos', en: 'Study of bike counters' },
  description: {
    fr: 'Une ligne par jour et compteur, sur les soixante jours qui finissent avec lui.',
    en: 'One row per day and counter, over the sixty days that end with the day.',
  },
  rows: { step: 'metrics/bike-study', output: 'counters', each: 'day' },
  order: ['compteur_id'],
  scoped: true,
  columns: [
    SCOPE,
    ...columnsOf(BIKE_STUDY_TABLE, {
      compteur_id: ['Compteur', 'Counter'],
      nom_normalise: ['Nom normalisé', 'Name without device and direction, ways written out'],
      voie: ['Voie', 'Street of the normalised name'],
      sens: ['Sens', 'Direction of the name, from and to as compass points'],
      arrondissement: ['Arrondissement', 'Postcode by point in polygon'],
      debit_horaire_moyen: ['Débit horaire moyen', `Mean of the hourly counts ${OVER}`, 'bikes/h'],
      debit_horaire_median: [
        'Débit horaire médian',
        `Median of the hourly counts ${OVER}`,
        'bikes/h',
      ],
      debit_horaire_min: ['Débit horaire minimal', `Least hourly count ${OVER}`, 'bikes/h'],
      debit_horaire_max: ['Débit horaire maximal', `Greatest hourly count ${OVER}`, 'bikes/h'],
      debit_total: ['Débit total', `Sum of the hourly counts ${OVER}`, 'bikes'],
      nb_mesures: ['Mesures', `Hours with a count ${OVER}`, 'h'],
      debit_journalier: ['Débit journalier', 'Bikes of the day', 'bikes/day'],
      dmja: [
        'Débit moyen journalier',
        `Mean of the daily totals ${OVER}, days with any count`,
        'bikes/day',
      ],
      dmja_jours_complets: [
        'Débit moyen journalier, jours complets',
        'Ours: the same over days with every hour alone',
        'bikes/day',
      ],
      rang: ['Rang', 'Place by mean daily flow, 1 the busiest'],
      nb_enregistrements_reels: [
        'Heures observées, 30 jours',
        'Hours with a count in 30 days',
        'h',
      ],
      nb_enregistrements_attendus: [
        'Heures attendues, 30 jours',
        'Real hours of these 30 days',
        'h',
      ],
      taux_disponibilite_pct: [
        'Disponibilité',
        'Hours with a count of the real hours of 30 days',
        '%',
      ],
      heures_sans_donnees: [
        'Heures sans données',
        'Hours from the last count to the end of the day',
        'h',
      ],
      defaillant: ['Défaillant', 'No count for more than 24 hours'],
      faible_activite: [
        'Faible activité',
        'Mean daily flow below 20 % of the median of all counters',
      ],
      corridor: ['Corridor cyclable', 'Mean daily flow above the 75th percentile of all counters'],
      heures_congestionnees: [
        'Heures congestionnées',
        `Hours of the day above 150 % of the counter’s own mean ${OVER}`,
        'h',
      ],
      heures_anormales: [
        'Heures anormales',
        'Hours of the day more than 3 standard deviations from that mean',
        'h',
      ],
    }),
  ],
};

const QUALITY: TableDefinition = {
  id: 'cityflow_quality',
  title: { fr: 'Rapport de qualité', en: 'Quality report' },
  description: {
    fr: 'Une ligne par jour, source et contrôle.',
    en: 'One row per day, source and check.',
  },
  rows: { step: 'metrics/quality', output: 'quality', each: 'day' },
  order: ['dataset', 'check'],
  scoped: true,
  from: (
    files,
  ) => `SELECT source->>'$.dataset' AS dataset, CAST(source->>'$.passed' AS BOOLEAN) AS passed,
      CAST(source->>'$.rows' AS BIGINT) AS rows, one->>'$.check' AS "check",
      one->>'$.severity' AS severity,
      CAST(one->>'$.tested' AS BIGINT) AS tested, CAST(one->>'$.failed' AS BIGINT) AS failed
    FROM (SELECT source, unnest(CAST(source->'$.checks' AS JSON[])) AS one
      FROM (SELECT unnest(CAST(json->'$.datasets' AS JSON[])) AS source
        FROM read_json_objects(${files}, format = 'unstructured')))`,
  columns: [
    SCOPE,
    { name: 'dataset', type: 'text', title: { fr: 'Source', en: 'Source' } },
    {
      name: 'passed',
      type: 'boolean',
      title: { fr: 'Réussi', en: 'No check failed that would hold a day' },
    },
    { name: 'rows', type: 'integer', title: { fr: 'Lignes', en: 'Rows of the day' } },
    { name: 'check', type: 'text', title: { fr: 'Contrôle', en: 'Check' } },
    { name: 'severity', type: 'text', title: { fr: 'Gravité', en: 'Severity' } },
    { name: 'tested', type: 'integer', title: { fr: 'Testées', en: 'Rows that were looked at' } },
    { name: 'failed', type: 'integer', title: { fr: 'En défaut', en: 'Rows that break the rule' } },
  ],
};

/**
 * Days beside days: figures, sensors, bike counters and what the checks said; every table is by
 * day.
 */
export const STUDY_TABLES: readonly TableDefinition[] = [FIGURES, SENSORS, BIKE_STUDY, QUALITY];
