import {
  dayByDay,
  dayOf,
  inputOf,
  parquetSql,
  previousDayName,
  writeParquetRows,
} from '../../kit/index.ts';
import type { SqlColumn, SqlSession, StepUnit } from '../../kit/index.ts';
import { networkOf } from '../metrics/counts.ts';
import type { Digest } from '../metrics/digest.ts';
import { storedDigest } from '../metrics/stored-digests.ts';
import { known, rounded } from '../statistics.ts';
import { thresholdsOf } from '../thresholds.ts';
import type { Thresholds } from '../thresholds.ts';
import { counterName } from './counter-name.ts';

/**
 * `metrics/sensors`: every road sensor and bike counter of a day, how much of it is missing, and
 * since when it is silent.
 */

/** The day and the thirty days before it. */
export const SENSOR_DAYS = 30;

/** One row for each sensor; the columns are those of `SensorDay`. */
export const SENSOR_TABLE = [
  { name: 'kind', type: 'VARCHAR' },
  { name: 'sensor_id', type: 'VARCHAR' },
  { name: 'sensor_name', type: 'VARCHAR' },
  { name: 'expected_hours', type: 'INTEGER' },
  { name: 'observed_hours', type: 'INTEGER' },
  { name: 'missing_pct', type: 'DOUBLE' },
  { name: 'window_expected_hours', type: 'INTEGER' },
  { name: 'window_observed_hours', type: 'INTEGER' },
  { name: 'window_missing_pct', type: 'DOUBLE' },
  { name: 'silent_hours', type: 'INTEGER' },
  { name: 'silent_at_least', type: 'BOOLEAN' },
  { name: 'health', type: 'VARCHAR' },
] as const satisfies readonly SqlColumn[];

/** One sensor on one day and over its window. */
export interface SensorDay {
  /** `route` or `vélo`. */
  readonly kind: string;
  readonly sensor_id: string;
  readonly sensor_name: string | null;
  /** Real hours of the day: 23, 24 or 25. */
  readonly expected_hours: number;
  readonly observed_hours: number;
  /** Of the day's hours, %. */
  readonly missing_pct: number;
  /** The same over all stored days of the window that have the source. */
  readonly window_expected_hours: number;
  readonly window_observed_hours: number;
  readonly window_missing_pct: number;
  /** Hours without any value, counted back from the end of the day. */
  readonly silent_hours: number;
  /** An earlier day is missing, or the window ends: it may be longer. */
  readonly silent_at_least: boolean;
  /** `ok`, `silencieux` or `longtemps silencieux`. */
  readonly health: string;
}

/** Facts: `rows`, the number of sensors, and `silent`, how many of them are not `ok`. */
export const metricsSensors = dayByDay(async (unit, task, sql) => {
  const days: (Digest | null)[] = [await storedDigest(inputOf(unit, 'day'))];
  for (let before = 1; before <= SENSOR_DAYS; before += 1)
    days.push(await storedDigest(inputOf(unit, previousDayName('digest', before))));
  const network = await networkOf(sql, unit);
  const open = [...network.values()]
    .filter(({ is_open: isOpen }) => isOpen)
    .map(({ arc_id: id }) => id);
  const sensors = sensorDays(days, open, await namesOf(sql, unit), thresholdsOf(task.params));
  const rows = sensors.map((sensor) => SENSOR_TABLE.map(({ name }) => sensor[name]));
  const silent = sensors.filter(({ health }) => health !== 'ok').length;
  return {
    outputs: {
      sensors: await writeParquetRows(sql, SENSOR_TABLE, rows, `sensors-${dayOf(unit).date}`),
    },
    checks: [],
    facts: { rows: rows.length, silent },
  };
});

/** By kind and id. */
type Names = ReadonlyMap<string, string>;

async function namesOf(sql: SqlSession, unit: StepUnit): Promise<Names> {
  const [arcs, bikes] = [inputOf(unit, 'arcs'), inputOf(unit, 'bikes')];
  const labels =
    arcs === undefined
      ? []
      : await sql.rows<{ id: string; name: string | null }>(
          `SELECT arc_id AS id, max(label) AS name FROM ${parquetSql(arcs.path)} GROUP BY 1`,
        );
  const counters =
    bikes === undefined
      ? []
      : await sql.rows<{ id: string; name: string | null }>(
          `SELECT counter_id AS id, max(name) AS name FROM ${parquetSql(bikes.path)} GROUP BY 1`,
        );
  const named = [
    ...labels.map(({ id, name }) => [`route ${id}`, name] as const),
    ...counters.map(
      ({ id, name }) =>
        [`vélo ${id}`, name === null ? null : counterName(name).nom_normalise] as const,
    ),
  ];
  return new Map(named.flatMap(([key, name]) => (name === null ? [] : [[key, name] as const])));
}

/**
 * Whether each hour of a day has a value; null where the day lacks the source as a whole, which is
 * no fault of a sensor.
 */
type Hours = (day: Digest, id: string) => readonly boolean[] | null;

const roadHours: Hours = ({ roads, hours }, id) => {
  if (roads === null) return null;
  const mask = roads.arcs[id]?.[2] ?? 0;
  return Array.from({ length: hours }, (_, hour) => Math.floor(mask / 2 ** hour) % 2 === 1);
};

const bikeHours: Hours = ({ bikes, hours }, id) => {
  if (bikes === null) return null;
  const own = bikes.counters[id] ?? [];
  return Array.from({ length: hours }, (_, hour) => known([own[hour]]).length === 1);
};

/**
 * @param days The day itself first, then each day before it in turn; null where none is stored.
 * @param network Open arcs of the road network: a sensor that never spoke is expected all the same.
 */
export function sensorDays(
  days: readonly (Digest | null)[],
  network: readonly string[],
  names: Names,
  thresholds: Thresholds,
): SensorDay[] {
  const seen = (idsOf: (day: Digest) => readonly string[]): string[] => [
    ...new Set(days.flatMap((day) => (day === null ? [] : idsOf(day)))),
  ];
  const { roads = null, bikes = null } = days[0] ?? {};
  const seenArcs = seen((day) => Object.keys(day.roads?.arcs ?? {}));
  const arcs = roads === null ? [] : [...new Set([...network, ...seenArcs])];
  const counters = bikes === null ? [] : seen((day) => Object.keys(day.bikes?.counters ?? {}));
  return [
    ...arcs.sort().map((id) => sensorDay('route', id, days, roadHours, names, thresholds)),
    ...counters.sort().map((id) => sensorDay('vélo', id, days, bikeHours, names, thresholds)),
  ];
}

function sensorDay(
  kind: string,
  id: string,
  days: readonly (Digest | null)[],
  hoursOf: Hours,
  names: Names,
  thresholds: Thresholds,
): SensorDay {
  const byDay = days.map((day) => (day === null ? null : hoursOf(day, id)));
  const window = byDay.flatMap((hours) => hours ?? []);
  const today = byDay[0] ?? [];
  const { hours: silent, atLeast } = silenceOf(byDay);
  return {
    kind,
    sensor_id: id,
    sensor_name: names.get(`${kind} ${id}`) ?? null,
    expected_hours: today.length,
    observed_hours: today.filter(Boolean).length,
    missing_pct: missingPct(today),
    window_expected_hours: window.length,
    window_observed_hours: window.filter(Boolean).length,
    window_missing_pct: missingPct(window),
    silent_hours: silent,
    silent_at_least: atLeast,
    health: healthOf(silent, thresholds),
  };
}

function missingPct(hours: readonly boolean[]): number {
  return hours.length === 0
    ? 100
    : rounded((hours.filter((there) => !there).length / hours.length) * 100, 3);
}

/** Hours since the last value, counted back over the days up to the first that is missing. */
function silenceOf(byDay: readonly (readonly boolean[] | null)[]): {
  readonly hours: number;
  readonly atLeast: boolean;
} {
  let hours = 0;
  for (const day of byDay) {
    if (day === null) return { hours, atLeast: true };
    const last = day.lastIndexOf(true);
    if (last !== -1) return { hours: hours + day.length - 1 - last, atLeast: false };
    hours += day.length;
  }
  return { hours, atLeast: true };
}

function healthOf(
  silentHours: number,
  { sensor_silent_hours: silent, sensor_long_silent_hours: long }: Thresholds,
): string {
  if (silentHours > long) return 'longtemps silencieux';
  return silentHours > silent ? 'silencieux' : 'ok';
}
