import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLeftovers } from '../../../src/storage/local/leftovers.ts';
import { createLocalObjectStore } from '../../../src/storage/local/local-files.ts';
import { stageBody } from '../../../src/storage/local/staged-files.ts';
import { temporaryFolder } from './fallback-host.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let staging: string;
let scratch: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  [staging, scratch] = [path.join(folder.path, '.incoming'), path.join(folder.path, 'sql')];
  for (const made of [staging, scratch]) await mkdir(made);
});
afterEach(() => folder.remove());

/** The id of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

describe('the leftovers of a host', () => {
  it('are the staged files and scratch folders of processes that were killed, and of no other', async () => {
    const pid = await endedPid();
    await stageBody(staging, Buffer.from('in the making'));
    const dead = path.join(staging, `${hostname()}~${pid}~a`);
    await writeFile(dead, 'left');
    await writeFile(path.join(staging, `elsewhere~${pid}~a`), 'perhaps in the making');
    const killed = path.join(scratch, `sql-${hostname()}-${pid}-0123456789ab`);
    await mkdir(killed);
    await writeFile(path.join(killed, 'spill'), 'temporary');
    await mkdir(path.join(scratch, `sql-${hostname()}-${process.pid}-0123456789ab`));

    const folders = { staging: [staging, path.join(folder.path, 'none')], scratch };
    const left = [
      { path: dead, bytes: 4 },
      { path: killed, bytes: 9 },
    ];
    expect(await findLeftovers(folders, false)).toEqual(left);
    await access(dead);
    expect(await findLeftovers(folders, true)).toEqual(left);
    expect(await findLeftovers(folders, true)).toEqual([]);
    expect(await readdir(staging)).toHaveLength(2);
    expect(await readdir(scratch)).toHaveLength(1);
  });

  it('are removed by the first put of a store, without waiting for a day', async () => {
    const dead = path.join(staging, `${hostname()}~${await endedPid()}~a`);
    await writeFile(dead, 'left');
    const store = createLocalObjectStore({ root: folder.path });
    await store.put('a.txt', Buffer.from('new'), { mode: 'create', mediaType: 'text/plain' });
    expect(await readdir(staging)).toEqual([]);
  });
});
