import { PipelineError } from '../../errors.ts';
import type { ColumnName, Measure } from './columns.ts';
import { DESCRIPTORS, MEASURES } from './columns.ts';

/**
 * Which published column is which. Three dialects are in use (short names, French labels, RTE's own labels) and files lose accents and
 * apostrophes on their way, so names are compared by what is left of them: letters and digits, without unit.
 */

export interface HeaderMap {
  /** Published name by our name. */
  readonly known: ReadonlyMap<ColumnName, string>;
  /** Published names that mean nothing to us, in their order. */
  readonly unknown: readonly string[];
}

interface Spelling {
  readonly name: ColumnName;
  readonly label: string;
  readonly also?: readonly string[];
}

const UNIT_AT_END = /\((?:MW|g\s*\/\s*kWh|g\s*CO2[^)]*)\)\s*$/i;
const MOJIBAKE = /Ã|â€/;
const NOT_ASCII = /[^\x20-\x7E]/g;

/** UTF-8 bytes that were read as Latin-1, `PÃ©rimÃ¨tre`, as what they say. */
function repairMojibake(name: string): string {
  if (!MOJIBAKE.test(name)) return name;
  const repaired = Buffer.from(name, 'latin1').toString('utf8');
  return repaired.includes('\u{FFFD}') ? name : repaired;
}

/** `Hydraulique - Fil de l’eau + éclusée (MW)` → `hydrauliquefildeleaueclusee`. */
function keyOf(name: string): string {
  return repairMojibake(name)
    .replace(UNIT_AT_END, '')
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

function keysOf({ name, label, also = [] }: Spelling): string[] {
  const spellings: string[] = [name, label, ...also];
  // Where an accented letter became `?` or U+FFFD, or vanished, its key has a letter less.
  return [...spellings, ...spellings.map((spelling) => spelling.replace(NOT_ASCII, ''))].map(keyOf);
}

const SPELLINGS: readonly Spelling[] = [...DESCRIPTORS, ...(MEASURES as readonly (Measure & Spelling)[])];
const NAME_BY_KEY: ReadonlyMap<string, ColumnName> = new Map(
  SPELLINGS.flatMap((spelling) => keysOf(spelling).map((key) => [key, spelling.name] as const)),
);

/** Our name of a published column; `undefined` when it is none that we know. */
export function columnNameOf(published: string): ColumnName | undefined {
  return NAME_BY_KEY.get(keyOf(published));
}

/**
 * Maps a header by name, never by position. Columns that we do not know are tolerated and listed.
 * @throws `SRC_SHAPE_CHANGED` when two columns have one meaning or differ in case only, because either could be the right one.
 */
export function mapHeader(published: readonly string[], what: string): HeaderMap {
  const known = new Map<ColumnName, string>();
  const unknown: string[] = [];
  const seen = new Set<string>();
  for (const column of published) {
    const name = columnNameOf(column);
    const twin = name === undefined ? undefined : known.get(name);
    if (twin !== undefined || seen.has(column.toLowerCase())) {
      throw new PipelineError(
        'SRC_SHAPE_CHANGED',
        `${what} has two columns for ${name ?? column}: ${JSON.stringify(twin ?? column)} and ${JSON.stringify(column)}`,
      );
    }
    seen.add(column.toLowerCase());
    if (name === undefined) unknown.push(column);
    else known.set(name, column);
  }
  return { known, unknown };
}

/**
 * The published name of a column that must be there.
 * @throws `SRC_SHAPE_CHANGED` that names the column and what was found instead.
 */
export function requireColumn(header: HeaderMap, name: ColumnName, what: string): string {
  const published = header.known.get(name);
  if (published !== undefined) return published;
  const found = [...header.known.values(), ...header.unknown].map((column) => JSON.stringify(column)).join(', ');
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${what} has no column ${name} (${meaningOf(name)}); its columns are ${found}`,
  );
}

function meaningOf(name: ColumnName): string {
  return SPELLINGS.find((spelling) => spelling.name === name)?.label ?? name;
}
