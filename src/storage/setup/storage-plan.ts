import type { AwsClientOptions } from '../aws/aws-client.ts';
import type { DynamoTables } from '../aws/dynamodb-documents.ts';
import { operationsTableName } from '../aws/dynamodb-items.ts';
import type { MongoConnection } from '../mongo/mongo-client.ts';
import { nativeCollection, operationalCollection } from '../mongo/mongo-indexes.ts';
import type { CollectionPlan } from '../mongo/mongo-indexes.ts';
import type { NativeTables } from '../shared/native-tables.ts';
import type { S3StoreOptions } from '../aws/s3-objects.ts';

/** The stores of an installation, by the same options that open them. */
export interface StorageTarget {
  readonly s3?: S3StoreOptions;
  readonly dynamodb?: AwsClientOptions & DynamoTables;
  readonly mongodb?: MongoConnection & MongoCollections;
}

/** Which collections there are going to be. */
export interface MongoCollections {
  /** Logical tables of the operational layout, a collection each. */
  readonly operationalTables: readonly string[];
  readonly nativeTables?: NativeTables;
}

/** What must be there, as plain data: `storage-init.ts` makes it, `storage-print.ts` shows it. */
export interface StoragePlan {
  readonly bucket?: BucketPlan;
  readonly tables: readonly TablePlan[];
  readonly collections: readonly CollectionPlan[];
}

/** A bucket with one rule of our own; other rules of it stay. */
export interface BucketPlan {
  readonly name: string;
  readonly region: string;
  /** Parts of uploads whose process was killed are removed after so many days. */
  readonly abortRule: { readonly id: string; readonly days: number };
}

/** A DynamoDB table with two text keys, on demand capacity. */
export interface TablePlan {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly timeToLive?: string;
}

const ABORT_RULE = { id: 'quotidien-abort-unfinished-uploads', days: 2 } as const;

/** The part of a table that CreateTable and CloudFormation say in the same words. */
export function tableShape({ name, partitionKey, sortKey }: TablePlan) {
  return {
    TableName: name,
    KeySchema: [
      { AttributeName: partitionKey, KeyType: 'HASH' as const },
      { AttributeName: sortKey, KeyType: 'RANGE' as const },
    ],
    AttributeDefinitions: [partitionKey, sortKey].map((name) => ({
      AttributeName: name,
      AttributeType: 'S' as const,
    })),
    BillingMode: 'PAY_PER_REQUEST' as const,
  };
}

/** Asks nothing: what is there already is found by whoever carries it out. */
export function planStorage({ s3, dynamodb, mongodb }: StorageTarget): StoragePlan {
  return {
    ...(s3 === undefined
      ? {}
      : { bucket: { name: s3.bucket, region: s3.region, abortRule: ABORT_RULE } }),
    tables: dynamodb === undefined ? [] : planTables(dynamodb),
    collections: mongodb === undefined ? [] : planCollections(mongodb),
  };
}

function planTables({ tablePrefix, nativeTables }: DynamoTables): TablePlan[] {
  const operational = { name: operationsTableName(tablePrefix), partitionKey: 'pk', sortKey: 'sk' };
  const native = Object.values(nativeTables ?? {}).map(
    ({ name, partitionKey, sortKey, timeToLive }) => {
      const keys = { name, partitionKey, sortKey };
      return timeToLive === undefined ? keys : { ...keys, timeToLive: timeToLive.field };
    },
  );
  return [operational, ...native];
}

function planCollections({ operationalTables, nativeTables }: MongoCollections): CollectionPlan[] {
  return [
    ...operationalTables.map(operationalCollection),
    ...Object.values(nativeTables ?? {}).map(nativeCollection),
  ];
}
