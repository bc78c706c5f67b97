import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/** The policies in infra/policies allow exactly the calls that the adapters of src/storage make. */

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** Makes buckets, tables and indexes, by hand and seldom: has a policy of its own. */
const SETUP = 'storage-init.ts';

/** The permission that each command of the AWS SDK needs. */
const ACTIONS: Readonly<Record<string, string>> = {
  AbortMultipartUploadCommand: 's3:AbortMultipartUpload',
  CompleteMultipartUploadCommand: 's3:PutObject',
  CreateMultipartUploadCommand: 's3:PutObject',
  DeleteObjectCommand: 's3:DeleteObject',
  GetObjectCommand: 's3:GetObject',
  HeadBucketCommand: 's3:ListBucket',
  HeadObjectCommand: 's3:GetObject',
  ListObjectsV2Command: 's3:ListBucket',
  PutObjectCommand: 's3:PutObject',
  UploadPartCommand: 's3:PutObject',
  Upload: 's3:PutObject',
  paginateListObjectsV2: 's3:ListBucket',
  CreateBucketCommand: 's3:CreateBucket',
  GetBucketLifecycleConfigurationCommand: 's3:GetLifecycleConfiguration',
  PutBucketLifecycleConfigurationCommand: 's3:PutLifecycleConfiguration',
  DeleteCommand: 'dynamodb:DeleteItem',
  GetCommand: 'dynamodb:GetItem',
  PutCommand: 'dynamodb:PutItem',
  QueryCommand: 'dynamodb:Query',
  ScanCommand: 'dynamodb:Scan',
  CreateTableCommand: 'dynamodb:CreateTable',
  DescribeTableCommand: 'dynamodb:DescribeTable',
  DescribeTimeToLiveCommand: 'dynamodb:DescribeTimeToLive',
  UpdateTimeToLiveCommand: 'dynamodb:UpdateTimeToLive',
};

/**
 * The privileges that each method of the MongoDB driver needs; `command` asks for the server's
 * version and clock, as anybody may.
 */
const PRIVILEGES: Readonly<Record<string, readonly string[]>> = {
  findOne: ['find'],
  aggregate: ['find'],
  find: ['find'],
  insertOne: ['insert'],
  insertMany: ['insert'],
  replaceOne: ['update'],
  findOneAndUpdate: ['find', 'update'],
  deleteOne: ['remove'],
  createIndex: ['createIndex'],
  indexes: ['listIndexes'],
  listCollections: ['listCollections'],
};
const OF_THE_DRIVER =
  /\.(find|findOne\w*|insert(?:One|Many)|update(?:One|Many)|replaceOne|delete(?:One|Many)|bulkWrite|aggregate|count\w*|estimatedDocumentCount|distinct|createInd\w+|createCollection|listCollections|indexes|drop\w*|rename\w*|watch|mapReduce)(?:<[^>(]*>)?\(/g;

async function sources(which: (name: string) => boolean): Promise<string> {
  const folder = path.join(ROOT, 'src', 'storage');
  const names = (await readdir(folder, { recursive: true })).filter((name) =>
    which(path.basename(name)),
  );
  expect(names).not.toEqual([]);
  return (await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')))).join(
    '\n',
  );
}

async function awsActions(which: (name: string) => boolean): Promise<string[]> {
  const text = await sources(which);
  const called = [...text.matchAll(/new (\w+Command|Upload)\(|(paginate\w+)\(/g)].map(
    ([, made, paged]) => made ?? paged ?? '',
  );
  for (const name of called) expect(ACTIONS, `the permission of ${name}`).toHaveProperty(name);
  return unique(called.map((name) => ACTIONS[name] ?? ''));
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort();

interface Policy {
  readonly Statement: readonly {
    readonly Action: readonly string[];
    readonly Effect: string;
    readonly Resource: unknown;
  }[];
}

async function policy(name: string): Promise<Policy> {
  return JSON.parse(
    await readFile(path.join(ROOT, 'infra', 'policies', `aws-${name}.json`), 'utf8'),
  ) as Policy;
}

const actionsOf = ({ Statement }: Policy): string[] =>
  unique(Statement.flatMap(({ Action }) => Action));

type Roles = Record<string, { privileges: { resource: { db: string }; actions: string[] }[] }>;
const roles = async (): Promise<Roles> =>
  JSON.parse(
    await readFile(path.join(ROOT, 'infra', 'policies', 'mongodb-roles.json'), 'utf8'),
  ) as Roles;
const privilegesOf = async (role: string): Promise<string[]> =>
  unique((await roles())[role]?.privileges.flatMap(({ actions }) => actions) ?? []);

const READS = /:(Get|List|Query|Scan)/;

describe('the policies for S3 and DynamoDB', () => {
  it('let a writer make every call of the adapters, and no other', async () => {
    expect(actionsOf(await policy('writer'))).toEqual(
      await awsActions((name) => name !== SETUP && name.endsWith('.ts')),
    );
  });

  it('let the setup make every call of storage init', async () => {
    const needed = await awsActions((name) => name === SETUP);
    expect(actionsOf(await policy('setup'))).toEqual(needed);
  });

  it('let a reader make every call that reads, and no other', async () => {
    const reading = (await awsActions((name) => name !== SETUP && name.endsWith('.ts'))).filter(
      (action) => READS.test(action),
    );
    expect(actionsOf(await policy('reader'))).toEqual(reading);
  });

  it('let gc read and delete objects, keep its marks, and make no object', async () => {
    const allowed = actionsOf(await policy('gc'));
    expect(allowed).toEqual(expect.arrayContaining(actionsOf(await policy('reader'))));
    expect(allowed).toEqual(
      expect.arrayContaining(['s3:DeleteObject', 'dynamodb:PutItem', 'dynamodb:DeleteItem']),
    );
    expect(allowed).not.toContain('s3:PutObject');
  });

  it('name their bucket and tables, and allow nothing by a wildcard', async () => {
    for (const name of ['reader', 'writer', 'gc', 'setup'])
      for (const { Action, Effect, Resource } of (await policy(name)).Statement) {
        expect(Effect).toBe('Allow');
        expect([Resource].flat()).not.toContain('*');
        expect(Action.join(' ')).not.toContain('*');
      }
  });
});

describe('the roles for MongoDB', () => {
  const used = async (which: (name: string) => boolean): Promise<string[]> => {
    const called = [...(await sources(which)).matchAll(OF_THE_DRIVER)].map(
      ([, method]) => method ?? '',
    );
    for (const method of called)
      expect(PRIVILEGES, `the privileges of ${method}`).toHaveProperty(method);
    return unique(called.flatMap((method) => PRIVILEGES[method] ?? []));
  };

  it('let a writer call every method of the adapter, and no other', async () => {
    expect(await privilegesOf('writer')).toEqual(await used((name) => name.startsWith('mongo-')));
  });

  it('let a reader change nothing, and everybody into one database alone', async () => {
    expect(await privilegesOf('reader')).toEqual(['find', 'listCollections', 'listIndexes']);
    const databases = Object.values(await roles()).flatMap(({ privileges }) =>
      privileges.map(({ resource }) => resource.db),
    );
    expect(unique(databases)).toEqual(['quotidien']);
  });
});
