import { open } from 'node:fs/promises';
import {
  firstOf,
  JSON_ANSWER,
  matchOf,
  PipelineError,
  refuseUnclearHeader,
  refuseWhatIsNoData,
  textBefore,
} from '../kit/index.ts';
import type { Header } from './header.ts';
import { mapHeader, requireColumn } from './header.ts';

/**
 * What a raw file is, judged by its first and last bytes before anything reads it as a table: its
 * layout, its encoding, its header, and whether its end is there. The rows themselves are read by
 * the SQL engine only.
 */

/**
 * - portal: a CSV export of the portal, one instant with offset per row.
 * - local: RTE's own tables, `Date` and `Heures` in local time without offset; data rows may end in
 *   one delimiter more than the header, and lines without any delimiter are notices.
 */
export type RawLayout = 'portal' | 'local';

/** A file that may be cut into slices. */
export interface RawFile {
  readonly path: string;
  readonly bytes: number;
  /** How messages call the file. */
  readonly what: string;
  readonly layout: RawLayout;
  readonly delimiter: string;
  readonly encoding: 'utf-8' | 'latin-1';
  /** Published names in their order, as they will be the names of the slice's columns. */
  readonly published: readonly string[];
  readonly header: Header;
  /**
   * Whether there is anything after the header: the publisher answers a question about days it has
   * nothing of with a header alone.
   */
  readonly hasRows: boolean;
}

const SAMPLE_BYTES = 65_536;
const DELIMITERS = [';', '\t', ','] as const;

interface Ends {
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly size: number;
}

/**
 * Reads both ends of a file and says what it is.
 * @throws `SRC_TRUNCATED` for an empty file and for one whose last row was cut; `SRC_SHAPE_CHANGED`
 * for anything else that is not a table with an instant (or a date and a time) and a load.
 */
export async function openRawFile(
  path: string,
  what: string,
  layout?: RawLayout,
): Promise<RawFile> {
  const ends = await readEnds(path);
  refuseWhatIsNoData(ends.head, what, ends.size, [JSON_ANSWER]);
  const rows = rowsSeen(ends);
  const file = {
    ...describe(path, what, ends, layout),
    hasRows: rows.length > 0 || ends.size > ends.head.length,
  };
  if (file.hasRows) refuseCutRow(file, rows);
  return file;
}

async function readEnds(path: string): Promise<Ends> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, SAMPLE_BYTES);
    const [head, tail] = [Buffer.alloc(length), Buffer.alloc(length)];
    await handle.read(head, 0, length, 0);
    await handle.read(tail, 0, length, size - length);
    return { head, tail, size };
  } finally {
    await handle.close();
  }
}

function describe(
  path: string,
  what: string,
  { head, size }: Ends,
  wanted: RawLayout | undefined,
): Omit<RawFile, 'hasRows'> {
  const encoding = encodingOf(head);
  const text = head.toString(encoding === 'utf-8' ? 'utf8' : 'latin1').replace(/^\u{FEFF}/u, '');
  const end = text.indexOf('\n');
  const line = (end === -1 ? text : text.slice(0, end)).replace(/\r$/, '');
  const delimiter = DELIMITERS.reduce((best, each) =>
    countOf(line, each) > countOf(line, best) ? each : best,
  );
  const published = fieldsOf(line, delimiter);
  // A header may end in a delimiter of its own.
  if (published.at(-1) === '') published.pop();
  refuseUnclearHeader(published, what);
  const header = mapHeader(published, what);
  const layout = wanted ?? (header.known.has('date_heure') ? 'portal' : 'local');
  if (layout === 'local')
    refuseRenamedInstant(what, header, published, fieldsOf(firstRow(text, end), delimiter));
  try {
    for (const name of layout === 'portal'
      ? (['date_heure'] as const)
      : (['date', 'heure'] as const)) {
      requireColumn(header, name, what);
    }
    requireColumn(header, 'consommation', what);
  } catch (error) {
    // Without a line end after it, what we see of the header may be its beginning only.
    if (end !== -1 || !(error instanceof PipelineError)) throw error;
    throw new PipelineError('SRC_TRUNCATED', `${what} ends inside its header: ${error.message}`, {
      cause: error,
    });
  }
  return { path, bytes: size, what, layout, delimiter, encoding, published, header };
}

function firstRow(text: string, end: number): string {
  return end === -1 ? '' : textBefore(text.slice(end + 1), '\n');
}

const INSTANT = /^"?\d{4}-\d\d-\d\d[T ]\d\d:\d\d/;

/**
 * RTE's own tables have no instants: a column of them that we do not know is the portal's, renamed.
 */
function refuseRenamedInstant(
  what: string,
  { unknown }: Header,
  published: readonly string[],
  row: readonly string[],
): void {
  const renamed = unknown.find((name) => matchOf(INSTANT, row[published.indexOf(name)]) !== null);
  if (renamed === undefined) return;
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${what} comes nearest to a portal export (eco2mix-national-tr or -cons-def), but has no column date_heure (Date - Heure); ` +
      `${JSON.stringify(renamed)} holds instants and may be it`,
  );
}

/**
 * UTF-8 unless the beginning of the file cannot be UTF-8; a character cut by the end of the sample
 * does not count.
 */
function encodingOf(head: Buffer): RawFile['encoding'] {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return 'utf-8';
  } catch {
    return 'latin-1';
  }
}

function countOf(line: string, delimiter: string): number {
  return line.split(delimiter).length - 1;
}

/** The fields of one line; delimiters inside quotes do not count. */
function fieldsOf(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter);
  const fields = [''];
  let quoted = false;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    else if (character === delimiter && !quoted) fields.push('');
    else fields.push(`${fields.pop() ?? ''}${character}`);
  }
  return fields;
}

/**
 * The lines with text at the end of the file, without the first: that is the header, or the end of
 * a row whose beginning we do not see.
 */
function rowsSeen({ tail }: Ends): string[] {
  const lines = tail.toString('latin1').split('\n');
  return lines
    .slice(1)
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line.trim() !== '');
}

/**
 * A body that ended too early shows in its last row. One that ended exactly between two rows shows
 * in the day's completeness.
 */
function refuseCutRow(file: RawFile, rows: readonly string[]): void {
  const last = rows.findLast(
    (line) => file.layout === 'portal' || !isNotice(line, rows, file.delimiter),
  );
  const fields = last === undefined ? 0 : fieldsOf(last, file.delimiter).length;
  if (fields >= file.published.length) return;
  throw new PipelineError(
    'SRC_TRUNCATED',
    `${file.what} was cut: its last row has ${fields} of ${file.published.length} fields: ${JSON.stringify((last ?? '').slice(0, 200))}`,
  );
}

/**
 * A line of text after RTE's rows, unlike the beginning of a row that was cut in its first field.
 */
function isNotice(line: string, rows: readonly string[], delimiter: string): boolean {
  const first = firstOf(rows);
  return (
    !line.includes(delimiter) && !(first !== line && textBefore(first, delimiter).startsWith(line))
  );
}
