import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withHostLock } from '../../../src/storage/local/host-lock.ts';
import { inParallel } from '../../conformance/byte-streams.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-lock-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('a lock of the host', () => {
  it('lets one at a time do the work, and leaves nothing behind', async () => {
    let inside = 0;
    let most = 0;
    await inParallel(20, 20, () =>
      withHostLock(path.join(folder, 'lock'), async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      }),
    );
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is given back when the work fails', async () => {
    const lock = path.join(folder, 'lock');
    await expect(withHostLock(lock, () => Promise.reject(new Error('failed')))).rejects.toThrow(
      'failed',
    );
    expect(await withHostLock(lock, () => Promise.resolve('free'))).toBe('free');
  });

  it.each([
    ['a process that ended', { host: hostname(), pid: 2 ** 22 + 1, token: 'x' }],
    [
      'an earlier process with the id of this one',
      { host: hostname(), pid: process.pid, token: 'x' },
    ],
    ['nobody, because a power loss emptied it', undefined],
  ])('is taken from %s', async (_, holder) => {
    const lock = path.join(folder, 'lock');
    await writeFile(lock, holder === undefined ? '' : JSON.stringify(holder));
    expect(await withHostLock(lock, () => Promise.resolve('taken'))).toBe('taken');
  });
});
