import { PipelineError } from '../../errors.ts';
import { isWellFormed } from './byte-order.ts';
import { documentName } from './document-key.ts';
import type { OverflowRef } from './document-overflow.ts';
import type { DocumentKey } from '../../ports/documents.ts';

/**
 * A logical table that is a DynamoDB table or a MongoDB collection of its own, in a shape that
 * other programs read and write too: the two keys under names of their own, and the members of the
 * body beside them. All other documents share one operational layout.
 *
 * A record has a few more fields of the store: `record_version`, in DynamoDB `record_writer`, and
 * instead of a body that is too large `body_key`, `body_sha256` and `body_bytes` of its object. A
 * record that another program wrote has none of them and counts as version 1.
 */
export interface NativeTable {
  /** Of the DynamoDB table or MongoDB collection. */
  readonly name: string;
  /** Field that holds the document's partition key, such as `metric_type`. */
  readonly partitionKey: string;
  /** Field that holds the document's sort key, such as `date`. */
  readonly sortKey: string;
  /**
   * So many days after it was last written the server may remove a record; it stays readable until
   * it does.
   */
  readonly timeToLive?: TimeToLive;
  /**
   * No two records may have the same sort key, whatever their partition key. MongoDB only: DynamoDB
   * has no such promise.
   */
  readonly uniqueSortKey?: boolean;
}

/** Set anew with each write. */
export interface TimeToLive {
  /**
   * Seconds since 1970 in DynamoDB, a date in MongoDB: what each server goes by. Not a member of
   * the body.
   */
  readonly field: string;
  readonly days: number;
}

/** By the name of the logical table. */
export type NativeTables = Readonly<Record<string, NativeTable>>;

/** Field of a record's version; without it a record counts as version 1. */
export const NATIVE_VERSION = 'record_version';

/** Field that tells whose write a record is, so that an unanswered one can be recognised. */
export const NATIVE_WRITER = 'record_writer';
const STORE_FIELDS = [
  '_id',
  NATIVE_VERSION,
  NATIVE_WRITER,
  'body_key',
  'body_sha256',
  'body_bytes',
];

/** DynamoDB nests attributes at most 32 deep, the record's own level included; MongoDB 100. */
const DEEPEST = 30;

/** DynamoDB's least number above zero; smaller ones it refuses. */
const LEAST_NUMBER = 1e-130;

/**
 * Names that MongoDB takes for operators (`$`), paths (`.`) or types of its driver; DynamoDB has no
 * empty ones.
 */
const UNUSABLE_NAME = /^$|^\$|[.\0]|^_bsontype$|^__proto__$/;

const DAY_MS = 86_400_000;

/**
 * Refuses a body of plain JSON that is to be stored as fields and that one of the servers could not
 * give back as it is, with `INPUT_INVALID`: the same rules for all, so that an installation can be
 * moved from one to the other.
 */
export function checkNativeBody(table: NativeTable, key: DocumentKey, body: object): void {
  const taken = reservedFields(table).find((name) => Object.hasOwn(body, name));
  const problem =
    taken === undefined
      ? valueProblem(body, 1)
      : `its member "${taken}" is a field of the table itself`;
  if (problem === undefined) return;
  throw new PipelineError(
    'INPUT_INVALID',
    `the body of ${documentName(key)} does not fit ${table.name}: ${problem}`,
  );
}

/** The members of the body among the fields of a record. */
export function bodyOfRecord(
  table: NativeTable,
  record: Readonly<Record<string, unknown>>,
): object {
  const reserved = new Set(reservedFields(table));
  return Object.fromEntries(Object.entries(record).filter(([name]) => !reserved.has(name)));
}

/** The fields of a record whose body is in the object store. */
export function overflowFields(ref: OverflowRef): Readonly<Record<string, unknown>> {
  return { body_key: ref.key, body_sha256: ref.sha256, body_bytes: ref.bytes };
}

/** Where the body of a record is, when it is in the object store. */
export function overflowOfRecord(record: Readonly<Record<string, unknown>>): unknown {
  const { body_key: key, body_sha256: sha256, body_bytes: bytes } = record;
  return key === undefined ? undefined : { key, sha256, bytes };
}

/** When a record that is written now may be removed. */
export function expiryOf(timeToLive: TimeToLive): Date {
  return new Date(Date.now() + timeToLive.days * DAY_MS);
}

function reservedFields(table: NativeTable): string[] {
  const own = [table.partitionKey, table.sortKey, ...STORE_FIELDS];
  return table.timeToLive === undefined ? own : [...own, table.timeToLive.field];
}

/** Why a server could not give the value back as it is; `undefined` when all can. */
function valueProblem(value: unknown, depth: number): string | undefined {
  if (typeof value === 'number') return numberProblem(value);
  if (typeof value === 'string')
    return isWellFormed(value) ? undefined : 'a text is not well-formed Unicode';
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > DEEPEST) return `it is nested more than ${DEEPEST} deep`;
  for (const [name, member] of Object.entries(value)) {
    if (UNUSABLE_NAME.test(name) || !isWellFormed(name))
      return `the member name ${JSON.stringify(name)} is not usable`;
    const problem = valueProblem(member, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function numberProblem(value: number): string | undefined {
  const size = Math.abs(value);
  if (size > Number.MAX_SAFE_INTEGER) return `the number ${value} is beyond 2^53; give it as text`;
  return size !== 0 && size < LEAST_NUMBER
    ? `the number ${value} is too small; give it as text`
    : undefined;
}
