import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import { createConnection } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What came over the wire, decoded as little as possible. */
export interface RawAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  /** The bytes that arrived, also when the connection broke. */
  readonly body: Buffer;
  /** The code of the error that ended the body; absent when it was complete. */
  readonly broken: string | undefined;
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}

/**
 * Opens a request on a connection of its own; rejects when the connection breaks before the
 * headers.
 */
export async function openGet(
  url: string,
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  const request = get(url, { headers, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

export async function rawGet(
  url: string,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const response = await openGet(url, headers);
  const chunks: Buffer[] = [];
  let broken: string | undefined;
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    broken = codeOf(error);
  }
  return {
    status: response.statusCode,
    headers: response.headers,
    body: Buffer.concat(chunks),
    broken,
  };
}

/** The code of the error with which a request fails before its headers. */
export async function failureOf(url: string): Promise<string> {
  try {
    await openGet(url);
    return 'answered';
  } catch (error) {
    return codeOf(error);
  }
}

/** Everything that the server sends on the connection, framing included. */
export async function wireText(url: string): Promise<string> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port) });
  socket.write(
    `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`,
  );
  return (await buffer(socket)).toString('utf8');
}
