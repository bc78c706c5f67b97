import {
  checkResult,
  dayByDay,
  dayOf,
  HOUR_MS,
  inputOf,
  isRecord,
  numberOf,
  textOf,
  writeParquetRows,
} from '../../kit/index.ts';
import type {
  CheckDefinition,
  JsonRecord,
  SqlColumn,
  SqlSession,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { degrees, districtAt } from '../geometry.ts';
import type { District, Position } from '../geometry.ts';
import { DistrictsCache, recordsOf } from './days.ts';

/**
 * `transform/bikes`: records of bike counters → one row per counter and hour. The publisher's time
 * is the START of the hour, in UTC. Two records of one counter and hour are one: the one with the
 * larger count, because counts only grow while data still arrive.
 */

const ONE_COUNT: CheckDefinition = {
  id: 'one-count-per-hour',
  title: 'records of one counter and hour agree',
  severity: 'warn',
};
const PLAUSIBLE: CheckDefinition = {
  id: 'plausible-counts',
  title: 'a count is a whole number from 0 to 10,000',
  severity: 'warn',
};
const ON_GRID: CheckDefinition = {
  id: 'hour-grid',
  title: 'every record is an hour of its day',
  severity: 'hold',
};
/** Only a record off the hour grid holds the day. */
export const BIKE_CHECKS: readonly CheckDefinition[] = [ONE_COUNT, PLAUSIBLE, ON_GRID];

const MAX_BIKES = 10_000;

/**
 * Core table: one row per counter and hour that was published, `bikes` null where it had no number.
 */
export const BIKE_TABLE = [
  { name: 'counter_id', type: 'VARCHAR' },
  { name: 'name', type: 'VARCHAR' },
  { name: 'hour', type: 'INTEGER' },
  { name: 'hour_start_at', type: 'TIMESTAMPTZ' },
  { name: 'bikes', type: 'INTEGER' },
  { name: 'lon', type: 'DOUBLE' },
  { name: 'lat', type: 'DOUBLE' },
  { name: 'district', type: 'INTEGER' },
  { name: 'installed_on', type: 'VARCHAR' },
] as const satisfies readonly SqlColumn[];

/** A row of the core table. */
export interface BikeHour {
  readonly counter_id: string;
  readonly name: string | null;
  /** Hours since the start of the day. */
  readonly hour: number;
  readonly hour_start_at: string;
  readonly bikes: number | null;
  readonly lon: number | null;
  readonly lat: number | null;
  /** 1–20 by point in polygon; null outside, or without districts. */
  readonly district: number | null;
  readonly installed_on: string | null;
}

const districtsOf = new DistrictsCache();

/** One slice gives one table; places are put into districts where these are known. */
export const transformBikes = dayByDay(async (unit, _task, sql) => transform(unit, sql));

async function transform(unit: StepUnit, sql: SqlSession): Promise<Omit<UnitResult, 'scope'>> {
  const day = dayOf(unit);
  const records = await recordsOf(sql, inputOf(unit, 'bikes'));
  const districts = await districtsOf.of(sql, unit);
  const places = new Map<string, number | null>();
  const hours = records.map((record) => hourOf(record, Date.parse(day.startAt), districts, places));
  const onGrid = hours.filter(
    ({ hour }) => Number.isInteger(hour) && hour >= 0 && hour < day.hours,
  );
  const { rows, conflicts } = mergeHours(onGrid);
  const core = await writeParquetRows(
    sql,
    BIKE_TABLE,
    rows.map((row) => BIKE_TABLE.map(({ name }) => row[name])),
    `bikes-${unit.scope}`,
  );
  const implausible = records.filter(
    ({ sum_counts: count }) => count !== null && count !== undefined && bikesOf(count) === null,
  );
  return {
    outputs: { core },
    checks: [
      checkResult(ONE_COUNT, hours.length, conflicts),
      checkResult(
        PLAUSIBLE,
        hours.length,
        implausible.map((record) => ({
          counter: textOf(record['id_compteur']),
          count: textOf(record['sum_counts']),
        })),
      ),
      checkResult(
        ON_GRID,
        hours.length,
        hours
          .filter((row) => !onGrid.includes(row))
          .map(({ counter_id, hour_start_at }) => ({ counter_id, hour_start_at })),
      ),
    ],
    facts: {
      rows: rows.length,
      counters: new Set(rows.map(({ counter_id }) => counter_id)).size,
      districts: districts.length,
    },
  };
}

function bikesOf(count: unknown): number | null {
  const number = numberOf(count);
  return number !== null && Number.isInteger(number) && number >= 0 && number <= MAX_BIKES
    ? number
    : null;
}

function hourOf(
  record: JsonRecord,
  startMs: number,
  districts: readonly District[],
  places: Map<string, number | null>,
): BikeHour {
  const ms = Date.parse(textOf(record['date']) ?? '');
  const position = positionOf(record['coordinates']);
  const place = position === null ? '' : position.join(',');
  const district = places.get(place) ?? districtAt(districts, position);
  places.set(place, district);
  return {
    counter_id: textOf(record['id_compteur']) ?? '',
    name: textOf(record['nom_compteur']),
    hour: (ms - startMs) / HOUR_MS,
    hour_start_at: new Date(ms).toISOString(),
    bikes: bikesOf(record['sum_counts']),
    lon: position === null ? null : degrees(position[0]),
    lat: position === null ? null : degrees(position[1]),
    district,
    installed_on: textOf(record['installation_date']),
  };
}

function positionOf(coordinates: unknown): Position | null {
  if (!isRecord(coordinates)) return null;
  const [lon, lat] = [numberOf(coordinates['lon']), numberOf(coordinates['lat'])];
  return lon === null || lat === null ? null : [lon, lat];
}

/** One row per counter and hour, in this order, and where two records said different things. */
function mergeHours(hours: readonly BikeHour[]): {
  rows: BikeHour[];
  conflicts: { counter_id: string; hour_start_at: string }[];
} {
  const merged = new Map<string, BikeHour>();
  const conflicts = new Map<string, BikeHour>();
  for (const row of hours) {
    const key = `${row.counter_id}/${String(row.hour).padStart(2, '0')}`;
    const known = merged.get(key);
    if (known !== undefined && known.bikes !== row.bikes) conflicts.set(key, row);
    if (known === undefined || (row.bikes ?? -1) > (known.bikes ?? -1)) merged.set(key, row);
  }
  return {
    rows: [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
    conflicts: [...conflicts.values()].map(({ counter_id, hour_start_at }) => ({
      counter_id,
      hour_start_at,
    })),
  };
}
