import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
      expect((await quotidien(...home, 'verify', 'levels-of-mine', '2024-01-15')).stdout).toContain(
        'identical',
      );
      const page = path.join(
        folder,
        'levels-of-mine/.quotidien/store/reports/levels-of-mine/2024-01-15.html',
      );
      expect(await readFile(page, 'utf8')).toContain('Highest 8 m');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a dataset module that cannot be used', () => {
  it('is told with the place that names it and with what to do', async () => {
    const home = await mkdtemp(path.join(tmpdir(), 'quotidien-home-'));
    try {
      const settings = path.join(home, 'settings.json');
      const { quotidien } = strangerIn(home);
      const saidOf = async (module: string, code?: string): Promise<string> => {
        if (code !== undefined) await writeFile(path.join(home, 'broken.mjs'), code);
        await writeFile(settings, JSON.stringify({ datasets: [module] }));
        const ended = await quotidien('--home', home, 'status', 'tides');
        expect(ended.code).toBe(2);
        expect(ended.stderr).toContain(settings);
        return ended.stderr;
      };
      expect(await saidOf('quotidien-of-nobody')).toContain('npm install quotidien-of-nobody');
      expect(await saidOf('./nowhere')).toContain('correct the path');
      expect(await saidOf('./broken.mjs', 'export default 1')).toContain(
        'no dataset as its default export',
      );
      expect(await saidOf('./broken.mjs', 'export default { kit: 99 }')).toContain(
        'version 99 of quotidien/kit',
      );
      expect(await saidOf('./broken.mjs', 'throw new Error("boom")')).toContain(
        'cannot be loaded: boom',
      );
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
