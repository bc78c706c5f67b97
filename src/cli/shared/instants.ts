import { DateTime } from 'luxon';

/** ISO instants as people read them, in UTC and in the zone of their pipeline. */

/** `2026-11-23 05:10 UTC (06:10 Europe/Paris)`. */
export function instantText(at: string, zone: string): string {
  return `${DateTime.fromISO(at, { zone: 'utc' }).toFormat('yyyy-MM-dd HH:mm')} UTC (${localText(at, zone)})`;
}

/** An instant as it is recorded, and where its pipeline is: `2026-11-23T05:10:00Z (06:10 Europe/Paris)`. */
export function withLocal(at: string, zone: string): string {
  return `${at} (${localText(at, zone)})`;
}

/** `06:10 Europe/Paris`, with the date where that is another than in UTC. */
export function localText(at: string, zone: string): string {
  const local = DateTime.fromISO(at, { zone });
  const sameDay = local.toISODate() === local.toUTC().toISODate();
  return `${local.toFormat(sameDay ? 'HH:mm' : 'yyyy-MM-dd HH:mm')} ${zone}`;
}
