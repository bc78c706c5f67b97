import { hash, jitter, seriesKey } from '../synthetic/noise.ts';

/**
 * The made-up Paris of the sample portal: districts on a spiral, streets on rings and spokes,
 * counters beside them. Everything follows from the seed; nothing is copied from the publisher's
 * files.
 */

/** `[longitude, latitude]` in degrees. */
export type Position = readonly [lon: number, lat: number];

/** Notre-Dame. */
export const CENTRE: Position = [2.3522, 48.8566];
/** Half axes of the town in degrees. */
const REACH: Position = [0.085, 0.043];
/** Districts of each ring, from the inside, as shares `[from, to]` of the way to the edge. */
const RINGS = [
  { first: 1, count: 4, from: 0, to: 0.28 },
  { first: 5, count: 7, from: 0.28, to: 0.62 },
  { first: 12, count: 9, from: 0.62, to: 1 },
] as const;
const CORNERS_PER_ARC = 6;

/**
 * A place by its turn (0–1, clockwise from north) and its share of the way to the edge, to the 15
 * digits that the publisher prints.
 */
function place(turn: number, share: number): Position {
  // A diamond-free circle without trigonometry of the engine: the half-angle form of a rational
  // parametrisation.
  const quarter = Math.floor(turn * 4) % 4;
  const t = turn * 4 - Math.floor(turn * 4);
  const u = t / (1 + (1 - t) * 0.414_213_562);
  const [sin, cos] = [(2 * u) / (1 + u * u), (1 - u * u) / (1 + u * u)];
  const [east, north] = [
    [sin, cos],
    [cos, -sin],
    [-sin, -cos],
    [-cos, sin],
  ][quarter] ?? [0, 0];
  return [CENTRE[0] + REACH[0] * share * (east ?? 0), CENTRE[1] + REACH[1] * share * (north ?? 0)];
}

/** One of twenty; its outline is closed, the first corner is also the last. */
export interface TownDistrict {
  /** 1–20. */
  readonly number: number;
  readonly ring: readonly Position[];
  readonly centre: Position;
}

/** The same for every seed; together they cover the town without gaps. */
export function townDistricts(): TownDistrict[] {
  return RINGS.flatMap(({ first, count, from, to }) =>
    Array.from({ length: count }, (_, index): TownDistrict => {
      const [start, end] = [index / count, (index + 1) / count];
      const turns = Array.from(
        { length: CORNERS_PER_ARC + 1 },
        (__, i) => start + ((end - start) * i) / CORNERS_PER_ARC,
      );
      const outer = turns.map((turn) => place(turn % 1, to));
      const inner =
        from === 0 ? [CENTRE] : [...turns].reverse().map((turn) => place(turn % 1, from));
      const ring = [...outer, ...inner];
      return {
        number: first + index,
        ring: [...ring, ring[0] ?? CENTRE],
        centre: place((start + end) / 2, (from + to) / 2),
      };
    }),
  );
}

/** A piece of street with a road counter. */
export interface TownArc {
  /** Text, as the publisher has it. */
  readonly id: string;
  readonly label: string;
  /** An arc may be published in pieces, each a row of the network. */
  readonly pieces: readonly (readonly Position[])[];
  readonly middle: Position;
  readonly upstream: number;
  readonly downstream: number;
  /** Vehicles an hour that it can carry. */
  readonly capacity: number;
  /** How full it gets, about 0.5 to 1.4. */
  readonly stress: number;
}

const STREETS = [
  ...[
    'Av_Sample',
    'Bd_des_Marronniers',
    'Quai_Neuf',
    'Rue_des_Deux_Ponts',
    'Av_de_la_Porte',
    'Bd_Exterieur',
  ],
  ...['Rue_du_Canal', 'Av_des_Tilleuls', 'Rue_Longue', 'Bd_du_Port', 'Rue_Haute', 'Av_du_Parc'],
];

function streetOf(index: number): string {
  const name = STREETS[index % STREETS.length];
  if (name === undefined) throw new RangeError(`there is no street ${index}`);
  return name;
}

const ARC_COUNT = 220;

/** Always 220 of them; every tenth is published in several pieces. */
export function townArcs(seed: number): TownArc[] {
  const key = seriesKey(seed, 'city/arcs');
  return Array.from({ length: ARC_COUNT }, (_, index): TownArc => {
    const radial = index % 2 === 0;
    const [turn, share] = [(index * 0.381_966) % 1, 0.14 + 0.8 * (hash(key, index) / 2 ** 32)];
    const steps = Array.from({ length: 4 }, (__, i) => i / 3);
    const span = 0.012 + 0.01 * Math.abs(jitter(key, index + 10_000));
    const line = steps.map((step) =>
      radial ? place(turn, share + step * span * 3) : place((turn + step * span) % 1, share),
    );
    // A tenth of the arcs is published in several pieces.
    const inPieces = index % 10 === 7;
    const pieces = inPieces ? line.slice(1).map((to, i) => [line[i] ?? to, to]) : [line];
    return {
      id: String(1_000 + index * 7),
      label: `${streetOf(index)}_${Math.floor(index / STREETS.length) + 1}`,
      pieces,
      middle: line[1] ?? CENTRE,
      upstream: 100 + index,
      downstream: 100 + ((index + 2) % ARC_COUNT),
      capacity: 500 + (hash(key, index + 20_000) % 2_600),
      stress: 0.55 + (hash(key, index + 30_000) % 1_000) / 1_200,
    };
  });
}

/** A bike counter. */
export interface TownCounter {
  readonly id: string;
  readonly name: string;
  readonly place: Position;
  /** Bikes an hour at its busiest. */
  readonly capacity: number;
  /** `silent`: no record at all; `zero`: a broken loop; `stuck`: one value all day. */
  readonly fault: 'silent' | 'zero' | 'stuck' | undefined;
}

const COUNTER_COUNT = 96;
const FAULTS: Readonly<Record<number, TownCounter['fault']>> = {
  17: 'silent',
  41: 'zero',
  66: 'stuck',
};

/** Two counters a street, one for each direction. */
export function townCounters(seed: number): TownCounter[] {
  const key = seriesKey(seed, 'city/bikes');
  return Array.from({ length: COUNTER_COUNT }, (_, index): TownCounter => {
    const street = Math.floor(index / 2);
    const name = streetOf(street).replaceAll('_', ' ').toLowerCase();
    return {
      id: `${100_003_000 + street}-${353_242_000 + index}`,
      name: `${3 + street * 4} ${name} ${Math.floor(street / STREETS.length) + 1} ${index % 2 === 0 ? 'N-S' : 'S-N'}`,
      place: place((street * 0.618_034) % 1, 0.1 + 0.85 * (hash(key, street) / 2 ** 32)),
      capacity: 60 + (hash(key, index + 1_000) % 520),
      fault: FAULTS[index],
    };
  });
}
