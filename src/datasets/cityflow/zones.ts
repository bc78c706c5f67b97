/** Data days of Paris begin and end at its midnights. */
export const ZONE = 'Europe/Paris';

/**
 * A zone is a district of Paris, or a direction outside of them; a place that is not known has no
 * zone, and none is invented.
 */

/** A place that readers know by name. */
export interface Zone {
  /** `75011`, or `hors-sud-est`. */
  readonly id: string;
  readonly name: string;
}

/** `75001`–`75020`. */
export function postcodeOf(district: number): string {
  return `750${String(district).padStart(2, '0')}`;
}

/** `1er arrondissement`, `2e arrondissement`. */
export function districtName(district: number): string {
  return `${district}${district === 1 ? 'er' : 'e'} arrondissement`;
}

/** The district first, else the direction; null where neither is known. */
export function zoneOf(district: number | null, sector: string | null): Zone | null {
  if (district !== null) return { id: postcodeOf(district), name: districtName(district) };
  if (sector === null) return null;
  return { id: `hors-${sector.toLowerCase()}`, name: `Hors arrondissements, ${sector}` };
}
