import { dayByDay, dayOf, inputOf, jsonOutput, previousDayName } from '../../kit/index.ts';
import type { JsonObject } from '../../kit/index.ts';
import { known, rounded } from '../statistics.ts';
import type { Digest } from './digest.ts';
import { storedDigest } from './stored-digests.ts';

/**
 * `metrics/usual`: how much came of what the publisher usually delivers. A sensor that has been
 * silent for months is no fault of a day. A sensor is usual when it had a value on enough of the
 * stored days before; where too few of these are stored nothing is usual, and nothing is said.
 */

/** Days before the day that are looked at. */
export const USUAL_DAYS = 60;

/** Parameters of this step alone: they change no key of another one. */
export const USUAL_LIMITS = {
  /** A usual sensor had a value on this share of the stored days before, at least. */
  usual_sensor_share: 0.5,
  /** Nothing is usual before so many days are stored. */
  usual_least_days: 7,
  /** With this share of the hours of the usual road sensors the counts of a day are whole. */
  usual_roads_least_coverage: 0.85,
} as const;

type UsualLimits = { readonly [Name in keyof typeof USUAL_LIMITS]: number };

/** One source held against its usual sensors. */
export interface UsualCoverage {
  /** Stored days before that have the source. */
  readonly jours: number;
  /** Sensors with a value on enough of them. */
  readonly capteurs: number;
  /** Of those, the ones with a value on the day. */
  readonly presents: number;
  readonly heures_attendues: number;
  readonly heures_observees: number;
  /** 0–1. */
  readonly taux: number;
  /** With this share the section is whole; null: the limit of all sensors holds. */
  readonly au_moins: number | null;
}

/** The document that the report reads for its statuses. */
export interface UsualMetrics {
  readonly schema: 'cityflow.usual/1';
  readonly date: string;
  readonly fenetre_jours: number;
  /** What makes a sensor usual, 0–1 of the days. */
  readonly part_des_jours: number;
  /** Null where the day has no counts, or too few days before are stored. */
  readonly comptages: UsualCoverage | null;
  readonly velos: UsualCoverage | null;
}

/** Facts: `bikes_coverage` and `roads_coverage`, 0–1. */
export const metricsUsual = dayByDay(async (unit, task) => {
  const digests: (Digest | null)[] = [await storedDigest(inputOf(unit, 'day'))];
  for (let before = 1; before <= USUAL_DAYS; before += 1)
    digests.push(await storedDigest(inputOf(unit, previousDayName('digest', before))));
  const usual = usualMetrics(dayOf(unit).date, digests, usualLimits(task.params));
  const [day] = digests;
  return {
    outputs: { usual: jsonOutput(usual) },
    checks: [],
    // Where nothing is usual yet, all sensors are.
    facts: {
      bikes_coverage: usual.velos?.taux ?? shareOfAll(day, day?.bikes?.counters, bikeHours),
      roads_coverage: usual.comptages?.taux ?? shareOfAll(day, day?.roads?.arcs, roadHours),
    },
  };
});

function usualLimits(params: JsonObject): UsualLimits {
  const named = params['thresholds'] as Readonly<Record<string, number>> | undefined;
  return { ...USUAL_LIMITS, ...named };
}

/** How many hours of the day the sensor has a value for. */
type Hours = (day: Digest, id: string) => number;

const roadHours: Hours = ({ roads }, id) => {
  let count = 0;
  for (let rest = roads?.arcs[id]?.[2] ?? 0; rest > 0; rest = Math.floor(rest / 2))
    count += rest % 2;
  return count;
};

const bikeHours: Hours = ({ bikes }, id) => known(bikes?.counters[id] ?? []).length;

function shareOfAll(
  day: Digest | null | undefined,
  sensors: Readonly<Record<string, unknown>> | undefined,
  hoursOf: Hours,
): number | null {
  const ids = Object.keys(sensors ?? {});
  if (day === null || day === undefined || ids.length === 0) return null;
  const observed = ids.reduce((sum, id) => sum + hoursOf(day, id), 0);
  return rounded(observed / (ids.length * day.hours), 6);
}

/** `digests`: the day itself first, then each day before it in turn; null where none is stored. */
export function usualMetrics(
  date: string,
  digests: readonly (Digest | null)[],
  limits: UsualLimits = USUAL_LIMITS,
): UsualMetrics {
  const [day, ...earlier] = digests;
  const before = earlier.filter((digest) => digest !== null);
  const [roads, bikes] = [
    before.filter((one) => one.roads !== null),
    before.filter((one) => one.bikes !== null),
  ];
  return {
    schema: 'cityflow.usual/1',
    date,
    fenetre_jours: USUAL_DAYS,
    part_des_jours: limits.usual_sensor_share,
    comptages:
      day?.roads === null || day?.roads === undefined
        ? null
        : coverageOf(day, roads, {
            idsOf: ({ roads: own }) => Object.keys(own?.arcs ?? {}),
            hoursOf: roadHours,
            least: limits.usual_roads_least_coverage,
            limits,
          }),
    velos:
      day?.bikes === null || day?.bikes === undefined
        ? null
        : coverageOf(day, bikes, {
            idsOf: ({ bikes: own }) => Object.keys(own?.counters ?? {}),
            hoursOf: bikeHours,
            least: null,
            limits,
          }),
  };
}

interface Source {
  readonly idsOf: (day: Digest) => readonly string[];
  readonly hoursOf: Hours;
  readonly least: number | null;
  readonly limits: UsualLimits;
}

function coverageOf(
  day: Digest,
  before: readonly Digest[],
  { idsOf, hoursOf, least, limits }: Source,
) {
  if (before.length < limits.usual_least_days) return null;
  const days = new Map<string, number>();
  for (const one of before)
    for (const id of idsOf(one)) if (hoursOf(one, id) > 0) days.set(id, (days.get(id) ?? 0) + 1);
  const usual = [...days].flatMap(([id, count]) =>
    count >= limits.usual_sensor_share * before.length ? [id] : [],
  );
  if (usual.length === 0) return null;
  const hours = usual.map((id) => Math.min(hoursOf(day, id), day.hours));
  const observed = hours.reduce((sum, one) => sum + one, 0);
  const expected = usual.length * day.hours;
  return {
    jours: before.length,
    capteurs: usual.length,
    presents: hours.filter((one) => one > 0).length,
    heures_attendues: expected,
    heures_observees: observed,
    taux: rounded(observed / expected, 6),
    au_moins: least,
  };
}
