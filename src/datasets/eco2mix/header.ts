import { headerReader, plainName } from '../kit/index.ts';
import type { ColumnName, Measure } from './columns.ts';
import { DESCRIPTORS, MEASURES } from './columns.ts';

/**
 * Which published column is which. Three dialects are in use (short names, French labels, RTE's own
 * labels) and files lose accents and apostrophes on their way, so names are compared by what is
 * left of them: letters and digits, without unit.
 */

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
  return plainName(repairMojibake(name).replace(UNIT_AT_END, ''));
}

const SPELLINGS: readonly Spelling[] = [
  ...DESCRIPTORS,
  ...(MEASURES as readonly (Measure & Spelling)[]),
];

const READER = headerReader(
  SPELLINGS.map(({ name, label, also = [] }) => {
    const spellings = [label, ...also];
    // Where an accented letter became `?` or U+FFFD, or vanished, its key has a letter less.
    const damaged = [name, ...spellings].map((spelling) => spelling.replace(NOT_ASCII, ''));
    return { name, title: label, aliases: [...spellings, ...damaged] };
  }),
  keyOf,
);

/** The measures that RTE had by a day. */
export function usualMeasures(day: string): readonly (Measure & Spelling)[] {
  return (MEASURES as readonly (Measure & Spelling)[]).filter(
    ({ since }) => since === undefined || since <= day,
  );
}

/** The columns that RTE had by a day and a file of it lacks, by their labels. */
export function missingColumns({ known }: Header, day: string): string[] {
  return usualMeasures(day)
    .filter(({ name }) => !known.has(name))
    .map(({ label }) => label);
}

/** What a header of this publisher says, by our names. */
export type Header = ReturnType<typeof mapHeader>;

/** Our name of a published column; `undefined` when it is none that we know. */
export const { nameOf: columnNameOf, read: mapHeader, require: requireColumn } = READER;
