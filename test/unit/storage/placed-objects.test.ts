import { describe, expect, it } from 'vitest';
import { createMemoryObjectStore } from '../../../src/storage/memory/memory.ts';
import { createPlacedObjectStore } from '../../../src/storage/local/placed-objects.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { collectText, toArray } from '../../conformance/byte-streams.ts';

const TEXT = { mode: 'create', mediaType: 'text/plain' } as const;

async function keysOf(store: ObjectStore, prefix = ''): Promise<string[]> {
  return (await toArray(store.list(prefix))).map(({ key }) => key);
}

describe('createPlacedObjectStore', () => {
  it('keeps a folder in another bucket under the key that everybody uses', async () => {
    const [rest, raw] = [createMemoryObjectStore(), createMemoryObjectStore()];
    const store = createPlacedObjectStore(rest, [{ folder: 'raw', store: raw }]);
    for (const key of ['rawest/x', 'raw/b', 'core/1', 'raw/a/1', 'zones/1'])
      await store.put(key, Buffer.from(key), TEXT);
    expect(await keysOf(raw)).toEqual(['a/1', 'b']);
    expect(await keysOf(rest)).toEqual(['core/1', 'rawest/x', 'zones/1']);
    expect(await keysOf(store)).toEqual(['core/1', 'raw/a/1', 'raw/b', 'rawest/x', 'zones/1']);
    expect(await keysOf(store, 'ra')).toEqual(['raw/a/1', 'raw/b', 'rawest/x']);
    expect(await keysOf(store, 'raw/a')).toEqual(['raw/a/1']);
    expect(await collectText(await store.get('raw/a/1'))).toBe('raw/a/1');
    expect((await store.head('raw/b'))?.key).toBe('raw/b');
    await store.delete('raw/b');
    expect(await keysOf(raw)).toEqual(['a/1']);
  });

  it('does not take what lies in the folder’s place for objects of the rest', async () => {
    const [bucket, raw] = [createMemoryObjectStore(), createMemoryObjectStore()];
    const store = createPlacedObjectStore(bucket, [
      { folder: 'raw', store: raw, within: 'incoming' },
    ]);
    await bucket.put('incoming/a', Buffer.from('seen from below'), TEXT);
    expect(await keysOf(store)).toEqual([]);
    await expect(store.put('incoming/b', Buffer.from(''), TEXT)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});
