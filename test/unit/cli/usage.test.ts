import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** What is wrong with a command line ends with 2, for programs also in JSON, and makes nothing. */

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-usage-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function quotidien(...args: string[]): Promise<Ended> {
  const main = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--import', 'tsx', main, ...args], (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

describe('a command line that is wrong', () => {
  it.each([
    ['a missing argument', ['run']],
    ['an unknown option of the program', ['--nonsense']],
    ['an unknown option of a command', ['status', '--nonsense']],
    ['an unknown command', ['ran', 'eco2mix']],
  ])('%s ends with 2 and says so in JSON', async (_, args) => {
    const { code, stdout, stderr } = await quotidien('--json', ...args);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'INPUT_INVALID' } });
    expect(stderr).toContain('error:');
  });

  it('names the nearest home when the one that was named is not there, and makes none', async () => {
    await mkdir(path.join(folder, 'demo'));
    const { code, stderr } = await quotidien('--home', path.join(folder, 'demmo'), 'status', 'eco2mix');
    expect(code).toBe(2);
    expect(stderr).toContain(`the nearest is ${path.join(folder, 'demo')}`);
    expect(await readdir(folder)).toEqual(['demo']);
  });

  it('help ends with 0', async () => {
    expect((await quotidien('run', '--help')).code).toBe(0);
  });

  it('makes no report of a day of which nothing is stored', async () => {
    const { code, stderr } = await quotidien('--home', folder, 'report', 'cityflow', '2020-01-01');
    expect(code).toBe(2);
    expect(stderr).toContain(`quotidien --home ${folder} run cityflow 2020-01-01`);
  });
});
