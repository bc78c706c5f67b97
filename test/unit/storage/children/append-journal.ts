import { createJournalDisk } from '../../../../src/storage/outage/journal-disk.ts';
import { openJournal } from '../../../../src/storage/outage/journal.ts';

/** Appends `count` entries, several at once, and prints how many were accepted. */
const [folder = '', name = '', count = '0'] = process.argv.slice(2);
const journal = await openJournal({ disk: createJournalDisk(folder), host: 'alpha' });
const outcomes = await Promise.all(
  Array.from({ length: Number(count) }, (_, n) =>
    journal.append([
      {
        kind: 'document-put',
        key: { table: 'ledger', partition: 'p', sort: `${name} ${n}` },
        before: { version: 0, sha256: null },
        expected: 0,
        sha256: `${n}`,
        body: { filling: name.repeat(n * 100) },
      },
    ]),
  ),
);
process.stdout.write(`${outcomes.filter(([outcome]) => outcome?.kind === 'accepted').length}\n`);
await journal.close();
