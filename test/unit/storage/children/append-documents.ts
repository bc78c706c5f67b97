import { openSqliteDocumentStore } from '../../../../src/storage/sqlite/sqlite-documents.ts';

/** Creates documents for ever; prints the number of each after it was acknowledged. */
const [file = ''] = process.argv.slice(2);
const store = await openSqliteDocumentStore({ file });
for (let n = 0; ; n += 1) {
  const key = { table: 'ledger', partition: 'p', sort: String(n).padStart(8, '0') };
  await store.put(key, { n, filling: 'x'.repeat(3_000) }, { expectedVersion: 0 });
  process.stdout.write(`${n}\n`);
  if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
}
