/**
 * Where the raw files of a part come from: a publisher's folder on an SFTP server, or a folder of this disk. A source is opened with its credentials; nobody sees them after that.
 *
 * Every method throws `PipelineError` only: `SRC_UNAVAILABLE`, `SRC_TRUNCATED` (try again), `SRC_AUTH`,
 * `SRC_UNSAFE_ADDRESS`, `SRC_SHAPE_CHANGED`, `SRC_TOO_LARGE`.
 */
export interface Source {
  /** For people and records: where it is, without credentials, such as `sftp://host:22/flux_enedis`. */
  readonly place: string;
  /** Every file there is, folders below included, in no particular order. What is no plain file is left out. */
  list(options: SourceOptions): AsyncIterable<OfferedFile>;
  /** The bytes of a file from `start` on. */
  open(file: OfferedFile, start: number, options: SourceOptions): AsyncIterable<Uint8Array>;
  /**
   * Brings a whole file to this disk; what an earlier try left is gone on with. `SRC_TRUNCATED` when its size is not the
   * one that was listed. The caller removes the file.
   */
  fetch(file: OfferedFile, options: SourceOptions): Promise<FetchedFile>;
  close(): Promise<void>;
}

/** Aborting the signal ends listing and fetching; `progress` counts as a heartbeat. */
export interface SourceOptions {
  readonly signal: AbortSignal;
  readonly progress?: (note: string) => void;
}

/** A file by what a listing says of it. */
export interface OfferedFile {
  /** Below the place of the source, with `/` between folders. */
  readonly path: string;
  /** The last part of the path. */
  readonly name: string;
  readonly bytes: number;
  /** ISO instant; null where the source tells none. */
  readonly modifiedAt: string | null;
}

/** A file on this disk, byte for byte as the source has it. */
export interface FetchedFile {
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}
