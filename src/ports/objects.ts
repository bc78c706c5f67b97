import type { DocumentKey } from './documents.ts';

/**
 * The three ports through which the product touches bytes, documents and SQL. Adapters behind them
 * have the same semantics everywhere, held by one conformance suite (`test/conformance`), so that
 * no caller knows which one it has.
 *
 * Every method throws `PipelineError` only: `STORE_UNAVAILABLE` (try again), `STORE_DENIED`
 * (permission, missing bucket or table, full disk), `STORE_CONFLICT` (create-only or expected
 * version lost), `STORE_CORRUPT` (bytes do not match).
 */

/**
 * Which of two places holds something: the shared primary store, or for the time being the disk of
 * one host.
 */
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
  /**
   * Only where the bytes are not in the primary store yet. It tells of a moment: no document keeps
   * it.
   */
  readonly place?: StorePlace;
}

/** An artefact as a store has to know it. */
export type ContentName = Pick<ArtefactRef, 'key' | 'sha256' | 'bytes'>;

/** What is known of an object without reading it. */
export interface ObjectHead {
  readonly key: string;
  readonly bytes: number;
  /** Changes whenever the bytes change; opaque. */
  readonly etag: string;
  /**
   * From a copy that could not be compared with the primary store, because that does not answer.
   */
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
   * The bytes are read from the store itself at this moment, past every cache, copy and remembered
   * hash: a proof that it has them, at the price of their transfer. `STORE_UNAVAILABLE` when it
   * does not answer, whatever copies there are.
   */
  readonly fresh?: boolean;
  /**
   * The file stays at its path until this signal is aborted, however small the cache is in which it
   * lies: for readers that open a path again, or late, as SQL does. Without it a path is for
   * opening at once.
   */
  readonly until?: AbortSignal;
}

/** What `put` takes: bytes, a stream, or the path of a local file (which is left where it is). */
export type ObjectBody = Uint8Array | AsyncIterable<Uint8Array> | { readonly path: string };

/** Which writer wins, and how readers see it. */
export interface PutOptions {
  readonly mediaType: string;
  /**
   * `create`: fails with `STORE_CONFLICT` when the key exists, atomically among all writers.
   * `replace`: readers see the old or the new bytes, never a mixture.
   */
  readonly mode: 'create' | 'replace';
  /**
   * With `replace`: the object will hardly be read, so that a store on this disk may keep it as
   * gzip beside the name (`<key>.gz`), for other programs too. What the store returns are the bytes
   * that were put.
   */
  readonly rests?: boolean;
  /** With `replace`, and bytes or a file: the name shows the newest of numbered versions. */
  readonly fence?: PutFence;
}

/**
 * Keeps a writer whose time has passed from a name that shows the newest of numbered versions, also
 * one that stood still between its last look and its write. It is refused with `STORE_CONFLICT`, as
 * long as every writer and remover of the name gives a fence, and `holds` tells of a newer version
 * before anything of that is written. An S3 server that ignores `If-Match` lets it pass.
 */
export interface PutFence {
  readonly version: number;
  /** The document that is this version, for who can write later only and has to ask again then. */
  readonly of?: DocumentKey;
  /**
   * Whether this version is the newest still; asked when everything is ready to be written, perhaps
   * several times.
   */
  readonly holds: () => Promise<boolean>;
}

/** A key that is not there is no error. */
export interface DeleteOptions {
  /** A name that this version does not have any more. */
  readonly fence?: PutFence;
}

/**
 * Bytes by key. Keys are `/`-separated, each part 1–255 bytes of UTF-8 without `\`, NUL, `.` or
 * `..`, no part empty, at most 1,000 bytes in all; no key is the folder of another. A put is
 * durable when it resolves.
 */
export interface ObjectStore {
  readonly kind: string;
  put(key: string, body: ObjectBody, options: PutOptions): Promise<ArtefactRef>;
  /**
   * The bytes `[start, end)` of the object as a stream; `undefined` when the key does not exist.
   */
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
   * Whether the store itself has the artefact now, asked past every cache and without moving its
   * bytes. A store on the local disk compares the hash; a remote one the size and, where it keeps
   * it, the sha256 that the object was written with: that says whether something may be built on
   * the artefact, `openLocal` with `fresh` proves its bytes.
   */
  inspect(ref: ContentName): Promise<ObjectLook>;
  /**
   * A local path with exactly the bytes of the artefact, verified by size and sha256, for readers
   * that want a file. The caller only reads it. `STORE_CORRUPT` when the stored bytes differ,
   * `undefined` when there are none.
   */
  openLocal(ref: ContentName, options?: OpenOptions): Promise<string | undefined>;
}
