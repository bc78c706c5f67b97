import { parameterRefusal } from './answer.ts';
import type { CsvFormat } from './dataset.ts';
import type { PortalRequest } from './requests.ts';

/** Zones with the clock of Paris under other names, as clients of this publisher write them. */
const PARIS_ZONES = new Set(['Europe/Paris', 'Europe/Berlin', 'Europe/Brussels']);
const UTC_ZONES = new Set(['UTC', 'GMT', 'Etc/UTC']);
const NOT_SUPPORTED = ['select', 'group_by', 'order_by', 'refine', 'exclude', 'compressed'];

/**
 * A parameter that would change the rows is refused rather than ignored: a client must not believe
 * it was obeyed.
 */
export function refuseUnsupported(query: PortalRequest['query']): void {
  for (const name of NOT_SUPPORTED) {
    if (query[name] !== undefined)
      throw parameterRefusal(`The parameter ${name} is not supported by the sample portal.`);
  }
}

/**
 * UTC where none is asked; a zone that the portal does not know is refused with the publisher's
 * error.
 */
export function zoneOf(query: PortalRequest['query']): CsvFormat['zone'] {
  const zone = query['timezone'] ?? 'UTC';
  if (PARIS_ZONES.has(zone)) return 'Europe/Paris';
  if (UTC_ZONES.has(zone)) return 'UTC';
  throw parameterRefusal(
    `Invalid value for timezone API parameter: ${zone}; the sample portal knows Europe/Paris and UTC.`,
  );
}

function flag(query: PortalRequest['query'], name: string, fallback: boolean): boolean {
  const value = query[name]?.toLowerCase();
  if (value === undefined) return fallback;
  if (value !== 'true' && value !== 'false') {
    throw parameterRefusal(`Invalid value for ${name} API parameter: ${value} is not a boolean.`);
  }
  return value === 'true';
}

/**
 * How the client wants its CSV. @throws a 400 refusal for a value that the portal does not know.
 */
export function formatOf(query: PortalRequest['query']): CsvFormat {
  const delimiter = query['delimiter'] ?? ';';
  if (![';', ',', '\t', '|'].includes(delimiter)) {
    throw parameterRefusal(`Invalid value for delimiter API parameter: ${delimiter}`);
  }
  if ((query['limit'] ?? '-1') !== '-1')
    throw parameterRefusal('An export of the sample portal has no limit: -1 or nothing.');
  return {
    delimiter,
    zone: zoneOf(query),
    labels: flag(query, 'use_labels', false),
    bom: flag(query, 'with_bom', false),
  };
}
