import { describe, expect, it } from 'vitest';
import { recordTables } from '../../src/workers/record-tables.ts';
import { chooseStorage } from '../../src/config/storage-choice.ts';

describe('chooseStorage', () => {
  it('takes the embedded stores where nothing is said, and says why', () => {
    const { storage, problems } = chooseStorage({});
    expect(problems).toEqual([]);
    expect(storage.objects.kind).toBe('local-files');
    expect(storage.documents.kind).toBe('sqlite');
    expect(storage.documents.reason).toContain('MONGODB_URL');
  });

  it('takes the database that MONGODB_DATABASE names, else that of the URL, else the earlier system’s', () => {
    const databaseOf = (env: Record<string, string>) => chooseStorage(env).storage.documents;
    const url = 'mongodb://user:word@one:27017,two:27017/days?replicaSet=rs';
    expect(databaseOf({ MONGODB_URL: url, MONGODB_DATABASE: 'city' })).toMatchObject({
      database: 'city',
    });
    expect(databaseOf({ MONGODB_URL: url })).toMatchObject({ database: 'days' });
    for (const plain of [
      'mongodb://localhost:27017/',
      'mongodb://localhost',
      'mongodb://localhost/?tls=true',
    ])
      expect(databaseOf({ MONGODB_URL: plain })).toMatchObject({ database: 'cityflow' });
  });

  it('takes local files and MongoDB with MONGODB_URL', () => {
    const { storage, problems } = chooseStorage({
      MONGODB_URL: 'mongodb://db.example',
      MONGODB_DATABASE: 'city',
    });
    expect(problems).toEqual([]);
    expect(storage).toMatchObject({
      objects: { kind: 'local-files' },
      documents: { kind: 'mongodb', database: 'city', reason: 'MONGODB_URL is set' },
    });
  });

  it.each([
    ['DATABASE_TYPE', 'dynamodb'],
    ['USE_DYNAMODB', 'true'],
    ['AWS_EXECUTION_ENV', 'AWS_ECS_FARGATE'],
    ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', '/v2/credentials/1'],
  ])('takes S3 and DynamoDB with %s and a bucket', (name, value) => {
    const { storage, problems } = chooseStorage({
      [name]: value,
      BUCKET_NAME: 'days',
      AWS_REGION: 'eu-west-1',
    });
    expect(problems).toEqual([]);
    expect(storage).toMatchObject({
      objects: { kind: 's3', bucket: 'days', region: 'eu-west-1' },
      documents: { kind: 'dynamodb', recordTables: {}, region: 'eu-west-1' },
    });
    expect(storage.objects.reason).toContain(name);
  });

  it('lets each half be chosen by itself', () => {
    const mixed = chooseStorage({
      USE_S3: 'true',
      BUCKET_NAME: 'days',
      MONGODB_URL: 'mongodb://db.example',
    });
    expect([mixed.storage.objects.kind, mixed.storage.documents.kind]).toEqual(['s3', 'mongodb']);
    const local = chooseStorage({
      AWS_EXECUTION_ENV: 'AWS_Lambda',
      USE_S3: 'false',
      USE_DYNAMODB: 'false',
    });
    expect([local.storage.objects.kind, local.storage.documents.kind]).toEqual([
      'local-files',
      'sqlite',
    ]);
  });

  it('names both settings of a contradiction, and what is missing', () => {
    expect(
      chooseStorage({ DATABASE_TYPE: 'mongodb', USE_DYNAMODB: 'true', MONGODB_URL: 'x' }).problems,
    ).toEqual([expect.stringMatching(/DATABASE_TYPE=mongodb and USE_DYNAMODB=true/)]);
    expect(chooseStorage({ DATABASE_TYPE: 'mongodb' }).problems).toEqual([
      expect.stringContaining('MONGODB_URL'),
    ]);
    expect(chooseStorage({ USE_S3: 'true' }).problems).toEqual([
      expect.stringContaining('QUOTIDIEN_S3_BUCKET'),
    ]);
    expect(chooseStorage({ USE_S3: 'perhaps', DATABASE_TYPE: 'oracle' }).problems).toHaveLength(2);
  });

  it('prefers our own names, and never quotes a secret', () => {
    const { storage } = chooseStorage({
      USE_S3: 'true',
      QUOTIDIEN_S3_BUCKET: 'ours',
      BUCKET_NAME: 'theirs',
      QUOTIDIEN_S3_ENDPOINT: 'http://s3.example:9000',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret-word',
    });
    expect(storage.objects).toMatchObject({
      bucket: 'ours',
      endpoint: 'http://s3.example:9000',
      region: 'eu-west-3',
    });
    expect(storage.objects.reason).not.toContain('secret-word');
  });

  const s3 = { USE_S3: 'true', S3_BUCKET_PROCESSED: 'processed' };

  it('keeps raw files and reports where CityFlow’s settings say', () => {
    const placed = (env: Record<string, string>) => {
      const { storage, problems } = chooseStorage({ ...s3, ...env });
      expect(problems).toEqual([]);
      return storage.objects.kind === 's3' ? storage.objects.placed : undefined;
    };
    expect(placed({})).toEqual([]);
    expect(placed({ S3_RAW_PREFIX: 'raw/', S3_REPORTS_PREFIX: '/processed/reports' })).toEqual([]);
    expect(placed({ S3_RAW_BUCKET: 'incoming' })).toEqual([
      { folder: 'raw', bucket: 'incoming', prefix: 'raw' },
    ]);
    expect(placed({ S3_RAW_PREFIX: 'city/raw', S3_REPORTS_PREFIX: 'daily' })).toEqual([
      { folder: 'raw', bucket: 'processed', prefix: 'city/raw' },
      { folder: 'processed/reports', bucket: 'processed', prefix: 'daily' },
    ]);
    expect(chooseStorage({ ...s3, S3_RAW_PREFIX: 'a//b' }).problems).toEqual([
      'S3_RAW_PREFIX takes a folder such as raw',
    ]);
  });

  it('calls tables of records as the settings say', () => {
    const names = { DYNAMODB_METRICS_TABLE: 'city-figures', DYNAMODB_REPORTS_TABLE: '' };
    const { documents } = chooseStorage({
      ...names,
      DATABASE_TYPE: 'dynamodb',
      AWS_REGION: 'eu-west-1',
    }).storage;
    const tables = recordTables(documents);
    expect(tables['cityflow-metrics']).toMatchObject({
      name: 'city-figures',
      partitionKey: 'metric_type',
    });
    expect(tables['cityflow-daily-reports']).toMatchObject({ name: 'cityflow-daily-reports' });
    const mongo = chooseStorage({ MONGODB_URL: 'mongodb://localhost' }).storage.documents;
    expect(Object.values(recordTables(mongo)).map(({ name }) => name)).toEqual([
      'metrics',
      'reports',
    ]);
  });

  it('asks about cached copies as often as the earlier system did', () => {
    const ttl = (env: Record<string, string>) => {
      const { objects } = chooseStorage({ ...s3, ...env }).storage;
      return objects.kind === 's3' ? objects.cacheCheckTtlMs : undefined;
    };
    expect(ttl({})).toBe(0);
    expect(ttl({ PARQUET_CACHE_CHECK_TTL: '600' })).toBe(600_000);
    expect(ttl({ PARQUET_CACHE_CHECK_TTL: '600', PARQUET_CACHE_REFRESH_INTERVAL: '30' })).toBe(
      30_000,
    );
    expect(chooseStorage({ ...s3, PARQUET_CACHE_CHECK_TTL: 'often' }).problems).toEqual([
      'PARQUET_CACHE_CHECK_TTL takes a number of seconds',
    ]);
  });
});
