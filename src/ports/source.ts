/**
 * Where the raw files of a part come from: a publisher that is asked over HTTP, a publisher's
 * folder on an SFTP server, a folder of this disk, files that a person names, or objects that
 * others put into our own store. A source is opened with its credentials; nobody sees them after
 * that.
 *
 * Every method throws `PipelineError` only: `SRC_UNAVAILABLE`, `SRC_RATE_LIMITED`, `SRC_TRUNCATED`
 * (try again), `SRC_AUTH`, `SRC_UNSAFE_ADDRESS`, `SRC_SHAPE_CHANGED`, `SRC_TOO_LARGE`; our own
 * store what stores throw; files that a person names `INPUT_INVALID`.
 */
export interface Source {
  /**
   * For people and records: where it is, without credentials, such as `sftp://host:22/flux_enedis`.
   */
  readonly place: string;
  /**
   * What there is now, in no particular order. A publisher that is asked over HTTP offers one file:
   * its answer for the window. A folder offers every file, folders below included, and nothing that
   * is no plain file.
   */
  list(asked: ListRequest): AsyncIterable<OfferedFile>;
  /** The bytes of a file from `start` on; none when it is gone since it was listed. */
  open(file: OfferedFile, start: number, options: SourceOptions): AsyncIterable<Uint8Array>;
  /**
   * A whole file on this disk, until `discard`; what an earlier try left is gone on with. Undefined
   * when it is the known one, or gone since it was listed. `SRC_TRUNCATED` when its size is not the
   * one that was listed.
   */
  fetch(file: OfferedFile, options: FetchRequest): Promise<FetchedFile | undefined>;
  /** Removes what was fetched, where it was put here for that. */
  discard(file: FetchedFile): Promise<void>;
  close(): Promise<void>;
}

/** Aborting the signal ends listing and fetching; `progress` counts as a heartbeat. */
export interface SourceOptions {
  readonly signal: AbortSignal;
  readonly progress?: (note: string) => void;
}

/** Which files are asked about. A source lists more where it cannot tell. */
export interface ListRequest extends SourceOptions {
  /** The days `[from, to]`, both included. HTTP offers nothing without. */
  readonly window?: { readonly from: string; readonly to: string };
  /** Beginnings of paths, for our own store; absent: all. */
  readonly below?: readonly string[];
}

/** How one file is fetched. */
export interface FetchRequest extends SourceOptions {
  /** The ETag of what we have: the same one is not fetched again. */
  readonly known?: string;
}

/** A file by what a listing says of it. */
export interface OfferedFile {
  /** Below the place of the source, with `/` between folders; over HTTP with the query. */
  readonly path: string;
  /** The last part of the path. */
  readonly name: string;
  /** Absent where the source does not tell: over HTTP, and of files that a person names. */
  readonly bytes?: number;
  /** ISO instant; null where the source tells none. */
  readonly modifiedAt: string | null;
  /**
   * What changes when the bytes may have: a publisher's freshness value, or an ETag; absent where
   * nothing tells.
   */
  readonly version?: string;
}

/** A file on this disk, byte for byte as the source has it. */
export interface FetchedFile {
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Of what came over HTTP. */
  readonly answer?: AnswerFacts;
}

/** What a publisher said with its answer. */
export interface AnswerFacts {
  /** What was asked for, without credentials. */
  readonly url: string;
  /** Such as 200. */
  readonly status: number;
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Whoever answered says that it has made the rows up. */
  readonly sample?: true;
  /** How it is kept: the extension without a dot, and the media type. */
  readonly extension: string;
  readonly mediaType: string;
}
