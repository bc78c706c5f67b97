import { mkdtemp, mkdir, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { strangerIn } from '../../fixtures/stranger.ts';

/**
 * What is wrong with a command line ends with 2, for programs also in JSON, and makes nothing; more
 * in `usage.long.test.ts`.
 */

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-usage-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const quotidien = (...args: string[]) => strangerIn(folder).quotidien(...args);

describe('a command line that is wrong', () => {
  it('ends with 2 where an argument is missing, and says so in JSON', async () => {
    const { code, stdout, stderr } = await quotidien('--json', 'run');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'INPUT_INVALID' } });
    expect(stderr).toContain('error:');
  });

  it('names the nearest home when the one that was named is not there, and makes none', async () => {
    await mkdir(path.join(folder, 'demo'));
    const { code, stderr } = await quotidien(
      '--home',
      path.join(folder, 'demmo'),
      'status',
      'eco2mix',
    );
    expect(code).toBe(2);
    expect(stderr).toContain(`the nearest is ${path.join(folder, 'demo')}`);
    expect(await readdir(folder)).toEqual(['demo']);
  });

  it('makes no report of a day of which nothing is stored', async () => {
    const { code, stderr } = await quotidien('--home', folder, 'report', 'cityflow', '2020-01-01');
    expect(code).toBe(2);
    expect(stderr).toContain(`quotidien --home ${folder} run cityflow 2020-01-01`);
  });
});
