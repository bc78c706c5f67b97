import { required } from '../../given.ts';
/** Hashes and sizes as people read them. */

const SHORT_HASH = 8;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** The beginning of a hash: enough to tell apart what stands on one screen. */
export function shortHash(hash: string): string {
  return hash.slice(0, SHORT_HASH);
}

/** Decimal units, three digits: `962 B`, `12.3 kB`. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1_000 && unit < UNITS.length - 1) [value, unit] = [value / 1_000, unit + 1];
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${required(UNITS[unit], 'a unit of bytes')}`;
}

/** `1 row`, `24 rows`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
