import { createHash } from 'node:crypto';
import { createLocalObjectStore } from '../../../../src/storage/local/local-files.ts';
import { dayText } from '../day-texts.ts';

/**
 * Puts texts of days without end, several at a time, and prints the key of each that is durable.
 */
const [root = '', first = '0'] = process.argv.slice(2);
const store = createLocalObjectStore({ root });

async function putFrom(start: number): Promise<void> {
  for (let n = start; ; n += 4) {
    const body = Buffer.from(dayText(n));
    const sha256 = createHash('sha256').update(body).digest('hex');
    const key = `metrics/tiny/roads-${n % 3}/date=${n}/${sha256}.json`;
    await store.put(key, body, { mode: 'create', mediaType: 'application/json' });
    process.stdout.write(`${key}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map((lane) => putFrom(Number(first) + lane)));
