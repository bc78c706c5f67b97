import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What is done in one place only, what gives a second one away, and the files that may do it. */
const OWNERS: Readonly<
  Record<string, { readonly told: RegExp; readonly owners: readonly string[] }>
> = {
  'the hash of a file, or of bytes on their way': {
    told: /\b(hash|digest|sha256|hasher)\.update\(/,
    owners: [
      'packages/machine/src/file-hash.ts',
      // Hashes a piece while the one before is opened or written: the bytes pass no second time.
      'src/storage/local/staged-files.ts',
    ],
  },
  'the quotes of a CSV field': {
    told: /replace(All)?\((\/"\/g|'"'|"\\""), ?('""'|"\\"\\"")\)/,
    owners: ['packages/machine/src/csv-field.ts'],
  },
  'the quotes of a text in SQL': {
    told: /replace(All)?\((\/'\/g|"'"|'\\''), ?("''"|'\\'\\'')\)|=> `'\$\{\w+\}'`\)/,
    owners: [],
  },
  'the canonical text of JSON': {
    told: /JSON\.stringify\([^)]*=>|Object\.entries\(\w+\)[^;]*\.sort\([^;]*JSON\.stringify|function (sorted|stable|canonical)\w*Json/i,
    owners: ['src/canonical-json.ts'],
  },
  'the sha256 of a text where no Node built-in may be used': {
    told: /from '@noble\/hashes/,
    owners: ['src/canonical-json.ts'],
  },
};

async function sources(): Promise<{ file: string; text: string }[]> {
  const packages = (await readdir(path.join(ROOT, 'packages'))).map(
    (name) => `packages/${name}/src`,
  );
  const names = await Promise.all(
    ['src', ...packages].map(async (folder) => {
      const found = await readdir(path.join(ROOT, folder), { recursive: true });
      return found.filter((name) => /\.tsx?$/.test(name)).map((name) => `${folder}/${name}`);
    }),
  );
  return Promise.all(
    names
      .flat()
      .sort()
      .map(async (file) => ({ file, text: await readFile(path.join(ROOT, file), 'utf8') })),
  );
}

describe('one owner', () => {
  it.each(Object.entries(OWNERS))('has %s', async (_what, { told, owners }) => {
    const doing = (await sources()).filter(({ text }) => told.test(text)).map(({ file }) => file);
    expect(doing).toEqual([...owners].sort());
  });

  it.each([
    [
      'the hash of a file, or of bytes on their way',
      'for await (const chunk of chunks) hash.update(chunk);',
    ],
    ['the quotes of a CSV field', `return \`"\${text.replaceAll('"', '""')}"\`;`],
    ['the quotes of a text in SQL', `return \`'\${text.replaceAll("'", "''")}'\`;`],
    ['the quotes of a text in SQL', "ids.map((id) => `'${id}'`).join(', ')"],
    ['the canonical text of JSON', 'function sortedJson(value: unknown): string {'],
  ])('is a rule that a second implementation breaks: %s', (what, second) => {
    expect(OWNERS[what]?.told.test(second)).toBe(true);
  });
});
