import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isAlive } from '@quotidien/machine/living-process';
import type { ServerRecord } from '@quotidien/temporal-program/server-record';

/**
 * A Temporal server that answers nothing, as on a full disk, and a command that somebody wants to
 * end all the same.
 */

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.ts');
const RUNS = 'Ctrl-C stops everything';

let home: string;
let disk: string | undefined;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-hanging-'));
});

afterEach(async () => {
  if (disk !== undefined) spawnSync('umount', ['-l', disk], { stdio: 'ignore' });
  disk = undefined;
  await rm(home, { recursive: true, force: true });
});

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', MAIN, '--home', home, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Resolves when the program has said it; what it said so far. */
async function told(child: ChildProcess, words: string): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.includes(words)) break;
  }
  expect(text).toContain(words);
  return text;
}

async function serverPid(): Promise<number> {
  const record = JSON.parse(
    await readFile(path.join(home, 'temporal-server.json'), 'utf8'),
  ) as ServerRecord;
  return record.pid;
}

it('ends in order by one Ctrl-C, and leaves no server', async () => {
  const child = start('dev');
  const ended = once(child, 'exit');
  await told(child, RUNS);
  const pid = await serverPid();
  child.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  expect(isAlive(pid)).toBe(false);
});

it('ends at once by a second signal while the server answers nothing, and leaves none', async () => {
  const child = start('dev');
  const ended = once(child, 'exit');
  await told(child, RUNS);
  const pid = await serverPid();
  process.kill(pid, 'SIGSTOP');
  child.kill('SIGINT');
  let said = '';
  for await (const chunk of child.stderr ?? []) {
    said += String(chunk);
    if (said.includes('stopping: running steps end first')) break;
  }
  child.kill('SIGTERM');
  expect(await ended).toEqual([1, null]);
  expect(isAlive(pid)).toBe(false);
});

it(
  'says that the disk of its home is full, ends by itself, and leaves no server',
  { timeout: 180_000 },
  async (context) => {
    if (
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', home], { stdio: 'ignore' })
        .status !== 0
    ) {
      context.skip('no disk can be mounted here');
      return;
    }
    disk = home;
    const child = start('demo');
    const ended = once(child, 'exit');
    let said = '';
    for await (const chunk of child.stderr ?? []) said += String(chunk);
    const [code] = (await ended) as [number | null];
    expect(code).toBe(1);
    expect(said).toMatch(/STORE_DENIED: .*(disk|space)/);
    expect(
      spawnSync('pgrep', ['-f', path.join(home, 'demo', 'temporal.db')]).stdout.toString(),
    ).toBe('');
  },
);
