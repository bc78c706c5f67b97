import { jsonAnswer, parameterRefusal } from '../answer.ts';
import type { Answer } from '../answer.ts';
import type { PortalRequest } from '../requests.ts';
import { dayBounds, dayNumber, dayText, isDay } from '../synthetic/paris-days.ts';
import {
  injectedLines,
  meterList,
  READINGS_HEADER,
  readingLines,
  truthList,
  weatherList,
} from './files.ts';
import { MeterWorld } from './world.ts';

/**
 * A head-end over made-up meters, `GET /head-end/v1/<list>?from=…&to=…`, and the distributor's API
 * for one of them, `GET
 * /metering_data_clc/v5/consumption_load_curve?usage_point_id=…&start=…&end=…`. What a day has
 * follows from the portal's clock: a day comes at eight in the morning after it, some meters three
 * days later, corrections after a week.
 */

const HEAD_END = /^\/head-end\/v1\/([a-z]+)$/;
const LOAD_CURVE = '/metering_data_clc/v5/consumption_load_curve';
const WORLD = { from: '2024-01-01', days: 1_826 } as const;
const DAY_MS = 86_400_000;
const PUBLISHED_AFTER_MS = 8 * 3_600_000;

/** Which meters answer, and what they know by `now`. */
export interface MeterDesk {
  readonly seed: number;
  readonly meters: number;
  readonly now: Date;
}

/**
 * The answer of the head-end or of the distributor's API; undefined for a path that is neither's.
 */
export function meterAnswer(
  { path, query, headers }: PortalRequest,
  desk: MeterDesk,
): Answer | undefined {
  const [, list] = HEAD_END.exec(path) ?? [];
  if (list === undefined && path !== LOAD_CURVE) return undefined;
  const world = new MeterWorld({ seed: desk.seed, meters: desk.meters, ...WORLD });
  if (list === undefined) return loadCurve(world, query, desk.now);
  if (headers['x-api-key'] === undefined)
    return jsonAnswer(401, { message: 'No API key found in request' });
  const days = publishedDays(world, [query['from'], query['to']], desk.now);
  switch (list) {
    case 'readings':
      return csv(() => readingsOf(world, days));
    case 'meters':
      return csv(() => [meterList(world)]);
    case 'injected':
      return csv(() =>
        injectedLines(
          world,
          days.map(({ day }) => day),
        ),
      );
    case 'weather':
      return csv(() => [
        weatherList(
          world,
          days.map(({ day }) => day),
        ),
      ]);
    case 'truth':
      return csv(() => [truthList(world)]);
    default:
      return jsonAnswer(404, { message: `the head-end has no ${list}` });
  }
}

interface PublishedDay {
  readonly day: number;
  /** Whole days since it came. */
  readonly age: number;
}

function publishedDays(
  world: MeterWorld,
  [from = '', to = '']: readonly (string | undefined)[],
  now: Date,
): PublishedDay[] {
  if (!isDay(from) || !isDay(to))
    throw parameterRefusal('from and to take dates such as 2024-01-15');
  const [first, last] = [dayNumber(from), dayNumber(to)];
  const asked = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  const origin = dayNumber(world.options.from);
  return asked.flatMap((number) => {
    const day = number - origin;
    const since = now.getTime() - dayBounds(dayText(number)).endMs - PUBLISHED_AFTER_MS;
    return day < 0 || day >= world.options.days || since < 0
      ? []
      : [{ day, age: Math.floor(since / DAY_MS) }];
  });
}

function* readingsOf(world: MeterWorld, days: readonly PublishedDay[]): Generator<string> {
  yield READINGS_HEADER;
  for (const { day, age } of days) yield* readingLines(world, day, { age });
}

function csv(lines: () => Iterable<string>): Answer {
  function* bytes(): Generator<Uint8Array> {
    for (const line of lines()) yield Buffer.from(line);
  }
  return { status: 200, headers: { 'content-type': 'text/csv; charset=utf-8' }, body: bytes };
}

/** Mean W of the half-hours that end at these local times. */
function loadCurve(world: MeterWorld, query: PortalRequest['query'], now: Date): Answer {
  const { usage_point_id: id = '', start = '', end = '' } = query;
  const index = Number(id) - Number(world.meter(0).id);
  if (!Number.isInteger(index) || index < 0 || index >= world.options.meters)
    return jsonAnswer(404, { error: 'ADAM-DC-0008' });
  const readings = publishedDays(world, [start, end], now).flatMap(({ day }) => {
    const { startMs } = dayBounds(world.dateOf(day));
    return Array.from(world.day(index, day).measured, (wh, slot) => ({
      value: String(2 * wh),
      date: parisTime(startMs + (slot + 1) * 1_800_000),
      interval_length: 'PT30M',
      measure_type: 'B',
    }));
  });
  return jsonAnswer(200, {
    meter_reading: {
      usage_point_id: id,
      start,
      end,
      quality: 'BRUT',
      reading_type: { unit: 'W' },
      interval_reading: readings,
    },
  });
}

const PARIS_TIME = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Europe/Paris',
  dateStyle: 'short',
  timeStyle: 'medium',
});

function parisTime(ms: number): string {
  return PARIS_TIME.format(ms);
}
