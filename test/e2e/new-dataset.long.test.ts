import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { strangerIn } from '../fixtures/stranger.ts';

describe('a dataset of a stranger', () => {
  it('is made from file to report by the real engine, and verified, without a change outside its folder', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'quotidien-stranger-'));
    try {
      await strangerIn(folder).quotidien('new', 'dataset', 'levels-of-mine');
      const { quotidien } = strangerIn(path.join(folder, 'levels-of-mine'));
      const home = ['--home', '.quotidien'];
      await quotidien(...home, 'import', 'levels-of-mine', 'test/2024-01-15.csv');
      const made = await quotidien(...home, 'run', 'levels-of-mine', '2024-01-15');
      expect(made.stdout).toContain('2024-01-15  ok');
      expect((await quotidien(...home, 'verify', 'levels-of-mine', '2024-01-15')).stdout).toContain('identical');
      const page = path.join(folder, 'levels-of-mine/.quotidien/store/reports/levels-of-mine/2024-01-15.html');
      expect(await readFile(page, 'utf8')).toContain('Highest 8 m');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
