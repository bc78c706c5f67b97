import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSealed, sealFile } from '../../../src/engine/sources/sealed-file.ts';

const KEY = Buffer.alloc(32, 7);
/** The last one goes through files, the others through memory. */
const SIZES = [0, 5, 48 * 1_024, 100_000, 5_000_000];

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-sealed-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function sealed(size: number): Promise<{ readonly content: Buffer; readonly bytes: Buffer }> {
  const content = Buffer.alloc(size, 'abcdefgh');
  const file = path.join(folder, 'plain');
  await writeFile(file, content);
  const given = { name: 'é.zip', path: file, sha256: sha256(content), bytes: size };
  const form = await sealFile(KEY, given, path.join(folder, 'sealed'));
  return { content, bytes: 'bytes' in form ? Buffer.from(form.bytes) : await readFile(form.path) };
}

async function opened(
  bytes: Uint8Array,
): Promise<{ name: string; content: Buffer; bytes: number }[]> {
  const file = path.join(folder, 'together');
  await writeFile(file, bytes);
  const found = [];
  for await (const one of openSealed(KEY, file, folder))
    found.push({ name: one.name, content: await readFile(one.path), bytes: one.bytes });
  return found;
}

describe('a sealed file', () => {
  it('has the bytes that earlier versions gave it, whether it is small or large', async () => {
    const hashes = [];
    for (const size of SIZES) hashes.push(sha256((await sealed(size)).bytes));
    expect(hashes).toEqual([
      '27706584b79b127a12963cee2e8a730bed0950708ea5a55295934859f9602502',
      '5097ced4f0ab52ab0cfe5436e4544dfeb99181ffa7cbcbff5960ec0f894cefb7',
      '90483622c0e3838324e831cad48c4359229db5c30bcbf171230dad34c6eb7180',
      'b04c5652428dcb91737b496af567e6bc8ea7ec94bcaf0ea42ba678d13a6fee64',
      '998287c531df20ea7fd84ef30ad08dc1ed596eccf35a689b47d267d384c90ca9',
    ]);
  });

  it('opens again, several in one file, small beside large', async () => {
    const forms = [await sealed(5), await sealed(100_000), await sealed(5_000_000)];
    const together = Buffer.concat(forms.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
    for (const some of [forms.slice(0, 2), forms]) {
      const all = some === forms ? together : Buffer.concat(some.map(({ bytes }) => bytes));
      const found = await opened(all);
      expect(found.map(({ content }) => sha256(content))).toEqual(
        some.map(({ content }) => sha256(content)),
      );
      expect(found.map(({ name }) => name)).toEqual(some.map(() => 'é.zip'));
    }
  });

  it('refuses other bytes and an early end, whether it is small or large', async () => {
    for (const size of [100_000, 5_000_000]) {
      const { bytes } = await sealed(size);
      const other = Buffer.from(bytes);
      const middle = other.length >> 1;
      other[middle] = other[middle] === 0x41 ? 0x42 : 0x41;
      await expect(opened(other)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
      const early = bytes.subarray(0, bytes.lastIndexOf('{'));
      await expect(opened(early)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    }
  });
});
