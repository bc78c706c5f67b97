/**
 * What the SQL engine found wrong with a CSV file, in words of ours: the line and what it lacks.
 * The engine's own text quotes whole lines of input and proposes options of its parser, which no
 * reader of ours can set.
 */

interface CsvProblem {
  readonly when: RegExp;
  readonly tell: (line: string, match: RegExpExecArray) => string;
}

const PROBLEMS: readonly CsvProblem[] = [
  {
    when: /Expected Number of Columns: (\d+) Found: (\d+)/,
    tell: (line, [, expected = '', found = '']) =>
      `line ${line} has ${found} fields under a header of ${expected}`,
  },
  {
    when: /unterminated quote/i,
    tell: (line) => `line ${line} opens a quote that does not end as one`,
  },
  {
    when: /Maximum line size of (\d+) bytes exceeded/i,
    tell: (line, [, limit = '']) =>
      `line ${line} is longer than ${limit} bytes: a line end or a quote is missing`,
  },
  { when: /not utf-8|invalid unicode/i, tell: (line) => `line ${line} is not text in UTF-8` },
  { when: /^/, tell: (line) => `line ${line} cannot be read` },
];

const AT_LINE = /^[A-Z][A-Za-z ]* Error: CSV Error on Line: (\d+)/;
const LOST = /^[A-Z][A-Za-z ]* Error: The CSV Parser state machine reached an invalid state/;

/** Undefined for a failure that is not about the text of a CSV file. */
export function csvProblem(message: string): string | undefined {
  if (LOST.test(message))
    return 'a quote or a line of it does not end, so that its rows cannot be told apart';
  const line = AT_LINE.exec(message)?.[1];
  if (line === undefined) return undefined;
  for (const { when, tell } of PROBLEMS) {
    const match = when.exec(message);
    if (match !== null) return tell(line, match);
  }
  return undefined;
}
