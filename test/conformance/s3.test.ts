import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineError, errorCodeOf } from '../../src/errors.ts';
import type { PutOptions } from '../../src/ports/objects.ts';
import { createS3Client, openS3ObjectStore } from '../../src/storage/aws/s3-objects.ts';
import type {
  S3ObjectStore,
  S3ObjectStoreOptions,
  S3StoreOptions,
} from '../../src/storage/aws/s3-objects.ts';
import { initStorage } from '../../src/storage/setup/storage-init.ts';
import { printStorage } from '../../src/storage/setup/storage-print.ts';
import { startLossyProxy } from '../fixtures/servers/lossy-proxy.ts';
import { unusedPort } from '@quotidien/temporal-program/ports';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';
import type { S3TestServer } from '../fixtures/servers/versity-gateway.ts';
import {
  MIB,
  collectText,
  failingStream,
  inParallel,
  measure,
  patternStream,
  sha256Of,
  toArray,
} from './byte-streams.ts';
import { objectStoreConformance } from './object-store.suite.ts';

const CREATE: PutOptions = { mode: 'create', mediaType: 'application/octet-stream' };
const REPLACE: PutOptions = { ...CREATE, mode: 'replace' };

function optionsFor(server: S3TestServer, bucket: string): S3StoreOptions {
  const { endpoint, region, credentials } = server;
  return { bucket, endpoint, region, credentials, forcePathStyle: true };
}

await describeWithServer(VERSITY_GATEWAY, startVersityGateway, (shared) => {
  objectStoreConformance('S3 (Versity gateway)', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'quotidien-s3-'));
    const options = { ...optionsFor(await shared(), 'conformance'), prefix: 'store' };
    await initStorage({ s3: options });
    const store = openS3ObjectStore({ ...options, cacheFolder: path.join(folder, 'own') });
    const peer = openS3ObjectStore({ ...options, cacheFolder: path.join(folder, 'peer') });
    return {
      store,
      peer,
      async close() {
        await store.close();
        await peer.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  });

  describe('an S3 object store (Versity gateway)', () => {
    let server: S3TestServer;
    let folder: string;
    let options: S3ObjectStoreOptions;
    let store: S3ObjectStore;
    const opened: S3ObjectStore[] = [];
    const open = (changes: Partial<S3ObjectStoreOptions> = {}): S3ObjectStore => {
      const other = openS3ObjectStore({ ...options, ...changes });
      opened.push(other);
      return other;
    };
    const unfinishedUploads = async (): Promise<number> => {
      const client = createS3Client(options);
      const found = await client.send(new ListMultipartUploadsCommand({ Bucket: options.bucket }));
      client.destroy();
      return found.Uploads?.length ?? 0;
    };

    beforeAll(async () => {
      server = await shared();
      folder = await mkdtemp(path.join(tmpdir(), 'quotidien-s3-'));
      options = { ...optionsFor(server, 'own-cases'), cacheFolder: path.join(folder, 'copies') };
      await initStorage({ s3: options });
      store = open();
    });
    afterAll(async () => {
      for (const other of opened) await other.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('is honoured in its create-only puts, says the probe, which leaves nothing behind', async () => {
      expect(await store.probeCreateOnly()).toMatchObject({ honoured: true });
      expect(await toArray(store.list(''))).toEqual([]);
      expect(await unfinishedUploads()).toBe(0);
    });

    it('aborts the parts of a body that fails, and of a completion that is refused', async () => {
      const error = new PipelineError('SRC_TRUNCATED', 'cut off');
      const body = failingStream([Buffer.alloc(20 * MIB), Buffer.alloc(9 * MIB)], error);
      await expect(store.put('parts/failed', body, CREATE)).rejects.toBe(error);
      const racers = await Promise.allSettled(
        [1, 2, 3].map(() => store.put('parts/raced', patternStream(17, MIB), CREATE)),
      );
      expect(racers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const lost = racers.flatMap((racer) =>
        racer.status === 'rejected' ? [errorCodeOf(racer.reason)] : [],
      );
      expect(lost).toEqual(['STORE_CONFLICT', 'STORE_CONFLICT']);
      expect(await unfinishedUploads()).toBe(0);
    });

    it('sends no part of a large body whose key exists', async () => {
      const proxy = await startLossyProxy(server.port);
      const watched = open({ endpoint: proxy.endpoint });
      await watched.put('large/once', Buffer.from('small'), CREATE);
      await expect(watched.put('large/once', patternStream(9, MIB), CREATE)).rejects.toMatchObject({
        code: 'STORE_CONFLICT',
      });
      expect(proxy.requests.filter((line) => !line.startsWith('HEAD'))).toHaveLength(1);
      await proxy.close();
    });

    it.each([
      ['of one request', 1, (line: string) => line.startsWith('PUT')],
      ['in parts', 9, (line: string) => line.startsWith('POST') && line.includes('uploadId')],
    ])(
      'knows its own creation %s when the answer to the first try was lost',
      async (kind, mebibytes, isCreation) => {
        const proxy = await startLossyProxy(server.port);
        const unlucky = open({ endpoint: proxy.endpoint });
        proxy.loseAnswerTo(({ method, url }) => isCreation(`${method ?? ''} ${url ?? ''}`));
        const ref = await unlucky.put(`lost ${kind}`, patternStream(mebibytes, MIB), CREATE);
        expect(proxy.requests.filter(isCreation).length).toBeGreaterThan(1);
        expect(await store.openLocal(ref)).toBeDefined();
        await expect(
          unlucky.put(`lost ${kind}`, Buffer.from('other'), CREATE),
        ).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
        await proxy.close();
      },
    );

    it('passes over names that are no keys, such as the folders that a console makes', async () => {
      const client = createS3Client(options);
      await client.send(
        new PutObjectCommand({ Bucket: options.bucket, Key: 'foreign/', ContentLength: 0 }),
      );
      client.destroy();
      await store.put('foreign/key', Buffer.from('x'), CREATE);
      expect((await toArray(store.list('foreign/'))).map(({ key }) => key)).toEqual([
        'foreign/key',
      ]);
    });

    it('names every character of a key in its lists', async () => {
      const names = ['a+b', 'a b', '%41', 'é&<>"\'', '=?#;,:@', '\u{1F600}'];
      for (const name of names) await store.put(`characters/${name}`, Buffer.from(name), CREATE);
      const listed = (await toArray(store.list('characters/'))).map(({ key }) => key);
      expect(new Set(listed)).toEqual(new Set(names.map((name) => `characters/${name}`)));
      for (const name of names)
        expect(await collectText(await store.get(`characters/${name}`))).toBe(name);
    });

    it('leaves the connection free when a reader stops in the middle', async () => {
      await store.put('streams/large', patternStream(8, MIB), CREATE);
      const narrow = open({ attempts: 1, answerTimeoutMs: 5_000 });
      for (let reader = 0; reader < 80; reader += 1) {
        for await (const chunk of (await narrow.get('streams/large'))!) {
          expect(chunk.byteLength).toBeGreaterThan(0);
          break;
        }
      }
      expect(await narrow.head('streams/large')).toMatchObject({ bytes: 8 * MIB });
    });

    describe('openLocal', () => {
      it('downloads an object once, for readers at the same time and later ones', async () => {
        const proxy = await startLossyProxy(server.port);
        const watched = open({ endpoint: proxy.endpoint, cacheFolder: path.join(folder, 'once') });
        const ref = await watched.put('local/once.parquet', patternStream(2, MIB), CREATE);
        const paths = await Promise.all([1, 2, 3].map(() => watched.openLocal(ref)));
        paths.push(await watched.openLocal(ref));
        expect(new Set(paths).size).toBe(1);
        expect(paths[0]).toMatch(/\.parquet$/);
        expect(proxy.requests.filter((line) => line.startsWith('GET'))).toHaveLength(1);
        expect(await readdir(path.join(folder, 'once', '.incoming'))).toEqual([]);
        await proxy.close();
      });

      it('does not hide behind its copy that the object is gone or was replaced', async () => {
        const ref = await store.put('local/changed', Buffer.from('rows'), CREATE);
        await store.openLocal(ref);
        await store.put('local/changed', Buffer.from('lies'), REPLACE);
        await expect(store.openLocal(ref)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
        await store.delete('local/changed');
        expect(await store.openLocal(ref)).toBeUndefined();
      });

      it('gives no damaged copy, and makes a removed one again', async () => {
        const ref = await store.put('local/damaged', Buffer.from('rows'), CREATE);
        const copy = (await store.openLocal(ref))!;
        await writeFile(copy, 'ROWS');
        expect(await readFile((await store.openLocal(ref))!, 'utf8')).toBe('rows');
        await rm(options.cacheFolder, { recursive: true });
        expect(await readFile((await store.openLocal(ref))!, 'utf8')).toBe('rows');
      });
    });

    describe('a bucket that does not exist', () => {
      it.each<[string, (missing: S3ObjectStore) => Promise<unknown>]>([
        ['put', (missing) => missing.put('a', Buffer.from('x'), CREATE)],
        ['put in parts', (missing) => missing.put('a', patternStream(9, MIB), REPLACE)],
        ['get', (missing) => missing.get('a')],
        ['head', (missing) => missing.head('a')],
        ['list', (missing) => toArray(missing.list(''))],
        ['delete', (missing) => missing.delete('a')],
        ['openLocal', (missing) => missing.openLocal({ key: 'a', sha256: sha256Of(''), bytes: 0 })],
        ['probeCreateOnly', (missing) => missing.probeCreateOnly()],
      ])('is denied to %s, with the way to make it', async (_, use) => {
        const error = await use(open({ bucket: 'nobody-made-it' })).catch(
          (thrown: unknown) => thrown,
        );
        expect(error).toMatchObject({ name: 'PipelineError', code: 'STORE_DENIED' });
        expect(String(error)).toMatch(/the bucket does not exist.*quotidien storage init/);
      });
    });

    it.each([
      ['an unknown access key', { accessKeyId: 'stranger', secretAccessKey: 'x' }],
      ['a wrong secret', { accessKeyId: 'conformance', secretAccessKey: 'wrong-secret' }],
    ])('is denied to %s, whose secret it does not tell', async (_, credentials) => {
      const stranger = open({ credentials });
      const uses = [
        () => stranger.put('a', Buffer.from('x'), CREATE),
        () => stranger.head('a'),
        () => toArray(stranger.list('')),
      ];
      for (const use of uses) {
        const error = await use().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: 'STORE_DENIED' });
        expect(String(error)).not.toContain(
          credentials.secretAccessKey === 'x' ? 'secret' : credentials.secretAccessKey,
        );
      }
    });

    it('tries again by itself when the server throttles, and then says how long to wait', async () => {
      const proxy = await startLossyProxy(server.port);
      const slowDown = {
        status: 503,
        body: '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
      };
      const throttled = open({ endpoint: proxy.endpoint, attempts: 2 });
      proxy.refuse(slowDown, 1);
      await throttled.put('throttled', Buffer.from('x'), CREATE);
      expect(proxy.requests).toHaveLength(2);
      proxy.refuse({ ...slowDown, headers: { 'retry-after': '1' } }, 2);
      await expect(throttled.put('throttled', Buffer.from('x'), REPLACE)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        retryAfterMs: 1_000,
        context: { error: 'SlowDown', status: 503 },
      });
      expect(proxy.requests).toHaveLength(4);
      await proxy.close();
    });

    it('is unavailable to a reader whose stream breaks off, and serves the next one', async () => {
      await store.put('streams/broken', patternStream(8, MIB), CREATE);
      const proxy = await startLossyProxy(server.port);
      const unlucky = open({ endpoint: proxy.endpoint });
      proxy.cutAnswerAfter(3 * MIB);
      const stream = await unlucky.get('streams/broken');
      await expect(measure(stream!)).rejects.toMatchObject({
        name: 'PipelineError',
        code: 'STORE_UNAVAILABLE',
      });
      expect(await measure((await unlucky.get('streams/broken'))!)).toMatchObject({
        bytes: 8 * MIB,
      });
      await proxy.close();
    });

    it.each<[string, (slow: S3ObjectStore) => Promise<unknown>]>([
      ['head', (slow) => slow.head('a')],
      ['a put in parts', (slow) => slow.put('silent', patternStream(9, MIB), CREATE)],
    ])('is unavailable when the server falls silent during %s', async (_, use) => {
      const proxy = await startLossyProxy(server.port);
      proxy.holdAnswers();
      await expect(
        use(open({ endpoint: proxy.endpoint, attempts: 1, answerTimeoutMs: 200 })),
      ).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
      await proxy.close();
    });

    it('refuses keys that its prefix makes too long', async () => {
      const deep = open({ prefix: 'p'.repeat(100) });
      const long = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(240)).join('/');
      await expect(deep.put(long, Buffer.from('x'), CREATE)).rejects.toMatchObject({
        code: 'INPUT_INVALID',
      });
      expect(() => open({ prefix: '/raw/' })).toThrow(/part is empty/);
    });
  });

  describe('an S3 server that dies', () => {
    it('keeps all acknowledged objects, is unavailable meanwhile, and serves the same client again', async () => {
      const server = await startVersityGateway();
      const folder = await mkdtemp(path.join(tmpdir(), 'quotidien-s3-'));
      const options = { ...optionsFor(server, 'mortal'), cacheFolder: folder, attempts: 2 };
      await initStorage({ s3: options });
      const store = openS3ObjectStore(options);
      const acknowledged: string[] = [];
      const writing = inParallel(400, 4, async (n) => {
        if (n === 200) void server.kill();
        const put = store.put(`days/${n}`, Buffer.from(`day ${n}`), CREATE);
        await put.then(
          ({ key }) => acknowledged.push(key),
          (error: unknown) => {
            expect(errorCodeOf(error)).toBe('STORE_UNAVAILABLE');
          },
        );
      });
      await writing;
      expect(acknowledged.length).toBeLessThan(400);
      await expect(store.head('days/1')).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        retryable: true,
      });
      await server.restart();
      for (const key of acknowledged)
        expect(await collectText(await store.get(key))).toBe(key.replace('days/', 'day '));
      await store.put('days/again', Buffer.from('x'), CREATE);
      await store.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });
  });

  describe('initStorage', () => {
    it('creates the bucket once, and says what this server does not have', async () => {
      const s3 = optionsFor(await shared(), 'made-twice');
      const leftOut = { outcome: 'left out', why: expect.any(String) as string };
      expect(await initStorage({ s3 })).toMatchObject([{ outcome: 'created' }, leftOut]);
      expect(await initStorage({ s3 })).toMatchObject([{ outcome: 'already there' }, leftOut]);
    });

    it('is denied to wrong credentials, and unavailable where nobody listens', async () => {
      const s3 = optionsFor(await shared(), 'made-twice');
      const credentials = { accessKeyId: 'stranger', secretAccessKey: 'x' };
      await expect(initStorage({ s3: { ...s3, credentials } })).rejects.toMatchObject({
        code: 'STORE_DENIED',
      });
      const gone = { ...s3, endpoint: `http://127.0.0.1:${await unusedPort()}`, attempts: 1 };
      await expect(initStorage({ s3: gone })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });

    it('prints the bucket and its rule without a secret', async () => {
      const s3 = optionsFor(await shared(), 'printed');
      const { cloudFormation = '', mongosh } = printStorage({ s3 });
      expect(mongosh).toBeUndefined();
      expect(cloudFormation).not.toContain(s3.credentials?.secretAccessKey);
      expect(JSON.parse(cloudFormation)).toMatchObject({
        Resources: {
          Bucket: {
            Type: 'AWS::S3::Bucket',
            DeletionPolicy: 'Retain',
            Properties: {
              BucketName: 'printed',
              LifecycleConfiguration: {
                Rules: [{ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } }],
              },
            },
          },
        },
      });
    });
  });
});
