import { createLocalObjectStore } from '../../../../src/storage/local/local-files.ts';

/** Begins to put an object, says so when part of it is on disk, and never goes on. */
const [root = '', key = '', mode = ''] = process.argv.slice(2);

async function* endless(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(3 << 20, 'x');
  process.stdout.write('staged\n');
  await new Promise(() => setInterval(() => undefined, 60_000));
}

await createLocalObjectStore({ root }).put(key, endless(), {
  mode: mode === 'create' ? 'create' : 'replace',
  mediaType: 'text/plain',
});
