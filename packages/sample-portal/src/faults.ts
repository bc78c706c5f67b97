import type { Answer } from './answer.ts';
import { jsonAnswer, textAnswer } from './answer.ts';
import { deferred } from './deferred.ts';
import type { HeaderChange } from './header-change.ts';
import type { PortalRequest, RequestMatch } from './requests.ts';
import { matches } from './requests.ts';

/** An answer other than the right one, complete in itself. */
type WrongAnswer =
  /**
   * 429, 503, 401, 403 or another status with the JSON error of the publisher; `retryAfter` in
   * seconds or as an HTTP date.
   */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number | Date }
  /** An HTML page, as proxies send it, with status 200. */
  | { readonly kind: 'html' }
  /** The text of a git-LFS pointer as CSV, with status 200. */
  | { readonly kind: 'lfs-pointer' }
  /** Status 200 and no byte. */
  | { readonly kind: 'empty' };

/** The right export, changed by the publisher. */
type ChangedExport =
  | { readonly kind: 'header'; readonly change: HeaderChange }
  /**
   * `stale`: 304 to every conditional request and an ETag that never changes, whatever happens to
   * the data (`data_processed` still moves). `volatile`: another ETag at each answer, while the
   * bytes stay. `missing`: no ETag.
   */
  | { readonly kind: 'etag'; readonly mode: 'stale' | 'volatile' | 'missing' }
  /** gzip, for clients that accept it. */
  | { readonly kind: 'gzip' };

/**
 * The right answer, badly delivered. `afterBytes` counts bytes of the body; without it half of the
 * body is sent.
 */
export type BadDelivery =
  /** The connection is reset: `at` `start` before any header, `body` in the middle of the body. */
  | { readonly kind: 'reset'; readonly at: 'start' | 'body'; readonly afterBytes?: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /**
   * Nothing comes after the first bytes until `released` settles, the fault is undone or the client
   * gives up.
   */
  | { readonly kind: 'stall'; readonly afterBytes?: number; readonly released?: Promise<unknown> }
  /**
   * The body ends early. `content-length`: fewer bytes than announced, then the connection ends.
   * `chunked`: a complete and valid HTTP message, inside a row (`end: 'mid-row'`, the default) or,
   * worse, after one (`end: 'row'`).
   */
  | {
      readonly kind: 'truncated';
      readonly framing: 'content-length' | 'chunked';
      readonly afterBytes?: number;
      readonly end?: 'mid-row' | 'row';
    };

/** What a request gets in place of its answer, or what happens to the answer on its way. */
export type FaultKind = WrongAnswer | ChangedExport | BadDelivery;

/**
 * A misbehaviour of the portal. Of several that match a request, the one added first and not used
 * up applies, so that "429 twice, then 503 once" is two faults in this order.
 */
export type PortalFault = FaultKind & {
  /** Default: every request. */
  readonly match?: RequestMatch;
  /** How many requests it hits; default: all until it is undone. */
  readonly times?: number;
};

/** A fault that has hit a request. */
export interface ActiveFault {
  readonly fault: FaultKind;
  /** Settles when the fault is undone. */
  readonly undone: Promise<unknown>;
}

/** Faults in the order in which they were added; the first that matches counts. */
export interface FaultBook {
  /** Returns what ends the fault. */
  add(fault: PortalFault): () => void;
  /** The fault of a request, counted as used. */
  take(request: PortalRequest): ActiveFault | undefined;
  /** Ends all of them, so that no stalled answer is left. */
  close(): void;
}

/** Empty: every request gets its right answer. */
export function createFaultBook(): FaultBook {
  const entries = new Set<{
    fault: PortalFault;
    left: number;
    undone: Promise<unknown>;
    undo(): void;
  }>();
  return {
    add(fault) {
      const undone = deferred<undefined>();
      const entry = {
        fault,
        left: fault.times ?? Infinity,
        undone: undone.promise,
        undo: (): void => {
          entries.delete(entry);
          undone.resolve(undefined);
        },
      };
      entries.add(entry);
      return entry.undo;
    },
    take(request) {
      for (const entry of entries) {
        if (entry.left <= 0 || !matches(entry.fault.match ?? {}, request)) continue;
        entry.left -= 1;
        return { fault: entry.fault, undone: entry.undone };
      }
      return undefined;
    },
    close() {
      for (const entry of [...entries]) entry.undo();
    },
  };
}

const HTML = `<!DOCTYPE html>
<html lang="fr"><head><title>Service momentanément indisponible</title></head>
<body><h1>Maintenance</h1><p>Le portail est en maintenance ; veuillez réessayer plus tard.</p></body></html>
`;
const LFS_POINTER = `version https://git-lfs.github.com/spec/v1
oid sha256:4665a5ea423c2713d436b5ee50593a9640e0018c1550b5a0002f74190d6caea8
size 604759
`;

function statusAnswer(status: number, retryAfter: number | Date | undefined): Answer {
  const messages: Readonly<Record<number, string>> = {
    401: 'This dataset requires an API key.',
    403: 'You are not allowed to access this dataset.',
    429: 'You have exceeded the requests limit for anonymous users.',
  };
  const answer = jsonAnswer(status, {
    errorcode: status,
    error: messages[status] ?? 'Service unavailable.',
  });
  if (retryAfter === undefined) return answer;
  const value = typeof retryAfter === 'number' ? String(retryAfter) : retryAfter.toUTCString();
  return { ...answer, headers: { ...answer.headers, 'retry-after': value } };
}

/**
 * The answer that a fault gives instead of the right one; `undefined` for faults that need the
 * right one.
 */
export function wrongAnswer(fault: FaultKind): Answer | undefined {
  if (fault.kind === 'status') return statusAnswer(fault.status, fault.retryAfter);
  if (fault.kind === 'html') return textAnswer(200, 'text/html; charset=utf-8', HTML);
  if (fault.kind === 'lfs-pointer') return textAnswer(200, 'text/csv; charset=utf-8', LFS_POINTER);
  if (fault.kind === 'empty') return textAnswer(200, 'text/csv; charset=utf-8', '');
  return undefined;
}
