import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { TableDescription } from '@aws-sdk/client-dynamodb';
import {
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadBucketCommand,
  PutBucketLifecycleConfigurationCommand,
} from '@aws-sdk/client-s3';
import type { BucketLocationConstraint, LifecycleRule, S3Client } from '@aws-sdk/client-s3';
import { PipelineError } from '../../errors.ts';
import { awsClientConfig } from '../aws/aws-client.ts';
import type { AwsClientOptions } from '../aws/aws-client.ts';
import { awsFault } from '../aws/aws-errors.ts';
import { dynamoDbError } from '../aws/dynamodb-errors.ts';
import { createMongoClient } from '../mongo/mongo-client.ts';
import type { MongoConnection } from '../mongo/mongo-client.ts';
import { mongoError, placeOfUrl } from '../mongo/mongo-errors.ts';
import { ensureIndexes } from '../mongo/mongo-indexes.ts';
import type { CollectionPlan } from '../mongo/mongo-indexes.ts';
import { s3Error } from '../aws/s3-errors.ts';
import { createS3Client } from '../aws/s3-objects.ts';
import type { S3StoreOptions } from '../aws/s3-objects.ts';
import { planStorage, tableShape } from './storage-plan.ts';
import type { BucketPlan, StorageTarget, TablePlan } from './storage-plan.ts';

/** A new table of AWS is ready after some ten seconds. */
const TABLE_READY_WITHIN_S = 120;

/** One thing that a store needs, after an initialisation. */
export interface InitStep {
  /** Such as "the bucket quotidien". */
  readonly what: string;
  readonly outcome: 'created' | 'already there' | 'left out';
  /** Why it was left out. */
  readonly why?: string;
}

/**
 * Makes the bucket, tables, collections, indexes, lifecycle rule and times to live that are not
 * there; a second time it does nothing. What is there is only looked at: `STORE_DENIED` when it has
 * another shape. What a server does not have (lifecycle rules, expiring indexes), or this role may
 * not set and can do without, is left out and said.
 */
export async function initStorage(target: StorageTarget): Promise<InitStep[]> {
  const { bucket, tables, collections } = planStorage(target);
  const { s3, dynamodb, mongodb } = target;
  const steps: InitStep[] = [];
  if (s3 !== undefined && bucket !== undefined) steps.push(...(await initBucket(s3, bucket)));
  if (dynamodb !== undefined) steps.push(...(await initTables(dynamodb, tables)));
  if (mongodb !== undefined) steps.push(...(await initCollections(mongodb, collections)));
  return steps;
}

async function initBucket(options: S3StoreOptions, plan: BucketPlan): Promise<InitStep[]> {
  const client = createS3Client(options);
  try {
    const bucket = await createBucket(client, plan);
    return [bucket, await addAbortRule(client, plan)];
  } catch (error) {
    throw s3Error(error, 'create', `s3://${plan.name}`);
  } finally {
    client.destroy();
  }
}

async function createBucket(
  client: S3Client,
  { name: Bucket, region }: BucketPlan,
): Promise<InitStep> {
  const what = `the bucket ${Bucket}`;
  try {
    await client.send(new HeadBucketCommand({ Bucket }));
    return { what, outcome: 'already there' };
  } catch (error) {
    // Somebody who asks for a bucket to be made takes any 404 for its absence: making it shows who
    // answers.
    if (awsFault(error).status !== 404) throw error;
  }
  // The oldest region has no name for itself.
  const place = { LocationConstraint: region as BucketLocationConstraint };
  const where = region === 'us-east-1' ? {} : { CreateBucketConfiguration: place };
  try {
    await client.send(new CreateBucketCommand({ Bucket, ...where }));
    return { what, outcome: 'created' };
  } catch (error) {
    if (awsFault(error).name !== 'BucketAlreadyOwnedByYou') throw error;
    return { what, outcome: 'already there' };
  }
}

/** Without it the parts of uploads whose process was killed are paid for and never seen. */
async function addAbortRule(
  client: S3Client,
  { name: Bucket, abortRule }: BucketPlan,
): Promise<InitStep> {
  const what = `the lifecycle rule ${abortRule.id} of the bucket ${Bucket}`;
  const rule: LifecycleRule = {
    ID: abortRule.id,
    Status: 'Enabled',
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortRule.days },
  };
  try {
    const rules = await lifecycleRules(client, Bucket);
    if (rules.some(({ ID }) => ID === abortRule.id)) return { what, outcome: 'already there' };
    // A configuration is replaced as a whole, so the rules that others made go along.
    const LifecycleConfiguration = { Rules: [...rules, rule] };
    await client.send(
      new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }),
    );
    return { what, outcome: 'created' };
  } catch (error) {
    const { name, status } = awsFault(error);
    if (status === 501 || name === 'NotImplemented') {
      return { what, outcome: 'left out', why: 'the server has no lifecycle rules' };
    }
    if (status !== 403) throw error;
    return {
      what,
      outcome: 'left out',
      why: 'the permission s3:PutLifecycleConfiguration is missing',
    };
  }
}

async function lifecycleRules(client: S3Client, Bucket: string): Promise<LifecycleRule[]> {
  try {
    return (await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules ?? [];
  } catch (error) {
    if (awsFault(error).name !== 'NoSuchLifecycleConfiguration') throw error;
    return [];
  }
}

async function initTables(
  options: AwsClientOptions,
  tables: readonly TablePlan[],
): Promise<InitStep[]> {
  const client = new DynamoDBClient(awsClientConfig(options));
  const steps: InitStep[] = [];
  try {
    for (const table of tables) {
      try {
        steps.push(await createTable(client, table));
        if (table.timeToLive !== undefined)
          steps.push(await enableTimeToLive(client, table.name, table.timeToLive));
      } catch (error) {
        throw dynamoDbError(error, 'create', `the DynamoDB table ${table.name}`);
      }
    }
    return steps;
  } finally {
    client.destroy();
  }
}

async function createTable(client: DynamoDBClient, table: TablePlan): Promise<InitStep> {
  const what = `the DynamoDB table ${table.name}`;
  const shape = tableShape(table);
  let found = await describeTable(client, table.name);
  const outcome = found === undefined ? 'created' : 'already there';
  if (found === undefined) {
    await client.send(new CreateTableCommand(shape)).catch((error: unknown) => {
      // Somebody else is creating it just now.
      if (!(error instanceof ResourceInUseException)) throw error;
    });
    await waitUntilTableExists(
      { client, maxWaitTime: TABLE_READY_WITHIN_S, minDelay: 1 },
      { TableName: table.name },
    );
    found = await describeTable(client, table.name);
  }
  const [is, wanted] = [keysInWords(found ?? {}), keysInWords(shape)];
  if (is === wanted) return { what, outcome };
  throw new PipelineError(
    'STORE_DENIED',
    `${what} has ${is} instead of ${wanted}: choose another name or prefix`,
  );
}

async function describeTable(
  client: DynamoDBClient,
  TableName: string,
): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/** Such as "the keys pk (HASH, S) and sk (RANGE, S)". */
function keysInWords({
  KeySchema = [],
  AttributeDefinitions = [],
}: Pick<TableDescription, 'KeySchema' | 'AttributeDefinitions'>): string {
  const keys = KeySchema.map(({ AttributeName: name = '', KeyType = '' }) => {
    const type =
      AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType ?? '';
    return `${name} (${KeyType}, ${type})`;
  });
  return `the keys ${keys.join(' and ')}`;
}

/**
 * Asked first: DynamoDB refuses to enable what is enabled, and any second change within the hour.
 */
async function enableTimeToLive(
  client: DynamoDBClient,
  TableName: string,
  AttributeName: string,
): Promise<InitStep> {
  const what = `the time to live of the DynamoDB table ${TableName}`;
  const { TimeToLiveDescription: found } = await client.send(
    new DescribeTimeToLiveCommand({ TableName }),
  );
  const isOn = found?.TimeToLiveStatus === 'ENABLED' || found?.TimeToLiveStatus === 'ENABLING';
  if (isOn && found.AttributeName === AttributeName) return { what, outcome: 'already there' };
  if (isOn) {
    const why = `it is by the attribute ${found.AttributeName ?? ''} and not by ${AttributeName}; change it by hand`;
    return { what, outcome: 'left out', why };
  }
  const TimeToLiveSpecification = { AttributeName, Enabled: true };
  try {
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
    return { what, outcome: 'created' };
  } catch (error) {
    // Somebody else initialises at the same time.
    if (!(error instanceof Error && /already enabled/i.test(error.message))) throw error;
    return { what, outcome: 'already there' };
  }
}

async function initCollections(
  connection: MongoConnection,
  collections: readonly CollectionPlan[],
): Promise<InitStep[]> {
  const client = createMongoClient(connection);
  const place = `${placeOfUrl(connection.url)}/${connection.database}`;
  const steps: InitStep[] = [];
  try {
    for (const collection of collections) {
      for (const { name, ...step } of await ensureIndexes(
        client.db(connection.database),
        collection,
      )) {
        steps.push({
          what: `the index ${name} of the collection ${collection.name} of ${place}`,
          ...step,
        });
      }
    }
    return steps;
  } catch (error) {
    throw mongoError(error, 'create the collections of', place);
  } finally {
    await client.close();
  }
}
