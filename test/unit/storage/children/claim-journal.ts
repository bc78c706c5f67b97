import { createJournalDisk } from '../../../../src/storage/outage/journal-disk.ts';
import { openJournal } from '../../../../src/storage/outage/journal.ts';

/** Takes the right to replay the journal, says so, and never gives it back. */
const [folder = ''] = process.argv.slice(2);
const journal = await openJournal({ disk: createJournalDisk(folder), host: 'alpha' });
process.stdout.write((await journal.claim()) === undefined ? 'refused\n' : 'claimed\n');
setInterval(() => undefined, 60_000);
