import { PipelineError } from '../errors.ts';

/**
 * Writes values into SQL text for the embedded engine, whose sessions take text only. Everything
 * that is not a literal of our own code (paths, dates, column names of a publisher) goes through
 * here.
 */

/**
 * A text literal, quotes included; `INPUT_INVALID` for a NUL, which would end the statement early.
 */
export function quoteText(value: string): string {
  return quoted(value, "'", 'text');
}

/**
 * A name of a table or column, quotes included; keeps its case. `INPUT_INVALID` when empty or with
 * a NUL.
 */
export function quoteIdentifier(name: string): string {
  if (name === '') throw new PipelineError('INPUT_INVALID', 'an SQL name must not be empty');
  return quoted(name, '"', 'name');
}

/** Text literals with commas between: what stands in `IN (…)` and inside `[…]`. */
export function quoteTexts(values: readonly string[]): string {
  return values.map(quoteText).join(', ');
}

/**
 * The values as a list literal `['a', 'b']` of the engine, for `read_parquet([...])` and
 * `list_contains`. An empty list keeps the type of text, because `[]` alone has none.
 */
export function quoteList(values: readonly string[]): string {
  return values.length === 0 ? '[]::VARCHAR[]' : `[${quoteTexts(values)}]`;
}

function quoted(value: string, quote: string, what: string): string {
  if (value.includes('\0')) {
    throw new PipelineError(
      'INPUT_INVALID',
      `the SQL ${what} ${JSON.stringify(value)} holds a NUL character`,
    );
  }
  return quote + value.replaceAll(quote, quote + quote) + quote;
}
