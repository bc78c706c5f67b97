import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openS3ObjectStore } from '../../../src/storage/aws/s3-objects.ts';
import type { S3ObjectStore } from '../../../src/storage/aws/s3-objects.ts';
import { startCarelessS3 } from '../../fixtures/servers/careless-s3.ts';
import type { CarelessS3 } from '../../fixtures/servers/careless-s3.ts';

let server: CarelessS3;
let folder: string;
let store: S3ObjectStore;

beforeEach(async () => {
  server = await startCarelessS3();
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-careless-'));
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const place = {
    bucket: 'careless',
    region: 'eu-west-3',
    endpoint: server.endpoint,
    forcePathStyle: true,
  };
  store = openS3ObjectStore({ ...place, credentials, cacheFolder: folder });
});
afterEach(async () => {
  await store.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('probeCreateOnly', () => {
  it('tells that a server ignores the condition, and removes what it wrote', async () => {
    expect(await store.probeCreateOnly()).toEqual({
      honoured: false,
      seen: 'a key that existed was created again',
    });
    const keys = (method: string): Set<string> =>
      new Set(
        server.requests.flatMap(({ line }) =>
          line.startsWith(method) ? [line.split(/[ ?]/)[1] ?? ''] : [],
        ),
      );
    expect([...keys('PUT')].filter((key) => !keys('DELETE').has(key))).toEqual([]);
  });
});

describe('a put to S3', () => {
  it('signs the bytes themselves and asks for no checksum that other servers lack', async () => {
    await store.put('key', Buffer.from('daily'), { mode: 'create', mediaType: 'text/plain' });
    const { headers } = server.requests.find(({ line }) => line.startsWith('PUT'))!;
    expect(headers['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/);
    expect(
      Object.keys(headers).filter((name) => /checksum|trailer|x-amz-sdk-checksum/.test(name)),
    ).toEqual([]);
    expect(headers).toMatchObject({
      'if-none-match': '*',
      'content-type': 'text/plain',
      'content-length': '5',
    });
  });
});
