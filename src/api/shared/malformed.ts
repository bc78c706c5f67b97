import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { HttpRefusal, problemOf } from './problems.ts';

/**
 * Requests that Node refuses before there is a request for fastify: what is no HTTP, has too long
 * headers, does not end, or expects what there is not. They are answered by problems as well.
 */

interface Refusal {
  readonly status: number;
  readonly detail: string;
}

/** By the `code` of Node's and its parser's errors; every other one is 400. */
const REFUSALS = new Map<string | undefined, Refusal>([
  ['HPE_HEADER_OVERFLOW', { status: 431, detail: 'the headers are longer than this server takes' }],
  [
    'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    { status: 413, detail: 'the extensions of a chunk are longer than this server takes' },
  ],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    { status: 408, detail: 'the request did not come to its end in time' },
  ],
]);
const NO_HTTP: Refusal = { status: 400, detail: 'the request is not a valid HTTP request' };
const UNKNOWN_EXPECTATION: Refusal = {
  status: 417,
  detail: 'the only expectation that this server fulfils is 100-continue',
};

type Headers = Readonly<Record<string, string>>;

/**
 * Handles `clientError` of Node's server: the connection ends with the problem. Nothing is sent
 * where nobody is left to read it. What was wrong is told by its kind, never by the parser's words
 * or the bytes that were sent.
 */
export function clientErrorHandler(headers: Headers) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const refusal = REFUSALS.get(error.code) ?? NO_HTTP;
    const { status, body, sent } = refused(refusal, headers);
    const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}`);
    const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines].join('\r\n');
    socket.end(`${head}\r\n\r\n${body}`);
  };
}

/** Handles `checkExpectation` of Node's server (RFC 9110, 10.1.1). */
export function refuseExpectation(headers: Headers) {
  return (_: IncomingMessage, response: ServerResponse): void => {
    const { status, body, sent } = refused(UNKNOWN_EXPECTATION, headers);
    response.writeHead(status, sent).end(body);
  };
}

function refused(
  { status, detail }: Refusal,
  headers: Headers,
): { readonly status: number; readonly body: string; readonly sent: Headers } {
  const body = JSON.stringify(problemOf(new HttpRefusal(status, detail), '/'));
  const sent = {
    ...headers,
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    connection: 'close',
  };
  return { status, body, sent };
}
