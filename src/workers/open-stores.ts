import path from 'node:path';
import { definedMembers } from '../given.ts';
import { livelyDocuments, livelyObjects, signOfLife } from '../activities/signs-of-life.ts';
import type { Config } from '../config/load-config.ts';
import type {
  AwsAccess,
  DocumentChoice,
  ObjectChoice,
  StorageChoice,
} from '../config/storage-choice.ts';
import { createLocalObjectStore } from '../storage/local/local-files.ts';
import type { WorkFolders } from '../storage/local/leftovers.ts';
import { STAGING_PART } from '../storage/shared/object-key.ts';
import type { DocumentStore } from '../ports/documents.ts';
import type { ObjectStore } from '../ports/objects.ts';
import { createPlacedObjectStore } from '../storage/local/placed-objects.ts';
import type { S3StoreOptions } from '../storage/aws/s3-objects.ts';
import { openSqliteDocumentStore } from '../storage/sqlite/sqlite-documents.ts';
import type { MergeRules } from '../storage/outage/reconcile-parts.ts';
import type { StorageTarget } from '../storage/setup/storage-plan.ts';
import type { HostFallback } from './open-fallback.ts';
import { recordTables } from './record-tables.ts';

const MEBIBYTE = 1_048_576;

/** The stores that the configuration names, as they are. */
export interface PrimaryStores {
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
}

/** The stores as work uses them, behind cache and fallback where they are remote. */
export interface OpenStores extends PrimaryStores {
  /** Without cache and fallback: for whoever wants to know how the stores themselves are. */
  readonly primary: PrimaryStores;
  /** Where a store is remote: what this host goes on with while it is away. */
  readonly fallback?: HostFallback;
  close(): Promise<void>;
}

/** What opens the stores of a configuration. */
export type StoresConfig = Pick<Config, 'home' | 'storage'> & { readonly settings: CacheSettings };
type CacheSettings = Pick<
  Config['settings'],
  'QUOTIDIEN_OBJECT_CACHE_MB' | 'QUOTIDIEN_STORE_ANSWER_MS'
>;

/**
 * Opens the stores that the configuration chose; embedded ones bare, remote ones with a cache and a
 * fallback on this host.
 */
export async function openStores(config: StoresConfig, rules?: MergeRules): Promise<OpenStores> {
  const { home, storage, settings } = config;
  const maxBytes = settings.QUOTIDIEN_OBJECT_CACHE_MB * MEBIBYTE;
  const answerTimeoutMs = settings.QUOTIDIEN_STORE_ANSWER_MS;
  const primary = await openPrimary({ home, storage, answerTimeoutMs, maxCopyBytes: maxBytes });
  if (isEmbedded(storage)) return { ...primary, primary };
  const { openHostFallback } = await import('./open-fallback.ts');
  const fallback = await openHostFallback({
    folder: path.join(home, 'fallback'),
    primary,
    ...definedMembers({ rules }),
    remote: {
      objects: storage.objects.kind !== 'local-files',
      documents: storage.documents.kind !== 'sqlite',
    },
    cache: {
      folder: cacheFolder(home, storage.objects),
      maxBytes,
      ...(storage.objects.kind === 's3' ? { checkTtlMs: storage.objects.cacheCheckTtlMs } : {}),
    },
  });
  return {
    objects: fallback.stores.objects,
    documents: fallback.stores.documents,
    primary,
    fallback,
    async close() {
      await fallback.close();
      await primary.close();
    },
  };
}

/** Where the processes of this host keep what is not finished. */
export function workFolders({ home, storage }: Pick<Config, 'home' | 'storage'>): WorkFolders {
  const stores = ['store', path.join('fallback', 'objects')].map((name) =>
    path.join(home, name, STAGING_PART),
  );
  const cache = cacheFolder(home, storage.objects);
  const staging = [
    ...stores,
    path.join(cache, 'incoming'),
    path.join(`${cache}-large`, STAGING_PART),
  ];
  return { staging, scratch: path.join(home, 'scratch', 'sql') };
}

/** Opens the chosen stores without anything around them. */
export async function openPrimary({
  home,
  storage,
  ...bounds
}: PrimaryConfig): Promise<ClosablePrimary> {
  const { objects, close } = await openObjects(home, storage.objects, bounds);
  const documents = await openDocuments(home, storage.documents, { overflow: objects, bounds });
  return {
    objects: livelyObjects(objects),
    documents: livelyDocuments(documents),
    async close() {
      await documents.close();
      await close();
    },
  };
}

type PrimaryConfig = Pick<Config, 'home' | 'storage'> & Bounds;
type ClosablePrimary = PrimaryStores & { close(): Promise<void> };

interface Bounds {
  /** Longest silence of a remote store. */
  readonly answerTimeoutMs?: number;
  /** The most that the copies of objects have together that are too large for the cache. */
  readonly maxCopyBytes?: number;
}

/**
 * What the chosen stores need to be there, and then any further bucket; nothing where they need
 * nothing.
 */
export function storageTargets(
  storage: StorageChoice,
  operationalTables: readonly string[],
): StorageTarget[] {
  if (isEmbedded(storage)) return [];
  const { objects, documents } = storage;
  const main: StorageTarget = {
    ...(objects.kind === 's3' ? { s3: s3Options(objects) } : {}),
    ...(documents.kind === 'dynamodb' ? { dynamodb: dynamoOptions(documents) } : {}),
    ...(documents.kind === 'mongodb'
      ? { mongodb: { ...mongoOptions(documents), operationalTables } }
      : {}),
  };
  if (objects.kind !== 's3') return [main];
  const own = objects.placed.filter(({ foreign }) => foreign !== true).map(({ bucket }) => bucket);
  const buckets = new Set(own.filter((bucket) => bucket !== objects.bucket));
  return [main, ...[...buckets].map((bucket) => ({ s3: s3Options({ ...objects, bucket }) }))];
}

function isEmbedded({ objects, documents }: StorageChoice): boolean {
  return objects.kind === 'local-files' && documents.kind === 'sqlite';
}

/** A driver is loaded when it is chosen: together they are most of a command's start. */
async function openObjects(
  home: string,
  choice: ObjectChoice,
  bounds: Bounds,
): Promise<{ objects: ObjectStore; close: () => Promise<void> }> {
  if (choice.kind === 'local-files') {
    return {
      objects: createLocalObjectStore({ root: path.join(home, 'store') }),
      close: () => Promise.resolve(),
    };
  }
  const { openS3ObjectStore } = await import('../storage/aws/s3-objects.ts');
  const common = { ...s3Options(choice), ...bounds, onBytes: signOfLife };
  // For what is too large for the cache in front.
  const copies = `${cacheFolder(home, choice)}-large`;
  const rest = openS3ObjectStore({ ...common, cacheFolder: copies });
  const placed = choice.placed.map(({ folder, bucket, prefix, foreign = false }) => ({
    folder,
    foreign,
    store: openS3ObjectStore({ ...common, bucket, prefix, cacheFolder: path.join(copies, folder) }),
    ...(bucket === choice.bucket && !foreign ? { within: prefix } : {}),
  }));
  return {
    objects: placed.length === 0 ? rest : createPlacedObjectStore(rest, placed),
    async close() {
      await Promise.all([rest, ...placed.map(({ store }) => store)].map((store) => store.close()));
    },
  };
}

function cacheFolder(home: string, choice: ObjectChoice): string {
  return (
    (choice.kind === 's3' ? choice.cacheFolder : undefined) ?? path.join(home, 'cache', 'objects')
  );
}

async function openDocuments(
  home: string,
  choice: DocumentChoice,
  { overflow, bounds }: { readonly overflow: ObjectStore; readonly bounds: Bounds },
): Promise<DocumentStore> {
  if (choice.kind === 'sqlite')
    return openSqliteDocumentStore({ file: path.join(home, 'documents.db') });
  if (choice.kind === 'mongodb') {
    const { openMongoDocumentStore } = await import('../storage/mongo/mongo-documents.ts');
    return openMongoDocumentStore({ ...mongoOptions(choice), ...bounds, overflow });
  }
  const { openDynamoDocumentStore } = await import('../storage/aws/dynamodb-documents.ts');
  return openDynamoDocumentStore({ ...dynamoOptions(choice), ...bounds, overflow });
}

function s3Options(choice: ObjectChoice & { kind: 's3' }): S3StoreOptions {
  // Other servers seldom have a host name per bucket.
  return {
    ...accessOf(choice),
    bucket: choice.bucket,
    forcePathStyle: choice.endpoint !== undefined,
  };
}

function mongoOptions(choice: DocumentChoice & { kind: 'mongodb' }) {
  return { url: choice.url, database: choice.database, nativeTables: recordTables(choice) };
}

function dynamoOptions(choice: DocumentChoice & { kind: 'dynamodb' }) {
  return {
    ...accessOf(choice),
    tablePrefix: choice.tablePrefix,
    nativeTables: recordTables(choice),
  };
}

function accessOf({ region, endpoint, credentials }: AwsAccess): AwsAccess {
  return {
    region,
    ...definedMembers({ endpoint, credentials }),
  };
}
