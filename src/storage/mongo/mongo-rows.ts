import { PipelineError } from '../../errors.ts';
import { isWellFormed } from '../shared/byte-order.ts';
import { decodeDocumentBody, encodeDocumentBody } from '../shared/document-body.ts';
import { documentContext, documentName } from '../shared/document-key.ts';
import { asOverflowRef } from '../shared/document-overflow.ts';
import type { DocumentOverflow } from '../shared/document-overflow.ts';
import {
  NATIVE_VERSION,
  bodyOfRecord,
  checkNativeBody,
  expiryOf,
  overflowFields,
  overflowOfRecord,
} from '../shared/native-tables.ts';
import type { NativeTable } from '../shared/native-tables.ts';
import type { DocumentKey } from '../../ports/documents.ts';

/** A part of a row, as filters and updates name it. */
export type Fields = Readonly<Record<string, unknown>>;

/** A document of MongoDB. */
export interface Row {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/** How the documents of a logical table lie in MongoDB. */
export interface RowLayout {
  readonly collection: string;
  readonly partition: string;
  readonly sort: string;
  readonly version: string;
  /**
   * All fields in which a body may be, where these are known; in native tables it may be in any.
   */
  readonly bodyFields?: readonly string[];
  /** What only the row of this document has. */
  identityOf(key: DocumentKey): Fields;
  /** The fields that hold a body; `INPUT_INVALID` for what is not JSON. */
  encode(key: DocumentKey, body: object): Promise<Fields>;
  decode(key: DocumentKey, row: Fields): Promise<unknown>;
}

/**
 * A larger body is kept as text: as a document it could take 6.5 times its JSON (lists of small
 * numbers), and a document ends at 16 MiB.
 */
const MAX_DOCUMENT_BYTES = 1_000_000;

/** A larger body goes to the object store. */
const MAX_TEXT_BYTES = 12_000_000;

/** The same for a body in native fields, which cannot be text. */
const MAX_NATIVE_BYTES = 2_400_000;

/** MongoDB nests documents at most 100 deep. */
const DEEPEST_DOCUMENT = 90;

/**
 * Names that MongoDB or its driver take for something else: operators and references (`$`), paths
 * (`.`), types of the driver.
 */
const UNUSABLE_NAME = /^$|^\$|[.\0]|^_bsontype$|^__proto__$/;

/** The most that a UTF-16 unit of text, and all around a value, take in JSON or BSON. */
const MAX_BYTES_OF_UNIT = 6;
const BYTES_OF_SCALAR = 25;

/**
 * A collection of its own for each operational table. A body is a real document (`body`) where that
 * gives it back exactly, so that mongosh shows it and can query it (`{'body.verdict': 'ok'}`):
 * every number of JSON is a double or a small integer in BSON too. Where it would not (names with
 * `$` or `.`, broken Unicode, deep nesting), and above 1 MB, it is JSON text (`body_json`); above
 * 12 MB it is in the object store (`body_object`). Measured on 1.6 KB: 50 µs to write and 20 µs to
 * read as a document, 11 and 14 as text; a round trip to a server costs far more than either.
 */
export function operationalRows(table: string, overflow: DocumentOverflow): RowLayout {
  return {
    collection: table,
    partition: 'partition',
    sort: 'sort',
    version: 'version',
    bodyFields: ['body', 'body_json', 'body_object'],
    identityOf: (key) => ({ _id: idOf(key) }),
    async encode(key, body) {
      if (isDocument(body, 1, { bytes: MAX_DOCUMENT_BYTES })) return { body };
      const text = encodeDocumentBody(key, body);
      const bytes = Buffer.byteLength(text);
      if (bytes > MAX_TEXT_BYTES) return { body_object: await overflow.write(text) };
      if (bytes > MAX_DOCUMENT_BYTES) return { body_json: text };
      const plain = decodeDocumentBody(key, text);
      return isDocument(plain, 1, { bytes: Number.POSITIVE_INFINITY })
        ? { body: plain }
        : { body_json: text };
    },
    async decode(key, { body, body_json: json, body_object: ref }) {
      if (typeof body === 'object' && body !== null) return body;
      if (typeof json === 'string') return decodeDocumentBody(key, json);
      return decodeDocumentBody(key, await overflow.read(key, asOverflowRef(key, ref)));
    },
  };
}

/**
 * A collection whose fields are the members of the body. Rows are found by their two keys, because
 * those of other programs have an `_id` of their own; that there is one row for two keys is held by
 * a unique index.
 */
export function nativeRows(table: NativeTable, overflow: DocumentOverflow): RowLayout {
  const { timeToLive, partitionKey, sortKey } = table;
  return {
    collection: table.name,
    partition: partitionKey,
    sort: sortKey,
    version: NATIVE_VERSION,
    identityOf: ({ partition, sort }) => ({ [partitionKey]: partition, [sortKey]: sort }),
    async encode(key, body) {
      const text = encodeDocumentBody(key, body);
      const plain = decodeDocumentBody(key, text) as Fields;
      checkNativeBody(table, key, plain);
      const fits = Buffer.byteLength(text) <= MAX_NATIVE_BYTES;
      const fields = fits ? plain : overflowFields(await overflow.write(text));
      return timeToLive === undefined
        ? fields
        : { ...fields, [timeToLive.field]: expiryOf(timeToLive) };
    },
    async decode(key, row) {
      const ref = overflowOfRecord(row);
      if (ref !== undefined)
        return decodeDocumentBody(key, await overflow.read(key, asOverflowRef(key, ref)));
      // Other programs store dates and ids as such; in JSON they are text.
      return JSON.parse(JSON.stringify(bodyOfRecord(table, row))) as unknown;
    },
  };
}

/**
 * `<partition>|<sort>`, readable and never the same for two keys: the first bare "|" ends the
 * partition.
 */
export function idOf(key: DocumentKey): string {
  const partition = key.partition.replaceAll('%', '%25').replaceAll('|', '%7C');
  return `${partition}|${key.sort}`;
}

/** The version of a row; one that another program wrote has none and counts as 1. */
export function versionOfRow(layout: RowLayout, key: DocumentKey, row: Fields): number {
  const version = row[layout.version] ?? 1;
  if (typeof version === 'number') return version;
  const message = `${documentName(key)} has no number in "${layout.version}": keep the collection ${layout.collection} aside`;
  throw new PipelineError('STORE_CORRUPT', message, { context: documentContext(key) });
}

/**
 * Whether a document of MongoDB gives this back exactly: it is what its JSON says, with names that
 * MongoDB takes, of text that has a UTF-8 form, not too deep, and within the bytes that are left.
 * One look at each member: writing its JSON to see would cost ten times as much.
 */
function isDocument(value: unknown, depth: number, left: { bytes: number }): boolean {
  if (typeof value === 'string') {
    left.bytes -= MAX_BYTES_OF_UNIT * value.length + BYTES_OF_SCALAR;
    return left.bytes >= 0 && isWellFormed(value);
  }
  if (typeof value === 'number') {
    left.bytes -= BYTES_OF_SCALAR;
    return left.bytes >= 0 && Number.isFinite(value) && !Object.is(value, -0);
  }
  if (typeof value === 'object' && value !== null)
    return depth <= DEEPEST_DOCUMENT && areDocuments(value, depth, left);
  return typeof value === 'boolean' || value === null;
}

/** Bodies have some hundred names again and again; the memory is started afresh when it is full. */
const usableNames = new Set<string>();
const MAX_NAMES_KEPT = 10_000;

function isUsableName(name: string): boolean {
  if (usableNames.has(name)) return true;
  if (UNUSABLE_NAME.test(name) || !isWellFormed(name)) return false;
  if (usableNames.size >= MAX_NAMES_KEPT) usableNames.clear();
  usableNames.add(name);
  return true;
}

function areDocuments(value: object, depth: number, left: { bytes: number }): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) {
    for (const member of value as unknown[]) if (!isDocument(member, depth + 1, left)) return false;
    return true;
  }
  if (prototype !== Object.prototype || 'toJSON' in value) return false;
  for (const name in value) {
    left.bytes -= MAX_BYTES_OF_UNIT * name.length + BYTES_OF_SCALAR;
    if (!isUsableName(name)) return false;
    if (!isDocument((value as Fields)[name], depth + 1, left)) return false;
  }
  return true;
}
