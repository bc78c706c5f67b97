import { EARLIER_SETTINGS, PATH_SETTINGS } from './earlier-settings.ts';
import { HOST_SETTING, hostVariable, SETTINGS } from './settings.ts';
import { required } from '../given.ts';

/**
 * Every setting there is, from the code that reads them: what `quotidien settings` prints and
 * `docs/settings.md` is made of.
 */

/** One name that may be set. */
export interface ListedSetting {
  readonly name: string;
  readonly group: 'ours' | 'publishers' | 'stores' | 'earlier';
  readonly meaning: string;
  /** What holds when it is not set; null: nothing, or it depends. */
  readonly fallback: string | null;
}

/** Read by the choice of stores, by the name in the environment. */
const STORE_SETTINGS: Readonly<Record<string, string>> = {
  USE_S3: 'true: objects in S3; false: in local files, also within AWS',
  USE_DYNAMODB: 'true: documents in DynamoDB; false: not, also within AWS',
  DATABASE_TYPE: 'mongodb or dynamodb',
  MONGODB_URL: 'Address of MongoDB; when it is set, documents are there',
  MONGODB_DATABASE: 'Its database; else the one in the path of MONGODB_URL, else cityflow',
  AWS_REGION: 'Region of S3 and DynamoDB; also AWS_S3_REGION, AWS_DEFAULT_REGION; else eu-west-3',
  AWS_ACCESS_KEY_ID:
    'With AWS_SECRET_ACCESS_KEY the credentials of S3 and DynamoDB; else those that the SDK finds',
  BUCKET_NAME: 'Bucket of the objects, as QUOTIDIEN_S3_BUCKET; also S3_BUCKET_PROCESSED',
  S3_ENDPOINT_URL:
    'Another server that speaks S3, as QUOTIDIEN_S3_ENDPOINT; also AWS_S3_ENDPOINT_URL, AWS_ENDPOINT_URL_S3',
  AWS_ENDPOINT_URL_DYNAMODB: 'Another server that speaks DynamoDB, as QUOTIDIEN_DYNAMODB_ENDPOINT',
  S3_RAW_BUCKET: 'Bucket, or bucket/folder, of the raw files; also S3_BUCKET_RAW',
  S3_RAW_PREFIX: 'Folder of the raw files in their bucket; else raw',
  S3_BUCKET_METRICS: 'Bucket, or bucket/folder, of CityFlow’s published metrics',
  S3_REPORTS_BUCKET:
    'Bucket, or bucket/folder, of CityFlow’s published reports; also S3_BUCKET_REPORTS',
  S3_REPORTS_PREFIX:
    'Folder of CityFlow’s published reports in their bucket; else processed/reports',
  S3_CACHE_DIR:
    'Folder of the cache in front of S3; also PARQUET_CACHE_DIR; else <home>/cache/objects',
  PARQUET_CACHE_CHECK_TTL:
    'Seconds for which a cached copy of a replaceable name is used without asking; also PARQUET_CACHE_REFRESH_INTERVAL, the smaller one holds',
  DYNAMODB_METRICS_TABLE: 'DynamoDB table of CityFlow’s metrics; else cityflow-metrics',
  DYNAMODB_REPORTS_TABLE: 'DynamoDB table of CityFlow’s reports; else cityflow-daily-reports',
};

/** All settings, by group and name. */
export function listSettings(hosts: readonly string[]): ListedSetting[] {
  const ours = Object.entries(SETTINGS.shape).map(([name, type]): ListedSetting => {
    const none = type.safeParse(undefined);
    const value: unknown = none.success ? none.data : undefined;
    const isPlain = typeof value === 'string' || typeof value === 'number';
    return {
      name,
      group: 'ours',
      meaning: required(type.description, `the meaning of ${name}`),
      fallback: isPlain ? String(value) : null,
    };
  });
  const home: ListedSetting = {
    name: 'QUOTIDIEN_HOME',
    group: 'ours',
    meaning: 'Folder of everything that is kept on this machine; --home wins over it',
    fallback: '.quotidien',
  };
  const names = Object.keys(HOST_SETTING) as (keyof typeof HOST_SETTING)[];
  const publishers = hosts.flatMap((host) =>
    names.map((name): ListedSetting => {
      const meaning = `${HOST_SETTING[name].description} (${host})`;
      return { name: hostVariable(host, name), group: 'publishers', meaning, fallback: null };
    }),
  );
  const plain =
    (group: ListedSetting['group']) =>
    ([name, meaning]: readonly [string, string]): ListedSetting => {
      return { name, group, meaning, fallback: null };
    };
  const earlier = [
    ...Object.entries(EARLIER_SETTINGS).map(([name, { meaning }]) => [name, meaning] as const),
    [PATH_SETTINGS.name, PATH_SETTINGS.meaning] as const,
  ];
  return [
    home,
    ...ours,
    ...publishers,
    ...Object.entries(STORE_SETTINGS).map(plain('stores')),
    ...earlier.map(plain('earlier')),
  ];
}

const GROUPS: readonly (readonly [ListedSetting['group'], string])[] = [
  ['ours', 'Ours'],
  ['publishers', 'Publishers'],
  ['stores', 'Stores'],
  ['earlier', 'Of the earlier systems'],
];

/** The list as a page of Markdown. */
export function settingsPage(settings: readonly ListedSetting[]): string {
  const tables = GROUPS.map(([group, title]) => {
    const rows = settings
      .filter((setting) => setting.group === group)
      .map(
        ({ name, meaning, fallback }) =>
          `| \`${name}\` | ${fallback === null ? '' : `\`${fallback}\``} | ${meaning} |`,
      );
    return [`## ${title}`, '', '| name | default | meaning |', '|---|---|---|', ...rows].join('\n');
  });
  const head = [
    '# Settings',
    '',
    'Environment variables, or the same names in `<home>/settings.json`; the environment wins. Made by `quotidien settings` from the code that',
    'reads them. An unknown `QUOTIDIEN_*` name is refused with the nearest known one.',
  ].join('\n');
  return `${[head, ...tables].join('\n\n')}\n`;
}
