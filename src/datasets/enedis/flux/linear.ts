import { hash } from 'node:crypto';
import type { RefusalCause } from '../decode/refusal.ts';
import type { DocumentRecord } from './document-tree.ts';
import type { Register } from './registers.ts';
import { REGISTERS } from './registers.ts';
import type { JsonShape } from './read-json.ts';
import type { RowsShape } from './read-rows.ts';
import type { DocumentShape } from './shape.ts';

/**
 * A row of a linear table: names of columns in snake case, ids as text, decimals as text, null
 * where nothing was said.
 */
export type LinearRow = Readonly<Record<string, string | number | boolean | null>>;

/**
 * How a column is kept: a `decimal` is text until SQL makes it DECIMAL(24, 8), so it stays exact.
 */
export type ColumnKind = 'text' | 'integer' | 'decimal' | 'boolean';

/** The columns of a linear table in their order. */
export type LinearColumns = Readonly<Record<string, ColumnKind>>;

/** Something in a document that its flux does not have, told without values of customers. */
export interface Finding {
  readonly cause: RefusalCause;
  readonly detail: string;
}

/** What is wrong with a row that people write, by rules of which each says what it asks. */
export function wrongRow(
  occurrence: number,
  rules: readonly (readonly [isKept: boolean, otherwise: string])[],
): Finding[] {
  return rules
    .filter(([isKept]) => !isKept)
    .map(([, otherwise]) => ({ cause: 'wrong_row', detail: `row ${occurrence}: ${otherwise}` }));
}

/** Rows of one occurrence, and what was left out of it by rule. */
export interface Linear {
  readonly rows: readonly LinearRow[];
  /** How many things were left out, by name. */
  readonly leftOut?: Readonly<Record<string, number>>;
}

/** One linear table: what it is made from, and how. */
export interface LinearTable {
  readonly name: string;
  readonly title: string;
  readonly columns: LinearColumns;
  /** Columns whose values are about one household or name it. */
  readonly personal: readonly string[];
  readonly linear: (record: DocumentRecord, document: string) => Linear;
}

/** How the documents of a flux are read. */
export interface FluxReader {
  readonly shape:
    | { readonly xml: DocumentShape }
    | { readonly json: JsonShape }
    | { readonly rows: RowsShape };
  /** What makes a document unreadable; the archive is refused. */
  readonly findings: (record: DocumentRecord) => readonly Finding[];
  readonly tables: readonly LinearTable[];
}

/**
 * The id of a reading: the first 16 digits of md5(`source|pdl|date|discriminant`). The date is as
 * published for R151, else wall time in Paris `YYYY-MM-DD HH:MM:SS`; the discriminant is `true` for
 * a reading after an event, `false` for any other of C15, R151 and R15, and `typeReleve` for R64.
 */
export function readingId(source: string, pdl: string, date: string, discriminant: string): string {
  return hash('md5', `${source}|${pdl}|${date}|${discriminant}`, 'hex').slice(0, 16);
}

/** Réel for what was read; everything else is an estimate. */
export function natureOf(nature: string | null): 'réel' | 'estimé' {
  return nature === 'REEL' ? 'réel' : 'estimé';
}

/** The columns `<prefix><register><suffix>` of the seven registers. */
export function registerColumns(
  prefix: string,
  suffix = '_kwh',
): Readonly<Record<string, 'integer'>> {
  return Object.fromEntries(
    REGISTERS.map((register) => [`${prefix}${register}${suffix}`, 'integer' as const]),
  );
}

/** Values by register under the names of their columns, null for those that are not there. */
export function registerValues(
  prefix: string,
  values: ReadonlyMap<Register, number>,
  suffix = '_kwh',
): Readonly<Record<string, number | null>> {
  const named: Record<string, number | null> = {};
  for (const [column, register] of registerNames(prefix, suffix))
    named[column] = values.get(register) ?? null;
  return named;
}

/** By prefix and suffix, of which there are a few; every row asks for them. */
const names = new Map<string, readonly (readonly [column: string, register: Register])[]>();

function registerNames(
  prefix: string,
  suffix: string,
): readonly (readonly [column: string, register: Register])[] {
  const key = `${prefix}|${suffix}`;
  const known = names.get(key);
  if (known !== undefined) return known;
  const made = REGISTERS.map((register) => [`${prefix}${register}${suffix}`, register] as const);
  names.set(key, made);
  return made;
}

/** The finding of a value that is not among the known ones; nothing said is no finding. */
export function unknownValue(
  cause: RefusalCause,
  what: string,
  value: string | null,
  known: readonly string[],
): readonly Finding[] {
  if (value === null || known.includes(value)) return [];
  return [{ cause, detail: `${what} ${value.slice(0, 40)} is not known (${known.join(', ')})` }];
}
