import { isCivilDate, lastOf, nthOf } from '../../kit/index.ts';
import type { CivilDate } from '../../kit/index.ts';

/** The eleven flux that are read; R15_ACC comes in the files of R15. */
export const FLUX = [
  'C15',
  'R151',
  'R15',
  'R64',
  'R67',
  'F15',
  'F12',
  'C12',
  'X12',
  'X13',
] as const;
/** As it stands in the names of archives. */
export type Flux = (typeof FLUX)[number];

/** Files that the billing team gives because no flux has what is in them. */
export const GIVEN = ['DEPASSEMENTS', 'GEL'] as const;
/** Named as the flux are, though no distributor knows it. */
export type Given = (typeof GIVEN)[number];

/** Whatever is delivered: by the distributor, or by the billing team. */
export type Delivered = Flux | Given;
/** Each has a part of its own name in small letters. */
export const DELIVERED: readonly Delivered[] = [...FLUX, ...GIVEN];

/** A place X of Y, both from 1. */
export interface Counter {
  readonly rank: number;
  readonly total: number;
}

/** What the name of an archive says. */
export interface ArchiveName {
  readonly name: string;
  readonly flux: Delivered;
  /** `yyyymmddhhmmss` of the distributor, wall time in Paris. */
  readonly timestamp: string;
  /** The Paris day of the timestamp: the data day of everything in the archive. */
  readonly date: CivilDate;
  /** Numbers run per key; absent for what is asked for on demand. */
  readonly sequence?: { readonly key: string; readonly number: number };
  /** Of R151: which zip of how many the archive is, per subscription and number. */
  readonly counter?: Counter;
}

/**
 * A name that is none of ours: another flux of the distributor that is only noted, or nothing that
 * is known.
 */
export interface OtherName {
  readonly name: string;
  readonly other: 'noted' | 'unknown';
}

const TIMESTAMP = /^\d{14}$/;
const SEQUENCE = /^\d{5}$/;
const EXTENSION = /\.zip$/i;

interface Grammar {
  /** Fields after `emitter_FLUX_recipient`, the timestamp included. */
  readonly fields: number;
  /** Where the number stands among them. */
  readonly sequence: number;
  /** Which of the fields make the key; `recipient` beside them. */
  readonly key: readonly (number | 'recipient')[];
  /** Where XXXXX and YYYYY stand. */
  readonly counter?: readonly [number, number];
}

const CONTRACT_AND_PLACE: Grammar = { fields: 4, sequence: 2, key: [0, 1] };
const ALONE: Grammar = { fields: 2, sequence: 0, key: ['recipient'] };

const GRAMMARS: Readonly<Record<Exclude<Flux, 'R64' | 'R67'>, Grammar>> = {
  C15: CONTRACT_AND_PLACE,
  R15: CONTRACT_AND_PLACE,
  F15: { fields: 8, sequence: 6, key: ['recipient', 0, 1, 2, 3, 4] },
  F12: { fields: 6, sequence: 2, key: ['recipient', 0, 1] },
  R151: { fields: 7, sequence: 2, key: [1], counter: [4, 5] },
  C12: { fields: 3, sequence: 1, key: [0] },
  X12: ALONE,
  X13: ALONE,
};

const GIVEN_NAME = /^([a-z]+)_(\d{8})(\d{6})?\.(?:csv|ndjson|jsonl|json)$/i;

/**
 * Reads the name of an archive, or of a file that the billing team gives:
 * `depassements_20251103.csv`, with the time of day behind it where there are several.
 */
export function parseDeliveredName(path: string): ArchiveName | OtherName {
  const name = fileName(path);
  const [, kind = '', day = '', time = '000000'] = GIVEN_NAME.exec(name) ?? [];
  const flux = GIVEN.find((given) => given === kind.toUpperCase());
  const date = dateOf(day + time);
  return flux === undefined || date === undefined
    ? parseArchiveName(name)
    : { name, flux, timestamp: day + time, date };
}

function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/** Reads the name of an archive; fields hold no `_`. A folder before the name is left out. */
export function parseArchiveName(path: string): ArchiveName | OtherName {
  const name = fileName(path);
  if (!EXTENSION.test(name)) return { name, other: 'unknown' };
  const fields = name.replace(EXTENSION, '').split('_');
  const onDemand = (['R64', 'R67'] as const).find((flux) => fields.includes(flux));
  if (onDemand !== undefined) return onDemandName(name, onDemand, fields);
  const [, flux = '', recipient = '', ...rest] = fields;
  if (!Object.hasOwn(GRAMMARS, flux))
    return { name, other: /^[A-Z]\d{2,3}$/.test(flux) ? 'noted' : 'unknown' };
  return sequencedName({ name, flux: flux as keyof typeof GRAMMARS, recipient, rest });
}

/** R64 and R67 are asked for: their number is always 00001 and says nothing. */
function onDemandName(
  name: string,
  flux: Flux,
  fields: readonly string[],
): ArchiveName | OtherName {
  const timestamp = fields.findLast((field) => TIMESTAMP.test(field));
  const date = timestamp === undefined ? undefined : dateOf(timestamp);
  return timestamp === undefined || date === undefined
    ? { name, other: 'unknown' }
    : { name, flux, timestamp, date };
}

interface Fields {
  readonly name: string;
  readonly flux: keyof typeof GRAMMARS;
  readonly recipient: string;
  readonly rest: readonly string[];
}

function sequencedName({ name, flux, recipient, rest }: Fields): ArchiveName | OtherName {
  const grammar = GRAMMARS[flux];
  if (rest.length !== grammar.fields) return { name, other: 'unknown' };
  const timestamp = lastOf(rest);
  const date = dateOf(timestamp);
  const number = nthOf(rest, grammar.sequence);
  if (date === undefined || !SEQUENCE.test(number) || recipient === '' || rest.includes(''))
    return { name, other: 'unknown' };
  const key = [
    flux,
    ...grammar.key.map((field) => (field === 'recipient' ? recipient : rest[field])),
  ].join('/');
  const known = { name, flux, timestamp, date, sequence: { key, number: Number(number) } };
  if (grammar.counter === undefined) return known;
  const counter = parseCounter(nthOf(rest, grammar.counter[0]), nthOf(rest, grammar.counter[1]));
  return counter === undefined ? { name, other: 'unknown' } : { ...known, counter };
}

/** `XXXXX` and `YYYYY`, five digits each, 1 ≤ X ≤ Y. */
export function parseCounter(rankText: string, totalText: string): Counter | undefined {
  if (!SEQUENCE.test(rankText) || !SEQUENCE.test(totalText)) return undefined;
  const [rank, total] = [Number(rankText), Number(totalText)];
  return rank >= 1 && rank <= total ? { rank, total } : undefined;
}

function dateOf(timestamp: string): CivilDate | undefined {
  if (!TIMESTAMP.test(timestamp)) return undefined;
  const date = `${timestamp.slice(0, 4)}-${timestamp.slice(4, 6)}-${timestamp.slice(6, 8)}`;
  const isTime =
    timestamp.slice(8, 10) < '24' && timestamp.slice(10, 12) < '60' && timestamp.slice(12) < '60';
  return isCivilDate(date) && isTime ? date : undefined;
}
