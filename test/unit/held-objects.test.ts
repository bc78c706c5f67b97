import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putContent } from '../../src/engine/content-store.ts';
import { holdingFiles } from '../../src/engine/held-objects.ts';
import { objectsWith } from '../../src/engine/objects-with.ts';
import type { ObjectStore } from '../../src/ports/objects.ts';
import { createLocalObjectStore } from '../../src/storage/local/local-files.ts';

let root: string;
let objects: ObjectStore;
let opened: number;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'quotidien-held-'));
  const store = createLocalObjectStore({ root });
  opened = 0;
  objects = objectsWith(store, {
    openLocal: (ref, options) => {
      opened += 1;
      return store.openLocal(ref, options);
    },
  });
});

afterEach(() => rm(root, { recursive: true }));

describe('holdingFiles', () => {
  it('opens what is read again once, unless it is to be proven anew or was not there', async () => {
    const place = { folder: 'lists', extension: 'ndjson', mediaType: 'application/x-ndjson' };
    await holdingFiles({ objects }, async (holding) => {
      const ref = await putContent(objects, place, { bytes: Buffer.from('{"archive":"one"}\n') });
      const file = await holding.objects.openLocal(ref);
      expect(await holding.objects.openLocal(ref)).toBe(file);
      expect(opened).toBe(1);
      await holding.objects.openLocal(ref, { fresh: true });
      expect(opened).toBe(2);
      const later = { ...ref, key: 'lists/later.ndjson' };
      expect(await holding.objects.openLocal(later)).toBeUndefined();
      await objects.put(later.key, Buffer.from('{"archive":"one"}\n'), {
        mediaType: place.mediaType,
        mode: 'create',
      });
      expect(await holding.objects.openLocal(later)).toContain(root);
    });
  });
});
