import { defaultPayloadConverter } from '@temporalio/common';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCodecServer } from '../../../src/cli/services/codec-server.ts';
import type { CodecServer } from '../../../src/cli/services/codec-server.ts';
import { dataConverterOf } from '../../../src/workers/payload-codec.ts';

const UI = 'http://localhost:8233';
const codec = dataConverterOf({ QUOTIDIEN_PAYLOAD_KEYS: `a:${randomBytes(32).toString('base64')}` })
  .payloadCodecs[0]!;
const foreign = dataConverterOf({
  QUOTIDIEN_PAYLOAD_KEYS: `z:${randomBytes(32).toString('base64')}`,
}).payloadCodecs[0]!;

let server: CodecServer;

beforeEach(async () => {
  server = await startCodecServer({ codec, origins: [UI], port: 0 });
});

afterEach(() => server.close());

/** As protobuf writes it in JSON. */
async function sealed(value: unknown, by = codec): Promise<object> {
  const [payload] = await by.encode([defaultPayloadConverter.toPayload(value)]);
  const metadata = Object.entries(payload!.metadata!).map(([name, bytes]) => [
    name,
    Buffer.from(bytes).toString('base64'),
  ]);
  return {
    metadata: Object.fromEntries(metadata) as object,
    data: Buffer.from(payload!.data!).toString('base64'),
  };
}

function ask(
  action: string,
  body: unknown,
  headers: Record<string, string> = { origin: UI },
): Promise<Response> {
  return fetch(`${server.url}/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

interface Answer {
  readonly payloads: { readonly metadata: Record<string, string>; readonly data: string }[];
}

describe('the codec server', () => {
  it('decrypts for the UI, and encrypts what it sends', async () => {
    const response = await ask('decode', { payloads: [await sealed({ date: '2024-01-15' })] });
    expect(response.headers.get('access-control-allow-origin')).toBe(UI);
    const { payloads } = (await response.json()) as Answer;
    expect(Buffer.from(payloads[0]!.data, 'base64').toString()).toBe('{"date":"2024-01-15"}');
    const back = (await (await ask('encode', { payloads })).json()) as Answer;
    expect(Buffer.from(back.payloads[0]!.metadata['encoding']!, 'base64').toString()).toBe(
      'binary/encrypted',
    );
  });

  it('answers the browser’s question beforehand, for the allowed origins alone', async () => {
    const headers = { origin: UI, 'access-control-request-method': 'POST' };
    const allowed = await fetch(`${server.url}/decode`, { method: 'OPTIONS', headers });
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-headers')).toContain('x-namespace');
    const other = await fetch(`${server.url}/decode`, {
      method: 'OPTIONS',
      headers: { ...headers, origin: 'https://evil.org' },
    });
    expect(other.status).toBe(403);
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('decrypts nothing for pages of other origins, under other names, or in forms that need no permission', async () => {
    const body = { payloads: [await sealed('secret')] };
    expect((await ask('decode', body, { origin: 'https://evil.org' })).status).toBe(403);
    expect((await ask('decode', body, { origin: UI, 'content-type': 'text/plain' })).status).toBe(
      415,
    );
    const port = Number(new URL(server.url).port);
    const status = await new Promise((resolve, reject) => {
      const headers = { host: `rebound.evil.org:${port}`, 'content-type': 'application/json' };
      http
        .request(
          { host: '127.0.0.1', port, path: '/decode', method: 'POST', headers },
          (response) => {
            response.resume();
            resolve(response.statusCode);
          },
        )
        .on('error', reject)
        .end(JSON.stringify(body));
    });
    expect(status).toBe(403);
  });

  it('names the key that is missing, and refuses what it cannot read', async () => {
    const response = await ask('decode', { payloads: [await sealed('x', foreign)] });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      message: expect.stringContaining('key "z"') as string,
    });
    expect((await ask('decode', { payloads: 'x' })).status).toBe(400);
    expect((await ask('other', {})).status).toBe(404);
  });

  it('listens on this machine alone', () => {
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
  });
});
