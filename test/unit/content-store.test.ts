import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putContent } from '../../src/engine/content-store.ts';
import { createMemoryObjectStore } from '../../src/storage/memory/memory.ts';
import { collectText, toArray } from '../conformance/byte-streams.ts';

const PLACE = { folder: 'raw/tiny', extension: 'txt', mediaType: 'text/plain' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-content-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A file that was received, with the size and hash of what it held then. */
async function received(text: string) {
  const file = path.join(folder, 'answer.body');
  await writeFile(file, text);
  return {
    path: file,
    bytes: text.length,
    sha256: createHash('sha256').update(text).digest('hex'),
  };
}

describe('putContent', () => {
  it('names a received file by the hash that it was received with', async () => {
    const objects = createMemoryObjectStore();
    const file = await received('as published');
    const ref = await putContent(objects, PLACE, file);
    expect(ref).toEqual({
      key: `raw/tiny/${file.sha256}.txt`,
      sha256: file.sha256,
      bytes: 12,
      mediaType: 'text/plain',
    });
    expect(await collectText(await objects.get(ref.key))).toBe('as published');
  });

  it('leaves nothing under the name of a hash when the file changed on the way', async () => {
    const objects = createMemoryObjectStore();
    const file = await received('as published');
    await writeFile(file.path, 'as altered..');
    await expect(putContent(objects, PLACE, file)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(await toArray(objects.list(''))).toEqual([]);
  });
});
