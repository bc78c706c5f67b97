import path from 'node:path';
import type { Config } from '../config/load-config.ts';
import type { AwsAccess, DocumentChoice, ObjectChoice, StorageChoice } from '../config/storage-choice.ts';
import { cityFlowTables } from '../storage/cityflow-tables.ts';
import { openDynamoDocumentStore } from '../storage/dynamodb-documents.ts';
import { createLocalObjectStore } from '../storage/local-files.ts';
import { openMongoDocumentStore } from '../storage/mongo-documents.ts';
import type { DocumentStore, ObjectStore } from '../storage/ports.ts';
import { openS3ObjectStore } from '../storage/s3-objects.ts';
import type { S3StoreOptions } from '../storage/s3-objects.ts';
import { openSqliteDocumentStore } from '../storage/sqlite-documents.ts';
import type { StorageTarget } from '../storage/storage-plan.ts';

export interface OpenStores {
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
  close(): Promise<void>;
}

/** Opens the stores that the configuration chose. */
export async function openStores({ home, storage }: Pick<Config, 'home' | 'storage'>): Promise<OpenStores> {
  const { objects, close } = openObjects(home, storage.objects);
  const documents = await openDocuments(home, storage.documents, objects);
  return {
    objects,
    documents,
    async close() {
      await documents.close();
      await close();
    },
  };
}

/** What the chosen stores need to be there; undefined when they need nothing. */
export function storageTarget(
  { objects, documents }: StorageChoice,
  operationalTables: readonly string[],
): StorageTarget | undefined {
  if (objects.kind === 'local-files' && documents.kind === 'sqlite') return undefined;
  return {
    ...(objects.kind === 's3' ? { s3: s3Options(objects) } : {}),
    ...(documents.kind === 'dynamodb' ? { dynamodb: dynamoOptions(documents) } : {}),
    ...(documents.kind === 'mongodb' ? { mongodb: { ...mongoOptions(documents), operationalTables } } : {}),
  };
}

function openObjects(home: string, choice: ObjectChoice): { objects: ObjectStore; close: () => Promise<void> } {
  if (choice.kind === 'local-files') {
    return { objects: createLocalObjectStore({ root: path.join(home, 'store') }), close: () => Promise.resolve() };
  }
  const cacheFolder = choice.cacheFolder ?? path.join(home, 'cache', 'objects');
  const objects = openS3ObjectStore({ ...s3Options(choice), cacheFolder });
  return { objects, close: () => objects.close() };
}

function openDocuments(home: string, choice: DocumentChoice, overflow: ObjectStore): Promise<DocumentStore> {
  if (choice.kind === 'sqlite') return openSqliteDocumentStore({ file: path.join(home, 'documents.db') });
  return Promise.resolve(
    choice.kind === 'mongodb'
      ? openMongoDocumentStore({ ...mongoOptions(choice), overflow })
      : openDynamoDocumentStore({ ...dynamoOptions(choice), overflow }),
  );
}

function s3Options(choice: ObjectChoice & { kind: 's3' }): S3StoreOptions {
  // Other servers seldom have a host name per bucket.
  return { ...accessOf(choice), bucket: choice.bucket, forcePathStyle: choice.endpoint !== undefined };
}

function mongoOptions({ url, database }: DocumentChoice & { kind: 'mongodb' }) {
  return { url, database, nativeTables: cityFlowTables({ metrics: 'metrics', reports: 'reports' }) };
}

function dynamoOptions(choice: DocumentChoice & { kind: 'dynamodb' }) {
  const { tablePrefix, metricsTable, reportsTable } = choice;
  const nativeTables = cityFlowTables({ metrics: metricsTable, reports: reportsTable });
  return { ...accessOf(choice), tablePrefix, nativeTables };
}

function accessOf({ region, endpoint, credentials }: AwsAccess): AwsAccess {
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}
