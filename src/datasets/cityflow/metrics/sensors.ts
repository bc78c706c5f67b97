import { rounded, sum } from '../statistics.ts';
import type { Thresholds } from '../thresholds.ts';
import type { Digest } from './digest.ts';

/** Which road sensors are there, and which have fallen silent. */

/** A road sensor without values at the end of the day. */
export interface SilentSensor {
  readonly identifiant_arc: string;
  /** Hours without any value up to the end of the day. */
  readonly heures: number;
  /** An earlier day is missing, so that it may be longer. */
  readonly au_moins: boolean;
}

/** Of road sensors: how many of those expected had values, and which have fallen silent. */
export interface SensorHealth {
  /** Arcs of the open network, or seen on the stored days. */
  readonly attendus: number;
  readonly observes: number;
  /** Observed hours over expected ones, 0–1. */
  readonly disponibilite: number | null;
  readonly heures_attendues: number;
  readonly heures_observees: number;
  /** Of those seen on the stored days. */
  readonly silencieux: number;
  readonly longtemps_silencieux: number;
  readonly liste: readonly SilentSensor[];
}

const LISTED = 200;

/**
 * @param days The day itself first, then each day before it in turn; null where none is stored.
 * @param network Open arcs of the network.
 */
export function sensorHealth(
  days: readonly (Digest | null)[],
  network: ReadonlySet<string>,
  thresholds: Thresholds,
): SensorHealth {
  const [today = null] = days;
  const seen = new Set(days.flatMap((day) => Object.keys(day?.roads?.arcs ?? {})));
  const expected = new Set([...network, ...seen]);
  const masks = Object.values(today?.roads?.arcs ?? {}).map(([, , mask]) => hoursIn(mask));
  const [expectedHours, observedHours] = [expected.size * (today?.hours ?? 0), sum(masks)];
  // A day without counts says nothing of any sensor: the source is missing, not the sensors.
  const roads = today?.roads ?? null;
  const silent = roads === null ? [] : silentSensors(days, seen, thresholds.sensor_silent_hours);
  return {
    attendus: expected.size,
    observes: masks.filter((hours) => hours > 0).length,
    disponibilite:
      roads === null || expectedHours === 0 ? null : rounded(observedHours / expectedHours, 6),
    heures_attendues: expectedHours,
    heures_observees: observedHours,
    silencieux: silent.length,
    longtemps_silencieux: silent.filter(
      ({ heures }) => heures > thresholds.sensor_long_silent_hours,
    ).length,
    liste: silent.slice(0, LISTED),
  };
}

function hoursIn(mask: number): number {
  let count = 0;
  for (let rest = mask; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

function silentSensors(
  days: readonly (Digest | null)[],
  arcs: ReadonlySet<string>,
  moreThan: number,
): SilentSensor[] {
  return [...arcs]
    .map((arc) => silenceOf(arc, days))
    .filter(({ heures }) => heures > moreThan)
    .sort((a, b) => b.heures - a.heures || (a.identifiant_arc < b.identifiant_arc ? -1 : 1));
}

/**
 * Hours since the last value, counted back over the stored days up to the first that is missing.
 */
function silenceOf(arc: string, days: readonly (Digest | null)[]): SilentSensor {
  let hours = 0;
  for (const day of days) {
    const roads = day?.roads ?? null;
    if (day === null || roads === null)
      return { identifiant_arc: arc, heures: hours, au_moins: true };
    const mask = roads.arcs[arc]?.[2] ?? 0;
    if (mask > 0)
      return {
        identifiant_arc: arc,
        heures: hours + day.hours - 1 - Math.floor(Math.log2(mask)),
        au_moins: false,
      };
    hours += day.hours;
  }
  return { identifiant_arc: arc, heures: hours, au_moins: true };
}
