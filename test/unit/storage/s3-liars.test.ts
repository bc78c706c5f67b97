import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { openS3ObjectStore } from '../../../src/storage/aws/s3-objects.ts';
import type { S3ObjectStore } from '../../../src/storage/aws/s3-objects.ts';
import { toArray } from '../../conformance/byte-streams.ts';

/** Something on the way answers 404 for the store: a proxy without a route, a portal's page. */

const REF = { key: 'days/2024-01-15.json', sha256: 'a'.repeat(64), bytes: 3 };
const FENCE = { version: 1, holds: () => Promise.resolve(true) };

const CALLS: Readonly<Record<string, (store: ObjectStore) => Promise<unknown>>> = {
  get: (store) => store.get(REF.key),
  'get of a range': (store) => store.get(REF.key, { start: 1, end: 2 }),
  'get of no bytes': (store) => store.get(REF.key, { start: 1, end: 1 }),
  head: (store) => store.head(REF.key),
  inspect: (store) => store.inspect(REF),
  openLocal: (store) => store.openLocal(REF),
  list: (store) => toArray(store.list('')),
  delete: (store) => store.delete(REF.key),
  create: (store) =>
    store.put(REF.key, Buffer.from('abc'), { mode: 'create', mediaType: 'text/plain' }),
  replace: (store) =>
    store.put(REF.key, Buffer.from('abc'), {
      mode: 'replace',
      mediaType: 'text/plain',
      fence: FENCE,
    }),
};

const BODIES: Readonly<Record<string, string>> = {
  'a page': '<html><head><title>404</title></head><body>Not Found</body></html>',
  JSON: '{"message":"no Route matched with those values"}',
  'a line of text': '404 page not found\n',
  nothing: '',
  bytes: '\u0000\u0001\u0002<<>>',
};

let body: string;
let server: Server;
let folder: string;
let store: S3ObjectStore;

beforeEach(async () => {
  server = createServer((request, response) => {
    request.resume();
    response
      .writeHead(404, { 'content-type': 'text/html' })
      .end(request.method === 'HEAD' ? undefined : body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-liar-'));
  store = openS3ObjectStore({
    region: 'eu-west-3',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    bucket: 'bucket',
    forcePathStyle: true,
    cacheFolder: folder,
  });
});
afterEach(async () => {
  await store.close();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('404 from something that is not the store', () => {
  it.for(Object.entries(BODIES))(
    'says nothing about objects when it comes with %s',
    async ([, text]) => {
      body = text;
      for (const [name, call] of Object.entries(CALLS)) {
        const said = await call(store).then(
          (value) => `${typeof value} instead of a refusal`,
          (error: unknown) => (error as { code?: unknown }).code,
        );
        expect(`${name}: ${String(said)}`).toBe(`${name}: STORE_UNAVAILABLE`);
      }
    },
  );
});
