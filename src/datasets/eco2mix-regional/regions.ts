/**
 * The twelve regions of mainland France without Corsica, which is not part of the grid that eCO2mix
 * tells of. Codes are those of INSEE (Code officiel géographique since 2016).
 */
export interface Region {
  readonly code: string;
  readonly name: string;
  /** What fits on a tile. */
  readonly short: string;
  /** Place on the tile map, in tiles: west to east, north to south. */
  readonly tile: { readonly x: number; readonly y: number };
}

/** In the order of their codes. */
export const REGIONS: readonly Region[] = [
  { code: '11', name: 'Île-de-France', short: 'Île-de-France', tile: { x: 2, y: 1 } },
  { code: '24', name: 'Centre-Val de Loire', short: 'Centre-VdL', tile: { x: 2, y: 2 } },
  { code: '27', name: 'Bourgogne-Franche-Comté', short: 'Bourgogne-FC', tile: { x: 3, y: 2 } },
  { code: '28', name: 'Normandie', short: 'Normandie', tile: { x: 1, y: 1 } },
  { code: '32', name: 'Hauts-de-France', short: 'Hauts-de-Fr.', tile: { x: 2, y: 0 } },
  { code: '44', name: 'Grand Est', short: 'Grand Est', tile: { x: 3, y: 1 } },
  { code: '52', name: 'Pays de la Loire', short: 'Pays de Loire', tile: { x: 1, y: 2 } },
  { code: '53', name: 'Bretagne', short: 'Bretagne', tile: { x: 0, y: 2 } },
  { code: '75', name: 'Nouvelle-Aquitaine', short: 'N.-Aquitaine', tile: { x: 1, y: 3 } },
  { code: '76', name: 'Occitanie', short: 'Occitanie', tile: { x: 1.5, y: 4 } },
  { code: '84', name: 'Auvergne-Rhône-Alpes', short: 'Auv.-Rh.-Alpes', tile: { x: 2.5, y: 3 } },
  { code: '93', name: 'Provence-Alpes-Côte d’Azur', short: 'PACA', tile: { x: 2.5, y: 4 } },
];

/** A code that nobody knows is its own name. */
export function regionName(code: string): string {
  return REGIONS.find((region) => region.code === code)?.name ?? code;
}

/** Data days of French electricity begin and end at the midnights of Paris. */
export const ZONE = 'Europe/Paris';
