import { FEATURES } from '../anomalies/meter-day.ts';
import { fullHourlySql } from '../marts/daily.ts';
import { definedMembers, quoteIdentifier } from '../../kit/index.ts';
import type { RowsOutput, TableColumn, TableDefinition, Words } from '../../kit/index.ts';
import { COLUMNS } from './column-words.ts';

/**
 * What readers may ask of smart meters. Tables with `meter_key` tell of households: they are for
 * those who say who they are. So are the losses of transformers, which may have a single meter.
 */

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
    FROM (SELECT json, unnest(CAST(json->'$.${list}' AS JSON[])) AS one
      FROM read_json_objects(${files}, format = 'unstructured'))`;
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
      `SELECT weekday, hour, mean_kwh, days
        FROM read_csv(${files}, delim = ';', header = true, union_by_name = true)`,
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
