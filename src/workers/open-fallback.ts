import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { definedMembers } from '../given.ts';
import { sameRecord } from '../pipelines/same-record.ts';
import { noteBreakers } from '../storage/outage/breaker-notes.ts';
import { createCachedObjectStore } from '../storage/cache/cache-objects.ts';
import type { CacheStats } from '../storage/cache/cache-objects.ts';
import {
  createCircuitBreaker,
  guardDocuments,
  guardObjects,
} from '../storage/outage/circuit-breaker.ts';
import type { CircuitBreaker } from '../storage/outage/circuit-breaker.ts';
import { createStoreMirror } from '../storage/outage/fallback-mirror.ts';
import { createFallbackStores } from '../storage/outage/fallback-stores.ts';
import type { FallbackStores } from '../storage/outage/fallback-stores.ts';
import { errnoOf, fileError } from '../storage/shared/file-errors.ts';
import { createJournalDisk } from '../storage/outage/journal-disk.ts';
import { openJournal } from '../storage/outage/journal.ts';
import { createLocalObjectStore } from '../storage/local/local-files.ts';
import type { DocumentStore } from '../ports/documents.ts';
import type { ObjectStore } from '../ports/objects.ts';
import type { MergeRules, ReconcileParts } from '../storage/outage/reconcile-parts.ts';
import { openSqliteDocumentStore } from '../storage/sqlite/sqlite-documents.ts';

/**
 * What a host works with while its remote stores are away, all of it below one folder on its own
 * disk.
 */
export interface HostFallback {
  readonly host: string;
  readonly folder: string;
  readonly stores: FallbackStores;
  /** For a replay. */
  readonly parts: ReconcileParts;
  readonly cache: HostFallbackOptions['cache'];
  /** Undefined where the objects are local anyway. */
  cacheStats(): CacheStats | undefined;
  close(): Promise<void>;
}

/** Where this host keeps what it goes on with, and before which stores. */
export interface HostFallbackOptions {
  readonly folder: string;
  readonly primary: { readonly objects: ObjectStore; readonly documents: DocumentStore };
  /** Which halves can be away; the other one is called directly. */
  readonly remote: { readonly objects: boolean; readonly documents: boolean };
  readonly cache: {
    readonly folder: string;
    readonly maxBytes: number;
    readonly checkTtlMs?: number;
  };
  /** How a replay settles what two hosts wrote differently; unless given, a person does. */
  readonly rules?: MergeRules;
}

/** Puts cache, circuit breakers, journal and mirror of this host around its primary stores. */
export async function openHostFallback(options: HostFallbackOptions): Promise<HostFallback> {
  const { folder, primary, remote } = options;
  const host = await hostOf(folder);
  const breakers = {
    objects: breakerOf(`the object store (${primary.objects.kind})`),
    documents: breakerOf(`the document store (${primary.documents.kind})`),
  };
  const cached = remote.objects
    ? createCachedObjectStore({
        primary: guardObjects(primary.objects, breakers.objects),
        ...options.cache,
      })
    : undefined;
  const guarded = {
    objects: cached ?? primary.objects,
    documents: remote.documents
      ? guardDocuments(primary.documents, breakers.documents)
      : primary.documents,
  };
  const local = await openSqliteDocumentStore({ file: path.join(folder, 'mirror.db') });
  const blobs = createLocalObjectStore({ root: path.join(folder, 'objects') });
  const journal = await openJournal({
    disk: createJournalDisk(path.join(folder, 'journal')),
    host,
  });
  const notes = noteBreakers(folder, Object.values(breakers));
  const mirror = createStoreMirror(local);
  const now = () => new Date();
  const rules = definedMembers({ rules: options.rules });
  return {
    host,
    folder,
    cache: options.cache,
    stores: createFallbackStores({
      host,
      primary: guarded,
      breakers,
      blobs,
      mirror,
      journal,
      now,
      ...rules,
    }),
    parts: {
      journal,
      primary,
      blobs,
      mirror,
      equivalent: ({ table }, ours, theirs) => sameRecord(table, ours, theirs),
      ...rules,
    },
    cacheStats: () => cached?.stats(),
    async close() {
      await notes.close();
      await journal.close();
      await local.close();
    },
  };
}

/**
 * A command that begins while its store is away has heard nothing of it, and no second try: the
 * driver's own tries are enough for it.
 */
function breakerOf(name: string): CircuitBreaker {
  return createCircuitBreaker({ name, failuresBeforeAnswer: 1 });
}

/**
 * Kept beside the journal: in a container the machine's name changes with each start, and the
 * journal stays with its volume.
 */
async function hostOf(folder: string): Promise<string> {
  const file = path.join(folder, 'host');
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, hostname(), { flag: 'wx' });
    return hostname();
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw fileError(error, 'write', file);
    return (await readFile(file, 'utf8')).trim() || hostname();
  }
}
