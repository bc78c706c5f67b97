import { dayAfter, dayBounds } from '../synthetic/paris-days.ts';

/**
 * Made-up meters of a made-up town: any day of any meter by itself, a function of seed, meter and
 * day alone. With it what is true of each meter: who takes energy past the meter, and who only
 * lives differently.
 */

/** Equal options give equal worlds on every machine. */
export interface WorldOptions {
  readonly seed: number;
  readonly meters: number;
  /** Day 0, `YYYY-MM-DD`. */
  readonly from: string;
  readonly days: number;
  /**
   * Share of meters with fraud, and of those that change for an honest reason. Default 0.05 and
   * 0.13.
   */
  readonly fraudShare?: number;
  readonly explainedShare?: number;
}

/** Homes, heated ones, shops, homes with solar panels, second homes. */
export type Segment = 'home' | 'heat' | 'shop' | 'pv' | 'second';
/** Energy that goes past the meter: part of it, in the evening, ever more, or all after a peak. */
export type FraudKind = 'bypass' | 'evening' | 'drift' | 'peak_then_zero';
/** A change of use that no one hides: absence, an electric car, saving. */
export type ExplainedKind = 'vacancy' | 'electric_car' | 'saver';

/** What is true of a meter from one day to another; nothing that a file says. */
export interface Truth {
  readonly kind: FraudKind | ExplainedKind;
  /** First and last index of a day, both included. */
  readonly from: number;
  readonly to: number;
  /** What the kind does: a factor, or a share a day. */
  readonly size: number;
  readonly explained: boolean;
}

/** The fixed properties of a meter; `kva` is the contracted power. */
export interface WorldMeter {
  readonly id: string;
  readonly segment: Segment;
  readonly region: string;
  readonly transformer: string;
  readonly feeder: string;
  readonly kva: number;
  /** Mean Wh of a half-hour. */
  readonly scale: number;
}

/** What a meter showed and what was really used, in whole Wh of each elapsed half-hour. */
export interface MeterDay {
  readonly measured: Float64Array;
  readonly used: Float64Array;
  /** Empty for meters that give nothing back. */
  readonly exported: Float64Array;
}

const METERS_PER_TRANSFORMER = 50;
const REGIONS = ['Nord', 'Est', 'Sud', 'Ouest'] as const;

/** Normal quantiles by equal steps: noise is looked up, not calculated. */
const STEPS = 4_096;
const NORMAL = Float64Array.from({ length: STEPS }, (_, index) =>
  normalQuantile((index + 0.5) / STEPS),
);
const SLOT_NOISE = NORMAL.map((z) => Math.exp(0.4 * z - 0.08));

/** Acklam's approximation, to nine digits. */
function normalQuantile(p: number): number {
  const a = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
    2.506628277459239,
  ];
  const b = [
    -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972,
    -13.28068155288572, 1,
  ];
  const c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
    4.374664141464968, 2.938163982698783,
  ];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
  const ratio = (x: number, top: readonly number[], bottom: readonly number[]): number =>
    top.reduce((sum, each) => sum * x + each, 0) / bottom.reduce((sum, each) => sum * x + each, 0);
  if (p < 0.02425) return ratio(Math.sqrt(-2 * Math.log(p)), c, d);
  if (p > 1 - 0.02425) return -ratio(Math.sqrt(-2 * Math.log(1 - p)), c, d);
  return (p - 0.5) * ratio((p - 0.5) ** 2, a, b);
}

function hash(a: number, b: number, c: number): number {
  let z =
    Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^
    Math.imul(b + 0x7f4a7c15, 0xc2b2ae35) ^
    Math.imul(c + 0x165667b1, 0x27d4eb2f);
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

const part = (value: number): number => value / 4_294_967_296;

/** Load by half-hour of the clock, mean about 1. */
const SHAPES: Readonly<Record<Segment, Float64Array>> = {
  home: shape(
    (h) => 0.55 + 0.75 * bump(h, 7.5, 1.3) + 0.35 * bump(h, 13, 2) + 1.7 * bump(h, 20, 2),
  ),
  heat: shape((h) => 0.7 + 0.7 * bump(h, 6.5, 1.5) + 1.1 * bump(h, 20, 2.5)),
  shop: shape((h) => 0.3 + 1.6 * bump(h, 11, 2.5) + 1.6 * bump(h, 16, 2.5)),
  pv: shape((h) => 0.6 + 0.7 * bump(h, 7.5, 1.3) + 1.7 * bump(h, 20, 2)),
  second: shape((h) => 0.6 + 0.8 * bump(h, 10, 2) + 1.2 * bump(h, 20, 2)),
};

function shape(of: (hour: number) => number): Float64Array {
  const values = Float64Array.from({ length: 48 }, (_, halfHour) => of(halfHour / 2));
  const mean = values.reduce((sum, value) => sum + value, 0) / 48;
  return values.map((value) => value / mean);
}

function bump(hour: number, middle: number, width: number): number {
  return Math.exp(-(((hour - middle) / width) ** 2));
}

/** Asked by index of meter and index of day, in any order. */
export class MeterWorld {
  readonly options: WorldOptions;

  constructor(options: WorldOptions) {
    this.options = options;
  }

  /** Civil date of an index of a day, `YYYY-MM-DD`. */
  dateOf(day: number): string {
    return dayAfter(this.options.from, day);
  }

  /** Half-hours of the clock as they pass: 46, 48 or 50. */
  halfHours(day: number): Int32Array {
    const { startMs, endMs } = dayBounds(this.dateOf(day));
    const hours = (endMs - startMs) / 3_600_000;
    if (hours === 24) return PLAIN_DAY;
    return hours === 23 ? SPRING_DAY : AUTUMN_DAY;
  }

  /** Any index is a meter, also beyond `meters`. */
  meter(index: number): WorldMeter {
    const { seed } = this.options;
    const draw = part(hash(seed, index, 1));
    const segment: Segment =
      draw < 0.65
        ? 'home'
        : draw < 0.77
          ? 'heat'
          : draw < 0.86
            ? 'shop'
            : draw < 0.94
              ? 'pv'
              : 'second';
    const transformer = Math.floor(index / METERS_PER_TRANSFORMER);
    const scale =
      200 *
      Math.exp(0.5 * (NORMAL[hash(seed, index, 2) >>> 20] ?? 0)) *
      (segment === 'shop' ? 3 : 1);
    return {
      id: String(10_000_000_000_000 + seed * 100_000_000 + index),
      segment,
      region: REGIONS[Math.floor(transformer / 4) % REGIONS.length] ?? 'Nord',
      transformer: `T${String(transformer).padStart(5, '0')}`,
      feeder: `F${String(Math.floor(transformer / 10)).padStart(4, '0')}`,
      kva: segment === 'shop' ? 36 : scale > 260 ? 12 : 9,
      scale,
    };
  }

  /** What is not as usual with a meter; undefined for most. */
  truthOf(index: number): Truth | undefined {
    const { seed, days, fraudShare = 0.05, explainedShare = 0.13 } = this.options;
    const draw = part(hash(seed, index, 3));
    const [kindDraw, timeDraw, sizeDraw] = [4, 5, 6].map((stream) =>
      part(hash(seed, index, stream)),
    );
    const start = Math.floor(days * (0.45 + 0.3 * (timeDraw ?? 0)));
    if (draw < fraudShare) return fraud(kindDraw ?? 0, sizeDraw ?? 0, start, days);
    if (draw < fraudShare + explainedShare)
      return honest(kindDraw ?? 0, sizeDraw ?? 0, start, days);
    return undefined;
  }

  /** Mean temperature of a day in °C. */
  temperature(day: number): number {
    const date = this.dateOf(day);
    const ofYear = (Date.parse(date) - Date.parse(`${date.slice(0, 4)}-01-01`)) / 86_400_000;
    const noise =
      NORMAL[hash(this.options.seed, Math.floor(Date.parse(date) / 86_400_000), 7) >>> 20] ?? 0;
    return 12.5 - 9 * Math.cos(((ofYear - 20) / 365.25) * 2 * Math.PI) + 2.5 * noise;
  }

  /** A day of a meter. */
  day(index: number, day: number): MeterDay {
    const meter = this.meter(index);
    const { clock } = this.#ofDay(day);
    const used = this.#used(index, meter, day, clock);
    const truth = this.truthOf(index);
    const lived =
      truth?.explained === true && isOn(truth, day) ? liveDifferently(truth, used, clock) : used;
    const measured =
      truth?.explained === false && isOn(truth, day)
        ? takePast(truth, lived, clock, day - truth.from)
        : lived;
    return { measured, used: lived, exported: this.#exported(meter, index, day, clock) };
  }

  /** What all meters share on a day; the last one asked for is kept. */
  #ofDay(day: number): {
    readonly day: number;
    readonly isWeekend: boolean;
    readonly heating: number;
    readonly clock: Int32Array;
  } {
    if (this.#last?.day === day) return this.#last;
    const weekday = new Date(`${this.dateOf(day)}T00:00:00Z`).getUTCDay();
    const heating = Math.max(0, 15 - this.temperature(day));
    this.#last = {
      day,
      isWeekend: weekday === 0 || weekday === 6,
      heating,
      clock: this.halfHours(day),
    };
    return this.#last;
  }
  #last:
    | {
        readonly day: number;
        readonly isWeekend: boolean;
        readonly heating: number;
        readonly clock: Int32Array;
      }
    | undefined;

  #used(
    index: number,
    { segment, scale }: WorldMeter,
    day: number,
    clock: Int32Array,
  ): Float64Array {
    const { seed } = this.options;
    const { isWeekend, heating } = this.#ofDay(day);
    const heat = 1 + heating * (segment === 'heat' ? 0.12 : segment === 'shop' ? 0.01 : 0.025);
    const ofDay = Math.exp(0.18 * (NORMAL[hash(seed ^ 0x5f, index, day) >>> 20] ?? 0));
    const ofWeek = segment === 'shop' ? (isWeekend ? 0.45 : 1) : isWeekend ? 1.1 : 1;
    const isAway =
      segment === 'second' &&
      (!isWeekend || part(hash(seed, index, 1_000 + Math.floor(day / 7))) < 0.4);
    const factor = scale * heat * ofDay * ofWeek;
    const byClock = SHAPES[segment];
    const noise = hash(seed ^ 0x1234567, index, day);
    const used = new Float64Array(clock.length);
    for (let slot = 0; slot < clock.length; slot += 1) {
      const own = isAway ? 0.12 : (byClock[clock[slot] ?? 0] ?? 1);
      const luck =
        SLOT_NOISE[Math.imul((noise + Math.imul(slot, 0x9e3779b1)) | 0, 0x2c1b3c6d) >>> 20] ?? 1;
      used[slot] = Math.round(factor * own * luck);
    }
    return used;
  }

  #exported(
    { segment, scale }: WorldMeter,
    index: number,
    day: number,
    clock: Int32Array,
  ): Float64Array {
    if (segment !== 'pv') return new Float64Array(0);
    const sun = 0.25 + 0.75 * part(hash(this.options.seed, index, 500_000 + day));
    return Float64Array.from(clock, (halfHour) =>
      Math.round(3 * scale * sun * bump(halfHour / 2, 13.5, 2.6)),
    );
  }

  /**
   * Wh that a transformer gave in a day: 6 % more than its meters' homes really took, less what
   * they gave back.
   */
  injectedWh(transformer: number, day: number): number {
    const first = transformer * METERS_PER_TRANSFORMER;
    let [taken, given] = [0, 0];
    for (
      let index = first;
      index < Math.min(first + METERS_PER_TRANSFORMER, this.options.meters);
      index += 1
    ) {
      const { used, exported } = this.day(index, day);
      taken += used.reduce((sum, value) => sum + value, 0);
      given += exported.reduce((sum, value) => sum + value, 0);
    }
    return Math.round(1.06 * taken - given);
  }

  /** The last one may have fewer meters than the others. */
  get transformers(): number {
    return Math.ceil(this.options.meters / METERS_PER_TRANSFORMER);
  }
}

const PLAIN_DAY = Int32Array.from({ length: 48 }, (_, slot) => slot);
const SPRING_DAY = PLAIN_DAY.filter((slot) => slot < 4 || slot >= 6);
const AUTUMN_DAY = Int32Array.from([...PLAIN_DAY.slice(0, 6), 4, 5, ...PLAIN_DAY.slice(6)]);

function isOn({ from, to }: Truth, day: number): boolean {
  return day >= from && day <= to;
}

function fraud(kind: number, size: number, from: number, days: number): Truth {
  const on = { from, to: days - 1, explained: false };
  if (kind < 0.45) return { kind: 'bypass', size: 0.2 + 0.35 * size, ...on };
  if (kind < 0.65) return { kind: 'evening', size: 0.1 + 0.3 * size, ...on };
  if (kind < 0.85) return { kind: 'drift', size: 0.006 + 0.006 * size, ...on };
  return { kind: 'peak_then_zero', size: 3 + 2 * size, ...on };
}

function honest(kind: number, size: number, from: number, days: number): Truth {
  const on = { from, to: days - 1, explained: true };
  if (kind < 0.4)
    return {
      kind: 'vacancy',
      size: 0.1,
      ...on,
      to: Math.min(days - 1, from + 14 + Math.floor(30 * size)),
    };
  if (kind < 0.7) return { kind: 'electric_car', size: 1_500 + 2_000 * size, ...on };
  return { kind: 'saver', size: 0.7 + 0.15 * size, ...on };
}

/**
 * Who is away leaves the refrigerator on; who has an electric car charges at night; who saves uses
 * less of everything.
 */
function liveDifferently(
  { kind, size }: Truth,
  used: Float64Array,
  clock: Int32Array,
): Float64Array {
  if (kind === 'saver') return used.map((value) => Math.round(value * size));
  if (kind === 'electric_car')
    return used.map((value, slot) => value + ((clock[slot] ?? 9) < 6 ? Math.round(size / 2) : 0));
  const base = Float64Array.from(used).sort()[Math.floor(used.length * 0.1)] ?? 0;
  return used.map((value) => Math.min(value, base));
}

function takePast(
  { kind, size }: Truth,
  used: Float64Array,
  clock: Int32Array,
  since: number,
): Float64Array {
  if (kind === 'bypass') return used.map((value) => Math.round(value * size));
  if (kind === 'drift')
    return used.map((value) => Math.round(value * Math.max(0.2, 1 - size * since)));
  if (kind === 'evening')
    return used.map((value, slot) =>
      (clock[slot] ?? 0) >= 36 && (clock[slot] ?? 0) < 46 ? Math.round(value * size) : value,
    );
  return since === 0
    ? used.map((value) => Math.round(value * size))
    : used.map((value) => (value % 7 === 0 ? value : 0));
}
