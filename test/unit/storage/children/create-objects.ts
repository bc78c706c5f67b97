import { errorCodeOf } from '../../../../src/errors.ts';
import { createLocalObjectStore } from '../../../../src/storage/local/local-files.ts';

/**
 * Tries to create `count` objects that other processes want to create as well; prints the number of
 * each that it won.
 */
const [root = '', count = '0', writer = ''] = process.argv.slice(2);
const store = createLocalObjectStore({ root });
for (let n = 0; n < Number(count); n += 1) {
  try {
    const body = Buffer.from(`writer ${writer} `.repeat(2_000));
    await store.put(`race/${n % 10}/${n}`, body, { mode: 'create', mediaType: 'text/plain' });
    process.stdout.write(`${n}\n`);
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
  }
}
