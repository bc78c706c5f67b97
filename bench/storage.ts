import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { link, mkdir, mkdtemp, open, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { fork } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createLocalObjectStore } from '../src/storage/local/local-files.ts';
import { createCachedObjectStore } from '../src/storage/cache/cache-objects.ts';
import type { ArtefactRef, ObjectBody, ObjectStore } from '../src/ports/objects.ts';
import { createS3Client, openS3ObjectStore } from '../src/storage/aws/s3-objects.ts';
import type { S3StoreOptions } from '../src/storage/aws/s3-objects.ts';
import { initStorage } from '../src/storage/setup/storage-init.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../test/fixtures/servers/versity-gateway.ts';
import { dayKey, dayText } from '../test/unit/storage/day-texts.ts';
import { benchDynamoDocuments, benchMongoDocuments, benchSqliteDocuments } from './documents.ts';
import { compare, millisecondsOf } from './compare.ts';
import { report } from './figures.ts';
import { withServer } from './servers.ts';

/**
 * What the storage adapters cost beside the bare drivers on the same server, and the memory of one
 * long stream.
 */

const SMALL = { count: 1_000, bytes: 1_600, atOnce: 16 };
const LARGE = { count: 20, bytes: 64 << 20, atOnce: 2 };
const CHUNK = Buffer.alloc(1 << 20, 'chunk');
const STREAM_BYTES = 1 << 30;

/** The operations that an adapter and its bare driver both have. */
interface ObjectCalls {
  readonly putSmall: (key: string) => Promise<unknown>;
  readonly putLarge: (key: string) => Promise<unknown>;
  /** Reads to the end. */
  readonly get: (key: string) => Promise<unknown>;
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-bench-storage-'));
  try {
    await benchSqliteDocuments(path.join(folder, 'documents'));
    await benchLocalFiles(path.join(folder, 'objects'));
    await benchPackedTexts(path.join(folder, 'texts'));
    await withServer(
      VERSITY_GATEWAY,
      startVersityGateway,
      async ({ endpoint, region, credentials }) => {
        const options = { bucket: 'bench', endpoint, region, credentials, forcePathStyle: true };
        await initStorage({ s3: options });
        await benchS3(options, folder);
      },
    );
    await benchMongoDocuments();
    await benchDynamoDocuments();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The floor of a put is the same way to a file that is there as a whole or not at all, and stays:
 * written aside, fsynced, named, folder fsynced.
 */
async function benchLocalFiles(root: string): Promise<void> {
  const store = createLocalObjectStore({ root });
  const folder = path.join(root, 'bare');
  await mkdir(folder, { recursive: true });
  const write = async (key: string, chunks: number, chunk: Uint8Array): Promise<void> => {
    const [aside, file] = [path.join(folder, `${key}.aside`), path.join(folder, key)];
    const written = await open(aside, 'wx');
    for (let chunkNumber = 0; chunkNumber < chunks; chunkNumber += 1)
      await written.writeFile(chunk);
    await written.sync();
    await written.close();
    await link(aside, file);
    const entries = await open(folder, 'r');
    await entries.sync();
    await entries.close();
    await unlink(aside);
  };
  const bare: ObjectCalls = {
    putSmall: (key) => write(key, 1, CHUNK.subarray(0, SMALL.bytes)),
    putLarge: (key) => write(key, LARGE.bytes / CHUNK.length, CHUNK),
    async get(key) {
      const file = await open(path.join(folder, key));
      await drain(file.createReadStream({ highWaterMark: 256 * 1_024 }));
    },
  };
  await benchObjects(
    'local files',
    callsOf(store, 'own/', () => chunks(LARGE.bytes)),
    bare,
  );
}

/**
 * What packing costs: the metrics of days under their hashes, beside a store that keeps them as
 * they are.
 */
export async function benchPackedTexts(root: string): Promise<void> {
  const callsOn = (store: ObjectStore) => {
    const refs = new Map<number, ArtefactRef>();
    return {
      async put(at: number) {
        const body = Buffer.from(dayText(at));
        const ref = await store.put(dayKey(at), body, {
          mode: 'create',
          mediaType: 'application/json',
        });
        refs.set(at, ref);
      },
      async get(at: number) {
        await drain((await store.get(dayKey(at)))!);
      },
      async inspect(at: number) {
        await store.inspect(refs.get(at)!);
      },
      // As a step does with its inputs.
      async open(at: number) {
        const until = new AbortController();
        await readFile((await store.openLocal(refs.get(at)!, { until: until.signal }))!);
        until.abort();
      },
    };
  };
  const own = callsOn(createLocalObjectStore({ root: path.join(root, 'packed') }));
  const bare = callsOn(
    createLocalObjectStore({ root: path.join(root, 'plain'), packs: () => false }),
  );
  for (const what of ['put', 'get', 'inspect', 'open'] as const) {
    const name = `local files: 1,000 texts of 3 KB, packed, ${what}`;
    const note = 'the floor is a store that packs nothing';
    const work = (calls: typeof own) => (at: number) => calls[what](at);
    await compare(
      { name, count: 1_000, atOnce: SMALL.atOnce, target: null, note },
      work(own),
      work(bare),
    );
  }
}

/**
 * A large body is a file, as a step's output is; from a stream of its caller's, the adapter copies
 * each chunk.
 */
async function benchS3(options: S3StoreOptions, folder: string): Promise<void> {
  const cacheFolder = path.join(folder, 'copies');
  const large = path.join(folder, 'large.bin');
  await writeFile(large, chunks(LARGE.bytes));
  const store = openS3ObjectStore({ ...options, cacheFolder });
  // With the same condition and checksums: the SDK's own defaults would cost the floor more.
  const client = createS3Client(options);
  const create = {
    Bucket: options.bucket,
    IfNoneMatch: '*',
    ContentType: 'application/octet-stream',
  };
  const bare: ObjectCalls = {
    putSmall: (key) =>
      client.send(
        new PutObjectCommand({
          ...create,
          Key: `bare/${key}`,
          Body: CHUNK.subarray(0, SMALL.bytes),
        }),
      ),
    putLarge(key) {
      const Body = createReadStream(large, { highWaterMark: CHUNK.length });
      return new Upload({
        client,
        params: { ...create, Key: `bare/${key}`, Body },
        queueSize: 3,
        partSize: 8 << 20,
      }).done();
    },
    async get(key) {
      const found = await client.send(
        new GetObjectCommand({ Bucket: create.Bucket, Key: `bare/${key}` }),
      );
      await drain(found.Body as AsyncIterable<Uint8Array>);
    },
  };
  await benchObjects(
    'S3',
    callsOf(store, 'own/', () => ({ path: large })),
    bare,
  );
  client.destroy();
  await store.close();
  await benchCache(options, cacheFolder);
  for (const direction of ['put', 'get']) {
    const value = await streamMemoryMb({ ...options, cacheFolder, direction, bytes: STREAM_BYTES });
    report({
      name: `S3: memory peak, ${direction} of a stream of 1 GiB`,
      value,
      unit: 'MB',
      target: 300,
    });
  }
}

/**
 * What a step does with its inputs: opening them as local files, when the cache has them and when
 * it must fetch them.
 */
async function benchCache(options: S3StoreOptions, folder: string): Promise<void> {
  const remote = openS3ObjectStore({ ...options, cacheFolder: path.join(folder, 'remote') });
  const cache = createCachedObjectStore({
    primary: remote,
    folder: path.join(folder, 'cache'),
    maxBytes: 8e9,
  });
  const sizes = [
    { ...SMALL, count: 300, name: '300 objects of 1.6 KB' },
    { ...LARGE, count: 5, name: '5 objects of 64 MiB' },
  ];
  for (const { name, count, bytes } of sizes) {
    const refs = await Promise.all(
      Array.from({ length: count }, (_, at) => putNamed(remote, bytes, at)),
    );
    const missMs = await millisecondsOf(() => openAll(cache, refs));
    const hitMs = await millisecondsOf(() => openAll(cache, refs));
    report({
      name: `cache hit: ${name}, opened`,
      value: hitMs / count,
      unit: 'ms',
      floor: missMs / count,
      target: 1 / 20,
      bounds: 'ratio',
      note: 'the floor is the first opening, from S3',
    });
  }
  await remote.close();
}

async function putNamed(store: ObjectStore, bytes: number, at: number): Promise<ArtefactRef> {
  const body = Buffer.alloc(bytes, `object ${at}`);
  const sha256 = createHash('sha256').update(body).digest('hex');
  return store.put(`cached/${sha256}.bin`, body, {
    mode: 'create',
    mediaType: 'application/octet-stream',
  });
}

async function openAll(store: ObjectStore, refs: readonly ArtefactRef[]): Promise<void> {
  for (const ref of refs)
    if ((await store.openLocal(ref)) === undefined) throw new Error(`${ref.key} is gone`);
}

function callsOf(store: ObjectStore, prefix: string, large: () => ObjectBody): ObjectCalls {
  const create = { mode: 'create', mediaType: 'application/octet-stream' } as const;
  return {
    putSmall: (key) => store.put(prefix + key, CHUNK.subarray(0, SMALL.bytes), create),
    putLarge: (key) => store.put(prefix + key, large(), create),
    async get(key) {
      await drain((await store.get(prefix + key))!);
    },
  };
}

async function benchObjects(name: string, own: ObjectCalls, bare: ObjectCalls): Promise<void> {
  const small = { ...SMALL, name: `${name}: 1,000 objects of 1.6 KB` };
  const large = { ...LARGE, name: `${name}: 20 objects of 64 MiB` };
  const each = (work: (key: string) => Promise<unknown>, size: string) => (at: number) =>
    work(`${size}-${at}`);
  for (const [what, size, put] of [
    [small, 'small', 'putSmall'],
    [large, 'large', 'putLarge'],
  ] as const) {
    await compare(
      { ...what, name: `${what.name}, put` },
      each(own[put], size),
      each(bare[put], size),
    );
    await compare(
      { ...what, name: `${what.name}, get` },
      each(own.get, size),
      each(bare.get, size),
    );
  }
}

/** Peak memory of a process that does nothing else. */
async function streamMemoryMb(task: object): Promise<number> {
  const child = fork(path.join(import.meta.dirname, 'stream-memory.ts'), {
    execArgv: ['--import', 'tsx'],
  });
  child.send(task);
  const [answer] = (await once(child, 'message')) as [{ peakMb: number }];
  await once(child, 'exit');
  return answer.peakMb;
}

async function* chunks(bytes: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    await Promise.resolve();
    yield CHUNK;
  }
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.byteLength;
  return bytes;
}
