import { definedMembers } from '../given.ts';
import type { Environment } from './environment.ts';

/**
 * Which stores an installation has, and why. Each half is chosen by itself: what somebody set
 * decides, then the surroundings of the process, then the embedded stores, which need nothing. The
 * names of the earlier systems work with their meaning.
 */

/** Without credentials those of the machine are used, in the order of the AWS libraries. */
export interface AwsAccess {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Where bytes are kept; `reason` is told by `quotidien doctor`. */
export type ObjectChoice =
  | { readonly kind: 'local-files'; readonly reason: string }
  | ({
      readonly kind: 's3';
      readonly reason: string;
      readonly bucket: string;
      readonly cacheFolder?: string;
      /**
       * For how long a cached copy of a name that may be replaced is used without asking; 0 unless
       * set.
       */
      readonly cacheCheckTtlMs: number;
      /** Folders of keys that are laid out as in an earlier system. */
      readonly placed: readonly PlacedChoice[];
    } & AwsAccess);

/** The keys `<folder>/…` are kept as `<prefix>/…` of a bucket. */
export interface PlacedChoice {
  readonly folder: string;
  readonly bucket: string;
  readonly prefix: string;
  /** Other programs write it, and it is only read. */
  readonly foreign?: boolean;
}

/** Where records are kept; `reason` is told by `quotidien doctor`. */
export type DocumentChoice =
  | { readonly kind: 'sqlite'; readonly reason: string }
  | {
      readonly kind: 'mongodb';
      readonly reason: string;
      readonly url: string;
      readonly database: string;
    }
  | ({
      readonly kind: 'dynamodb';
      readonly reason: string;
      readonly tablePrefix: string;
      /**
       * What tables of records are called, by setting: `DYNAMODB_METRICS_TABLE`. Those not named
       * have names of their own.
       */
      readonly recordTables: Readonly<Record<string, string>>;
    } & AwsAccess);

/** The two halves; any combination is allowed. */
export interface StorageChoice {
  readonly objects: ObjectChoice;
  readonly documents: DocumentChoice;
}

/** Where our own name and those of the earlier systems may be set, the first one wins. */
const NAMES = {
  bucket: [
    'QUOTIDIEN_S3_BUCKET',
    'BUCKET_NAME',
    'S3_BUCKET_PROCESSED',
    'S3_RAW_BUCKET',
    'S3_BUCKET_RAW',
  ],
  s3Endpoint: [
    'QUOTIDIEN_S3_ENDPOINT',
    'S3_ENDPOINT_URL',
    'AWS_S3_ENDPOINT_URL',
    'AWS_ENDPOINT_URL_S3',
  ],
  dynamoEndpoint: ['QUOTIDIEN_DYNAMODB_ENDPOINT', 'AWS_ENDPOINT_URL_DYNAMODB'],
  region: ['AWS_S3_REGION', 'AWS_REGION', 'AWS_DEFAULT_REGION'],
  cacheFolder: ['S3_CACHE_DIR', 'PARQUET_CACHE_DIR'],
} as const;

/** Folders that may lie in buckets of their own, by the settings of the earlier systems. */
const PLACED: readonly {
  readonly folder: string;
  readonly buckets: readonly string[];
  readonly prefixName?: string;
}[] = [
  { folder: 'raw', buckets: ['S3_RAW_BUCKET', 'S3_BUCKET_RAW'], prefixName: 'S3_RAW_PREFIX' },
  { folder: 'processed/metrics', buckets: ['S3_BUCKET_METRICS'] },
  {
    folder: 'processed/reports',
    buckets: ['S3_REPORTS_BUCKET', 'S3_BUCKET_REPORTS'],
    prefixName: 'S3_REPORTS_PREFIX',
  },
];

/** Set by AWS in the environment of what it runs. */
const AWS_SURROUNDINGS = [
  'AWS_EXECUTION_ENV',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

const DEFAULT_REGION = 'eu-west-3';

/** That of the earlier system: its programs find the records without a setting. */
const DEFAULT_DATABASE = 'cityflow';

/**
 * The choice, and every contradiction or gap in the settings, in words. Values are never quoted:
 * they may be secrets.
 */
export function chooseStorage(env: Environment): {
  readonly storage: StorageChoice;
  readonly problems: string[];
} {
  const problems: string[] = [];
  const documents = chooseDocuments(env, problems);
  return { storage: { objects: chooseObjects(env, documents, problems), documents }, problems };
}

function chooseDocuments(env: Environment, problems: string[]): DocumentChoice {
  const type = env['DATABASE_TYPE'];
  const useDynamo = flag(env, 'USE_DYNAMODB', problems);
  if (type !== undefined && type !== 'mongodb' && type !== 'dynamodb') {
    problems.push('DATABASE_TYPE takes mongodb or dynamodb');
  }
  if (type === 'mongodb' && useDynamo === true) {
    problems.push(
      'DATABASE_TYPE=mongodb and USE_DYNAMODB=true contradict each other: remove one of them',
    );
  }
  if (type === 'dynamodb' && useDynamo === false) {
    problems.push(
      'DATABASE_TYPE=dynamodb and USE_DYNAMODB=false contradict each other: remove one of them',
    );
  }
  if (type === 'dynamodb') return dynamodb(env, 'DATABASE_TYPE=dynamodb');
  if (type === 'mongodb') return mongodb(env, 'DATABASE_TYPE=mongodb', problems);
  if (useDynamo === true) return dynamodb(env, 'USE_DYNAMODB=true');
  if (env['MONGODB_URL'] !== undefined) return mongodb(env, 'MONGODB_URL is set', problems);
  const surroundings = AWS_SURROUNDINGS.find((name) => env[name] !== undefined);
  if (surroundings !== undefined && useDynamo !== false)
    return dynamodb(env, `${surroundings} is set`);
  return {
    kind: 'sqlite',
    reason: 'neither MONGODB_URL nor DATABASE_TYPE nor USE_DYNAMODB is set, and this is not AWS',
  };
}

function mongodb(env: Environment, reason: string, problems: string[]): DocumentChoice {
  const url = orProblem(
    env['MONGODB_URL'],
    problems,
    `${reason} needs MONGODB_URL, such as mongodb://localhost:27017`,
  );
  const database = env['MONGODB_DATABASE'] ?? databaseOfUrl(url) ?? DEFAULT_DATABASE;
  return { kind: 'mongodb', reason, url, database };
}

/** A setting that must be there; without it a problem, which ends the reading of the settings. */
function orProblem(setting: string | undefined, problems: string[], problem: string): string {
  if (setting === undefined) problems.push(problem);
  return setting ?? '';
}

/**
 * The name in the path of a URL of MongoDB, which may list several hosts and so is none for `URL`.
 */
function databaseOfUrl(url: string): string | undefined {
  return /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(url)?.[1];
}

function dynamodb(env: Environment, reason: string): DocumentChoice {
  return {
    kind: 'dynamodb',
    reason,
    ...awsAccess(env, NAMES.dynamoEndpoint),
    tablePrefix: env['QUOTIDIEN_DYNAMODB_PREFIX'] ?? 'quotidien-',
    recordTables: recordTables(env),
  };
}

function recordTables(env: Environment): Record<string, string> {
  const named = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    /^DYNAMODB_\w+_TABLE$/.test(name) && value !== undefined && value !== '' ? [[name, value]] : [],
  );
  return Object.fromEntries(named);
}

function chooseObjects(
  env: Environment,
  documents: DocumentChoice,
  problems: string[],
): ObjectChoice {
  const useS3 = flag(env, 'USE_S3', problems);
  const reason = useS3 === undefined ? whyS3(env, documents) : useS3 ? 'USE_S3=true' : undefined;
  if (reason === undefined) {
    return {
      kind: 'local-files',
      reason: useS3 === false ? 'USE_S3=false' : 'USE_S3 is not set, and this is not AWS',
    };
  }
  // Of the raw files' bucket only the name: what lies below a folder of it is theirs.
  const bucket = orProblem(
    first(env, NAMES.bucket)?.split('/')[0],
    problems,
    `S3 was chosen (${reason}), but no bucket: set QUOTIDIEN_S3_BUCKET, or USE_S3=false for local files`,
  );
  const cacheFolder = first(env, NAMES.cacheFolder);
  return {
    kind: 's3',
    reason,
    bucket,
    cacheCheckTtlMs: cacheCheckTtlMs(env, problems),
    placed: placedFolders(env, bucket, problems),
    ...awsAccess(env, NAMES.s3Endpoint),
    ...definedMembers({ cacheFolder }),
  };
}

/**
 * CityFlow's raw files have a bucket of their own; a prefix takes the place of the folder's name.
 * What lies where we put it anyway is left out.
 */
function placedFolders(env: Environment, bucket: string, problems: string[]): PlacedChoice[] {
  const isForeign = flag(env, 'QUOTIDIEN_S3_RAW_READ_ONLY', problems) === true;
  return PLACED.flatMap(({ folder, buckets, prefixName }) => {
    const { name = '', value } = bucketSetting(env, buckets, problems);
    const [own = '', ...inBucket] = (value ?? bucket).split('/');
    const given = prefixName === undefined ? undefined : env[prefixName];
    const asked = given ?? inBucket.join('/');
    const prefix = (asked === '' ? folder : asked).replace(/^\/+|\/+$/g, '');
    if (
      !/^[^/\\]+(\/[^/\\]+)*$/.test(prefix) ||
      prefix.split('/').some((part) => part === '.' || part === '..')
    ) {
      problems.push(
        `${given === undefined || prefixName === undefined ? name : prefixName} takes a folder such as ${folder}`,
      );
    }
    if (folder === 'raw' && isForeign)
      return [{ folder: 'deposited/bucket', bucket: own, prefix, foreign: true }];
    return prefix === folder && own === bucket ? [] : [{ folder, bucket: own, prefix }];
  });
}

/**
 * A bucket, or `bucket/folder`, under any of its names; several that differ contradict each other.
 */
function bucketSetting(
  env: Environment,
  names: readonly string[],
  problems: string[],
): { readonly name?: string; readonly value?: string } {
  const given = names.filter((name) => env[name] !== undefined);
  const [name] = given;
  if (name === undefined) return {};
  const other = given.find((one) => env[one] !== env[name]);
  if (other !== undefined)
    problems.push(`${name} and ${other} name different buckets: remove one of them`);
  const value = env[name];
  return value === undefined ? { name } : { name, value };
}

/**
 * The earlier system looked for a newer file when the TTL was over, and by a timer; whichever comes
 * first holds.
 */
function cacheCheckTtlMs(env: Environment, problems: string[]): number {
  const seconds = ['PARQUET_CACHE_CHECK_TTL', 'PARQUET_CACHE_REFRESH_INTERVAL'].flatMap((name) => {
    const value = env[name];
    if (value === undefined) return [];
    const number = Number(value);
    if (!Number.isFinite(number) || number < 0) problems.push(`${name} takes a number of seconds`);
    return [number];
  });
  return seconds.length === 0 ? 0 : Math.min(...seconds) * 1_000;
}

/** Without USE_S3: objects go where the documents go, when those are in AWS. */
function whyS3(env: Environment, documents: DocumentChoice): string | undefined {
  if (documents.kind === 'dynamodb') return `with the documents in DynamoDB (${documents.reason})`;
  const surroundings = AWS_SURROUNDINGS.find((name) => env[name] !== undefined);
  return surroundings === undefined ? undefined : `${surroundings} is set`;
}

function awsAccess(env: Environment, endpoints: readonly string[]): AwsAccess {
  const endpoint = first(env, endpoints);
  const [accessKeyId, secretAccessKey] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']];
  // With a session token the SDK reads all three by itself.
  const isPlain =
    accessKeyId !== undefined &&
    secretAccessKey !== undefined &&
    env['AWS_SESSION_TOKEN'] === undefined;
  return {
    region: first(env, NAMES.region) ?? DEFAULT_REGION,
    ...definedMembers({ endpoint }),
    ...(isPlain ? { credentials: { accessKeyId, secretAccessKey } } : {}),
  };
}

/** How AWS services besides the stores are reached. */
export function awsAccessOf(env: Environment): AwsAccess {
  return awsAccess(env, []);
}

function first(env: Environment, names: readonly string[]): string | undefined {
  return names.map((name) => env[name]).find((value) => value !== undefined);
}

function flag(env: Environment, name: string, problems: string[]): boolean | undefined {
  const value = env[name]?.toLowerCase();
  if (value === undefined) return undefined;
  if (['true', '1', 'yes'].includes(value)) return true;
  if (!['false', '0', 'no'].includes(value)) problems.push(`${name} takes true or false`);
  return false;
}
