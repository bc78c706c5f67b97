import { dayByDay, dayOf, jsonOutput, parquetSql, neededInput } from '../../kit/index.ts';
import { known, sum } from '../statistics.ts';
import type { Ride } from './rides.ts';

/** `metrics/validations`: the ticket validations of a day. */

/** One line or station, all kinds of tickets together. */
export interface RideTotal {
  readonly identifiant: string;
  readonly nom: string | null;
  readonly validations: number;
}

/** The published document. */
export interface RidesMetrics {
  readonly schema: 'cityflow.validations/1';
  readonly metric_type: 'validations';
  readonly date: string;
  readonly coverage: {
    readonly lignes: number;
    readonly stations: number;
    /** Values of which the publisher says only that they are small. */
    readonly valeurs_masquees: number;
  };
  /** Validations that were published as numbers: the least that there were. */
  readonly total_validations: number;
  /** The most that there were: small ones at their largest. */
  readonly total_au_plus: number;
  readonly par_reseau: Readonly<Record<string, number>>;
  readonly par_categorie: Readonly<Record<string, number>>;
  readonly top_10_lignes: readonly RideTotal[];
  readonly top_10_stations: readonly RideTotal[];
}

const TOP = 10;

/** Fact: `rows`, lines or stations by kind of ticket. */
export const metricsRides = dayByDay(async (unit, _task, sql) => {
  const rides = await sql.rows<Ride>(
    `SELECT * FROM ${parquetSql(neededInput(unit, 'core').path)} ORDER BY network, unit_id,
      category`,
  );
  const metrics = ridesMetrics(dayOf(unit).date, rides);
  return { outputs: { metrics: jsonOutput(metrics) }, checks: [], facts: { rows: rides.length } };
});

/** Masked values count in `total_au_plus` alone. */
export function ridesMetrics(date: string, rides: readonly Ride[]): RidesMetrics {
  const [lines, stations] = [totals(rides, 'surface'), totals(rides, 'ferré')];
  return {
    schema: 'cityflow.validations/1',
    metric_type: 'validations',
    date,
    coverage: {
      lignes: lines.length,
      stations: stations.length,
      valeurs_masquees: rides.filter(({ validations }) => validations === null).length,
    },
    total_validations: sum(known(rides.map(({ validations }) => validations))),
    total_au_plus: sum(rides.map(({ at_most: most }) => most)),
    par_reseau: by(rides, ({ network }) => network),
    par_categorie: by(rides, ({ category }) => category),
    top_10_lignes: lines.slice(0, TOP),
    top_10_stations: stations.slice(0, TOP),
  };
}

function totals(rides: readonly Ride[], network: string): RideTotal[] {
  const units = new Map<string, RideTotal>();
  for (const { unit_id: identifiant, name: nom, validations } of rides.filter(
    (ride) => ride.network === network,
  )) {
    const total = units.get(identifiant) ?? { identifiant, nom, validations: 0 };
    units.set(identifiant, { ...total, validations: total.validations + (validations ?? 0) });
  }
  return [...units.values()].sort(
    (a, b) => b.validations - a.validations || (a.identifiant < b.identifiant ? -1 : 1),
  );
}

function by(rides: readonly Ride[], nameOf: (ride: Ride) => string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const ride of rides)
    sums[nameOf(ride)] = (sums[nameOf(ride)] ?? 0) + (ride.validations ?? 0);
  return Object.fromEntries(Object.entries(sums).sort(([a], [b]) => (a < b ? -1 : 1)));
}
