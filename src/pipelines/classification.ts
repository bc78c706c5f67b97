import { definedMembers, textBefore } from '../given.ts';
import { PipelineError, asPipelineError } from '../errors.ts';
import type { ErrorContext } from '../errors.ts';
import type { JsonObject, JsonValue } from '../ports/json.ts';
import type { CheckResult } from './check-result.ts';
import type { UnitOutcome } from './dataset.ts';
import type { ContentDiff, LargestChange, ValueChange } from './version-diff.ts';
import type { ColumnClass } from './vocabulary.ts';
import type { PipelineDefinition } from './definition.ts';

/**
 * Keeps the values of personal and secret columns out of everything that is about data and not the
 * data themselves: examples of checks, facts, differences, messages of failures, progress. Columns
 * are known by their names, in the whole pipeline and without regard to case: a check that shows
 * such a column must not give it another name.
 */

/** The columns that are not open, by their names in lower case. */
export type ClassifiedColumns = ReadonlyMap<string, Exclude<ColumnClass, 'open'>>;

/**
 * What a definition classifies, of parts and outputs together; of two classes of one name the
 * stricter one holds.
 */
export function classifiedColumns({
  parts,
  steps,
  rollups,
}: PipelineDefinition): ClassifiedColumns {
  const outputs = [...steps, ...rollups].flatMap((step) => Object.values(step.outputs));
  const columns = new Map<string, Exclude<ColumnClass, 'open'>>();
  for (const [name, is] of [...parts, ...outputs].flatMap((place) =>
    Object.entries(place.columns ?? {}),
  ))
    if (is === 'secret' || (is === 'personal' && columns.get(name.toLowerCase()) === undefined))
      columns.set(name.toLowerCase(), is);
  return columns;
}

/** The value with the members of classified names replaced, at any depth. */
export function maskValue(columns: ClassifiedColumns, value: JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as JsonValue[]).map((item) => maskValue(columns, item));
  return typeof value === 'object' && value !== null
    ? maskRow(columns, value as JsonObject)
    : value;
}

/**
 * Replaces values of classified columns by `[personal]` or `[secret]`, at any depth. A null stays,
 * it tells nothing of anybody.
 */
export function maskRow(columns: ClassifiedColumns, row: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const is = columns.get(name.toLowerCase());
      // That a value is missing is what many checks are about, and tells nothing of anybody.
      return [name, is === undefined || value === null ? maskValue(columns, value) : `[${is}]`];
    }),
  );
}

/**
 * Words of an engine or a reader about a classified pipeline: they quote rows in ways that nobody
 * can foresee, so whatever is quoted is left out, and numbers as long as a name of somebody; dates
 * stay. What follows the first line is a copy of the input.
 */
export function maskWords(columns: ClassifiedColumns, words: string): string {
  if (columns.size === 0) return words;
  return textBefore(words, '\n')
    .replace(/"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`[^`]*`?/g, '[masked]')
    .replace(/\b([\w-]+)(\s*[:=]\s*)([^\s,;}\]]+)/g, (whole, name: string, sign: string) => {
      const is = columns.get(name.toLowerCase());
      return is === undefined ? whole : `${name}${sign}[${is}]`;
    })
    .replace(/\d{4}-\d\d(?:-\d\d)?(?:T[\d:.]+Z?)?|\d[\d.]{3,}/g, (number) =>
      /^\d{4}-\d\d/.test(number) ? number : '[masked]',
    );
}

/** What a dataset gave for its scopes, without classified values beside the outputs. */
export function maskOutcome(columns: ClassifiedColumns, outcome: UnitOutcome): UnitOutcome {
  if ('failure' in outcome) {
    const { failure } = outcome;
    const context =
      failure.context === undefined ? {} : { context: maskContext(columns, failure.context) };
    return {
      ...outcome,
      failure: { ...failure, message: maskWords(columns, failure.message), ...context },
    };
  }
  return {
    ...outcome,
    checks: outcome.checks.map((check) => maskCheck(columns, check)),
    facts: maskRow(columns, outcome.facts),
  };
}

function maskCheck(columns: ClassifiedColumns, check: CheckResult): CheckResult {
  const masked = (rows: readonly JsonObject[]): JsonObject[] =>
    rows.map((row) => maskRow(columns, row));
  const units = check.units?.map((unit) => ({ ...unit, examples: masked(unit.examples) }));
  return { ...check, examples: masked(check.examples), ...definedMembers({ units }) };
}

/**
 * The same error without classified values; its causes and its stack hold the words that were
 * masked, and are left out.
 */
export function maskError(columns: ClassifiedColumns, error: unknown): PipelineError {
  const { code, message, context, retryAfterMs } = asPipelineError(error);
  return new PipelineError(code, maskWords(columns, message), {
    context: maskContext(columns, context),
    ...definedMembers({ retryAfterMs }),
  });
}

function maskContext(columns: ClassifiedColumns, context: ErrorContext): ErrorContext {
  return Object.fromEntries(
    Object.entries(context).map(([name, value]) => {
      const is = columns.get(name.toLowerCase());
      return [name, is === undefined ? value : `[${is}]`];
    }),
  );
}

/** A difference of two versions: of classified columns and members only that they changed. */
export function maskContent(columns: ClassifiedColumns, content: ContentDiff): ContentDiff {
  if (columns.size === 0 || content.kind === 'bytes') return content;
  if (content.kind === 'document')
    return { ...content, changes: content.changes.map((change) => maskChange(columns, change)) };
  return {
    ...content,
    columns: content.columns.map(({ column, changed, largest }) => {
      const isOpen = largest !== null && !columns.has(column.toLowerCase());
      return { column, changed, largest: isOpen ? maskLargest(columns, largest) : null };
    }),
  };
}

function maskLargest(columns: ClassifiedColumns, largest: LargestChange): LargestChange {
  return { ...largest, at: maskRow(columns, largest.at) };
}

/**
 * The change with both values replaced when its path names a classified column; the path stays
 * readable.
 */
export function maskChange(columns: ClassifiedColumns, change: ValueChange): ValueChange {
  const names = change.path.toLowerCase().split(/[^\p{L}\p{N}_]+/u);
  const is = names.map((name) => columns.get(name)).find((found) => found !== undefined);
  if (is === undefined) return change;
  const { path, before, after } = change;
  const masked = `[${is}]`;
  return {
    path,
    ...(before === undefined ? {} : { before: masked }),
    ...(after === undefined ? {} : { after: masked }),
  };
}
