import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finishPart, leavePart, takePart } from '../../src/engine/sources/part-files.ts';

const NAME = '0123456789abcdef';
/**
 * Owners as the names of files tell them: a hash of the host, the process, and a mark of its own.
 */
let ownersOf: (host?: string) => Record<'ended' | 'before' | 'living', string>;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-parts-'));
  const [here] = path
    .basename(await takePart(folder, NAME))
    .split('.')[1]!
    .split('-');
  ownersOf = (host = here!) => ({
    ended: `${host}-${2 ** 22 + 1}-aaaaaaaa`,
    before: `${host}-${process.pid}-aaaaaaaa`,
    living: `${host}-${process.ppid}-aaaaaaaa`,
  });
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(owner: string, text: string, extension = 'part'): Promise<void> {
  const file = path.join(folder, `${NAME}.${owner}.one.${extension}`);
  await writeFile(file, text);
  await writeFile(`${file}.json`, `of ${text}`);
}

describe('a part', () => {
  it.each([
    ['an ended process', 'ended'],
    ['an earlier process with the id of this one', 'before'],
  ] as const)(
    'that %s left is taken with what is known of it, by one of many',
    async (_, owner) => {
      await put(ownersOf()[owner], 'half');
      const taken = await Promise.all(Array.from({ length: 20 }, () => takePart(folder, NAME)));
      expect(new Set(taken).size).toBe(20);
      const there = (await readdir(folder)).sort();
      expect(there).toHaveLength(2);
      expect(
        await Promise.all(there.map((file) => readFile(path.join(folder, file), 'utf8'))),
      ).toEqual(['half', 'of half']);
      expect(taken.map((part) => path.basename(part))).toContain(there[0]);
    },
  );

  it('of a living process is left alone', async () => {
    await put(ownersOf().living, 'half');
    const before = await readdir(folder);
    await takePart(folder, NAME);
    expect(await readdir(folder)).toEqual(before);
  });

  it('of another host is left alone while it may be written, and taken when it was not for ten minutes', async () => {
    await put(ownersOf('00000000').ended, 'half');
    const part = (await readdir(folder)).find((file) => file.endsWith('.part')) ?? '';
    await takePart(folder, NAME);
    expect(await readdir(folder)).toContain(part);
    const longAgo = new Date(Date.now() - 11 * 60_000);
    await utimes(path.join(folder, part), longAgo, longAgo);
    expect(await readFile(await takePart(folder, NAME), 'utf8')).toBe('half');
  });

  it('of another name is left alone', async () => {
    await put(ownersOf().ended, 'half');
    await takePart(folder, 'fedcba9876543210');
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('is there for the next try after a failed one', async () => {
    const part = await takePart(folder, NAME);
    await writeFile(part, 'half');
    await leavePart(part);
    expect(await readFile(await takePart(folder, NAME), 'utf8')).toBe('half');
  });

  it('that is whole is no part any more, and is removed when its owner died before it was stored', async () => {
    const part = await takePart(folder, NAME);
    await writeFile(part, 'whole');
    const body = await finishPart(part);
    await leavePart(part);
    await put(ownersOf().ended, 'whole too', 'body');
    await takePart(folder, NAME);
    expect(await readdir(folder)).toEqual([path.basename(body)]);
  });
});
