import { wallTime } from '../../pipelines/zoned-day.ts';

/** ISO instants as people read them, in UTC and in the zone of their pipeline. */

/** `2026-11-23 05:10 UTC (06:10 Europe/Paris)`. */
export function instantText(at: string, zone: string): string {
  return `${minuteOf(at, 'utc')} UTC (${localText(at, zone)})`;
}

/**
 * An instant as it is recorded, and where its pipeline is: `2026-11-23T05:10:00Z (06:10
 * Europe/Paris)`.
 */
export function withLocal(at: string, zone: string): string {
  return `${at} (${localText(at, zone)})`;
}

/** `06:10 Europe/Paris`, with the date where that is another than in UTC. */
export function localText(at: string, zone: string): string {
  const local = minuteOf(at, zone);
  const sameDay = local.slice(0, 10) === minuteOf(at, 'utc').slice(0, 10);
  return `${sameDay ? local.slice(11) : local} ${zone}`;
}

/** `2026-11-23 05:10` in a zone. */
function minuteOf(at: string, zone: string): string {
  return wallTime(Date.parse(at), zone).slice(0, 16).replace('T', ' ');
}
