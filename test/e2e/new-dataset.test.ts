import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strangerIn } from '../fixtures/stranger.ts';

describe('quotidien new dataset', () => {
  let folder: string;
  const inFolder = () => strangerIn(path.join(folder, 'harbour-levels'));

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'quotidien-stranger-'));
    expect(await strangerIn(folder).quotidien('new', 'dataset', 'harbour-levels')).toMatchObject({
      code: 0,
    });
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
    const { scripts, dependencies } = JSON.parse(
      await readFile(path.join(home, 'package.json'), 'utf8'),
    ) as Record<'scripts' | 'dependencies', Record<string, string>>;
    expect(scripts['quotidien']).toBe('quotidien --home .quotidien');
    const [, linked] = /^file:(.+)$/.exec(dependencies['quotidien'] ?? '') ?? [];
    const found = JSON.parse(
      await readFile(path.resolve(home, linked ?? '', 'package.json'), 'utf8'),
    ) as {
      name: string;
    };
    expect(found.name).toBe('quotidien');
  });

  it('writes one that the command line plans and takes files for, named in its settings.json alone', async () => {
    const { quotidien } = inFolder();
    const given = await quotidien(
      '--home',
      '.quotidien',
      'import',
      'harbour-levels',
      'test/2024-01-15.csv',
    );
    expect(given).toMatchObject({ code: 0, stderr: '' });
    const plan = await quotidien(
      '--home',
      '.quotidien',
      '--json',
      'plan',
      'harbour-levels',
      '2024-01-15',
    );
    expect(plan.stdout).toContain('transform/levels');
  });

  it('refuses a name that is none and a folder that is not empty, and leaves both alone', async () => {
    expect(await strangerIn(folder).quotidien('new', 'dataset', 'Harbour')).toMatchObject({
      code: 2,
    });
    const again = await strangerIn(folder).quotidien('new', 'dataset', 'harbour-levels');
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr).toContain('not empty');
  });

  it('does not take modules from a folder that nobody named', async () => {
    const ended = await inFolder().quotidien('status', 'harbour-levels');
    expect(ended).toMatchObject({ code: 2 });
    expect(ended.stderr).toContain('use --home or QUOTIDIEN_HOME');
    const settings = path.join(folder, 'harbour-levels', '.quotidien', 'settings.json');
    expect(JSON.parse(await readFile(settings, 'utf8'))).toEqual({ datasets: ['..'] });
  });
});
