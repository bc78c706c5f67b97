import { dayBounds } from '../synthetic/paris-days.ts';
import type { MeterWorld } from './world.ts';

/** The files of a head-end over made-up meters: lines of CSV, made while they are read. */

/** Faults of meters and transmission, by their share of the meter-days. */
export type Fault =
  | 'gap'
  | 'spike'
  | 'stuck'
  | 'zero_run'
  | 'negative'
  | 'duplicate'
  | 'kwh'
  | 'clock';
const FAULTS: readonly (readonly [Fault, number])[] = [
  ['gap', 0.01],
  ['spike', 0.002],
  ['stuck', 0.002],
  ['zero_run', 0.001],
  ['negative', 0.0005],
  ['duplicate', 0.002],
  ['kwh', 0.0005],
  ['clock', 0.0005],
];

function draw(seed: number, meter: number, day: number, stream: number): number {
  let z =
    Math.imul(seed + 0x51ed27, 0x85ebca6b) ^
    Math.imul(meter + 11, 0xc2b2ae35) ^
    Math.imul(day * 64 + stream, 0x27d4eb2f);
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return ((z ^ (z >>> 15)) >>> 0) / 4_294_967_296;
}

/** What went wrong with a meter's day on its way; undefined for most. */
export function faultOf(world: MeterWorld, meter: number, day: number): Fault | undefined {
  const value = draw(world.options.seed, meter, day, 1);
  let share = 0;
  for (const [fault, own] of FAULTS) {
    share += own;
    if (value < share) return fault;
  }
  return undefined;
}

interface Row {
  readonly slot: number;
  readonly wh: number;
}

function faulty(fault: Fault | undefined, values: Float64Array, at: number): Row[] {
  const rows = Array.from(values, (wh, slot): Row => ({ slot, wh }));
  const from = Math.floor(at * (values.length - 12));
  switch (fault) {
    case undefined:
      return rows;
    case 'gap':
      return rows.filter(({ slot }) => slot < from || slot >= from + 6);
    case 'spike':
      return rows.map((row) => (row.slot === from ? { ...row, wh: row.wh * 12 + 2_000 } : row));
    case 'stuck':
      return rows.map((row) =>
        row.slot >= from && row.slot < from + 14 ? { ...row, wh: values[from] ?? 0 } : row,
      );
    case 'zero_run':
      return rows.map((row) => ({ ...row, wh: 0 }));
    case 'negative':
      return rows.map((row) => (row.slot === from ? { ...row, wh: -row.wh - 1 } : row));
    case 'duplicate':
      return [...rows, ...rows.slice(from, from + 2)];
    case 'kwh':
      return rows.map((row) => ({ ...row, wh: row.wh / 1_000 }));
    case 'clock':
      return rows.map((row) => ({ ...row, wh: values[(row.slot + 2) % values.length] ?? 0 }));
  }
}

/**
 * When a share of the readings arrives after the day ended, in days: what is late, and what is
 * corrected after a week.
 */
const LATE_SHARE = 0.015;
const LATE_DAYS = 3;
const CORRECTED_SHARE = 0.005;
const CORRECTED_DAYS = 7;

/** Which part of the readings a file has. */
export interface FileOptions {
  /** Days since the data day: decides what is there already. Default: all of it. */
  readonly age?: number;
  /** Leave the faults out. */
  readonly clean?: boolean;
  /** Only these meters, from … to (excluded). Default: all. */
  readonly meters?: readonly [from: number, to: number];
}

/** `start_at` is the START of the interval with its offset; `wh` the energy in it. */
export const READINGS_HEADER = 'meter_id,start_at,wh,channel,quality,revision\n';

/** Readings of a day as CSV lines without their header, some thousands at a time. */
export function* readingLines(
  world: MeterWorld,
  day: number,
  options: FileOptions = {},
): Generator<string> {
  const { age = Infinity, clean = false, meters = [0, world.options.meters] } = options;
  const { startMs } = dayBounds(world.dateOf(day));
  const stamps = Array.from(
    world.halfHours(day),
    (_, slot) => new Date(startMs + slot * 1_800_000).toISOString().slice(0, 19) + 'Z',
  );
  const { seed } = world.options;
  let text = '';
  for (let index = meters[0]; index < meters[1]; index += 1) {
    if (age < LATE_DAYS && draw(seed, index, day, 2) < LATE_SHARE) continue;
    const { id } = world.meter(index);
    const { measured, exported } = world.day(index, day);
    const isCorrected = age >= CORRECTED_DAYS && draw(seed, index, day, 4) < CORRECTED_SHARE;
    const fault = clean || isCorrected ? undefined : faultOf(world, index, day);
    const tail = isCorrected ? 'C,CORRIGE' : 'A,BRUT';
    const line = (slot: number, wh: number, channel: string): string =>
      `${id},${stamps[slot] ?? ''},${wh},${channel},${tail}\n`;
    if (fault === undefined)
      for (let slot = 0; slot < measured.length; slot += 1)
        text += line(slot, measured[slot] ?? 0, 'import');
    else
      for (const { slot, wh } of faulty(fault, measured, draw(seed, index, day, 3)))
        text += line(slot, wh, 'import');
    for (let slot = 0; slot < exported.length; slot += 1)
      text += line(slot, exported[slot] ?? 0, 'export');
    if (text.length > 262_144) {
      yield text;
      text = '';
    }
  }
  if (text !== '') yield text;
}

/** The list of all meters. */
export function meterList(world: MeterWorld): string {
  const lines = Array.from({ length: world.options.meters }, (_, index) => {
    const { id, segment, region, transformer, feeder, kva } = world.meter(index);
    return `${id},${world.options.from},${segment},${region},${transformer},${feeder},${kva},base,6\n`;
  });
  return `meter_id,valid_from,segment,region,transformer,feeder,kva,tariff,dials\n${lines.join('')}`;
}

/** What every transformer gave on these days. */
export function* injectedLines(world: MeterWorld, days: readonly number[]): Generator<string> {
  yield 'transformer,date,injected_wh\n';
  for (const day of days)
    for (let transformer = 0; transformer < world.transformers; transformer += 1)
      yield `T${String(transformer).padStart(5, '0')},${world.dateOf(day)},${world.injectedWh(transformer, day)}\n`;
}

/** °C with one decimal, a row a day. */
export function weatherList(world: MeterWorld, days: readonly number[]): string {
  return `date,temperature_c\n${days.map((day) => `${world.dateOf(day)},${world.temperature(day).toFixed(1)}\n`).join('')}`;
}

/** What is true of the meters, for those who judge. */
export function truthList(world: MeterWorld): string {
  const lines = Array.from({ length: world.options.meters }, (_, index) => {
    const truth = world.truthOf(index);
    if (truth === undefined) return '';
    const { kind, from, to, size, explained } = truth;
    return `${world.meter(index).id},${kind},${world.dateOf(from)},${world.dateOf(to)},${size.toFixed(4)},${explained}\n`;
  });
  return `meter_id,kind,from,to,size,explained\n${lines.join('')}`;
}
