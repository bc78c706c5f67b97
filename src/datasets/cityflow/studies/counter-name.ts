/**
 * Names of bike counters in one form: the publisher writes ways, hyphens, spaces and directions in
 * several.
 */

/** What the name of a counter tells. */
export interface CounterName {
  /** `97 avenue Denfert-Rochereau`, without direction and kind of device. */
  readonly nom_normalise: string;
  /** The street alone. */
  readonly voie: string;
  /** From and to, as compass points: `SO-NE`; null where the name tells none. */
  readonly sens: string | null;
  /** Letters and digits alone, small and without accents: equal for equal places. */
  readonly cle: string;
}

const WAYS: readonly (readonly [abbreviation: RegExp, whole: string])[] = [
  [/\b(?:av|ave)\b\.?/giu, 'avenue'],
  [/\b(?:bd|bld|blvd|boul)\b\.?/giu, 'boulevard'],
  [/\bpl\b\.?/giu, 'place'],
  [/\bfbg?\b\.?/giu, 'faubourg'],
  [/\bsq\b\.?/giu, 'square'],
  [/\bst\b\.?(?=\s|-)/giu, 'Saint'],
  [/\bste\b\.?(?=\s|-)/giu, 'Sainte'],
];
const KINDS_OF_WAY =
  /\b(?:avenue|boulevard|rue|quai|place|pont|voie|cours|square|faubourg|porte|passage|esplanade|villa)\b/giu;
/** The device, which says nothing of the place. */
const DEVICE = /^(?:totem|compteur|display)\s+/iu;
const DIRECTION = /\s+\(?((?:[NS]?[EO]|[NS]))\s*[-–>→]+\s*((?:[NS]?[EO]|[NS]))\)?$/u;
const NUMBER = /^(?:face(?:\s+au)?\s+)?(\d+)\s*(bis|ter|quater)?\s+/iu;

/** `Totem 97  av. Denfert Rochereau SO–NE` → `97 avenue Denfert Rochereau`, direction `SO-NE`. */
export function counterName(published: string): CounterName {
  const plain = published
    .normalize('NFC')
    .replace(/[’ʼ]/gu, "'")
    .replace(/\s+/gu, ' ')
    .trim()
    .replace(DEVICE, '');
  const [, from, to] = DIRECTION.exec(plain) ?? [];
  const place = WAYS.reduce(
    (text, [short, whole]) => text.replace(short, whole),
    plain.replace(DIRECTION, ''),
  )
    .replace(KINDS_OF_WAY, (way) => way.toLowerCase())
    .trim();
  const [, number, suffix = ''] = NUMBER.exec(place) ?? [];
  const voie = place.replace(NUMBER, '').trim();
  const nom =
    number === undefined
      ? voie
      : `${number}${suffix === '' ? '' : ` ${suffix.toLowerCase()}`} ${voie}`;
  return {
    nom_normalise: nom,
    voie,
    sens: from === undefined || to === undefined ? null : `${from}-${to}`,
    cle: nom
      .normalize('NFD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, ' ')
      .trim(),
  };
}
