import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { PortalError } from './portal-error.ts';
import type { Deferred } from './deferred.ts';
import { deferred } from './deferred.ts';

type Endpoint = 'catalog' | 'export' | 'records' | 'other';

/** A request as the portal saw it; `status` and `bytesSent` change until `finished`. */
export interface PortalRequest {
  /** By the portal's clock, which may stand still. */
  readonly at: Date;
  /**
   * Milliseconds since the portal started, by the machine's clock: for the time between two tries.
   */
  readonly elapsedMs: number;
  readonly method: string;
  readonly path: string;
  /** Decoded; of a parameter given twice, the last. */
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly endpoint: Endpoint;
  readonly dataset: string | undefined;
  /** Absent until the answer starts, and for good when the connection is reset before. */
  readonly status: number | undefined;
  /** Bytes of the body given to the connection, as encoded. */
  readonly bytesSent: number;
  /** Resolves when the answer is complete or the connection is gone; never rejects. */
  readonly finished: Promise<void>;
}

/**
 * Which requests something is about: all given properties must fit; an empty object fits every
 * request.
 */
interface RequestPattern {
  readonly method?: string;
  /** Exact text, or an expression that finds something in the path. */
  readonly path?: string | RegExp;
  readonly endpoint?: Endpoint;
  readonly dataset?: string;
  /** Exact text of the `where` parameter, or an expression that finds something in it. */
  readonly where?: string | RegExp;
}

/** A pattern whose members must all fit, or a function. */
export type RequestMatch = RequestPattern | ((request: PortalRequest) => boolean);

/** Requests that have arrived but get no answer until they are released. */
export interface Hold {
  /** Resolves when the first matching request has arrived. */
  readonly arrived: Promise<void>;
  /** Lets all held requests go on and holds no more. */
  release(): void;
}

/** What the portal itself may change of a request. */
export type OpenRequest = { -readonly [K in keyof PortalRequest]: PortalRequest[K] };

const KEPT_REQUESTS = 10_000;
const DATASET_PATH =
  /^\/api\/explore\/v2\.1\/catalog\/datasets\/([^/]+)(\/records|\/exports\/(?:csv|json|geojson))?\/?$/;

function fits(expected: string | RegExp | undefined, actual: string | undefined): boolean {
  if (expected === undefined) return true;
  return typeof expected === 'string' ? expected === actual : expected.test(actual ?? '');
}

/** An empty pattern matches every request. */
export function matches(match: RequestMatch, request: PortalRequest): boolean {
  if (typeof match === 'function') return match(request);
  return (
    fits(match.method, request.method) &&
    fits(match.path, request.path) &&
    fits(match.endpoint, request.endpoint) &&
    fits(match.dataset, request.dataset) &&
    fits(match.where, request.query['where'])
  );
}

function endpointOf(path: string): {
  readonly endpoint: Endpoint;
  readonly dataset: string | undefined;
} {
  const match = DATASET_PATH.exec(path);
  if (match === null) return { endpoint: 'other', dataset: undefined };
  const endpoint =
    match[2] === undefined ? 'catalog' : match[2] === '/records' ? 'records' : 'export';
  return { endpoint, dataset: match[1] };
}

function decodedPath(url: URL): string {
  try {
    return decodeURIComponent(url.pathname);
  } catch {
    return url.pathname;
  }
}

interface Waiter {
  readonly match: RequestMatch;
  readonly answer: Deferred<PortalRequest>;
}

interface HeldRequests {
  readonly match: RequestMatch;
  readonly arrived: Deferred<undefined>;
  readonly released: Deferred<undefined>;
}

/** What has been asked, who waits for it to be asked, and which requests are held back. */
export interface RequestLog {
  /** Oldest first; only the last 10,000 are kept. */
  readonly requests: readonly PortalRequest[];
  /** Writes down an arriving request and waits as long as it is held. */
  open(incoming: IncomingMessage, response: ServerResponse): Promise<OpenRequest>;
  next(match: RequestMatch): Promise<PortalRequest>;
  hold(match: RequestMatch): Hold;
  close(): void;
}

function describe(
  incoming: IncomingMessage,
  response: ServerResponse,
  at: Date,
  startedAt: number,
): OpenRequest {
  const url = new URL(incoming.url ?? '/', 'http://portal');
  const path = decodedPath(url);
  return {
    at,
    elapsedMs: performance.now() - startedAt,
    method: incoming.method ?? 'GET',
    path,
    query: Object.fromEntries(url.searchParams),
    headers: incoming.headers,
    ...endpointOf(path),
    status: undefined,
    bytesSent: 0,
    finished: once(response, 'close').then(
      () => undefined,
      () => undefined,
    ),
  };
}

/** Keeps the newest 10,000; `now` is the portal's clock. */
export function createRequestLog(now: () => Date): RequestLog {
  const startedAt = performance.now();
  const requests: OpenRequest[] = [];
  const waiters = new Set<Waiter>();
  const holds = new Set<HeldRequests>();
  function release(held: HeldRequests): void {
    holds.delete(held);
    held.released.resolve(undefined);
  }
  return {
    requests,
    async open(incoming, response) {
      const request = describe(incoming, response, now(), startedAt);
      requests.push(request);
      if (requests.length > KEPT_REQUESTS) requests.shift();
      for (const waiter of waiters) {
        if (!matches(waiter.match, request)) continue;
        waiters.delete(waiter);
        waiter.answer.resolve(request);
      }
      for (const held of [...holds]) {
        if (!matches(held.match, request)) continue;
        held.arrived.resolve(undefined);
        await held.released.promise;
      }
      return request;
    },
    next(match) {
      const answer = deferred<PortalRequest>();
      waiters.add({ match, answer });
      // A test that fails for another reason must not be reported as this promise's rejection at
      // close.
      answer.promise.catch(() => undefined);
      return answer.promise;
    },
    hold(match) {
      const held: HeldRequests = { match, arrived: deferred(), released: deferred() };
      holds.add(held);
      return {
        arrived: held.arrived.promise,
        release: () => {
          release(held);
        },
      };
    },
    close() {
      holds.forEach(release);
      for (const { answer } of waiters) {
        answer.reject(
          new PortalError('INPUT_INVALID', 'The portal closed before such a request arrived.'),
        );
      }
      waiters.clear();
    },
  };
}
