import { checkResult, dayByDay, inputOf, writeParquetRows } from '../../kit/index.ts';
import type {
  CheckDefinition,
  SqlColumn,
  SqlSession,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { readPublished } from '../transform/network.ts';
import { RIDES } from './slices.ts';

/**
 * `transform/validations`: one row per line (buses, trams) or station (metro, trains) and kind of
 * ticket.
 */

const READABLE: CheckDefinition = {
  id: 'readable-validations',
  title: 'every number of validations is a whole number, or says that it is small',
  severity: 'warn',
};
const NAMED: CheckDefinition = {
  id: 'named-units',
  title: 'every row names its line or station',
  severity: 'warn',
};
/** Both warn: rows without a readable number are left out, nameless ones are kept. */
export const RIDE_CHECKS: readonly CheckDefinition[] = [READABLE, NAMED];

/** How the two networks are called in our rows, by part. */
const NETWORKS: Readonly<Record<string, string>> = {
  validations: 'surface',
  'validations-rail': 'ferré',
};

/** Core table: one row per line or station and kind of ticket; the columns are those of `Ride`. */
export const RIDE_TABLE = [
  { name: 'network', type: 'VARCHAR' },
  { name: 'unit_id', type: 'VARCHAR' },
  { name: 'name', type: 'VARCHAR' },
  { name: 'group_id', type: 'VARCHAR' },
  { name: 'category', type: 'VARCHAR' },
  { name: 'validations', type: 'BIGINT' },
  { name: 'at_most', type: 'BIGINT' },
] as const satisfies readonly SqlColumn[];

/** A row of the core table. */
export interface Ride {
  /** `surface` or `ferré`. */
  readonly network: string;
  /**
   * Operator, network and line (or station): `100-110-861`; a line's own code alone is not unique.
   */
  readonly unit_id: string;
  readonly name: string | null;
  readonly group_id: string | null;
  readonly category: string;
  /** Null: the publisher says only that there were few. */
  readonly validations: number | null;
  /** The same, or the most that "few" can mean. */
  readonly at_most: number;
}

interface PublishedRide {
  readonly operator: string | null;
  readonly network: string | null;
  readonly unit: string | null;
  readonly name: string | null;
  readonly group: string | null;
  readonly category: string | null;
  readonly count: string | null;
}

const WANTED = ['operator', 'network', 'unit', 'name', 'group', 'category', 'count'] as const;
const NO_NAMES = ['', '?', 'ND', 'NON DEFINI', 'LIGNE NON DEFINIE', 'INCONNU'];

/** Buses and trams beside metro and trains, whichever of the two the day has. */
export const transformRides = dayByDay(async (unit, _task, sql) => transform(unit, sql));

async function transform(unit: StepUnit, sql: SqlSession): Promise<Omit<UnitResult, 'scope'>> {
  const read: {
    readonly part: string;
    readonly row: PublishedRide;
    readonly count: RideCount | undefined;
  }[] = [];
  for (const [part, { names }] of Object.entries(RIDES)) {
    const slice = inputOf(unit, part);
    const rows =
      slice === undefined ? [] : await readPublished<PublishedRide>(sql, slice.path, names, WANTED);
    for (const row of rows) read.push({ part, row, count: rideCount(row.count) });
  }
  const rides = mergedRides(
    read.flatMap(({ part, row, count }) =>
      count === undefined ? [] : [rideOf(NETWORKS[part] ?? part, row, count)],
    ),
  );
  const core = await writeParquetRows(
    sql,
    RIDE_TABLE,
    rides.map((ride) => RIDE_TABLE.map(({ name }) => ride[name])),
    `rides-${unit.scope}`,
  );
  const unread = read
    .filter(({ count }) => count === undefined)
    .map(({ row }) => ({ unit: row.unit, count: row.count }));
  const nameless = read.filter(({ row }) => isNameless(row.unit)).map(({ row }) => ({ ...row }));
  return {
    outputs: { core },
    checks: [checkResult(READABLE, read.length, unread), checkResult(NAMED, read.length, nameless)],
    facts: { rows: rides.length, published: read.length },
  };
}

function isNameless(text: string | null): boolean {
  return text === null || NO_NAMES.includes(text.trim().toUpperCase());
}

/** What a published number of validations says. */
export interface RideCount {
  readonly exactly: number | null;
  readonly atMost: number;
}

/** To protect people, small numbers are published as `Moins de 5`, and in newer files as 5. */
const FEW = 5;

/** `1 234` → 1,234; `Moins de 5` → at most 4; `5` → at most 5; undefined for what is no number. */
export function rideCount(text: string | null): RideCount | undefined {
  if (text === null) return undefined;
  const plain = text.replace(/[\s\u{a0}\u{202f}]/gu, '');
  const [, below] = /^moinsde(\d+)$/i.exec(plain) ?? [];
  if (below !== undefined) return { exactly: null, atMost: Number(below) - 1 };
  if (!/^\d{1,9}(?:[.,]0+)?$/.test(plain)) return undefined;
  const number = Math.trunc(Number(plain.replace(',', '.')));
  return { exactly: number === FEW ? null : number, atMost: number };
}

function rideOf(network: string, row: PublishedRide, { exactly, atMost }: RideCount): Ride {
  const text = (value: string | null): string | null =>
    value === null || isNameless(value) ? null : value.trim();
  return {
    network,
    unit_id: [row.operator, row.network, row.unit].map((code) => code?.trim()).join('-'),
    name: text(row.name),
    group_id: text(row.group),
    category: text(row.category) ?? 'NON DEFINI',
    validations: exactly,
    at_most: atMost,
  };
}

/**
 * One row per network, line or station and kind of ticket: both directions of a line have rows of
 * their own.
 */
function mergedRides(rides: readonly Ride[]): Ride[] {
  const merged = new Map<string, Ride>();
  for (const ride of [...rides].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) {
    const key = `${ride.network} ${ride.unit_id} ${ride.category}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, ride);
    else {
      const both = known.validations !== null || ride.validations !== null;
      merged.set(key, {
        ...known,
        name: known.name ?? ride.name,
        validations: both ? (known.validations ?? 0) + (ride.validations ?? 0) : null,
        at_most: known.at_most + ride.at_most,
      });
    }
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ride]) => ride);
}

function keyOf(ride: Ride): string {
  return JSON.stringify(ride);
}
