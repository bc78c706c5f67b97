import { createLocalObjectStore } from '../../../../src/storage/local/local-files.ts';

/**
 * Replaces one object again and again by contents of 1 MiB of one letter; prints a line for each.
 */
const [root = '', key = '', letter = '', times = '0'] = process.argv.slice(2);
const store = createLocalObjectStore({ root });
for (let n = 0; n < Number(times); n += 1) {
  await store.put(key, Buffer.alloc(1 << 20, letter), { mode: 'replace', mediaType: 'text/plain' });
  process.stdout.write(`${n}\n`);
}
