import { PipelineError } from '../../errors.ts';

/**
 * What arrives in place of data, judged by the first bytes before anything reads the file, with
 * what to do about each.
 */

const NOT_DATA: readonly { readonly starts: RegExp; readonly is: string }[] = [
  {
    starts: /^version https:\/\/git-lfs/,
    is: 'a git-LFS pointer, not the data: fetch the object itself (`git lfs pull`)',
  },
  {
    starts: /^\s*</,
    is: 'an HTML or XML page: look at it, it may be an error page of the publisher',
  },
  { starts: /^PK\u{03}\u{04}/u, is: 'a ZIP archive: unpack it and give the file inside' },
  { starts: /^\u{1F}\u{8B}/u, is: 'compressed with gzip: unpack it first' },
  {
    starts: /^\u{D0}\u{CF}\u{11}\u{E0}/u,
    is: 'a real Excel workbook: export it as CSV (RTE’s .xls files are tab-separated text)',
  },
  { starts: /^PAR1/, is: 'a Parquet file, not an export of the publisher' },
  { starts: /\u{0}/u, is: 'binary or UTF-16, not text in UTF-8' },
];

/** Text of a table that may be JSON instead. */
export const JSON_ANSWER = {
  starts: /^\s*[{[]/,
  is: 'a JSON answer, not a table: it may be an error message of the publisher',
} as const;

const UNPRINTABLE = /[^\P{Cc}\t\r\n]|\u{FFFD}/u;

/**
 * Refuses what begins like something else than a publisher's text.
 * @throws `SRC_TRUNCATED` for an empty file, `SRC_SHAPE_CHANGED` that says what it is and what to
 * do.
 */
export function refuseWhatIsNoData(
  head: Uint8Array,
  what: string,
  bytes: number,
  others: readonly { readonly starts: RegExp; readonly is: string }[] = [],
): void {
  // One character for each byte: a signature must not depend on what is valid UTF-8.
  const start = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  if (start.trim() === '') {
    throw new PipelineError(
      'SRC_TRUNCATED',
      `${what} is empty (${bytes} bytes): there is not even a header`,
    );
  }
  const wrong = [...NOT_DATA, ...others].find(({ starts }) => starts.test(start));
  if (wrong === undefined) return;
  const beginning = Buffer.from(start, 'latin1').toString('utf8').slice(0, 120);
  // Bytes that are no text say nothing to a person, and may say something to a terminal.
  const shown = UNPRINTABLE.test(beginning) ? '' : `. It begins with ${JSON.stringify(beginning)}`;
  throw new PipelineError('SRC_SHAPE_CHANGED', `${what} is ${wrong.is}${shown}`);
}

/**
 * Refuses a header whose columns cannot be told apart.
 * @throws `SRC_SHAPE_CHANGED` that names the column.
 */
export function refuseUnclearHeader(published: readonly string[], what: string): void {
  const nameless = published.findIndex((name) => name.trim() === '');
  if (nameless !== -1) {
    const header = JSON.stringify(published.join(' | ').slice(0, 300));
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      `${what} has a column without a name, number ${nameless + 1}: ${header}`,
    );
  }
  const twin = published.find((name, index) =>
    published.slice(0, index).some((one) => isSame(one, name)),
  );
  if (twin !== undefined)
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      `${what} has two columns called ${JSON.stringify(twin)}`,
    );
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
