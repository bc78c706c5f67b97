import { quoteTexts } from '../../kit/index.ts';
import type { Words } from '../../kit/index.ts';

/**
 * Rules of quality as SQL that returns the failing rows: `meter_key`, `failed_at`, `observed`,
 * `allowed`. Each reads the views `readings`, `rejects`, `conflicts`, `daily`, `history` (days
 * before, with `back`), `meters` (those of the shard; `all_meters` is the whole list), `registers`,
 * `outages` of one day; estimates are in none of them. `readings` are in order of meter, channel
 * and time; `usual` are the like days of each meter; `counts` is one row: how many they are
 * (`rows`), and of the columns that few dialects fill, how many have a value.
 */
export interface QualityRule {
  readonly id: string;
  readonly suite: 'raw_readings_suite' | 'staging_readings_suite' | 'marts_metrics_suite';
  /** The rule as a claim. */
  readonly title: Words;
  /** What a failing row is: counted with a warning, suspect, or reason to leave its meter out. */
  readonly severity: 'warn' | 'suspect' | 'hold';
  /** SQL of what is looked at, a number. */
  readonly tested: string;
  readonly failing: string;
  /**
   * SQL of whether anything can fail it, cheaper than to look for it: where it is false, `failing`
   * is not asked.
   */
  readonly mayFail?: string;
}

/** Why a row is refused that some rule counts. */
export type Refusal =
  | ('no_stamp' | 'bad_stamp' | 'no_such_time' | 'ambiguous_time')
  | ('no_value' | 'not_finite' | 'negative' | 'out_of_range')
  | ('unknown_unit' | 'other_quantity' | 'register_not_interval' | 'refused_quality');

const ALL_READINGS = 'SELECT rows FROM counts';
const ALL_METERS = `SELECT count(*) FROM daily WHERE channel = 'import'`;
const NOTHING = 'CAST(NULL AS DOUBLE)';

function refused(id: string, title: Words, reasons: readonly Refusal[]): QualityRule {
  return {
    id,
    suite: 'raw_readings_suite',
    title,
    severity: 'warn',
    tested: '(SELECT rows FROM counts) + (SELECT count(*) FROM rejects)',
    failing: `SELECT meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at,
      TRY_CAST(value AS DOUBLE) AS observed, ${NOTHING} AS allowed FROM rejects
      WHERE reason IN (${quoteTexts(reasons)})`,
  };
}

/**
 * Runs of one value: rows in order, a new run wherever the value changes or an interval is missing.
 */
function runsOf(meters: string): string {
  return `(SELECT meter_key, channel, energy_wh, min(start_at) AS failed_at, count(*) AS length
    FROM (
    SELECT *, sum(is_new) OVER (PARTITION BY meter_key, channel ORDER BY start_at) AS run FROM (
      SELECT meter_key, channel, start_at, energy_wh, CASE WHEN energy_wh = lag(energy_wh)
        OVER in_time
          AND epoch(start_at) - epoch(lag(start_at) OVER in_time) = 60 * step_min THEN 0
            ELSE 1 END AS is_new
      FROM readings WHERE meter_key IN (${meters})
        WINDOW in_time AS (PARTITION BY meter_key, channel ORDER BY start_at)))
    GROUP BY meter_key, channel, energy_wh, run)`;
}

/**
 * Meters that may have a run: readings stand in order of meter, channel and time, so that a run of
 * twelve is eleven rows that equal the row before them. To look for runs in all readings costs more
 * than all other rules together.
 */
const WITH_EQUALS = `SELECT meter_key FROM (SELECT meter_key, energy_wh, lag(energy_wh)
  OVER () AS earlier_wh FROM readings)
    WHERE energy_wh > 0 AND energy_wh = earlier_wh GROUP BY meter_key HAVING count(*) >= 11`;
const WITH_ZEROS = 'SELECT meter_key FROM daily GROUP BY meter_key HAVING sum(zeros) >= 48';

/**
 * Meters with an interval above what is allowed of them; days know the largest interval, so that
 * few readings are looked at.
 */
const ALLOWED_WH = '1100 * coalesce(m.kva, 36) * step_min / 60';
const WITH_HIGH_PEAK = `SELECT d.meter_key FROM daily d LEFT JOIN meters m
  ON d.meter_key = m.meter_key WHERE peak_wh > ${ALLOWED_WH}`;

/** Meters with a row that has the interval of the row before it, by the same order. */
const WITH_TWINS = `SELECT meter_key FROM (SELECT meter_key, channel, start_at, lag(meter_key)
  OVER () AS earlier_key, lag(channel) OVER () AS earlier_channel,
    lag(start_at) OVER () AS earlier_at FROM readings) WHERE meter_key = earlier_key
      AND start_at = earlier_at AND channel = earlier_channel`;

/**
 * `usual`, once for all rules: the median of the like days (one, two, three and four weeks before)
 * of each meter, and how many they are.
 */
export const USUAL = `SELECT meter_key, CAST(quantile_disc(total_wh, 0.5) AS DOUBLE) AS usual_wh,
  count(*) AS days FROM history
    WHERE back IN (7, 14, 21, 28) AND channel = 'import' AND observed = expected
      GROUP BY meter_key`;

const FULL_DAYS = `(SELECT * FROM daily WHERE channel = 'import' AND observed = expected)`;

/** Δ of the counter over the day, where there is a reading at both of its ends. */
const DELTAS = `(SELECT meter_key, CAST(arg_max(register_wh, read_at)
  - arg_min(register_wh, read_at) AS DOUBLE) AS delta_wh, count(*) AS readings,
    CAST(arg_min(register_wh, read_at) AS DOUBLE) AS first_wh FROM registers GROUP BY meter_key
      HAVING count(*) >= 2)`;

/**
 * Meters whose largest value stands far above the third largest. To look for its time among all
 * meters costs more than all else here.
 */
const SPIKES = `(SELECT meter_key, top FROM (SELECT meter_key, max(energy_wh, 3) AS top
  FROM readings WHERE channel = 'import' GROUP BY meter_key)
    WHERE len(top) = 3 AND top[1] > 500 AND CAST(top[1] AS DOUBLE) > 2.8 * CAST(top[3] AS DOUBLE))`;

/**
 * A meter that fails a rule of severity `hold` is left out of the fleet until somebody decides on
 * its group.
 */
export const QUALITY_RULES: readonly QualityRule[] = [
  refused(
    'timestamp_not_null',
    {
      fr: 'chaque ligne porte une heure que son horloge a montrée',
      en: 'every row has a time that its clock showed',
    },
    ['no_stamp', 'bad_stamp', 'no_such_time', 'ambiguous_time'],
  ),
  refused(
    'consumption_not_null',
    { fr: 'chaque ligne a une valeur', en: 'every row has a value' },
    ['no_value'],
  ),
  refused(
    'consumption_finite',
    { fr: 'chaque valeur est un nombre fini', en: 'every value is a finite number' },
    ['not_finite'],
  ),
  refused(
    'consumption_not_negative',
    { fr: 'aucune valeur n’est négative', en: 'no value is negative' },
    ['negative'],
  ),
  refused(
    'consumption_in_range',
    {
      fr: 'aucune valeur ne dépasse ce qu’un compteur peut mesurer',
      en: 'no value is larger than a meter can measure',
    },
    ['out_of_range'],
  ),
  refused(
    'interval_energy',
    {
      fr: 'chaque ligne est l’énergie d’un intervalle, dans une unité connue',
      en: 'every row is energy of an interval in a known unit',
    },
    ['unknown_unit', 'other_quantity', 'register_not_interval', 'refused_quality'],
  ),
  {
    id: 'known_meter',
    suite: 'raw_readings_suite',
    title: {
      fr: 'chaque compteur est dans la liste des compteurs, s’il y en a une',
      en: 'every meter is in the list of meters, where there is one',
    },
    severity: 'hold',
    tested: ALL_METERS,
    failing: `SELECT DISTINCT meter_key,
      CAST(NULL AS TIMESTAMPTZ) AS failed_at, ${NOTHING} AS observed, ${NOTHING} AS allowed
      FROM daily
      WHERE (SELECT count(*) FROM all_meters) > 0
        AND meter_key NOT IN (SELECT meter_key FROM meters)`,
  },
  {
    id: 'no_conflict',
    suite: 'staging_readings_suite',
    title: {
      fr: 'les lignes d’un même intervalle et d’un même rang concordent',
      en: 'rows of one interval and rank agree',
    },
    severity: 'warn',
    tested: ALL_READINGS,
    failing:
      'SELECT meter_key, start_at AS failed_at, CAST(largest_wh AS DOUBLE) AS observed, CAST(smallest_wh AS DOUBLE) AS allowed FROM conflicts',
  },
  {
    id: 'timestamp_unique',
    suite: 'staging_readings_suite',
    title: {
      fr: 'un compteur a un seul relevé par intervalle',
      en: 'a meter has one reading for each interval',
    },
    severity: 'hold',
    tested: ALL_READINGS,
    failing: `SELECT meter_key, start_at AS failed_at, CAST(count(*) AS DOUBLE) AS observed,
      1.0 AS allowed FROM readings
      WHERE meter_key IN (${WITH_TWINS}) GROUP BY meter_key, channel, start_at HAVING count(*) > 1`,
  },
  {
    id: 'no_missing_interval',
    suite: 'staging_readings_suite',
    title: {
      fr: 'aucun intervalle attendu ne manque (46, 48 ou 50 demi-heures)',
      en: 'every expected interval is there (46, 48 or 50 half-hours)',
    },
    severity: 'warn',
    tested: ALL_METERS,
    failing: `SELECT meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at,
      CAST(observed AS DOUBLE) AS observed, CAST(expected AS DOUBLE) AS allowed FROM daily
      WHERE channel = 'import' AND observed < expected`,
  },
  {
    id: 'on_grid',
    suite: 'staging_readings_suite',
    title: {
      fr: 'les intervalles commencent à moins de 60 s de leur grille',
      en: 'intervals begin within 60 s of their grid',
    },
    severity: 'suspect',
    tested: ALL_READINGS,
    failing: `SELECT meter_key, start_at AS failed_at,
      epoch(start_at) % (60 * step_min) AS observed, 60.0 AS allowed FROM readings
      WHERE suspect = 'off_grid'`,
  },
  {
    id: 'one_step',
    suite: 'staging_readings_suite',
    title: {
      fr: 'la durée des intervalles ne change pas dans la journée',
      en: 'the length of intervals does not change within a day',
    },
    severity: 'warn',
    tested: ALL_METERS,
    failing: `SELECT meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at,
      CAST(step_min AS DOUBLE) AS observed, ${NOTHING} AS allowed FROM daily WHERE changes_step`,
  },
  {
    id: 'below_contracted_power',
    suite: 'staging_readings_suite',
    title: {
      fr: 'aucun intervalle ne dépasse 1,1 fois la puissance souscrite (36 kVA si elle est inconnue)',
      en: 'no interval is above 1.1 times the contracted power (36 kVA where it is not known)',
    },
    severity: 'suspect',
    tested: ALL_READINGS,
    failing: `SELECT r.meter_key, start_at AS failed_at, CAST(energy_wh AS DOUBLE) AS observed,
      1100.0 * coalesce(m.kva, 36) * step_min / 60 AS allowed
      FROM (SELECT * FROM readings WHERE meter_key IN (${WITH_HIGH_PEAK})) r LEFT JOIN meters m
        ON r.meter_key = m.meter_key
      WHERE energy_wh > ${ALLOWED_WH}`,
    mayFail: `SELECT count(*) > 0 FROM (${WITH_HIGH_PEAK})`,
  },
  {
    id: 'no_spike',
    suite: 'staging_readings_suite',
    title: {
      fr: 'le plus grand intervalle du jour est au plus 2,8 fois le troisième, ou 500 Wh',
      en: 'the largest interval of a day is at most 2.8 times the third largest, or 500 Wh',
    },
    severity: 'suspect',
    tested: ALL_METERS,
    failing: `WITH spikes AS MATERIALIZED ${SPIKES}
      SELECT meter_key, failed_at, CAST(top[1] AS DOUBLE) AS observed,
        2.8 * CAST(top[3] AS DOUBLE) AS allowed FROM spikes
      JOIN (SELECT meter_key, arg_max(start_at, energy_wh) AS failed_at FROM readings
        WHERE channel = 'import' AND meter_key IN (SELECT meter_key FROM spikes) GROUP BY meter_key)
          USING (meter_key)`,
  },
  {
    id: 'no_identical_run',
    suite: 'staging_readings_suite',
    title: {
      fr: 'aucune valeur autre que zéro ne reste la même 12 intervalles de suite',
      en: 'no value other than zero stands for 12 intervals in a row',
    },
    severity: 'suspect',
    tested: ALL_METERS,
    failing: `SELECT meter_key, failed_at, CAST(length AS DOUBLE) AS observed, 11.0 AS allowed
      FROM ${runsOf(WITH_EQUALS)} WHERE energy_wh > 0 AND length >= 12`,
  },
  {
    id: 'no_zero_run',
    suite: 'staging_readings_suite',
    title: {
      fr: 'aucun compteur ne montre zéro pendant 48 demi-heures sans coupure connue',
      en: 'no meter shows zero for 48 half-hours without a known outage',
    },
    severity: 'warn',
    tested: ALL_METERS,
    failing: `SELECT r.meter_key, r.failed_at, CAST(length AS DOUBLE) AS observed, 47.0 AS allowed
      FROM ${runsOf(WITH_ZEROS)} r LEFT JOIN meters m ON r.meter_key = m.meter_key
      WHERE channel = 'import' AND energy_wh = 0 AND length >= 48
        AND coalesce(m.transformer, '') NOT IN (SELECT transformer FROM outages)`,
    mayFail: `SELECT count(*) > 0 FROM (${WITH_ZEROS})`,
  },
  {
    id: 'sum_is_register',
    suite: 'marts_metrics_suite',
    title: {
      fr: 'les intervalles d’une journée entière font ce dont l’index a avancé, à 2 Wh ou 0,2 % près',
      en: 'the intervals of a full day add up to what the counter moved, within 2 Wh or 0.2 %',
    },
    severity: 'warn',
    tested: `SELECT count(*) FROM ${DELTAS}`,
    failing: `SELECT d.meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at,
      CAST(total_wh AS DOUBLE) AS observed, delta_wh AS allowed FROM ${FULL_DAYS} d
      JOIN ${DELTAS} r ON d.meter_key = r.meter_key WHERE delta_wh >= 0
        AND abs(total_wh - delta_wh) > greatest(2, 0.002 * delta_wh)`,
  },
  {
    id: 'register_forward',
    suite: 'marts_metrics_suite',
    title: {
      fr: 'les index avancent ; une chute depuis plus de 90 % du cadran est un passage par zéro',
      en: 'counters go forward; a fall from above 90 % of their dials is a passage by zero',
    },
    severity: 'warn',
    tested: `SELECT count(*) FROM ${DELTAS}`,
    failing: `SELECT r.meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at, delta_wh AS observed,
      0.0 AS allowed FROM ${DELTAS} r LEFT JOIN meters m ON r.meter_key = m.meter_key
      WHERE delta_wh < 0 AND first_wh <= 0.9 * 1000 * pow(10,
        CAST(coalesce(m.dials, 6) AS DOUBLE))`,
  },
  {
    id: 'usual_day',
    suite: 'marts_metrics_suite',
    title: {
      fr: 'une journée est entre 0,2 et 5 fois la médiane du même jour de quatre semaines',
      en: 'a day is between 0.2 and 5 times the median of the same weekday of four weeks',
    },
    severity: 'warn',
    tested: 'SELECT count(*) FROM usual WHERE days >= 3',
    failing: `SELECT d.meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at,
      CAST(total_wh AS DOUBLE) AS observed, usual_wh AS allowed FROM ${FULL_DAYS} d
      JOIN usual l ON d.meter_key = l.meter_key WHERE days >= 3 AND usual_wh > 0
        AND NOT (total_wh BETWEEN 0.2 * usual_wh AND 5 * usual_wh)`,
  },
  {
    id: 'same_unit',
    suite: 'marts_metrics_suite',
    title: {
      fr: 'aucune journée n’est mille fois, ou un millième de, l’habitude : Wh et kWh ne sont pas confondus',
      en: 'no day is a thousand times, or a thousandth of, what is usual: Wh and kWh are not mixed up',
    },
    severity: 'hold',
    tested: 'SELECT count(*) FROM usual WHERE days >= 3',
    failing: `SELECT d.meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at,
      CAST(total_wh AS DOUBLE) AS observed, usual_wh AS allowed FROM ${FULL_DAYS} d
      JOIN usual l ON d.meter_key = l.meter_key WHERE days >= 3 AND usual_wh > 0
      AND (total_wh BETWEEN 250 * usual_wh AND 4000 * usual_wh
        OR (total_wh > 0 AND usual_wh BETWEEN 250 * total_wh AND 4000 * total_wh))`,
  },
  {
    id: 'measured_again',
    suite: 'marts_metrics_suite',
    title: {
      fr: 'aucun compteur n’est estimé plus de 3 jours de suite',
      en: 'no meter is estimated for more than 3 days in a row',
    },
    severity: 'warn',
    tested: ALL_METERS,
    failing: `SELECT meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at,
      CAST(count(*) AS DOUBLE) AS observed, 3.0 AS allowed FROM (
        SELECT meter_key, 0 AS back, estimated FROM daily WHERE channel = 'import' UNION ALL
        SELECT meter_key, back, estimated FROM history WHERE channel = 'import' AND back <= 3)
      WHERE estimated > 0 GROUP BY meter_key HAVING count(*) > 3`,
  },
  {
    id: 'label_set',
    suite: 'raw_readings_suite',
    title: {
      fr: 'les étiquettes sont Normal, Abnormal ou Anomaly',
      en: 'labels are Normal, Abnormal or Anomaly',
    },
    severity: 'warn',
    tested: 'SELECT label FROM counts',
    mayFail: 'SELECT label > 0 FROM counts',
    failing: `SELECT meter_key, start_at AS failed_at, ${NOTHING} AS observed, ${NOTHING} AS allowed
      FROM readings WHERE label NOT IN ('Normal', 'Abnormal', 'Anomaly')`,
  },
  {
    id: 'raw_share',
    suite: 'raw_readings_suite',
    title: {
      fr: 'les parts publiées sont entre 0 et 1',
      en: 'published shares lie between 0 and 1',
    },
    severity: 'warn',
    tested: 'SELECT value_raw FROM counts',
    mayFail:
      'SELECT value_raw + temperature_raw + humidity_raw + wind_speed_raw + avg_past_raw > 0 FROM counts',
    failing: `SELECT meter_key, start_at AS failed_at, value_raw AS observed, 1.0 AS allowed
      FROM readings WHERE value_raw NOT BETWEEN 0 AND 1
      OR temperature_raw NOT BETWEEN 0 AND 1 OR humidity_raw NOT BETWEEN 0 AND 1
        OR wind_speed_raw NOT BETWEEN 0 AND 1 OR avg_past_raw NOT BETWEEN 0 AND 1`,
  },
  {
    id: 'scaled_temperature',
    suite: 'staging_readings_suite',
    title: {
      fr: 'les températures sont entre −50 et 60 °C',
      en: 'temperatures lie between −50 and 60 °C',
    },
    severity: 'warn',
    tested: 'SELECT temperature_raw FROM counts',
    mayFail: 'SELECT temperature_raw > 0 FROM counts',
    failing: `SELECT meter_key, start_at AS failed_at, 15 + 30 * temperature_raw AS observed,
      60.0 AS allowed FROM readings WHERE 15 + 30 * temperature_raw NOT BETWEEN -50 AND 60`,
  },
];
