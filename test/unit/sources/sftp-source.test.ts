import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { makeKeys, startSftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import type { SftpOptions } from '../../../src/engine/sources/sftp-source.ts';
import { openSftpSource } from '../../../src/engine/sources/sftp-source.ts';
import type { OfferedFile, Source } from '../../../src/ports/source.ts';

const PASSWORD = 'a-password-of-tests';
const KEYS = makeKeys();
const LARGE = randomBytes(300_000);
const SIGNAL = new AbortController().signal;

let server: SftpServer;
let folder: string;
const opened: Source[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sftp-source-'));
  server = await startSftpServer({ password: PASSWORD, publicKey: KEYS.publicKey });
  server.put(
    { path: '/flux/C15/a.zip', bytes: Buffer.from('first') },
    { path: '/flux/R151/deep/b.zip', bytes: LARGE },
    { path: '/other/c.zip', bytes: Buffer.from('not below') },
  );
});

afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

function open(options: Partial<SftpOptions> = {}): Source {
  const source = openSftpSource({
    host: server.host,
    port: server.port,
    user: 'supplier',
    root: '/flux',
    secret: PASSWORD,
    hostKeys: [server.fingerprint],
    hostKeySetting: 'QUOTIDIEN_ENEDIS_HOST_KEY',
    folder,
    idleTimeoutMs: 5_000,
    requestsPerSecond: 1_000,
    ...options,
  });
  opened.push(source);
  return source;
}

async function listOf(source: Source): Promise<OfferedFile[]> {
  const files: OfferedFile[] = [];
  for await (const file of source.list({ signal: SIGNAL })) files.push(file);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function fileOf(source: Source, name: string): Promise<OfferedFile> {
  return (await listOf(source)).find((file) => file.name === name)!;
}

describe('an SFTP source', () => {
  it('lists every file below its folder, with size and time', async () => {
    expect(await listOf(open())).toEqual([
      { path: 'C15/a.zip', name: 'a.zip', bytes: 5, modifiedAt: '2026-01-01T00:00:00.000Z' },
      {
        path: 'R151/deep/b.zip',
        name: 'b.zip',
        bytes: LARGE.length,
        modifiedAt: '2026-01-01T00:00:00.000Z',
      },
    ]);
  });

  it('brings a file whole over one connection, with its hash', async () => {
    const source = open();
    const fetched = (await source.fetch(await fileOf(source, 'b.zip'), { signal: SIGNAL }))!;
    expect((await readFile(fetched.path)).equals(LARGE)).toBe(true);
    expect(fetched.sha256).toBe(createHash('sha256').update(LARGE).digest('hex'));
    expect(server.maxConnections).toBe(1);
  });

  it('lets a private key in', async () => {
    expect(await listOf(open({ secret: KEYS.privateKey }))).toHaveLength(2);
  });

  it('refuses a server with another key than the pinned one, and says which it has', async () => {
    const other = `SHA256:${'A'.repeat(43)}`;
    await expect(listOf(open({ hostKeys: [other] }))).rejects.toMatchObject({
      code: 'SRC_UNSAFE_ADDRESS',
      message: expect.stringContaining(server.fingerprint) as string,
    });
    const unpinned = listOf(open({ hostKeys: [] }));
    await expect(unpinned).rejects.toMatchObject({
      code: 'SRC_UNSAFE_ADDRESS',
      message: expect.stringContaining('set QUOTIDIEN_ENEDIS_HOST_KEY') as string,
    });
    expect(server.requests).toEqual([]);
  });

  it('says who is not let in, and never the password', async () => {
    const error = await listOf(open({ secret: 'wrong-password' })).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: 'SRC_AUTH', retryable: false });
    const told = `${JSON.stringify(error)} ${(error as Error).message}`;
    expect(told).toContain('supplier');
    expect(told).not.toContain('wrong-password');
  });

  it('goes on with what came before the connection was cut', async () => {
    const source = open();
    const file = await fileOf(source, 'b.zip');
    server.behave({ kind: 'cut', afterBytes: 100_000 });
    await expect(source.fetch(file, { signal: SIGNAL })).rejects.toMatchObject({ retryable: true });
    const seen: string[] = [];
    const progress = (note: string): void => void seen.push(note);
    const fetched = (await source.fetch(file, { signal: SIGNAL, progress }))!;
    expect((await readFile(fetched.path)).equals(LARGE)).toBe(true);
    expect(Number.parseInt(seen[0]!, 10)).toBeGreaterThan(65_536);
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('does not take a file that is shorter than its listing', async () => {
    const source = open();
    const file = await fileOf(source, 'b.zip');
    const undo = server.behave({ kind: 'short', name: 'b.zip', bytes: 1_000 });
    await expect(source.fetch(file, { signal: SIGNAL })).rejects.toMatchObject({
      code: 'SRC_TRUNCATED',
    });
    undo();
    expect((await source.fetch(file, { signal: SIGNAL }))!.bytes).toBe(LARGE.length);
  });

  it('gives a silent server up, and is well with it later', async () => {
    const source = open({ idleTimeoutMs: 2_000 });
    const file = await fileOf(source, 'b.zip');
    const undo = server.behave({ kind: 'silent' });
    await expect(source.fetch(file, { signal: SIGNAL })).rejects.toMatchObject({
      code: 'SRC_UNAVAILABLE',
    });
    undo();
    expect((await source.fetch(file, { signal: SIGNAL }))!.bytes).toBe(LARGE.length);
  });

  it('waits for a slow server that goes on', async () => {
    const source = open({ idleTimeoutMs: 2_000 });
    server.behave({ kind: 'slow', delayMs: 20 });
    expect((await source.fetch(await fileOf(source, 'b.zip'), { signal: SIGNAL }))!.bytes).toBe(
      LARGE.length,
    );
  });

  it('leaves out names that lead out of the folder', async () => {
    server.put(
      { path: '/flux/..', bytes: Buffer.from('up') },
      { path: '/flux/C15/x\u0000.zip', bytes: Buffer.from('0') },
    );
    server.put({ path: '/flux/C15/..\\up.zip', bytes: Buffer.from('windows') });
    expect((await listOf(open())).map(({ name }) => name)).toEqual(['a.zip', 'b.zip']);
  });

  it('says which folder is not there', async () => {
    await expect(listOf(open({ root: '/nowhere' }))).rejects.toMatchObject({
      code: 'SRC_SHAPE_CHANGED',
      message: expect.stringContaining('/nowhere') as string,
    });
  });

  it('asks no faster than it may', async () => {
    const source = open({ requestsPerSecond: 20 });
    const before = Date.now();
    await listOf(source);
    // Four folders: three waits between the requests.
    expect(Date.now() - before).toBeGreaterThanOrEqual(140);
  });
});
