import { FEATURES } from '../anomalies/meter-day.ts';
import { fullHourlySql } from '../marts/daily.ts';
import { definedMembers, quoteIdentifier } from '../../kit/index.ts';
import type {
  ColumnType,
  RowsOutput,
  TableColumn,
  TableDefinition,
  Words,
} from '../../kit/index.ts';

/**
 * What readers may ask of smart meters. Tables with `meter_key` tell of households: they are for
 * those who say who they are. So are the losses of transformers, which may have a single meter.
 */

type Told = readonly [type: ColumnType, fr: string, en: string, unit?: string];

const COLUMNS: Readonly<Record<string, Told>> = {
  scope: ['date', 'Jour', 'Day'],
  period: ['text', 'Période', 'Period'],
  id: ['text', 'Indicateur', 'Indicator'],
  value: ['number', 'Valeur', 'Value'],
  target: ['text', 'Objectif', 'Target'],
  of: ['integer', 'Sur', 'Of'],
  absent: ['text', 'Non disponible', 'Not available'],
  date: ['date', 'Jour', 'Day'],
  metric_date: ['date', 'Jour', 'Day'],
  meter_key: ['text', 'Compteur (clé)', 'Meter (key)'],
  channel: ['text', 'Sens', 'Direction'],
  start_at: ['instant', 'Début', 'Start'],
  hour_timestamp: ['instant', 'Heure', 'Hour'],
  avg_consumption_kwh: ['number', 'Moyenne par intervalle', 'Mean of an interval', 'kWh'],
  max_consumption_kwh: ['number', 'Plus grand intervalle', 'Largest interval', 'kWh'],
  min_consumption_kwh: ['number', 'Plus petit intervalle', 'Smallest interval', 'kWh'],
  std_consumption_kwh: ['number', 'Écart-type (n − 1)', 'Standard deviation (n − 1)', 'kWh'],
  hour_at: ['instant', 'Heure', 'Hour'],
  failed_at: ['instant', 'Intervalle', 'Interval'],
  step_min: ['integer', 'Pas', 'Step', 'min'],
  changes_step: ['boolean', 'Change de pas', 'Changes its step'],
  energy_wh: ['number', 'Énergie mesurée', 'Measured energy', 'Wh'],
  estimate_wh: ['number', 'Énergie estimée', 'Estimated energy', 'Wh'],
  estimate_method: ['text', 'Méthode d’estimation', 'Way of estimating'],
  quality: ['text', 'Qualité', 'Quality'],
  revision: ['integer', 'Étape (0 brut, 2 corrigé)', 'Stage (0 raw, 2 corrected)'],
  slot: ['integer', 'Demi-heure écoulée', 'Elapsed half-hour'],
  half_hour: ['integer', 'Demi-heure locale', 'Local half-hour'],
  hour: ['integer', 'Heure locale', 'Local hour'],
  suspect: ['text', 'Doute', 'Doubt'],
  label: ['text', 'Étiquette publiée', 'Published label'],
  total_wh: ['number', 'Énergie', 'Energy', 'Wh'],
  peak_wh: ['number', 'Plus grand intervalle', 'Largest interval', 'Wh'],
  peak_hour: ['integer', 'Heure de pointe', 'Hour of the peak'],
  base_wh: ['number', 'Talon (5ᵉ centile)', 'Base load (5th percentile)', 'Wh'],
  night_wh: ['number', 'Énergie de 0 h à 6 h', 'Energy from 0 to 6', 'Wh'],
  evening_wh: ['number', 'Énergie de 18 h à 22 h', 'Energy from 18 to 22', 'Wh'],
  observed: ['integer', 'Relevés reçus', 'Readings that came'],
  expected: ['integer', 'Relevés attendus', 'Expected readings'],
  estimated: ['integer', 'Relevés estimés', 'Estimated readings'],
  count_readings: ['integer', 'Relevés', 'Readings'],
  count_anomalies: ['integer', 'Anomalies étiquetées', 'Labelled anomalies'],
  zeros: ['integer', 'Relevés nuls', 'Zero readings'],
  load_factor: ['number', 'Facteur de charge', 'Load factor'],
  avg_temperature_c: ['number', 'Température moyenne', 'Mean temperature', '°C'],
  file: ['text', 'Fichier (sha256)', 'File (sha256)'],
  line: ['integer', 'Ligne', 'Line'],
  reason: ['text', 'Motif', 'Reason'],
  unit: ['text', 'Unité', 'Unit'],
  dialect: ['text', 'Dialecte', 'Dialect'],
  largest_wh: ['number', 'Valeur retenue', 'Value that counts', 'Wh'],
  smallest_wh: ['number', 'Plus petite valeur', 'Smallest value', 'Wh'],
  values: ['integer', 'Valeurs différentes', 'Different values'],
  rule: ['text', 'Règle', 'Rule'],
  group_name: ['text', 'Groupe', 'Group'],
  allowed: ['number', 'Admis', 'Allowed'],
  segment: ['text', 'Segment', 'Segment'],
  transformer: ['text', 'Transformateur', 'Transformer'],
  feeder: ['text', 'Départ', 'Feeder'],
  region: ['text', 'Région', 'Region'],
  kva: ['number', 'Puissance souscrite', 'Contracted power', 'kVA'],
  tariff: ['text', 'Tarif', 'Tariff'],
  valid_from: ['date', 'Valable depuis', 'Valid from'],
  shape: ['text', 'Forme', 'Shape'],
  score: ['number', 'Score (0–1)', 'Score (0–1)'],
  lasting: ['number', 'Score durable (0–1)', 'Lasting score (0–1)'],
  isNew: ['boolean', 'Nouveau', 'New'],
  confirmed: [
    'number',
    'Part confirmée par le transformateur',
    'Share that the transformer confirms',
  ],
  missing_wh_per_day: ['integer', 'Manque par jour', 'Missing a day', 'Wh'],
  reference_wh: ['number', 'Référence par jour', 'Reference a day', 'Wh'],
  use_ratio: ['number', 'Usage / habitude', 'Use / usual'],
  base_ratio: ['number', 'Talon / habitude', 'Base load / usual'],
  evening_ratio: ['number', 'Soir / habitude', 'Evening / usual'],
  other_ratio: ['number', 'Hors soir / habitude', 'Other hours / usual'],
  zero_days: ['integer', 'Jours à zéro', 'Days of zeros'],
  mean_day_wh: ['number', 'Jour moyen (complets)', 'Mean complete day', 'Wh'],
  mean_day_kwh: ['number', 'Jour moyen', 'Mean day', 'kWh'],
  peak_date: ['date', 'Jour de pointe', 'Day of the peak'],
  days: ['integer', 'Jours avec relevés', 'Days with readings'],
  complete_days: ['integer', 'Jours complets', 'Complete days'],
  days_of_month: ['integer', 'Jours du mois', 'Days of the month'],
  months: ['integer', 'Mois', 'Months'],
  ratio_month_before: ['number', 'Jour moyen / mois précédent', 'Mean day / month before'],
  ratio_year_before: [
    'number',
    'Jour moyen / même mois un an avant',
    'Mean day / same month a year before',
  ],
  is_labelled: ['boolean', 'Étiqueté anormal', 'Labelled as odd'],
  use: ['number', 'Énergie / habitude (log)', 'Energy / usual (log)'],
  base: ['number', 'Talon / habitude (log)', 'Base load / usual (log)'],
  evening: ['number', 'Part du soir, écart', 'Share of the evening, difference'],
  night: ['number', 'Part de la nuit, écart', 'Share of the night, difference'],
  day_z: ['number', 'Écart aux 28 jours (MAD)', 'Distance from 28 days (MAD)'],
  level: ['number', 'Niveau / cohorte', 'Level / cohort'],
  is_anomaly_labeled: ['boolean', 'Étiqueté anormal', 'Labelled as odd'],
  is_anomaly_ml: ['boolean', 'Anormal selon le modèle', 'Odd by the model'],
  anomaly_score: ['number', 'Score (0–1)', 'Score (0–1)'],
  anomaly_type: ['text', 'Type', 'Type'],
  severity: ['text', 'Gravité', 'Severity'],
  model: ['text', 'Modèle', 'Model'],
  name: ['text', 'Modèle', 'Model'],
  artefact: ['text', 'Artefact (JSON)', 'Artefact (JSON)'],
  cohort: ['text', 'Cohorte', 'Cohort'],
  season: ['text', 'Saison', 'Season'],
  day_type: ['text', 'Type de jour', 'Kind of day'],
  n: ['integer', 'Relevés', 'Readings'],
  mean_wh: ['number', 'Moyenne', 'Mean', 'Wh'],
  mean_kwh: ['number', 'Énergie moyenne', 'Mean energy', 'kWh'],
  weekday: ['integer', 'Jour de la semaine (1 lundi)', 'Weekday (1 is Monday)'],
  p10_wh: ['integer', '1ᵉʳ décile', '10th percentile', 'Wh'],
  p50_wh: ['integer', 'Médiane', 'Median', 'Wh'],
  p90_wh: ['integer', '9ᵉ décile', '90th percentile', 'Wh'],
  meters: ['integer', 'Compteurs', 'Meters'],
  coverage: ['number', 'Couverture (0–1)', 'Coverage (0–1)'],
  injected_kwh: ['number', 'Énergie injectée', 'Injected energy', 'kWh'],
  export_kwh: ['number', 'Énergie rendue', 'Exported energy', 'kWh'],
  delivered_kwh: ['number', 'Énergie livrée', 'Delivered energy', 'kWh'],
  loss_kwh: ['number', 'Perte', 'Loss', 'kWh'],
  loss_rate: ['number', 'Taux de perte (0–1)', 'Loss rate (0–1)'],
  technical_kwh: ['number', 'Perte technique', 'Technical loss', 'kWh'],
  rest_kwh: ['number', 'Reste', 'Rest', 'kWh'],
  total_kwh: ['number', 'Consommation', 'Consumption', 'kWh'],
  avg_kwh: ['number', 'Moyenne par demi-heure', 'Mean of a half-hour', 'kWh'],
  peak_kwh: ['number', 'Pointe', 'Peak', 'kWh'],
  consumption_variance: ['number', 'Variance', 'Variance', 'kWh²'],
  anomaly_count: ['integer', 'Anomalies étiquetées', 'Labelled anomalies'],
  anomaly_rate_pct: ['number', 'Taux d’anomalies', 'Rate of anomalies', '%'],
  total_loss_estimate_kwh: ['number', 'Pertes estimées', 'Estimated losses', 'kWh'],
  expected_from: ['text', 'Attendus d’après', 'Expected according to'],
  loss_estimate_absent: ['text', 'Pourquoi pas d’estimation', 'Why there is no estimate'],
};

interface MeterTable {
  readonly title: Words;
  readonly description: Words;
  readonly rows: RowsOutput;
  /** Default: a day. */
  readonly each?: 'month' | 'year';
  /** SQL of the rows of some files that are documents. */
  readonly from?: (files: string) => string;
  readonly order: readonly string[];
  readonly columns: readonly string[];
  /** The rows say no day of their own. */
  readonly scoped?: true;
  /** Columns that may tell of one household, besides those that the definition classifies. */
  readonly personal?: readonly string[];
}

const FLEET_MONTH = [
  ...[
    'total_kwh',
    'mean_day_kwh',
    'peak_kwh',
    'peak_date',
    'peak_hour',
    'days',
    'observed',
    'expected',
  ],
  ...['anomaly_count', 'total_loss_estimate_kwh'],
];

/** A list of documents of months as rows of text, which the declared types make values of. */
function documentRows(files: string, list: string, members: readonly string[]): string {
  const columns = members.map((name) => `one->>'$.${name}' AS ${quoteIdentifier(name)}`);
  return `SELECT json->>'$.month' AS period, ${columns.join(', ')}
    FROM (SELECT json, unnest(CAST(json->'$.${list}' AS JSON[])) AS one FROM read_json_objects(${files}, format = 'unstructured'))`;
}

const RATIOS = ['use_ratio', 'base_ratio', 'evening_ratio', 'other_ratio', 'zero_days'];

/** By the end of the id. */
const TABLES: Readonly<Record<string, MeterTable>> = {
  readings: {
    title: { fr: 'Relevés', en: 'Readings' },
    description: {
      fr: 'Un compteur, un sens et un intervalle : la meilleure ligne de tout ce qui a été remis.',
      en: 'A meter, a direction and an interval: the best row of all that was delivered.',
    },
    rows: { step: 'transform/readings', output: 'readings' },
    order: ['meter_key', 'channel', 'start_at'],
    columns: [
      ...[
        'meter_key',
        'channel',
        'start_at',
        'step_min',
        'energy_wh',
        'quality',
        'revision',
        'estimate_wh',
      ],
      ...['estimate_method', 'slot', 'hour', 'suspect', 'label'],
    ],
  },
  estimates: {
    title: { fr: 'Estimations', en: 'Estimates' },
    description: {
      fr: 'Ce qui a probablement été utilisé là où aucune valeur mesurée n’est là ; dans aucune somme.',
      en: 'What was probably used where no measured value is there; in no sum.',
    },
    rows: { step: 'metrics/estimates', output: 'estimates' },
    order: ['meter_key', 'channel', 'start_at'],
    columns: ['meter_key', 'channel', 'start_at', 'slot', 'hour', 'estimate_wh', 'estimate_method'],
  },
  rejects: {
    title: { fr: 'Lignes refusées', en: 'Refused rows' },
    description: { fr: 'Avec fichier, ligne et motif.', en: 'With file, line and reason.' },
    rows: { step: 'transform/readings', output: 'rejects' },
    order: ['file', 'line', 'reason'],
    columns: ['scope', 'file', 'line', 'reason', 'meter_key', 'channel', 'unit', 'dialect'],
    scoped: true,
  },
  conflicts: {
    title: { fr: 'Lignes qui se contredisent', en: 'Rows that disagree' },
    description: {
      fr: 'De même rang, pour un même intervalle.',
      en: 'Of one rank, for one interval.',
    },
    rows: { step: 'transform/readings', output: 'conflicts' },
    order: ['meter_key', 'channel', 'start_at'],
    columns: ['meter_key', 'channel', 'start_at', 'largest_wh', 'smallest_wh', 'values'],
  },
  hours: {
    title: { fr: 'Heures des compteurs', en: 'Hours of meters' },
    description: {
      fr: 'Somme et nombre de chaque heure écoulée.',
      en: 'Sum and count of each elapsed hour.',
    },
    rows: { step: 'metrics/daily', output: 'hourly' },
    order: ['meter_key', 'channel', 'hour_at'],
    columns: ['meter_key', 'channel', 'hour_at', 'total_wh', 'count_readings'],
  },
  hours_full: {
    title: { fr: 'Heures des compteurs, en détail', en: 'Hours of meters, in full' },
    description: {
      fr: 'Moyenne, extrêmes, écart-type et anomalies de chaque heure écoulée, calculés à la demande.',
      en: 'Mean, extremes, spread and anomalies of each elapsed hour, worked out when they are asked for.',
    },
    rows: { step: 'transform/readings', output: 'readings' },
    from: (files) => fullHourlySql(`read_parquet(${files}, hive_partitioning = false)`),
    order: ['meter_key', 'channel', 'hour_timestamp'],
    columns: [
      ...[
        'meter_key',
        'channel',
        'hour_timestamp',
        'hour',
        'total_kwh',
        'avg_consumption_kwh',
        'max_consumption_kwh',
      ],
      ...[
        'min_consumption_kwh',
        'std_consumption_kwh',
        'count_readings',
        'count_anomalies',
        'anomaly_rate_pct',
      ],
    ],
  },
  days: {
    title: { fr: 'Journées des compteurs', en: 'Days of meters' },
    description: {
      fr: 'Énergie, pointe, talon, nuit, soir, et ce qui a été reçu sur ce qui était attendu.',
      en: 'Energy, peak, base load, night, evening, and what came beside what was expected.',
    },
    rows: { step: 'metrics/daily', output: 'daily' },
    order: ['date', 'meter_key', 'channel'],
    columns: [
      ...[
        'date',
        'meter_key',
        'channel',
        'total_wh',
        'peak_wh',
        'peak_hour',
        'base_wh',
        'night_wh',
        'evening_wh',
      ],
      ...[
        'observed',
        'expected',
        'estimated',
        'zeros',
        'load_factor',
        'count_anomalies',
        'step_min',
        'changes_step',
      ],
      'avg_temperature_c',
    ],
  },
  failures: {
    title: { fr: 'Lignes en défaut', en: 'Rows that fail a rule' },
    description: { fr: 'Par règle de qualité.', en: 'By rule of quality.' },
    rows: { step: 'metrics/quality', output: 'failures' },
    order: ['rule', 'meter_key', 'failed_at'],
    columns: ['scope', 'rule', 'meter_key', 'failed_at', 'observed', 'allowed'],
    scoped: true,
  },
  held: {
    title: { fr: 'Compteurs retenus', en: 'Held meters' },
    description: {
      fr: 'Absents des figures du parc jusqu’à une décision sur leur groupe.',
      en: 'In no figure of the fleet until somebody decides on their group.',
    },
    rows: { step: 'metrics/quality', output: 'held' },
    order: ['group_name', 'rule', 'meter_key'],
    columns: ['scope', 'meter_key', 'group_name', 'rule'],
    scoped: true,
  },
  suspicions: {
    title: { fr: 'Soupçons', en: 'Suspicions' },
    description: {
      fr: 'Compteurs qui manquent d’une énergie, avec les raisons ; un indice, jamais une preuve.',
      en: 'Meters that lack energy, with the reasons; a hint, never a proof.',
    },
    rows: { step: 'metrics/suspicions', output: 'suspicions' },
    order: ['lasting', 'meter_key'],
    columns: [
      ...[
        'scope',
        'meter_key',
        'segment',
        'transformer',
        'shape',
        'score',
        'lasting',
        'isNew',
        'confirmed',
      ],
      ...['missing_wh_per_day', 'reference_wh', ...RATIOS],
    ],
    scoped: true,
  },
  scores: {
    title: { fr: 'Scores des journées', en: 'Scores of days' },
    description: {
      fr: 'À quel point la journée d’un compteur est inhabituelle, selon le modèle en vigueur.',
      en: 'How odd the day of a meter is, by the model in force.',
    },
    rows: { step: 'metrics/scores', output: 'scores' },
    order: ['meter_key'],
    columns: [
      ...[
        'scope',
        'meter_key',
        'segment',
        'is_anomaly_labeled',
        'is_anomaly_ml',
        'anomaly_score',
        'anomaly_type',
      ],
      ...['severity', 'model'],
    ],
    scoped: true,
  },
  features: {
    title: { fr: 'Journées comparées', en: 'Days beside what is usual' },
    description: {
      fr: 'Ce sur quoi les modèles sont entraînés.',
      en: 'What models are trained on.',
    },
    rows: { step: 'metrics/features', output: 'features' },
    order: ['meter_key'],
    columns: ['scope', 'meter_key', 'segment', 'is_labelled', ...FEATURES, 'day_z', 'level'],
    scoped: true,
  },
  models: {
    title: { fr: 'Modèles entrés en vigueur', en: 'Models that came into force' },
    description: {
      fr: 'Arbres, paramètres, jours, empreinte des lignes et mesures de chacun.',
      en: 'Trees, parameters, days, hash of the rows and metrics of each.',
    },
    rows: { step: 'metrics/model', output: 'model' },
    order: ['valid_from', 'name'],
    columns: ['valid_from', 'name', 'artefact'],
  },
  profiles: {
    title: { fr: 'Profils de charge', en: 'Load profiles' },
    description: {
      fr: 'Par cohorte d’au moins dix compteurs, saison, type de jour et demi-heure locale.',
      en: 'By cohort of ten meters or more, season, kind of day and local half-hour.',
    },
    rows: { step: 'metrics/day', output: 'profile' },
    order: ['cohort', 'half_hour'],
    columns: [
      'scope',
      'cohort',
      'season',
      'day_type',
      'half_hour',
      'n',
      'mean_wh',
      'p10_wh',
      'p50_wh',
      'p90_wh',
    ],
    scoped: true,
  },
  losses: {
    title: { fr: 'Pertes par transformateur', en: 'Losses by transformer' },
    description: {
      fr: 'Vide sous 98 % de relevés ou sans énergie injectée.',
      en: 'Empty below 98 % of readings or without injected energy.',
    },
    rows: { step: 'metrics/day', output: 'losses' },
    order: ['transformer'],
    columns: [
      ...[
        'scope',
        'transformer',
        'meters',
        'coverage',
        'injected_kwh',
        'export_kwh',
        'delivered_kwh',
        'loss_kwh',
      ],
      ...['loss_rate', 'technical_kwh', 'rest_kwh'],
    ],
    scoped: true,
    personal: ['transformer'],
  },
  fleet: {
    title: { fr: 'Parc et segments, par jour', en: 'Fleet and segments, by day' },
    description: {
      fr: 'Consommation, pointe, couverture et pertes estimées du parc et de chaque segment publiable.',
      en: 'Consumption, peak, coverage and estimated losses of the fleet and of each segment that may be published.',
    },
    rows: { step: 'report/daily', output: 'table' },
    order: ['metric_date', 'segment'],
    columns: [
      ...[
        'segment',
        'metric_date',
        'total_kwh',
        'avg_kwh',
        'peak_kwh',
        'peak_hour',
        'consumption_variance',
        'meters',
      ],
      ...[
        'observed',
        'expected',
        'coverage',
        'anomaly_count',
        'anomaly_rate_pct',
        'total_loss_estimate_kwh',
      ],
      ...['expected_from', 'loss_estimate_absent'],
    ],
  },
  week: {
    title: { fr: 'Charge par jour de la semaine et heure', en: 'Load by weekday and hour' },
    description: {
      fr: 'Énergie moyenne du parc, sur les quatre semaines qui finissent avec le jour.',
      en: 'Mean energy of the fleet, over the four weeks that end with the day.',
    },
    rows: { step: 'report/daily', output: 'week' },
    from: (files) =>
      `SELECT weekday, hour, mean_kwh, days FROM read_csv(${files}, delim = ';', header = true, union_by_name = true)`,
    order: ['weekday', 'hour'],
    columns: ['scope', 'weekday', 'hour', 'mean_kwh', 'days'],
    scoped: true,
  },
  months: {
    title: { fr: 'Mois des compteurs', en: 'Months of meters' },
    description: {
      fr: 'Énergie, jour moyen, pointe, et le jour moyen sur celui d’avant et d’un an avant.',
      en: 'Energy, mean day, peak, and the mean day beside those of the month and of the year before.',
    },
    rows: { step: 'rollup/month', output: 'months' },
    each: 'month',
    order: ['period', 'meter_key', 'channel'],
    columns: [
      ...[
        'period',
        'meter_key',
        'channel',
        'total_wh',
        'mean_day_wh',
        'peak_wh',
        'peak_date',
        'peak_hour',
        'days',
      ],
      ...[
        'complete_days',
        'days_of_month',
        'observed',
        'estimated',
        'ratio_month_before',
        'ratio_year_before',
      ],
    ],
  },
  years: {
    title: { fr: 'Années des compteurs', en: 'Years of meters' },
    description: { fr: 'Sommes des mois qui sont là.', en: 'Sums of the months that there are.' },
    rows: { step: 'rollup/year', output: 'years' },
    each: 'year',
    order: ['period', 'meter_key', 'channel'],
    columns: [
      ...[
        'period',
        'meter_key',
        'channel',
        'total_wh',
        'mean_day_wh',
        'peak_wh',
        'peak_date',
        'months',
        'days',
      ],
      ...['complete_days', 'observed', 'estimated'],
    ],
  },
  fleet_months: {
    title: { fr: 'Parc et segments, par mois', en: 'Fleet and segments, by month' },
    description: { fr: 'Sommes des jours du mois.', en: 'Sums of the days of the month.' },
    rows: { step: 'rollup/month', output: 'fleet' },
    each: 'month',
    from: (files) => documentRows(files, 'metrics', ['segment', ...FLEET_MONTH]),
    order: ['period', 'segment'],
    columns: ['period', 'segment', ...FLEET_MONTH],
  },
  indicators: {
    title: { fr: 'Indicateurs du mois', en: 'Indicators of the month' },
    description: {
      fr: 'Pertes, coupures, encaissement, relève et validité ; non disponible, avec la raison, où une donnée manque.',
      en: 'Losses, outages, collection, telemetry and validity; not available, with the reason, where an input is missing.',
    },
    rows: { step: 'rollup/month', output: 'fleet' },
    each: 'month',
    from: (files) =>
      documentRows(files, 'indicators', ['id', 'value', 'unit', 'target', 'of', 'absent']),
    order: ['period', 'id'],
    columns: ['period', 'id', 'value', 'unit', 'target', 'of', 'absent'],
  },
  list: {
    title: { fr: 'Compteurs', en: 'Meters' },
    description: { fr: 'La liste qui vaut chaque jour.', en: 'The list that holds on each day.' },
    rows: { step: 'download/meters', output: 'slice' },
    order: ['meter_key'],
    columns: [
      'scope',
      'meter_key',
      'valid_from',
      'segment',
      'region',
      'transformer',
      'feeder',
      'kva',
      'tariff',
    ],
    scoped: true,
  },
};

function columnOf(name: string, { personal = [] }: Pick<MeterTable, 'personal'> = {}): TableColumn {
  const told = COLUMNS[name];
  if (told === undefined) throw new TypeError(`nothing is told of the column ${name}`);
  const [type, fr, en, unit] = told;
  const own = personal.includes(name) ? ('personal' as const) : undefined;
  return { name, type, title: { fr, en }, ...definedMembers({ unit, class: own }) };
}

/**
 * The declared columns of these names, in their order; a name that nothing is told of is a mistake
 * of ours.
 */
export function columnsOf(...names: readonly string[]): TableColumn[] {
  return names.map((name) => columnOf(name));
}

/** The id of a table of meters. */
function tableId(name: string): string {
  return `meter_${name}`;
}

/** Every mart, as the API, exports and questions know it. */
export const METER_TABLES: readonly TableDefinition[] = Object.entries(TABLES).map(
  ([name, table]) => ({
    id: tableId(name),
    title: table.title,
    description: table.description,
    rows: { ...table.rows, each: table.each ?? 'day' },
    order: table.order,
    columns: table.columns.map((column) => columnOf(column, table)),
    ...definedMembers({ scoped: table.scoped, from: table.from }),
  }),
);
