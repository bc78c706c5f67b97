import { PipelineError } from '../../kit/index.ts';
import type { CommandCall, CommandHost, RowsSheet, WrittenFile } from '../../kit/index.ts';

/** What the commands of Enedis have in common: options for files, and how they end. */

/** The options of every command that writes a file. */
export const FILE_OPTIONS = [
  {
    flags: '--format <format>',
    description:
      'csv, json, ndjson, parquet, arrow or xlsx (default: by the ending of --output, or csv)',
  },
  {
    flags: '--dialect <dialect>',
    description: 'of CSV: standard, or fr for French spreadsheets (default: standard)',
  },
  {
    flags: '--output <file>',
    description:
      'the file to write, or - for standard output (default: named by command and period)',
  },
] as const;

/** The text of an option; undefined where it is not given. */
export function optionOf({ options }: CommandCall, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The text of an option that a pattern describes; `INPUT_INVALID` says what it looks like. */
export function checkedOption(
  call: CommandCall,
  name: string,
  pattern: RegExp,
  like: string,
): string | undefined {
  const value = optionOf(
    call,
    name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
  );
  if (value === undefined || pattern.test(value)) return value;
  throw new PipelineError('INPUT_INVALID', `--${name} takes ${like}, not ${value}`);
}

/** `YYYY-MM-DD`; whether there is such a day is another question. */
export const DAY = /^\d{4}-\d\d-\d\d$/;
/** `YYYY-TN`. */
export const QUARTER = /^\d{4}-T[1-4]$/;

/**
 * The period that is asked for, by default the newest of those there are; one of which nothing is
 * there is refused with those.
 */
export function askedOrNewest(
  what: string,
  asked: string | undefined,
  known: readonly string[],
): string {
  const period = asked ?? known.at(-1) ?? 'newest';
  if (known.includes(period)) return period;
  const [first, last] = [known[0], known.at(-1)];
  const there =
    first === undefined || last === undefined
      ? 'none is there yet'
      : `there are ${first} … ${last}`;
  throw new PipelineError('NOT_FOUND', `there is no ${what} ${period}: ${there}`);
}

/** Writes the sheets and says into which file; rows are about households. */
export async function writeAndTell(
  call: CommandCall,
  host: CommandHost,
  {
    name,
    sheets,
    told,
  }: { readonly name: string; readonly sheets: readonly RowsSheet[]; readonly told: string },
): Promise<WrittenFile> {
  const written = await host.writeRows({
    sheets,
    name,
    format: optionOf(call, 'format'),
    dialect: optionOf(call, 'dialect'),
    output: optionOf(call, 'output'),
  });
  if (written.file === '-') host.note(told);
  else host.line(`${told}; ${written.rows} rows in ${written.file}`);
  host.note('the rows are about households: keep the file as such');
  return written;
}
