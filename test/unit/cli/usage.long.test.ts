import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strangerIn } from '../../fixtures/stranger.ts';

/** Each of these starts the program from its sources, which takes a second of a processor. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-usage-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a command line', () => {
  it.each([
    ['an unknown option of the program', ['--nonsense']],
    ['an unknown option of a command', ['status', '--nonsense']],
    ['an unknown command', ['ran', 'eco2mix']],
  ])('with %s ends with 2 and says so in JSON', async (_, args) => {
    const { code, stdout, stderr } = await strangerIn(folder).quotidien('--json', ...args);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'INPUT_INVALID' } });
    expect(stderr).toContain('error:');
  });

  it('that asks for help ends with 0', async () => {
    expect((await strangerIn(folder).quotidien('run', '--help')).code).toBe(0);
  });
});
