import { PipelineError } from '../../errors.ts';
import type { CollectionPlan } from '../mongo/mongo-indexes.ts';
import { planStorage, tableShape } from './storage-plan.ts';
import type { BucketPlan, StorageTarget, TablePlan } from './storage-plan.ts';

/** What `initStorage` makes, as text for those whose own role may not make it. */
export interface PrintedStorage {
  /**
   * A CloudFormation template in JSON: `aws cloudformation deploy --template-file …`. Absent when
   * nothing of it is in AWS.
   */
  readonly cloudFormation?: string;
  /** A script: `mongosh <url> <file>`. Absent when nothing of it is in MongoDB. */
  readonly mongosh?: string;
}

/**
 * No credential of the target comes into the texts. `CONFIG_INVALID` for names that no template can
 * have.
 */
export function printStorage(target: StorageTarget): PrintedStorage {
  const { bucket, tables, collections } = planStorage(target);
  const resources = {
    ...(bucket === undefined ? {} : bucketResource(bucket)),
    ...tableResources(tables),
  };
  const template = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: 'The bucket and tables of Quotidien. Deleting the stack keeps them.',
    Resources: resources,
  };
  const database = target.mongodb?.database;
  return {
    ...(Object.keys(resources).length === 0
      ? {}
      : { cloudFormation: `${JSON.stringify(template, null, 2)}\n` }),
    ...(database === undefined ? {} : { mongosh: mongoshScript(database, collections) }),
  };
}

/** What is kept when its stack is deleted, or when a change of its name would replace it. */
const KEPT = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' } as const;

function bucketResource({ name, abortRule }: BucketPlan): Record<string, object> {
  const Rules = [
    {
      Id: abortRule.id,
      Status: 'Enabled',
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortRule.days },
    },
  ];
  const Properties = { BucketName: name, LifecycleConfiguration: { Rules } };
  return { Bucket: { Type: 'AWS::S3::Bucket', ...KEPT, Properties } };
}

function tableResources(tables: readonly TablePlan[]): Record<string, object> {
  const resources: Record<string, object> = {};
  for (const table of tables) {
    const id = `Table${table.name.replace(/[^A-Za-z0-9]/g, '')}`;
    if (resources[id] !== undefined) {
      const message = `the DynamoDB tables' names ${tables.map(({ name }) => name).join(', ')} differ in punctuation only`;
      throw new PipelineError(
        'CONFIG_INVALID',
        `${message}, which no CloudFormation template can tell apart`,
      );
    }
    resources[id] = { Type: 'AWS::DynamoDB::Table', ...KEPT, Properties: tableProperties(table) };
  }
  return resources;
}

function tableProperties(table: TablePlan): object {
  const { timeToLive } = table;
  if (timeToLive === undefined) return tableShape(table);
  return {
    ...tableShape(table),
    TimeToLiveSpecification: { AttributeName: timeToLive, Enabled: true },
  };
}

/** `createIndex` makes the collection too, and does nothing when the index is there. */
function mongoshScript(database: string, collections: readonly CollectionPlan[]): string {
  const lines = [`db = db.getSiblingDB(${JSON.stringify(database)});`];
  for (const { name, indexes } of collections) {
    for (const { key, ...options } of indexes) {
      const index = `${JSON.stringify(key)}, ${JSON.stringify(options)}`;
      lines.push(`db.getCollection(${JSON.stringify(name)}).createIndex(${index});`);
    }
  }
  return `${lines.join('\n')}\n`;
}
