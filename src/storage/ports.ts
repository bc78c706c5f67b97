/**
 * The three ports through which the product touches bytes, documents and SQL. Adapters behind them have the same
 * semantics everywhere, held by one conformance suite (`test/conformance`), so that no caller knows which one it has.
 *
 * Every method throws `PipelineError` only: `STORE_UNAVAILABLE` (try again), `STORE_DENIED` (permission, missing bucket
 * or table, full disk), `STORE_CONFLICT` (create-only or expected version lost), `STORE_CORRUPT` (bytes do not match).
 */

/** Which of two places holds something: the shared primary store, or for the time being the disk of one host. */
export interface StorePlace {
  readonly store: 'primary' | 'fallback';
  readonly host: string;
}

/** Immutable bytes in the object store; `sha256` is of the bytes, lower-case hex. */
export interface ArtefactRef {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
  /** Rows of a table, records of a file; absent where the word has no meaning. */
  readonly rows?: number;
  /** Only where the bytes are not in the primary store yet. It tells of a moment: no document keeps it. */
  readonly place?: StorePlace;
}

/** An artefact as a store has to know it. */
export type ContentName = Pick<ArtefactRef, 'key' | 'sha256' | 'bytes'>;

export interface ObjectHead {
  readonly key: string;
  readonly bytes: number;
  /** Changes whenever the bytes change; opaque. */
  readonly etag: string;
  /** From a copy that could not be compared with the primary store, because that does not answer. */
  readonly stale?: true;
}

/** How the object of an artefact was found. */
export interface ObjectLook {
  readonly state: 'intact' | 'damaged' | 'missing';
  /** Told from a verified copy, because the primary store does not answer. */
  readonly stale?: true;
}

/** What `openLocal` takes besides the artefact. */
export interface OpenOptions {
  /**
   * The bytes are read from the store itself at this moment, past every cache, copy and remembered hash: a proof that it has them, at the
   * price of their transfer. `STORE_UNAVAILABLE` when it does not answer, whatever copies there are.
   */
  readonly fresh?: boolean;
  /**
   * The file stays at its path until this signal is aborted, however small the cache is in which it lies: for readers that open a path
   * again, or late, as SQL does. Without it a path is for opening at once.
   */
  readonly until?: AbortSignal;
}

/** What `put` takes: bytes, a stream, or the path of a local file (which is left where it is). */
export type ObjectBody = Uint8Array | AsyncIterable<Uint8Array> | { readonly path: string };

export interface PutOptions {
  readonly mediaType: string;
  /**
   * `create`: fails with `STORE_CONFLICT` when the key exists, atomically among all writers. `replace`: readers see the
   * old or the new bytes, never a mixture.
   */
  readonly mode: 'create' | 'replace';
  /** With `replace`, and bytes or a file: the name shows the newest of numbered versions. */
  readonly fence?: PutFence;
}

/**
 * Keeps a writer whose time has passed from a name that shows the newest of numbered versions, also one that stood still between its
 * last look and its write. It is refused with `STORE_CONFLICT`, as long as every writer and remover of the name gives a fence, and
 * `holds` tells of a newer version before anything of that is written. An S3 server that ignores `If-Match` lets it pass.
 */
export interface PutFence {
  readonly version: number;
  /** Whether this version is the newest still; asked when everything is ready to be written, perhaps several times. */
  readonly holds: () => Promise<boolean>;
}

export interface DeleteOptions {
  /** A name that this version does not have any more. */
  readonly fence?: PutFence;
}

/**
 * Bytes by key. Keys are `/`-separated, each part 1–255 bytes of UTF-8 without `\`, NUL, `.` or `..`, no part empty,
 * at most 1,000 bytes in all; no key is the folder of another. A put is durable when it resolves.
 */
export interface ObjectStore {
  readonly kind: string;
  put(key: string, body: ObjectBody, options: PutOptions): Promise<ArtefactRef>;
  /** The bytes `[start, end)` of the object as a stream; `undefined` when the key does not exist. */
  get(
    key: string,
    range?: { readonly start: number; readonly end?: number },
  ): Promise<AsyncIterable<Uint8Array> | undefined>;
  head(key: string): Promise<ObjectHead | undefined>;
  /** Every object whose key starts with `prefix`, in byte order of the keys. */
  list(prefix: string): AsyncIterable<ObjectHead>;
  /** Removes the object; a missing key is not an error. */
  delete(key: string, options?: DeleteOptions): Promise<void>;
  /**
   * Whether the store itself has the artefact now, asked past every cache and without moving its bytes. A store on the local disk
   * compares the hash; a remote one the size and, where it keeps it, the sha256 that the object was written with: that says whether
   * something may be built on the artefact, `openLocal` with `fresh` proves its bytes.
   */
  inspect(ref: ContentName): Promise<ObjectLook>;
  /**
   * A local path with exactly the bytes of the artefact, verified by size and sha256, for readers that want a file. The
   * caller only reads it. `STORE_CORRUPT` when the stored bytes differ, `undefined` when there are none.
   */
  openLocal(ref: ContentName, options?: OpenOptions): Promise<string | undefined>;
}

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };
export type JsonObject = Readonly<Record<string, JsonValue>>;

/** The name of a document: its table, partition and sort key; the two keys are non-empty UTF-8 of at most 512 bytes. */
export interface DocumentKey {
  readonly table: string;
  readonly partition: string;
  readonly sort: string;
}

export interface DocumentVersion {
  /** Starts at 1 and grows by one with each put. */
  readonly version: number;
}

export interface StoredDocument<T extends object = JsonObject> extends DocumentKey, DocumentVersion {
  readonly body: T;
}

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
 * Documents by table, partition and sort key. `expectedVersion` 0 means "create": the put fails with `STORE_CONFLICT` when the
 * document exists, atomically among all writers on every adapter. A larger one is compare-and-set. Without it the put replaces.
 */
export interface DocumentStore {
  readonly kind: string;
  get<T extends object = JsonObject>(key: DocumentKey): Promise<StoredDocument<T> | undefined>;
  /** Answers the new version. */
  put(key: DocumentKey, body: object, options?: { readonly expectedVersion?: number }): Promise<DocumentVersion>;
  /** All matching documents in order of the sort key, fetched page by page while they are consumed. */
  query<T extends object = JsonObject>(query: DocumentQuery): AsyncIterable<StoredDocument<T>>;
  /** Every partition of the table that holds a document, each once, in any order. May read the whole table: for copies of it. */
  partitions(table: string): AsyncIterable<string>;
  /** Removes the document; a missing one is not an error. */
  delete(key: DocumentKey): Promise<void>;
  /**
   * Creates many documents, each exactly as a create-only put would, in any order. Answers one flag per document: created,
   * or there already (its body is left as it was). Not atomic as a whole: after a crash any subset may exist.
   */
  createMany(documents: readonly { readonly key: DocumentKey; readonly body: object }[]): Promise<readonly boolean[]>;
  close(): Promise<void>;
}

/** One private SQL session on the embedded engine; its temporary tables and its scratch folder end with it. */
export interface SqlSession {
  /** A local folder of this session, for `COPY … TO`; removed when the session ends. */
  readonly scratch: string;
  /**
   * A folder that is this session's until its end and goes to another one then, with what is in it: for files of names that come again,
   * written over the earlier ones. Thousands of new files are dear: ext4 searches past all that were removed in the last minutes. Measured,
   * 30 day files by one `COPY`: 33 ms over earlier ones, 34 to 73 in new folders, the longer the more were removed before.
   */
  borrowFolder(): Promise<string>;
  run(sql: string): Promise<void>;
  /**
   * The rows of a query as plain values: integers and decimals that are exact in a double as numbers, other decimals and
   * larger integers as text, instants as ISO-8601 UTC text, civil dates as `YYYY-MM-DD`, lists as arrays, NULL as null.
   */
  rows<T extends object = Record<string, unknown>>(sql: string): Promise<T[]>;
  /**
   * Works on several items at once, as many as the session has threads: small statements use one thread each. Every item has a session that
   * shares the scratch folder and all tables but the temporary ones. Answers in the order of the items; after a failure no further item
   * begins, and it is thrown when those under way have ended.
   */
  atOnce<T, R>(items: readonly T[], work: (item: T, sql: SqlSession) => Promise<R>): Promise<R[]>;
}

/** Errors of SQL keep the engine's message; malformed input data is `SRC_SHAPE_CHANGED`, a full disk `STORE_DENIED`. */
export interface SqlEngine {
  session<T>(work: (sql: SqlSession) => Promise<T>, options?: { readonly signal?: AbortSignal }): Promise<T>;
}
