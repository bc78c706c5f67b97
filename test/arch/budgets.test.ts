import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * The sources of `src`, named from there, and those of the packages of this repository, named from
 * its root.
 */
async function sources(): Promise<{ file: string; text: string }[]> {
  const packages = await readdir(path.join(ROOT, 'packages'));
  const folders = ['src', ...packages.map((name) => `packages/${name}/src`)];
  const files = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(path.join(ROOT, folder), { recursive: true });
      return names.filter((name) => /\.tsx?$/.test(name)).map((name) => `${folder}/${name}`);
    }),
  );
  return Promise.all(
    files
      .flat()
      .sort()
      .map(async (file) => ({
        file: file.replace(/^src\//, ''),
        text: await readFile(path.join(ROOT, file), 'utf8'),
      })),
  );
}

/**
 * What there is, to be lowered when some are gone: `required`, `firstOf`, `nthOf`, `matchOf`,
 * `textBefore` and `definedMembers` of `given.ts` are there instead.
 */
const EMPTY_TEXTS = 80;
const CONDITIONAL_SPREADS = 40;

/** Comments may give a pipeline as an example. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}

function ninthDecile(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.9) - 1] ?? 0;
}

describe('the house', () => {
  it('keeps files short: none over 500 lines, nine in ten at most 300', async () => {
    const lengths = (await sources()).map(({ file, text }) => ({
      file,
      lines: text.split('\n').length - 1,
    }));
    expect(lengths.filter(({ lines }) => lines > 500)).toEqual([]);
    expect(ninthDecile(lengths.map(({ lines }) => lines))).toBeLessThanOrEqual(300);
  });

  it('has no folder or file that is named after nothing', async () => {
    const named = (await sources())
      .map(({ file }) => file)
      .filter((file) => /(^|\/)(utils?|helpers?|common|misc|manager)(\/|\.tsx?$)/.test(file));
    expect(named).toEqual([]);
  });

  it('reads the environment in the composition roots only', async () => {
    const readers = (await sources())
      .filter(({ text }) => text.includes('process.env'))
      .map(({ file }) => file);
    expect(readers).toEqual(['cli/ensure-temporal.ts', 'cli/main.ts']);
  });

  it('names a dataset where datasets are listed or shown, and nowhere else', async () => {
    const ofDatasets =
      /^(datasets\/(eco2mix|eco2mix-regional|cityflow|enedis|smart-meter)|api\/earlier|packages\/sample-portal)\//;
    const naming = (await sources()).filter(
      ({ file, text }) =>
        !ofDatasets.test(file) &&
        /eco2mix|cityflow|enedis|smart-?meter/i.test(withoutComments(text)),
    );
    expect(naming.map(({ file }) => file).sort()).toEqual([
      // Examples of commands.
      'cli/examples.ts',
      // What the demo and its sample data show.
      'cli/services/demo.ts',
      'cli/services/sample-home.ts',
      // Settings and the layout of an earlier system.
      'config/earlier-settings.ts',
      'config/settings-list.ts',
      'config/settings.ts',
      'config/storage-choice.ts',
      'datasets/registry.ts',
    ]);
  });

  /**
   * What is left reads texts of publishers and of programs that may lack them; a list or record
   * that must have one says so.
   */
  it('does not make up an empty text, nor spread conditionally, in more places than are allowed', async () => {
    const count = (pattern: RegExp, all: readonly { text: string }[]): number =>
      all.reduce((sum, { text }) => sum + [...text.matchAll(pattern)].length, 0);
    const all = await sources();
    expect(count(/\?\? ''/g, all)).toBeLessThanOrEqual(EMPTY_TEXTS);
    expect(count(/=== undefined \? \{\} :/g, all)).toBeLessThanOrEqual(CONDITIONAL_SPREADS);
  });
});
