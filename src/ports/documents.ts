import type { JsonObject } from './json.ts';

/**
 * The name of a document: its table, partition and sort key; the two keys are non-empty UTF-8 of at
 * most 512 bytes.
 */
export interface DocumentKey {
  readonly table: string;
  readonly partition: string;
  readonly sort: string;
}

/** Counts the puts of one document, whoever makes them. */
export interface DocumentVersion {
  /** Starts at 1 and grows by one with each put. */
  readonly version: number;
}

/** What a put returns. */
export interface PutDocument extends DocumentVersion {
  /**
   * Only this host has it yet: the store that all share was away, or earlier writes wait for it.
   */
  readonly isPending?: true;
}

/** A document as it was read; its version is for `expectedVersion`. */
export interface StoredDocument<T extends object = JsonObject>
  extends DocumentKey, DocumentVersion {
  readonly body: T;
}

/** Documents of one partition, ascending unless told otherwise. */
export interface DocumentQuery {
  readonly table: string;
  readonly partition: string;
  /** Sort keys in `[from, to)`, byte order; either end may be open. */
  readonly from?: string;
  readonly to?: string;
  readonly order?: 'ascending' | 'descending';
  readonly limit?: number;
}

/**
 * Documents by table, partition and sort key. `expectedVersion` 0 means "create": the put fails
 * with `STORE_CONFLICT` when the document exists, atomically among all writers on every adapter. A
 * larger one is compare-and-set. Without it the put replaces.
 */
export interface DocumentStore {
  readonly kind: string;
  get<T extends object = JsonObject>(key: DocumentKey): Promise<StoredDocument<T> | undefined>;
  /** Returns the new version. */
  put(
    key: DocumentKey,
    body: object,
    options?: { readonly expectedVersion?: number },
  ): Promise<PutDocument>;
  /**
   * All matching documents in order of the sort key, fetched page by page while they are consumed.
   */
  query<T extends object = JsonObject>(query: DocumentQuery): AsyncIterable<StoredDocument<T>>;
  /**
   * Every partition of the table that holds a document, each once, in any order. May read the whole
   * table: for copies of it.
   */
  partitions(table: string): AsyncIterable<string>;
  /** Removes the document; a missing one is not an error. */
  delete(key: DocumentKey): Promise<void>;
  /**
   * Removes many documents, each exactly as `delete` would, in any order; not atomic as a whole. Of
   * stores where that costs less than one deletion after the other.
   */
  deleteMany?(keys: readonly DocumentKey[]): Promise<void>;
  /**
   * Creates many documents, each exactly as a create-only put would, in any order. Answers one flag
   * per document: created, or there already (its body is left as it was). Not atomic as a whole:
   * after a crash any subset may exist.
   */
  createMany(
    documents: readonly { readonly key: DocumentKey; readonly body: object }[],
  ): Promise<readonly boolean[]>;
  /**
   * Has the files of the store hold nothing of documents that were replaced or removed. Of stores
   * whose files are this process's to write; while another process reads them, what it may still
   * read stays.
   */
  compact?(): Promise<void>;
  close(): Promise<void>;
}
