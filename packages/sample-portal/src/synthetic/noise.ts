/**
 * Seeded noise with random access: any value can be asked alone, so a day is the same whether it is
 * asked alone or in the middle of fourteen years. Everything here uses + − × ÷ and integer mixing
 * only, because `Math.sin` and `Math.pow` may differ in the last bit between engines, and one bit
 * is enough to change a rounded megawatt and so the bytes of a file.
 */

/** Spreads every input bit over all 32 output bits (the finalizer of MurmurHash3). */
function avalanche(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * The key of one independent series of noise under a seed; names keep two series from sharing their
 * values by accident.
 */
export function seriesKey(seed: number, name: string): number {
  let h = 0x811c9dc5 ^ avalanche(seed);
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return avalanche(h);
}

/** A 32-bit unsigned number that depends on the key and the index only. */
export function hash(key: number, index: number): number {
  return avalanche(key ^ Math.imul(index | 0, 0x9e3779b1)) >>> 0;
}

/** White noise in `[-1, 1)`. */
export function jitter(key: number, index: number): number {
  return hash(key, index) / 0x80000000 - 1;
}

/** Noise in `[-1, 1)` that changes smoothly and is independent after `period` steps of `index`. */
export function smooth(key: number, index: number, period: number): number {
  const position = index / period;
  const cell = Math.floor(position);
  const t = position - cell;
  const from = jitter(key, cell);
  return from + (jitter(key, cell + 1) - from) * t * t * (3 - 2 * t);
}

/** cos(2π·turns) within 0.002, by Bhaskara's rational formula. */
export function cosTurn(turns: number): number {
  const x = Math.abs(turns - Math.round(turns));
  const y = x <= 0.25 ? 2 * x : 1 - 2 * x;
  const value = (1 - 4 * y * y) / (1 + y * y);
  return x <= 0.25 ? value : -value;
}

/** Both bounds are included. */
export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
