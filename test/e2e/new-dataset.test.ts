import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strangerIn } from '../fixtures/stranger.ts';

describe('quotidien new dataset', () => {
  let folder: string;
  const inFolder = () => strangerIn(path.join(folder, 'harbour-levels'));

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'quotidien-stranger-'));
    expect(await strangerIn(folder).quotidien('new', 'dataset', 'harbour-levels')).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('writes one whose tests pass at once, in a folder that holds nothing else', async () => {
    const ended = await inFolder().npmTest();
    expect(ended.stdout).toMatch(/^# pass [1-9]/m);
    expect(ended).toMatchObject({ code: 0 });
  });

  it('names this package as its dependency, where npm finds it, and nothing else of it', async () => {
    const home = path.join(folder, 'harbour-levels');
    const { scripts, dependencies } = JSON.parse(await readFile(path.join(home, 'package.json'), 'utf8')) as Record<
      'scripts' | 'dependencies',
      Record<string, string>
    >;
    expect(scripts['quotidien']).toBe('quotidien --home .quotidien');
    const [, linked] = /^file:(.+)$/.exec(dependencies['quotidien'] ?? '') ?? [];
    const found = JSON.parse(await readFile(path.resolve(home, linked ?? '', 'package.json'), 'utf8')) as {
      name: string;
    };
    expect(found.name).toBe('quotidien');
  });

  it('writes one that the command line plans and takes files for, named in its settings.json alone', async () => {
    const { quotidien } = inFolder();
    const given = await quotidien('--home', '.quotidien', 'import', 'harbour-levels', 'test/2024-01-15.csv');
    expect(given).toMatchObject({ code: 0, stderr: '' });
    const plan = await quotidien('--home', '.quotidien', '--json', 'plan', 'harbour-levels', '2024-01-15');
    expect(plan.stdout).toContain('transform/levels');
  });

  it('refuses a name that is none and a folder that is not empty, and leaves both alone', async () => {
    expect(await strangerIn(folder).quotidien('new', 'dataset', 'Harbour')).toMatchObject({ code: 2 });
    const again = await strangerIn(folder).quotidien('new', 'dataset', 'harbour-levels');
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr).toContain('not empty');
  });

  it('is told which module cannot be used, where it is named and what to do', async () => {
    const home = await mkdtemp(path.join(tmpdir(), 'quotidien-home-'));
    try {
      const settings = path.join(home, 'settings.json');
      const { quotidien } = strangerIn(folder);
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
      expect(await saidOf('./broken.mjs', 'export default 1')).toContain('no dataset as its default export');
      expect(await saidOf('./broken.mjs', 'export default { kit: 99 }')).toContain('version 99 of quotidien/kit');
      expect(await saidOf('./broken.mjs', 'throw new Error("boom")')).toContain('cannot be loaded: boom');
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });

  it('does not take modules from a folder that nobody named', async () => {
    const ended = await inFolder().quotidien('status', 'harbour-levels');
    expect(ended).toMatchObject({ code: 2 });
    expect(ended.stderr).toContain('use --home or QUOTIDIEN_HOME');
    const settings = path.join(folder, 'harbour-levels', '.quotidien', 'settings.json');
    expect(JSON.parse(await readFile(settings, 'utf8'))).toEqual({ datasets: ['..'] });
  });
});
