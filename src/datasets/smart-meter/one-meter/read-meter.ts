import type { AnswerRow, DaySpan, SqlSession } from '../../kit/index.ts';

/**
 * Everything that is known of one meter in a span of days, for the page that only its operator
 * sees. Energies are Wh.
 */

/** The tables that it is read from; those of `OF_ONE_METER` only where they tell of the meter. */
export const METER_PAGE_TABLES = [
  ...[
    'meter_list',
    'meter_readings',
    'meter_days',
    'meter_failures',
    'meter_rejects',
    'meter_conflicts',
    'meter_held',
    'meter_scores',
    'meter_estimates',
  ],
  ...['meter_suspicions', 'meter_losses', 'meter_profiles'],
] as const;

/** The tables with a `meter_key`. */
export const OF_ONE_METER = METER_PAGE_TABLES.filter(
  (id) => id !== 'meter_losses' && id !== 'meter_profiles',
);

/** What the list of meters says on the newest day of the span. */
export interface MeterPlace {
  readonly since: string;
  readonly segment: string | null;
  readonly region: string | null;
  readonly transformer: string | null;
  readonly feeder: string | null;
  readonly kva: number | null;
  readonly tariff: string | null;
}

/** A day in one direction. */
export interface MeterDay {
  readonly date: string;
  readonly channel: 'import' | 'export';
  readonly total_wh: number;
  readonly peak_wh: number | null;
  readonly peak_hour: number | null;
  readonly base_wh: number | null;
  readonly night_wh: number;
  readonly evening_wh: number;
  readonly observed: number;
  readonly expected: number;
  readonly estimated: number;
  readonly zeros: number;
  readonly load_factor: number | null;
}

/** An interval of the readings themselves. */
export interface MeterReading {
  /** ISO instant of the START. */
  readonly start_at: string;
  readonly channel: 'import' | 'export';
  readonly step_min: number;
  readonly energy_wh: number | null;
  readonly estimate_wh: number | null;
  readonly quality: string;
  readonly suspect: string | null;
}

/** A half-hour of the local clock: the meter's mean beside that of its cohort. */
export interface TypicalHalfHour {
  /** 0–47. */
  readonly half_hour: number;
  readonly own_wh: number | null;
  /** Means over the days of the span; null where the cohort may not be published. */
  readonly cohort_wh: number | null;
  readonly cohort_p10_wh: number | null;
  readonly cohort_p90_wh: number | null;
}

/** What was found against the meter on a day, with its reasons. */
export interface MeterSuspicion {
  readonly date: string;
  readonly shape: 'all_day' | 'evening' | 'zeros';
  readonly score: number;
  /** The smaller score of this day and of a week before. */
  readonly lasting: number;
  readonly confirmed: number | null;
  readonly missing_wh_per_day: number;
  readonly reference_wh: number;
  readonly use_ratio: number | null;
  readonly base_ratio: number | null;
  readonly evening_ratio: number | null;
  readonly zero_days: number;
}

/** How odd a day was by the model in force. */
export interface MeterScore {
  readonly date: string;
  /** 0–1. */
  readonly anomaly_score: number;
  readonly is_anomaly_ml: boolean;
  /** Of odd days. */
  readonly anomaly_type:
    | 'high_consumption'
    | 'low_consumption'
    | 'drift'
    | 'unusual_pattern'
    | null;
  readonly severity: 'low' | 'medium' | 'high' | null;
  readonly model: string;
}

/** A rule that a row of the meter fails. */
export interface MeterFailure {
  readonly date: string;
  readonly rule: string;
  readonly failed_at: string | null;
  readonly observed: number | null;
  readonly allowed: number | null;
}

/** All of it. */
export interface OneMeter extends DaySpan {
  readonly meter_key: string;
  /** The parts whose rows a sample portal made up; empty for real days. */
  readonly sample: readonly string[];
  readonly place: MeterPlace | null;
  /** Ascending; at most one row for each day and direction. */
  readonly days: readonly MeterDay[];
  readonly readings: readonly MeterReading[];
  /** Half-hours without a measured value; in no sum. */
  readonly estimates: readonly {
    readonly start_at: string;
    readonly channel: 'import' | 'export';
    readonly estimate_wh: number;
    readonly estimate_method: 'linear' | 'like_day' | 'scaled';
  }[];
  readonly typical: readonly TypicalHalfHour[];
  /** The newest first. */
  readonly suspicions: readonly MeterSuspicion[];
  /** Of days with a model in force and four weeks before them. */
  readonly scores: readonly MeterScore[];
  readonly failures: readonly MeterFailure[];
  /** Days on which it is in no figure of the fleet, with the group that is asked about. */
  readonly held: readonly {
    readonly date: string;
    readonly group_name: string;
    readonly rule: string;
  }[];
  /** Refused rows by reason. */
  readonly rejects: readonly { readonly reason: string; readonly rows: number }[];
  readonly conflicts: readonly {
    readonly start_at: string;
    readonly largest_wh: number;
    readonly smallest_wh: number;
  }[];
  /** Of the transformer that the meter is behind. */
  readonly losses: readonly {
    readonly date: string;
    readonly meters: number;
    readonly coverage: number;
    readonly loss_rate: number | null;
    readonly rest_kwh: number | null;
  }[];
}

/**
 * Reads the views of `METER_PAGE_TABLES`, which hold nothing of other meters; undefined where none
 * of them has a row of it.
 */
export async function readMeter(
  sql: SqlSession,
  meterKey: string,
  span: DaySpan,
): Promise<Omit<OneMeter, 'sample'> | undefined> {
  const place = await placeOf(sql);
  const transformer = place?.transformer ?? null;
  const found = {
    days: await rows<MeterDay>(
      sql,
      `SELECT date, channel, total_wh, peak_wh, peak_hour, base_wh, night_wh, evening_wh, observed,
        expected, estimated, zeros, load_factor
       FROM meter_days ORDER BY date, channel DESC`,
    ),
    readings: await rows<MeterReading>(
      sql,
      `SELECT start_at, channel, step_min, energy_wh, estimate_wh, quality, suspect
        FROM meter_readings ORDER BY start_at, channel DESC`,
    ),
    estimates: await rows<OneMeter['estimates'][number]>(
      sql,
      'SELECT start_at, channel, estimate_wh, estimate_method FROM meter_estimates ORDER BY start_at, channel DESC',
    ),
    suspicions: await rows<MeterSuspicion>(
      sql,
      `SELECT scope AS date, shape, score, lasting, confirmed, missing_wh_per_day, reference_wh,
        use_ratio, base_ratio, evening_ratio, zero_days
       FROM meter_suspicions ORDER BY scope DESC`,
    ),
    scores: await rows<MeterScore>(
      sql,
      'SELECT scope AS date, anomaly_score, is_anomaly_ml, anomaly_type, severity, model FROM meter_scores ORDER BY scope',
    ),
    failures: await rows<MeterFailure>(
      sql,
      'SELECT scope AS date, rule, failed_at, observed, allowed FROM meter_failures ORDER BY scope, rule, failed_at',
    ),
    held: await rows<OneMeter['held'][number]>(
      sql,
      'SELECT scope AS date, group_name, rule FROM meter_held ORDER BY scope, rule',
    ),
    rejects: await rows<OneMeter['rejects'][number]>(
      sql,
      'SELECT reason, count(*) AS rows FROM meter_rejects GROUP BY reason ORDER BY reason',
    ),
    conflicts: await rows<OneMeter['conflicts'][number]>(
      sql,
      'SELECT start_at, largest_wh, smallest_wh FROM meter_conflicts ORDER BY start_at',
    ),
  };
  const isKnown = place !== null || Object.values(found).some((list) => list.length > 0);
  if (!isKnown) return undefined;
  const losses = transformer === null ? [] : await lossesOf(sql);
  return { meter_key: meterKey, ...span, place, ...found, typical: await typicalOf(sql), losses };
}

async function rows<T>(sql: SqlSession, select: string): Promise<T[]> {
  return (await sql.rows<AnswerRow>(select)) as T[];
}

async function placeOf(sql: SqlSession): Promise<MeterPlace | null> {
  const [place] = await rows<MeterPlace>(
    sql,
    `SELECT valid_from AS since, segment, region, transformer, feeder, kva, tariff FROM meter_list
      ORDER BY scope DESC LIMIT 1`,
  );
  return place ?? null;
}

/** Of the transformer on each day that the list knows the meter behind it. */
function lossesOf(sql: SqlSession): Promise<OneMeter['losses']> {
  return rows(
    sql,
    `SELECT l.scope AS date, l.meters, l.coverage, l.loss_rate, l.rest_kwh
     FROM meter_losses l JOIN meter_list m ON l.scope = m.scope AND l.transformer = m.transformer
       ORDER BY l.scope`,
  );
}

/**
 * Energy of a half-hour, from steps of any length; the cohort is that of the list, else the one
 * without a name.
 */
function typicalOf(sql: SqlSession): Promise<TypicalHalfHour[]> {
  const mean = (column: string): string => `CAST(sum(${column} * n) AS DOUBLE) / sum(n)`;
  return rows(
    sql,
    `WITH own AS (SELECT 2 * hour + CAST(floor((epoch(start_at) % 3600) / 1800) AS INTEGER) AS half_hour,
        30 * sum(energy_wh) / sum(step_min) AS own_wh
        FROM meter_readings WHERE channel = 'import' AND energy_wh IS NOT NULL GROUP BY 1),
      cohort AS (SELECT half_hour, ${mean('mean_wh')} AS cohort_wh, ${mean('p10_wh')} AS cohort_p10_wh, ${mean('p90_wh')} AS cohort_p90_wh
        FROM meter_profiles WHERE cohort = coalesce((SELECT segment FROM meter_list
          ORDER BY scope DESC LIMIT 1), 'unknown')
        GROUP BY half_hour)
    SELECT half_hour, own_wh, cohort_wh, cohort_p10_wh, cohort_p90_wh FROM own
      LEFT JOIN cohort USING (half_hour) ORDER BY half_hour`,
  );
}
