import { createCachedObjectStore } from '../../../../src/storage/cache/cache-objects.ts';
import { createMemoryObjectStore } from '../../../../src/storage/memory/memory.ts';

/** Begins to fetch an object into the cache, says so, and never goes on. */
const [folder = '', key = '', sha256 = '', bytes = '0'] = process.argv.slice(2);

async function* endless(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('r');
  process.stdout.write('fetching\n');
  await new Promise(() => setInterval(() => undefined, 60_000));
}

const primary = { ...createMemoryObjectStore(), get: () => Promise.resolve(endless()) };
await createCachedObjectStore({ primary, folder, maxBytes: 1 << 30 }).openLocal({
  key,
  sha256,
  bytes: Number(bytes),
});
