import { sameRecord } from '../../src/pipelines/same-record.ts';
import { createCachedObjectStore } from '../../src/storage/cache/cache-objects.ts';
import {
  createCircuitBreaker,
  guardDocuments,
  guardObjects,
} from '../../src/storage/outage/circuit-breaker.ts';
import { createStoreMirror } from '../../src/storage/outage/fallback-mirror.ts';
import { createFallbackStores } from '../../src/storage/outage/fallback-stores.ts';
import type { JournalDisk, JournalSegment } from '../../src/storage/outage/journal-disk.ts';
import { openJournal } from '../../src/storage/outage/journal.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../src/storage/memory/memory.ts';
import type { MergeRules } from '../../src/storage/outage/reconcile-parts.ts';
import type { HostFallback } from '../../src/workers/open-fallback.ts';
import type { Process } from './scheduler.ts';
import { inMemory, storesOf } from './stores-of-process.ts';
import type { Stores } from './stores-of-process.ts';
import { seedFolder } from './virtual-files.ts';
import type { Weather } from './weather.ts';

/** What outlives the processes of a host. */
export class HostDisk {
  readonly blobs = inMemory(createMemoryObjectStore());
  readonly known = createMemoryDocumentStore();
  readonly segments = new Map<number, { bytes: Buffer }>();
  readonly cacheFolder: string;

  constructor(name: string) {
    this.cacheFolder = `${seedFolder()}/cache-${name}`;
  }
}

const CACHE_BYTES = 1 << 30;

/**
 * The parts of `openHostFallback` over a disk in memory: every call of a process to its own disk is
 * a turn too, so it may be its last.
 */
export async function openSimulatedFallback(
  host: string,
  process: Process,
  weather: Weather,
  disk: HostDisk,
  primary: Stores,
  now: () => Date,
  rules: MergeRules,
): Promise<HostFallback> {
  const breaker = (name: string) =>
    createCircuitBreaker({ name, failuresBeforeAnswer: 1, now: () => now().getTime() });
  const breakers = {
    objects: breaker('the object store'),
    documents: breaker('the document store'),
  };
  const cache = { folder: disk.cacheFolder, maxBytes: CACHE_BYTES };
  const cached = createCachedObjectStore({
    primary: guardObjects(primary.objects, breakers.objects),
    ...cache,
  });
  const own = storesOf(process, weather.indoors(), { objects: disk.blobs, documents: disk.known });
  const journal = await openJournal({ disk: journalDisk(process, weather, disk), host, now });
  const mirror = createStoreMirror(own.documents);
  const guarded = {
    objects: cached,
    documents: guardDocuments(primary.documents, breakers.documents),
  };
  const blobs = own.objects;
  return {
    host,
    folder: disk.cacheFolder,
    cache,
    stores: createFallbackStores({
      host,
      primary: guarded,
      breakers,
      blobs,
      mirror,
      journal,
      now,
      rules,
    }),
    parts: {
      journal,
      primary,
      blobs,
      mirror,
      rules,
      equivalent: ({ table }, ours, theirs) => sameRecord(table, ours, theirs),
    },
    cacheStats: () => cached.stats(),
    close: () => Promise.resolve(),
  };
}

function journalDisk(process: Process, weather: Weather, disk: HostDisk): JournalDisk {
  const indoors = weather.indoors();
  const open = (number: number): JournalSegment => {
    const file = disk.segments.get(number) ?? { bytes: Buffer.alloc(0) };
    disk.segments.set(number, file);
    return {
      number,
      append: (bytes) =>
        indoors.call(process, `journals ${bytes.byteLength} bytes`, () => {
          file.bytes = Buffer.concat([file.bytes, bytes]);
          return Promise.resolve();
        }),
      size: () => Promise.resolve(file.bytes.byteLength),
      read: (start, end) => Promise.resolve(file.bytes.subarray(start, end)),
      close: () => Promise.resolve(),
    };
  };
  return {
    segments: () => Promise.resolve([...disk.segments.keys()].sort((a, b) => a - b)),
    open: (number) => Promise.resolve(disk.segments.has(number) ? open(number) : undefined),
    create: (number) => Promise.resolve(open(number)),
    remove: (number) => {
      disk.segments.delete(number);
      return Promise.resolve();
    },
  };
}
