import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { openFolderSource } from '../../src/engine/sources/folder-source.ts';
import { openGivenFiles } from '../../src/engine/sources/given-files.ts';
import { createHttpClient } from '../../src/engine/sources/http-client.ts';
import { openHttpSource } from '../../src/engine/sources/http-source.ts';
import { openSftpSource } from '../../src/engine/sources/sftp-source.ts';
import { openStoredSource } from '../../src/engine/sources/stored-source.ts';
import type { ListRequest, OfferedFile, Source } from '../../src/ports/source.ts';
import { createLocalObjectStore } from '../../src/storage/local/local-files.ts';

const BYTES = Buffer.from('day;value\n'.repeat(9_000));
const ASKED: ListRequest = {
  signal: new AbortController().signal,
  window: { from: '2024-03-05', to: '2024-03-05' },
};

/** Each gives a source that offers one file with these bytes. */
const SOURCES: Readonly<Record<string, (folder: string) => Promise<Source>>> = {
  'a publisher over HTTP': async (folder) => {
    const server = createServer((request, response) => {
      const etag = '"one"';
      if (request.url === '/catalogue') response.end('{"changed":"today"}');
      else if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
      else response.writeHead(200, { etag, 'x-quotidien-sample': '1' }).end(BYTES);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ending.push(() => server.close());
    const http = createHttpClient({ folder, userAgent: 'quotidien/test', idleTimeoutMs: 5_000 });
    return openHttpSource(http, {
      host: 'test',
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      pathOf: ({ from }) => `export?day=${from}`,
      freshness: {
        path: 'catalogue',
        valueOf: (document) => (document as { changed: string }).changed,
      },
      ...{ extension: 'csv', mediaType: 'text/csv', requestsPerSecond: 100 },
    });
  },
  'a folder on an SFTP server': async (folder) => {
    const server = await startSftpServer({ password: 'a-password-of-tests' });
    ending.push(() => server.close());
    server.put({ path: '/flux/deep/day.csv', bytes: BYTES });
    return openSftpSource({
      ...{
        host: server.host,
        port: server.port,
        user: 'supplier',
        root: '/flux',
        secret: 'a-password-of-tests',
      },
      ...{
        hostKeys: [server.fingerprint],
        hostKeySetting: 'A_SETTING',
        folder,
        idleTimeoutMs: 5_000,
      },
      requestsPerSecond: 1_000,
    });
  },
  'a folder of this disk': async (folder) => {
    const root = path.join(folder, 'theirs');
    await mkdir(path.join(root, 'deep'), { recursive: true });
    await writeFile(path.join(root, 'deep', 'day.csv'), BYTES);
    return openFolderSource({ root, folder });
  },
  'files that a person names': async (folder) => {
    await writeFile(path.join(folder, 'day.csv'), BYTES);
    return openGivenFiles([path.join(folder, 'day.csv')]);
  },
  'our own store': async (folder) => {
    const objects = createLocalObjectStore({ root: path.join(folder, 'store') });
    await objects.put('raw/deep/day.csv', BYTES, { mode: 'create', mediaType: 'text/csv' });
    return openStoredSource({ objects });
  },
};

const ending: (() => unknown)[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-sources-'));
});

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
  await rm(folder, { recursive: true, force: true });
});

async function bytesFrom(source: Source, file: OfferedFile, start: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.open(file, start, ASKED)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function listed(source: Source, asked: ListRequest = ASKED): Promise<OfferedFile[]> {
  const files: OfferedFile[] = [];
  for await (const file of source.list(asked)) files.push(file);
  return files;
}

describe.each(Object.keys(SOURCES))('%s as a source', (kind) => {
  let source: Source;
  let file: OfferedFile;

  beforeEach(async () => {
    source = await SOURCES[kind]!(folder);
    ending.push(() => source.close());
    const [first, ...others] = await listed(source);
    expect(others).toEqual([]);
    file = first!;
  });

  it('brings the file it offers whole, with its hash, and opens it from any byte on', async () => {
    const fetched = (await source.fetch(file, ASKED))!;
    expect(fetched.sha256).toBe(createHash('sha256').update(BYTES).digest('hex'));
    expect((await readFile(fetched.path)).equals(BYTES)).toBe(true);
    expect(fetched.bytes).toBe(BYTES.length);
    if (file.bytes !== undefined) expect(file.bytes).toBe(BYTES.length);
    for (const start of [0, 1, BYTES.length - 1])
      expect((await bytesFrom(source, file, start)).equals(BYTES.subarray(start))).toBe(true);
    await source.discard(fetched);
    // What is discarded is what was put here for this; the source has its file still.
    const again = (await source.fetch(file, ASKED))!;
    expect(again.sha256).toBe(fetched.sha256);
    await source.discard(again);
  });
});

describe('what single sources add', () => {
  it('is over HTTP what the publisher said, and nothing where he says "unchanged"', async () => {
    const source = await SOURCES['a publisher over HTTP']!(folder);
    const [file] = await listed(source);
    expect(file).toMatchObject({ path: 'export?day=2024-03-05', version: 'today' });
    const fetched = await source.fetch(file!, ASKED);
    expect(fetched?.answer).toMatchObject({
      status: 200,
      etag: '"one"',
      sample: true,
      extension: 'csv',
    });
    expect(fetched?.answer?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/export\?day=2024-03-05$/);
    expect(await source.fetch(file!, { ...ASKED, known: '"one"' })).toBeUndefined();
    expect(await listed(source, { signal: ASKED.signal })).toEqual([]);
  });

  it('is in our own store nothing of what was removed since it was listed, and only what was asked about', async () => {
    const source = await SOURCES['our own store']!(folder);
    const [file] = await listed(source, { ...ASKED, below: ['raw/deep/', 'raw/'] });
    expect(await listed(source, { ...ASKED, below: ['archive/'] })).toEqual([]);
    await rm(path.join(folder, 'store'), { recursive: true });
    expect(await source.fetch(file!, ASKED)).toBeUndefined();
    expect((await bytesFrom(source, file!, 0)).length).toBe(0);
  });

  it('is of a path that is no file how to give one', async () => {
    const source = openGivenFiles([folder]);
    const [file] = await listed(source);
    await expect(source.fetch(file!, ASKED)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
