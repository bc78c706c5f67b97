import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Payload, PayloadCodec } from '@temporalio/common';
import * as z from 'zod';
import { textBefore } from '../../given.ts';
import { PipelineError, asPipelineError } from '../../errors.ts';
import { dataConverterOf } from '../../workers/payload-codec.ts';
import { isSealed } from '../../workers/payload-keys.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';

/** Far above what the UI asks for at once. */
const MAX_BODY_BYTES = 32 * 2 ** 20;

const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));
const BODY = z.object({
  payloads: z.array(
    z.object({ metadata: z.record(z.string(), base64).default({}), data: base64.optional() }),
  ),
});

/**
 * `quotidien codec-server`: lets Temporal's UI and CLI read encrypted payloads. It listens on this
 * machine alone, speaks only to pages of the allowed origins, and gives the keys to nobody; whoever
 * may open a connection on this machine can have payloads decrypted while it runs.
 */
export async function codecServer(
  { config, terminal, signal }: CommandContext,
  options: { port: string; origin: readonly string[] },
): Promise<ExitCode> {
  if (!isSealed(config.env))
    throw new PipelineError(
      'CONFIG_INVALID',
      'there is nothing to decrypt: neither QUOTIDIEN_PAYLOAD_KEYS nor its command is set',
    );
  const [codec] = dataConverterOf(config.env).payloadCodecs;
  if (codec === undefined) return EXIT.failed;
  // Keys that cannot be read are told now.
  await codec.decode([]);
  const origins = options.origin.map(originOf);
  const server = await startCodecServer({ codec, origins, port: portOf(options.port) });
  terminal.data({ url: server.url, origins });
  terminal.line(
    `decrypting for ${origins.join(', ')} at ${server.url}; name it as the codec endpoint in Temporal’s UI, stop it with Ctrl-C`,
  );
  if (!signal.aborted) await once(signal, 'abort');
  await server.close();
  return EXIT.done;
}

function originOf(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return new URL(text).origin;
  throw new PipelineError(
    'INPUT_INVALID',
    `--origin takes the address of a page, such as http://localhost:8233, not ${text}`,
  );
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new PipelineError('INPUT_INVALID', `--port takes a port, not ${text}`);
}

/** `url` is what Temporal's UI and command are given as codec endpoint. */
export interface CodecServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on this machine; `origins` are those of the pages that may ask. */
export async function startCodecServer(options: {
  readonly codec: PayloadCodec;
  readonly origins: readonly string[];
  readonly port: number;
}): Promise<CodecServer> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      const { code, message } = asPipelineError(error);
      // Which key is missing is what a person has to know; anything else is the caller's fault or
      // none of its business.
      send(response, 400, { code, message: code === 'INTERNAL' ? 'this cannot be read' : message });
    });
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => closed(server) };
}

async function closed(server: Server): Promise<void> {
  const end = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await end;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { codec, origins }: { readonly codec: PayloadCodec; readonly origins: readonly string[] },
): Promise<void> {
  const { origin } = request.headers;
  const refused = refusal(request, origins);
  if (origin !== undefined && refused?.status !== 403) allow(response, origin);
  const action = actionOf(request);
  if (refused !== undefined) send(response, refused.status, { message: refused.message });
  else if (action === undefined) response.writeHead(204).end();
  else {
    const { payloads } = BODY.parse(JSON.parse(await bodyOf(request)));
    const coded = await codec[action](payloads as Payload[]);
    send(response, 200, { payloads: coded.map(asJson) });
  }
}

function actionOf({ method, url = '' }: IncomingMessage): 'encode' | 'decode' | undefined {
  const action = /\/(encode|decode)$/.exec(textBefore(url, '?'))?.[1];
  return method === 'POST' ? (action as 'encode' | 'decode' | undefined) : undefined;
}

interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** Nothing is said against a browser's question beforehand (OPTIONS), which asks for nothing. */
function refusal(request: IncomingMessage, origins: readonly string[]): Refusal | undefined {
  const { origin, host = '', 'content-type': type = '' } = request.headers;
  // A page of any other site must not reach us under a name of its own that points to this machine.
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host))
    return { status: 403, message: 'not this host' };
  if (origin !== undefined && !origins.includes(origin))
    return { status: 403, message: 'not this origin' };
  if (request.method === 'OPTIONS') return undefined;
  if (actionOf(request) === undefined) return { status: 404, message: 'POST /encode or /decode' };
  // Any page may send other types without asking beforehand.
  return /^application\/json\b/.test(type)
    ? undefined
    : { status: 415, message: 'application/json is wanted' };
}

function allow(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
  response.setHeader('access-control-allow-headers', 'content-type, x-namespace, authorization');
  response.setHeader('access-control-allow-private-network', 'true');
  response.setHeader('vary', 'origin');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES)
      throw new PipelineError('INPUT_INVALID', `more than ${MAX_BODY_BYTES} bytes at once`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function asJson({ metadata, data }: Payload): object {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const named = Object.entries(metadata ?? {}).map(([name, value]) => [name, text(value)]);
  return {
    metadata: Object.fromEntries(named) as Record<string, string>,
    ...(data === null || data === undefined ? {} : { data: text(data) }),
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}
