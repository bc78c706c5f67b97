import { offsetQuarters, QUARTER_MS } from '../synthetic/paris-days.ts';

/**
 * The instant of a wall time in Paris, `2025-10-26 02:30:00`, as text with its offset. Of a time
 * that comes twice the first one; a time that the clocks leave out is as long after the change as
 * it is written.
 */
export function instantOfWallTime(wall: string): string {
  const utc = Date.parse(`${wall.replace(' ', 'T')}Z`);
  const summer = utc - 8 * QUARTER_MS;
  const ms = offsetQuarters(summer / QUARTER_MS) === 8 ? summer : utc - 4 * QUARTER_MS;
  const offset = offsetQuarters(ms / QUARTER_MS);
  return `${new Date(ms + offset * QUARTER_MS).toISOString().slice(0, 19)}+0${offset / 4}:00`;
}

/** `2025-10-04 00:01:00`, the wall time of an instant that `instantOfWallTime` wrote. */
export function wallTimeOf(instant: string): string {
  return instant.slice(0, 19).replace('T', ' ');
}
