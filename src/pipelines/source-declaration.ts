import type { CivilDate } from './vocabulary.ts';

/** How the raw files of a part are come by: asked for by address, or listed in a folder. */

/** The span `[from, to]` of days, both included, that one request asks for. */
export interface FetchWindow {
  readonly from: CivilDate;
  readonly to: CivilDate;
}

/** A raw file of one day, whose name says so. */
export interface NamedDay {
  readonly part: string;
  readonly date: CivilDate;
}

/** Days that are asked for by address. */
export interface HttpSource {
  readonly kind?: 'http';
  /** Names the host's setting: `QUOTIDIEN_<HOST>_URL` replaces `baseUrl`. */
  readonly host: string;
  readonly baseUrl: string;
  /** Path and query below the base URL that deliver the window. */
  pathOf(window: FetchWindow): string;
  /**
   * For hosts that give a list in pages: path and query of the page that follows `document`, the
   * answer to `path`; undefined after the last one. The pages of a window are one raw file, one
   * document after the other. Throws `SRC_TRUNCATED` for a page that ends too early.
   */
  nextPage?(document: unknown, path: string): string | undefined;
  /**
   * Path of the publisher's cheap freshness document, and the value in it that changes when data
   * change.
   */
  readonly freshness?: { readonly path: string; valueOf(document: unknown): string | undefined };
  readonly extension: string;
  readonly mediaType: string;
  /** The least time between two requests to the host. */
  readonly requestsPerSecond: number;
  /**
   * The host answers only those who give a key; the part is closed until `QUOTIDIEN_<HOST>_KEY` has
   * one.
   */
  readonly credential?: Credential;
  /**
   * The largest answer to one request, decoded; a larger one is `SRC_TOO_LARGE`. Default: 1 GiB.
   */
  readonly maxBytes?: number;
  /**
   * Set by the configuration when it names the base URL, which may then be on a private network.
   */
  readonly trusted?: boolean;
}

/**
 * A folder of a publisher with files that come when they come. Until the configuration gives its
 * address and credentials, the parts that come from it are closed.
 */
export interface FolderSource {
  readonly kind: 'folder';
  /**
   * Names the host's settings: `QUOTIDIEN_<HOST>_URL` (`sftp://user@host:22/folder`, or
   * `file:///folder`), `_KEY` (a password or private key) and `_HOST_KEY` (the fingerprint of the
   * server).
   */
  readonly host: string;
  /** The most requests a second to the host. */
  readonly requestsPerSecond: number;
  /**
   * The part and day that a file of this name is of; `noted`: of no part, and known; `unknown`:
   * nothing is known of it.
   */
  dayOf(name: string): NamedDay | 'noted' | 'unknown';
  /** Set by the configuration. */
  readonly access?: FolderAccess;
}

/** How a folder is reached. `secret` is one: no record, log or message has it. */
export interface FolderAccess {
  readonly url: string;
  readonly secret?: string;
  /** Fingerprints of the server's keys, as `SHA256:…`. */
  readonly hostKeys: readonly string[];
}

/**
 * Where a request carries the key of its host, and the key once there is one. It is a secret: no
 * record, log or message has it.
 */
export interface Credential {
  readonly place: 'header' | 'query';
  readonly name: string;
  readonly key?: string;
}

/** How a part's raw files are come by, besides what somebody gives us. */
export type SourceDeclaration = HttpSource | FolderSource;

/** What has a declaration for some of its parts, as a dataset has. */
interface Declared {
  readonly sources: Readonly<Record<string, SourceDeclaration>>;
}

/** The declaration of a part that is asked for by address; undefined for any other. */
export function httpSourceOf({ sources }: Declared, part: string): HttpSource | undefined {
  const source = sources[part];
  return source?.kind === 'folder' ? undefined : source;
}

/** The declaration of a part whose files are listed; undefined for any other. */
export function folderSourceOf({ sources }: Declared, part: string): FolderSource | undefined {
  const source = sources[part];
  return source?.kind === 'folder' ? source : undefined;
}
