import type { DocumentKey } from '../ports/documents.ts';
import { LEDGER_TABLE } from './ledger.ts';
import { MANIFEST_TABLE } from './manifest.ts';
import { RECEIPT_TABLE } from './receipt.ts';

/**
 * What a stored record must look like to be read: every member that this code reads without asking.
 * Members that came later are optional, so that records of any age are read.
 *
 * Written by hand and not as a schema of a library: a plan of a year checks ten thousand records.
 */

/**
 * Of the records that this code writes. It grows when a record means something else to code that
 * does not know it.
 */
export const RECORD_SCHEMA = 1;

/** A row of the stores that cannot be read as what its table holds. */
export interface UnreadableRow extends DocumentKey {
  /** In words. */
  readonly why: string;
  /** Written by a newer version of this code: to be left as it is. */
  readonly newer: boolean;
}

type Record_ = Readonly<Record<string, unknown>>;
/** What is wrong with a value, after its name; undefined when nothing is. */
type Check = (value: unknown) => string | undefined;

const CHECKS: Readonly<Record<string, Check>> = {
  [LEDGER_TABLE]: shape({
    pipeline: isText,
    scope: isText,
    step: isText,
    key: isText,
    version: isNumber,
    params: isRecord,
    inputs: eachOf(isListOrNull),
    outputs: eachOf(artefact()),
    checks: isList,
    facts: isRecord,
    origin: orNull(origin()),
    execution: shape({
      workflowId: isText,
      startedAt: isText,
      durationMs: isNumber,
      scopes: isNumber,
    }),
  }),
  [MANIFEST_TABLE]: shape({
    pipeline: isText,
    scope: isText,
    version: isNumber,
    verdict: isText,
    steps: eachOf(manifestStep),
    origins: isList,
    facts: isRecord,
    decisions: isList,
    run: shape({ workflowId: isText, runId: isText, committedAt: isText }),
    changed: isList,
  }),
  [RECEIPT_TABLE]: shape({
    pipeline: isText,
    part: isText,
    window: shape({ from: isText, to: isText }),
    origin: origin(),
    checkedAt: isText,
    days: eachOf(isText),
  }),
};

/**
 * Why the body of a row cannot be read; undefined when it can, or when nothing is known of the
 * table.
 */
export function problemOf(key: DocumentKey, body: unknown): UnreadableRow | undefined {
  const { table, partition, sort } = key;
  const check = CHECKS[table];
  if (check === undefined) return undefined;
  const schema = isObject(body) ? body['schema'] : undefined;
  if (typeof schema === 'number' && schema > RECORD_SCHEMA) {
    const why = `it has the schema ${schema}, and this version of Quotidien knows ${RECORD_SCHEMA}: upgrade it`;
    return { table, partition, sort, why, newer: true };
  }
  const why = check(body);
  return why === undefined
    ? undefined
    : { table, partition, sort, why: why.trimStart(), newer: false };
}

/**
 * The pipeline and the first part of the sort key of a row: its scope, or the first day of its
 * window.
 */
export function placeOf({ partition, sort }: DocumentKey): {
  readonly pipeline: string;
  readonly scope: string;
} {
  return {
    pipeline: partition.slice(0, partition.lastIndexOf('/')),
    scope: sort.slice(0, sort.indexOf('/')),
  };
}

/** One sentence about a row, and the command that makes it again. */
export function describeRow(row: UnreadableRow): string {
  const { pipeline, scope } = placeOf(row);
  const next = row.newer
    ? ''
    : `; "quotidien repair ${pipeline} ${scope}" makes it again from what else is kept`;
  return `the row ${row.sort} of ${row.table} (${row.partition}) cannot be read: ${row.why}${next}`;
}

function manifestStep(value: unknown): string | undefined {
  if (!isObject(value)) return ' is no record';
  if (value['state'] === 'failed' || value['state'] === 'skipped') return undefined;
  if (value['state'] !== 'done') return '.state is none that is known';
  return DONE_STEP(value);
}

const DONE_STEP = shape({
  key: isText,
  version: isNumber,
  outputs: eachOf(artefact()),
  failedChecks: isList,
});

function artefact(): Check {
  return shape({ key: isText, sha256: isText, bytes: isNumber, mediaType: isText });
}

function origin(): Check {
  return shape({ part: isText, url: isText, retrievedAt: isText, raw: artefact() });
}

function isObject(value: unknown): value is Record_ {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): string | undefined {
  return typeof value === 'string' ? undefined : ' is no text';
}

function isNumber(value: unknown): string | undefined {
  return typeof value === 'number' ? undefined : ' is no number';
}

function isRecord(value: unknown): string | undefined {
  return isObject(value) ? undefined : ' is no record';
}

function isList(value: unknown): string | undefined {
  return Array.isArray(value) ? undefined : ' is no list';
}

function isListOrNull(value: unknown): string | undefined {
  return value === null ? undefined : isList(value);
}

function orNull(check: Check): Check {
  return (value) => (value === null ? undefined : check(value));
}

function shape(members: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(members);
  return (value) => {
    if (!isObject(value)) return ' is no record';
    for (const [name, check] of checks) {
      const found = check(value[name]);
      if (found !== undefined) return `.${name}${found}`;
    }
    return undefined;
  };
}

function eachOf(check: Check): Check {
  return (value) => {
    if (!isObject(value)) return ' is no record';
    for (const name in value) {
      const found = check(value[name]);
      if (found !== undefined) return `.${name}${found}`;
    }
    return undefined;
  };
}
