import { PipelineError } from '../../errors.ts';
import { decodeDocumentBody } from '../shared/document-body.ts';
import { documentContext, documentName } from '../shared/document-key.ts';
import { asOverflowRef } from '../shared/document-overflow.ts';
import type { DocumentOverflow } from '../shared/document-overflow.ts';
import { gunzipText, gzipText } from '../shared/gzip-text.ts';
import {
  NATIVE_VERSION,
  NATIVE_WRITER,
  bodyOfRecord,
  checkNativeBody,
  expiryOf,
  overflowFields,
  overflowOfRecord,
} from '../shared/native-tables.ts';
import type { NativeTable } from '../shared/native-tables.ts';
import type { DocumentKey } from '../../ports/documents.ts';

/** An item as plain values, as the SDK's document client reads and writes it. */
export type Item = Readonly<Record<string, unknown>>;

/** How the documents of a logical table lie in DynamoDB. */
export interface ItemLayout {
  readonly tableName: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly version: string;
  /** Names the put that wrote the item, by which a put recognises its own first try. */
  readonly writer: string;
  partitionOf(key: Pick<DocumentKey, 'table' | 'partition'>): string;
  /** The attributes that hold a body, given as JSON text. */
  encode(key: DocumentKey, text: string): Promise<Item>;
  decode(key: DocumentKey, item: Item): Promise<unknown>;
}

/**
 * A larger body is compressed: DynamoDB counts each KiB of a write, and a query's page ends at 1
 * MiB.
 */
const MAX_PLAIN_BYTES = 100_000;

/** A larger body goes to the object store: an item may have 400 KB with its keys and names. */
const MAX_ITEM_BYTES = 380_000;

/**
 * The same for a body in native attributes, which in the worst case (lists of small numbers) take
 * 1.6 times their JSON.
 */
const MAX_NATIVE_BYTES = 235_000;

/** The name of the one operational table. */
export function operationsTableName(tablePrefix: string): string {
  return `${tablePrefix}operations`;
}

/**
 * The one table for everything operational: `pk` is `<table>#<partition>`, `sk` the sort key. The
 * body is JSON text, readable in the console and exact for every double and every character, which
 * DynamoDB's own numbers are not.
 */
export function operationalLayout(tableName: string, overflow: DocumentOverflow): ItemLayout {
  return {
    tableName,
    partitionKey: 'pk',
    sortKey: 'sk',
    version: 'version',
    writer: 'writer',
    // No table name holds a "#".
    partitionOf: ({ table, partition }) => `${table}#${partition}`,
    async encode(_key, text) {
      if (Buffer.byteLength(text) <= MAX_PLAIN_BYTES) return { body: text };
      const compressed = await gzipText(text);
      return compressed.byteLength <= MAX_ITEM_BYTES
        ? { body_gzip: compressed }
        : { body_object: await overflow.write(text) };
    },
    async decode(key, item) {
      const { body, body_gzip: compressed, body_object: ref } = item;
      if (typeof body === 'string') return decodeDocumentBody(key, body);
      if (compressed instanceof Uint8Array)
        return decodeDocumentBody(key, await gunzip(key, compressed));
      return decodeDocumentBody(key, await overflow.read(key, asOverflowRef(key, ref)));
    },
  };
}

/**
 * A table of its own, whose attributes are the members of the body. A body over 235,000 bytes of
 * JSON goes to the object store.
 */
export function nativeLayout(table: NativeTable, overflow: DocumentOverflow): ItemLayout {
  const { timeToLive } = table;
  return {
    tableName: table.name,
    partitionKey: table.partitionKey,
    sortKey: table.sortKey,
    version: NATIVE_VERSION,
    writer: NATIVE_WRITER,
    partitionOf: ({ partition }) => partition,
    async encode(key, text) {
      const body = JSON.parse(text) as Item;
      checkNativeBody(table, key, body);
      const fits = Buffer.byteLength(text) <= MAX_NATIVE_BYTES;
      const fields = fits ? body : overflowFields(await overflow.write(text));
      if (timeToLive === undefined) return fields;
      return { ...fields, [timeToLive.field]: Math.floor(expiryOf(timeToLive).getTime() / 1_000) };
    },
    async decode(key, item) {
      const ref = overflowOfRecord(item);
      if (ref === undefined) return bodyOfRecord(table, item);
      return decodeDocumentBody(key, await overflow.read(key, asOverflowRef(key, ref)));
    },
  };
}

async function gunzip(key: DocumentKey, compressed: Uint8Array): Promise<string> {
  try {
    return await gunzipText(compressed);
  } catch (error) {
    const message = `the stored body of ${documentName(key)} is damaged: it cannot be decompressed`;
    throw new PipelineError('STORE_CORRUPT', message, {
      cause: error,
      context: documentContext(key),
    });
  }
}
