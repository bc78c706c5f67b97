import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpClient } from '../../src/engine/sources/http-client.ts';
import type { HttpDownload } from '../../src/engine/sources/http-client.ts';
import { mountTinyDisk } from './storage/tiny-disk.ts';

const BODY = Buffer.from('a;b\n'.repeat(1_000));
const ETAG = '"one"';

let folder: string;
let server: Server;
let url: string;
/** The Range headers of all requests. */
let ranges: (string | undefined)[];
let misbehave: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;

/** Answers as the standard says: the rest, or 416 where there is no byte behind the last one. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const { range } = request.headers;
  ranges.push(range);
  const wrong = misbehave;
  misbehave = undefined;
  if (wrong !== undefined) {
    wrong(request, response);
    return;
  }
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  if (start >= BODY.length)
    response.writeHead(416, { 'content-range': `bytes */${BODY.length}` }).end();
  else response.writeHead(start === 0 ? 200 : 206, { etag: ETAG }).end(BODY.subarray(start));
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-http-'));
  [ranges, misbehave] = [[], undefined];
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/export`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Called with the bytes that have arrived. */
let arrived: (bytes: number) => void = () => undefined;

function download(): Promise<HttpDownload | undefined> {
  const client = createHttpClient({ folder, userAgent: 'quotidien/test', idleTimeoutMs: 5_000 });
  const progress = (bytes: number): void => {
    arrived(bytes);
  };
  return client.download({ url, signal: new AbortController().signal, progress });
}

/**
 * Sends so many bytes, and breaks the connection when they have arrived and the answer is not
 * complete.
 */
function breakAfter(bytes: number): void {
  misbehave = (_request, response) => {
    response.writeHead(200, { etag: ETAG });
    response.write(BODY.subarray(0, bytes));
    arrived = (there) => {
      if (there >= bytes) response.destroy();
    };
  };
}

describe('a download onto a full disk', () => {
  it('is not put down to the publisher', async ({ skip }) => {
    const disk = await mountTinyDisk(4);
    if (disk === undefined) {
      skip('no disk can be mounted here');
      return;
    }
    const own = folder;
    folder = disk.folder;
    try {
      await expect(download()).rejects.toMatchObject({ code: 'STORE_DENIED' });
    } finally {
      folder = own;
      await disk.unmount();
    }
  });
});

describe('a download that was broken', () => {
  it('goes on where it stopped', async () => {
    breakAfter(1_500);
    await expect(download()).rejects.toMatchObject({ code: 'SRC_TRUNCATED' });
    const done = await download();
    expect(ranges).toEqual([undefined, 'bytes=1500-']);
    expect(await readFile(done!.path)).toEqual(BODY);
  });

  it('is asked for again as a whole when no byte of it was missing', async () => {
    breakAfter(BODY.length);
    await expect(download()).rejects.toMatchObject({ code: 'SRC_TRUNCATED' });
    const done = await download();
    expect(ranges).toEqual([undefined, `bytes=${BODY.length}-`, undefined]);
    expect(await readFile(done!.path)).toEqual(BODY);
    expect(await readdir(folder)).toEqual([path.basename(done!.path)]);
  });
});
