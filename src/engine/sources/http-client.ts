import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { definedMembers } from '../../given.ts';
import { PipelineError, asPipelineError, errorCodeOf, isFullDisk } from '../../errors.ts';
import type { Credential } from '../../pipelines/source-declaration.ts';
import { redactText, redactedError } from '../../redaction.ts';
import type { Network } from './addresses.ts';
import { brokenOff, exchange, textOf, tooLarge } from './http-exchange.ts';
import type { Exchange } from './http-exchange.ts';
import { finishPart, leavePart, takePart } from './part-files.ts';
import { parseRetryAfter } from './retry-after.ts';
import { sha256OfFile } from '@quotidien/machine/file-hash';

/**
 * Conditional, resumable downloads of a publisher's answers to local files.
 *
 * The body is streamed to a part file named after the URL. When the connection breaks or the
 * process dies, it stays with its strong ETag beside it, and the next try asks only for the rest
 * (`Range` + `If-Range`); a server that does not support this sends everything again.
 */

/** A GET. A broken transfer goes on where it ended when the publisher knows ranges. */
export interface HttpRequest {
  readonly url: string;
  /** The ETag of what we have; the answer may then be "unchanged". */
  readonly ifNoneMatch?: string | null;
  readonly accept?: string;
  /** Sent along and told nobody: `url` is what messages and records name. */
  readonly credential?: Credential | undefined;
  /** The configuration names this origin, which may so be on a private network. */
  readonly trusted?: boolean | undefined;
  /** The largest answer, decoded; more is `SRC_TOO_LARGE`. */
  readonly maxBytes?: number | undefined;
  readonly signal: AbortSignal;
  progress(bytes: number): void;
}

/** A whole answer on this disk, decoded; hash and size are of the decoded bytes. */
export interface HttpDownload {
  readonly status: number;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Whoever answered says that it has made the rows up. */
  readonly sample?: true;
}

/** Refusals are `SRC_*` errors; a wait that the publisher asked for travels with them. */
export interface HttpClient {
  /**
   * The body as a local file, which the caller removes with `discard`; `undefined` when the
   * publisher says "unchanged".
   */
  download(request: HttpRequest): Promise<HttpDownload | undefined>;
  /** A small JSON document. */
  json(request: Omit<HttpRequest, 'ifNoneMatch' | 'progress' | 'maxBytes'>): Promise<unknown>;
  discard(download: Pick<HttpDownload, 'path'>): Promise<void>;
}

/** What all downloads of a worker share. */
export interface HttpClientOptions {
  /** Where parts are kept; one folder per host machine, shared by its workers. */
  readonly folder: string;
  readonly userAgent: string;
  /** Longest silence on the connection before it is given up. */
  readonly idleTimeoutMs: number;
  /** Default: the real one. */
  readonly network?: Network;
}

/** Of sources that declare no limit of their own. */
export const DEFAULT_MAX_BYTES = 2 ** 30;
const MAX_JSON_BYTES = 16 * 2 ** 20;
/** What a publisher says instead of the data is read so far. */
const MAX_REFUSAL_BYTES = 16 * 1024;

/** Header of answers that a sample portal has made up; no real publisher sends it. */
export const SAMPLE_HEADER = 'x-quotidien-sample';

const PARTIAL = 206;
const RANGE_NOT_SATISFIABLE = 416;

interface PartState {
  readonly url: string;
  readonly etag: string;
}

/** Nothing is opened before the first request, so there is nothing to close. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  return {
    download: (request) => download(options, request),
    async json(request) {
      const guard = idleGuard(options.idleTimeoutMs, request.signal);
      try {
        const response = await send(options, request, {}, guard);
        if (response.status !== 200) throw await refusal(request, response);
        return JSON.parse(await textOf(request.url, response, MAX_JSON_BYTES)) as unknown;
      } catch (error) {
        throw classify(error, request, guard);
      } finally {
        guard.end();
      }
    },
    discard: (done) => rm(done.path, { force: true }),
  };
}

async function download(
  options: HttpClientOptions,
  request: HttpRequest,
): Promise<HttpDownload | undefined> {
  await mkdir(options.folder, { recursive: true });
  const name = createHash('sha256').update(request.url).digest('hex').slice(0, 32);
  const part = await takePart(options.folder, name);
  const guard = idleGuard(options.idleTimeoutMs, request.signal);
  try {
    const resume = await readPart(part, request.url);
    const response = await sendFrom(options, request, resume, guard);
    if (response.status === 304) {
      response.body.resume();
      return undefined;
    }
    if (response.status !== 200 && response.status !== PARTIAL)
      throw await refusal(request, response);
    const etag = response.header('etag');
    const from = response.status === PARTIAL ? (resume?.bytes ?? 0) : 0;
    await rememberPart(part, request.url, etag);
    const bytes = await receive(response, part, from, request, guard);
    const finished = await finishPart(part);
    return {
      status: response.status,
      path: finished,
      bytes,
      sha256: await sha256OfFile(finished),
      etag,
      lastModified: response.header('last-modified'),
      ...(response.header(SAMPLE_HEADER) === null ? {} : { sample: true }),
    };
  } catch (error) {
    const classified = classify(error, request, guard);
    // What is too large is not gone on with, and would fill the disk.
    if (errorCodeOf(classified) === 'SRC_TOO_LARGE') await rm(part, { force: true });
    throw classified;
  } finally {
    guard.end();
    await leavePart(part);
  }
}

/**
 * Asks for the rest of a part. A part that ended just before it got its name is whole already, and
 * there is no byte behind it: whether it is what the publisher has now cannot be told, so
 * everything is asked for again.
 */
async function sendFrom(
  options: HttpClientOptions,
  request: HttpRequest,
  resume: Part | undefined,
  guard: Guard,
): Promise<Exchange> {
  const response = await send(options, request, resume?.headers ?? {}, guard);
  if (response.status !== RANGE_NOT_SATISFIABLE || resume === undefined) return response;
  response.body.destroy();
  return send(options, request, {}, guard);
}

type Guard = ReturnType<typeof idleGuard>;

/**
 * Aborts a request when nothing arrives for a while, or when the caller gives up. Ours, because
 * undici has a limit each for connecting, headers and body, and one silence here may pass through
 * all of them and through redirects.
 */
function idleGuard(idleTimeoutMs: number, outer: AbortSignal) {
  const controller = new AbortController();
  const state = { idle: false };
  let timer: NodeJS.Timeout | undefined;
  const abort = (): void => {
    controller.abort();
  };
  const touch = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      state.idle = true;
      controller.abort();
    }, idleTimeoutMs);
  };
  outer.addEventListener('abort', abort, { once: true });
  if (outer.aborted) abort();
  touch();
  return {
    signal: controller.signal,
    touch,
    get idle() {
      return state.idle;
    },
    end() {
      clearTimeout(timer);
      outer.removeEventListener('abort', abort);
    },
  };
}

type Question = Pick<HttpRequest, 'url' | 'ifNoneMatch' | 'accept' | 'credential' | 'trusted'>;

function send(
  options: HttpClientOptions,
  { url, ifNoneMatch, accept, credential, trusted }: Question,
  resume: Readonly<Record<string, string>>,
  guard: Guard,
): Promise<Exchange> {
  const conditional = typeof ifNoneMatch === 'string' ? { 'if-none-match': ifNoneMatch } : {};
  return exchange({
    url,
    headers: {
      'user-agent': options.userAgent,
      accept: accept ?? '*/*',
      ...conditional,
      ...resume,
    },
    credential,
    trusted,
    signal: guard.signal,
    network: options.network,
  });
}

/** What is there of a body, and how to ask for the rest. */
interface Part {
  readonly bytes: number;
  readonly headers: Readonly<Record<string, string>>;
}

async function readPart(part: string, url: string): Promise<Part | undefined> {
  try {
    const state = JSON.parse(await readFile(`${part}.json`, 'utf8')) as PartState;
    const { size } = await stat(part);
    if (state.url !== url || size === 0) return undefined;
    return {
      bytes: size,
      headers: { range: `bytes=${size}-`, 'if-range': state.etag, 'accept-encoding': 'identity' },
    };
  } catch {
    // No part, or one that a crash left half described: start from the first byte.
    return undefined;
  }
}

/** Only a strong ETag proves that the rest belongs to the same bytes. */
async function rememberPart(part: string, url: string, etag: string | null): Promise<void> {
  if (etag === null || etag.startsWith('W/')) await rm(`${part}.json`, { force: true });
  else await writeFile(`${part}.json`, JSON.stringify({ url, etag } satisfies PartState));
}

async function receive(
  response: Exchange,
  part: string,
  from: number,
  request: HttpRequest,
  guard: Guard,
) {
  const maxBytes = request.maxBytes ?? DEFAULT_MAX_BYTES;
  // Before anything is written, where the publisher tells; what it does not tell is counted.
  if (from + Number(response.header('content-length') ?? 0) > maxBytes) {
    response.body.destroy();
    throw tooLarge(request.url, maxBytes);
  }
  const file = await open(part, from === 0 ? 'w' : 'a');
  let bytes = from;
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge(request.url, maxBytes);
      await file.write(chunk);
      guard.touch();
      request.progress(bytes);
    }
  } catch (error) {
    throw brokenOff(error, request.url);
  } finally {
    await file.close();
  }
  return bytes;
}

/** What the publisher said instead of the data, as an error of the table; it may repeat our key. */
async function refusal({ url, credential }: Question, response: Exchange): Promise<PipelineError> {
  const { status } = response;
  const whole = await textOf(url, response, MAX_REFUSAL_BYTES).catch(() => '');
  const said = redactText(whole, keysOf(credential)).replace(/\s+/g, ' ').slice(0, 300);
  const message = `${url} answered ${status}${said === '' ? '' : `: ${said}`}`;
  const context = { url, status };
  const retryAfter = response.header('retry-after');
  if (status === 429 || (status === 503 && retryAfter !== null))
    return limited(message, context, retryAfter);
  if (status === 401 || status === 403) return new PipelineError('SRC_AUTH', message, { context });
  if (status >= 500 || status === 408)
    return new PipelineError('SRC_UNAVAILABLE', message, { context });
  return new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${message}; the address or the query is no longer right`,
    { context },
  );
}

function keysOf(credential: Credential | undefined): string[] {
  return credential?.key === undefined ? [] : [credential.key];
}

function limited(
  message: string,
  context: { url: string; status: number },
  retryAfter: string | null,
): PipelineError {
  const retryAfterMs = parseRetryAfter(retryAfter, new Date());
  return new PipelineError('SRC_RATE_LIMITED', message, {
    context,
    ...definedMembers({ retryAfterMs }),
  });
}

/**
 * Errors of the connection by what they mean; Node's own may quote headers and addresses, key
 * included.
 */
function classify(
  error: unknown,
  request: Question & { readonly signal: AbortSignal },
  guard: Guard,
): unknown {
  if (request.signal.aborted) return error;
  const context = { url: request.url };
  const cause = redactedError(error, keysOf(request.credential));
  if (guard.idle) {
    return new PipelineError('SRC_UNAVAILABLE', `${request.url} stopped answering`, {
      context,
      cause,
    });
  }
  if (error instanceof PipelineError || isFullDisk(error)) return asPipelineError(error);
  const why = (error as { code?: string }).code ?? cause.message;
  return new PipelineError('SRC_UNAVAILABLE', `${request.url} cannot be reached (${why})`, {
    context,
    cause,
  });
}
