import path from 'node:path';
import { PipelineError, errorCodeOf } from '../../../../src/errors.ts';
import type { JournalDisk, JournalSegment } from '../../../../src/storage/outage/journal-disk.ts';
import { createLocalObjectStore } from '../../../../src/storage/local/local-files.ts';
import type { DocumentStore } from '../../../../src/ports/documents.ts';
import type { ObjectStore } from '../../../../src/ports/objects.ts';
import { reconcile } from '../../../../src/storage/outage/reconcile.ts';
import { openSqliteDocumentStore } from '../../../../src/storage/sqlite/sqlite-documents.ts';
import { openTestHost, switched } from '../fallback-host.ts';

/**
 * A process of a host that shoots itself where it is told:
 *
 *     fallback-process.ts <folder> write <first> <count> <torn|written> <nth append>
 *     fallback-process.ts <folder> reconcile <applied|settled> <nth time>
 *
 * `written`: the journal entry is on disk, and nobody was told. `torn`: half of it is. `applied`:
 * the primary store has an entry that is not settled. `settled`: it is. Writing, the primary stores
 * are away; each round is printed once it is acknowledged.
 */
const [folder = '', mode = '', ...rest] = process.argv.slice(2);

function shoot(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** The disk of a journal with something around each append. */
function appending(
  disk: JournalDisk,
  around: (file: JournalSegment, bytes: Uint8Array) => Promise<void>,
): JournalDisk {
  const within = (file: JournalSegment): JournalSegment => ({
    number: file.number,
    append: (bytes) => around(file, bytes),
    size: () => file.size(),
    read: (start, end) => file.read(start, end),
    close: () => file.close(),
  });
  return {
    segments: () => disk.segments(),
    remove: (number) => disk.remove(number),
    create: async (number) => within(await disk.create(number)),
    open: async (number) => {
      const file = await disk.open(number);
      return file === undefined ? undefined : within(file);
    },
  };
}

const primary = {
  objects: createLocalObjectStore({ root: path.join(folder, 'primary') }),
  documents: await openSqliteDocumentStore({ file: path.join(folder, 'primary.db') }),
};

/** What it finds of its own from before its death counts as written. */
async function writeRound(
  { objects, documents }: { objects: ObjectStore; documents: DocumentStore },
  n: number,
) {
  const own = (error: unknown): void => {
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
  };
  const key = `days/${n}.txt`;
  await objects
    .put(key, Buffer.from(`day ${n}`), { mode: 'create', mediaType: 'text/plain' })
    .catch(own);
  await documents
    .put({ table: 'ledger', partition: 'p', sort: `${n}` }, { key }, { expectedVersion: 0 })
    .catch(own);
  const counter = { table: 'ledger', partition: 'counter', sort: 'one' };
  const found = await documents.get<{ rounds: number[] }>(counter);
  const rounds = found?.body.rounds ?? [];
  if (rounds.includes(n)) return;
  await documents.put(
    counter,
    { rounds: [...rounds, n] },
    { expectedVersion: found?.version ?? 0 },
  );
}

async function write(first: number, count: number, moment: string, nth: number): Promise<void> {
  let appends = 0;
  const away = { code: 'STORE_UNAVAILABLE' } as const;
  const stores = {
    objects: switched(primary.objects, away),
    documents: switched(primary.documents, away),
  };
  const host = await openTestHost(path.join(folder, 'host'), stores, {
    diskOf: (disk) =>
      appending(disk, async (file, bytes) => {
        appends += 1;
        if (appends === nth && moment === 'torn') {
          await file.append(bytes.subarray(0, bytes.byteLength >> 1));
          shoot();
        }
        await file.append(bytes);
        if (appends === nth) shoot();
      }),
  });
  for (let n = first; n < first + count; n += 1) {
    await writeRound(host.stores, n);
    process.stdout.write(`acknowledged ${n}\n`);
  }
  await host.close();
}

async function replay(moment: string, nth: number): Promise<void> {
  let times = 0;
  const count = (): void => {
    times += 1;
    if (times === nth) shoot();
  };
  const host = await openTestHost(path.join(folder, 'host'), primary, {
    diskOf: (disk) =>
      appending(disk, async (file, bytes) => {
        await file.append(bytes);
        if (moment === 'settled' && Buffer.from(bytes).includes('"settled"')) count();
      }),
  });
  const report = await reconcile(host.parts, {
    entriesPerSecond: Number.POSITIVE_INFINITY,
    progress: () => {
      if (moment === 'applied') count();
    },
  });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  await host.close();
}

if (mode === 'write') await write(Number(rest[0]), Number(rest[1]), rest[2] ?? '', Number(rest[3]));
else if (mode === 'reconcile') await replay(rest[0] ?? '', Number(rest[1]));
else throw new PipelineError('INPUT_INVALID', `there is no mode ${mode}`);
await primary.documents.close();
