import { errorCodeOf } from '../../../../src/errors.ts';
import { createJournalDisk } from '../../../../src/storage/outage/journal-disk.ts';
import { openJournal } from '../../../../src/storage/outage/journal.ts';

/**
 * Appends entries of 1 KB until one is refused; prints how many were acknowledged, and the code of
 * the refusal.
 */
const [folder = ''] = process.argv.slice(2);
const journal = await openJournal({ disk: createJournalDisk(folder), host: 'alpha' });
let code: string | undefined;
let acknowledged = 0;
while (code === undefined) {
  const key = { table: 'ledger', partition: 'p', sort: `${acknowledged}` };
  const before = { version: 0, sha256: null };
  const body = { filling: 'x'.repeat(1_000) };
  try {
    await journal.append([{ kind: 'document-put', key, before, expected: 0, sha256: '', body }]);
    acknowledged += 1;
  } catch (error) {
    code = errorCodeOf(error) ?? String(error);
  }
}
process.stdout.write(`${acknowledged}\n${code}\n`);
await journal.close();
