import { errorCodeOf } from '../../../../src/errors.ts';
import { openSqliteDocumentStore } from '../../../../src/storage/sqlite/sqlite-documents.ts';

/**
 * Opens the file, perhaps as the first, then adds one to a counter `times` times and creates
 * documents that others want too.
 */
const [file = '', times = '0', startAtMs = '0'] = process.argv.slice(2);
// All processes begin in the same millisecond: a timer alone would be off by a few.
while (Date.now() < Number(startAtMs)) await new Promise((resolve) => setImmediate(resolve));
const store = await openSqliteDocumentStore({ file, busyTimeoutMs: 30_000 });
const key = { table: 'counters', partition: 'shared', sort: 'one' };
let counted = 0;
while (counted < Number(times)) {
  const found = await store.get<{ count: number }>(key);
  try {
    await store.put(
      key,
      { count: (found?.body.count ?? 0) + 1 },
      { expectedVersion: found?.version ?? 0 },
    );
    counted += 1;
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
  }
}
const wanted = Array.from({ length: 500 }, (_, n) => ({
  key: { ...key, sort: `wanted ${n}` },
  body: { n },
}));
const won = (await store.createMany(wanted)).filter((created) => created).length;
await store.close();
process.stdout.write(`${won}\n`);
