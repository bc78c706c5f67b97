import type { Words } from '../../kit/index.ts';

/**
 * Segments of the lists of meters that are known; `fleet` is all of them, `unknown` what no list
 * tells.
 */
const SEGMENTS: Readonly<Record<string, Words>> = {
  fleet: { fr: 'parc', en: 'fleet' },
  unknown: { fr: 'inconnu', en: 'unknown' },
  home: { fr: 'logement', en: 'home' },
  heat: { fr: 'chauffage électrique', en: 'electric heating' },
  shop: { fr: 'commerce', en: 'shop' },
  pv: { fr: 'solaire', en: 'solar' },
  second: { fr: 'résidence secondaire', en: 'second home' },
};

/** A segment as people read it; one that only its list knows has the name of the list. */
export function segmentWords(segment: string, language: keyof Words): string {
  return SEGMENTS[segment]?.[language] ?? segment;
}
