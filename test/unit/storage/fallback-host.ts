import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PipelineError } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import {
  createCircuitBreaker,
  guardDocuments,
  guardObjects,
} from '../../../src/storage/outage/circuit-breaker.ts';
import type { CircuitBreaker } from '../../../src/storage/outage/circuit-breaker.ts';
import { createStoreMirror } from '../../../src/storage/outage/fallback-mirror.ts';
import { createFallbackStores } from '../../../src/storage/outage/fallback-stores.ts';
import type { FallbackStores } from '../../../src/storage/outage/fallback-stores.ts';
import { createJournalDisk } from '../../../src/storage/outage/journal-disk.ts';
import type { JournalDisk } from '../../../src/storage/outage/journal-disk.ts';
import { openJournal } from '../../../src/storage/outage/journal.ts';
import { createLocalObjectStore } from '../../../src/storage/local/local-files.ts';
import type { DocumentStore } from '../../../src/ports/documents.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import type { ReconcileParts } from '../../../src/storage/outage/reconcile-parts.ts';
import { openSqliteDocumentStore } from '../../../src/storage/sqlite/sqlite-documents.ts';

/** Stores that fail as told: with a code, without being asked. */
export interface Outage {
  code: ErrorCode | undefined;
}

/** The store behind a switch. */
export function switched<S extends object>(store: S, outage: Outage): S {
  const fail = (): void => {
    if (outage.code !== undefined)
      throw new PipelineError(outage.code, 'the store does as the test says');
  };
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const call = () => Reflect.apply(member, target, args) as unknown;
        if (name === 'query' || name === 'list' || name === 'partitions') return listed(call, fail);
        return Promise.resolve().then(() => {
          fail();
          return call();
        });
      };
    },
  });
}

async function* listed(call: () => unknown, fail: () => void): AsyncGenerator {
  fail();
  yield* call() as AsyncIterable<unknown>;
}

export interface TestHost {
  readonly folder: string;
  readonly stores: FallbackStores;
  readonly parts: ReconcileParts;
  readonly breakers: { readonly objects: CircuitBreaker; readonly documents: CircuitBreaker };
  close(): Promise<void>;
}

export interface TestHostOptions {
  readonly equivalent?: ReconcileParts['equivalent'];
  readonly rules?: ReconcileParts['rules'];
  readonly probeAfterMs?: number;
  readonly now?: () => Date;
  /** The disk of the journal, perhaps with something in between. */
  readonly diskOf?: (disk: JournalDisk) => JournalDisk;
}

/**
 * A process of a host with real files below `folder`; several may share it. The breakers open at
 * the first failure and probe at once.
 */
export async function openTestHost(
  folder: string,
  primary: { readonly objects: ObjectStore; readonly documents: DocumentStore },
  options: TestHostOptions = {},
): Promise<TestHost> {
  const {
    probeAfterMs = 0,
    now = () => new Date(),
    diskOf = (disk: JournalDisk) => disk,
  } = options;
  const local = await openSqliteDocumentStore({ file: path.join(folder, 'known.db') });
  const blobs = createLocalObjectStore({ root: path.join(folder, 'pending') });
  const journal = await openJournal({
    disk: diskOf(createJournalDisk(path.join(folder, 'journal'))),
    host: 'alpha',
    now,
  });
  const breaker = (name: string) => createCircuitBreaker({ name, failuresToOpen: 1, probeAfterMs });
  const breakers = {
    objects: breaker('the object store'),
    documents: breaker('the document store'),
  };
  const guarded = {
    objects: guardObjects(primary.objects, breakers.objects),
    documents: guardDocuments(primary.documents, breakers.documents),
  };
  const mirror = createStoreMirror(local);
  const stores = createFallbackStores({
    host: 'alpha',
    primary: guarded,
    breakers,
    blobs,
    mirror,
    journal,
    now,
  });
  const { equivalent, rules } = options;
  return {
    folder,
    stores,
    parts: {
      journal,
      primary,
      blobs,
      mirror,
      ...(equivalent === undefined ? {} : { equivalent }),
      ...(rules === undefined ? {} : { rules }),
    },
    breakers,
    async close() {
      await journal.close();
      await local.close();
    },
  };
}

export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'quotidien-fallback-'));
  return { path: folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
