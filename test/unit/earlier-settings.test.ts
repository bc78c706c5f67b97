import { format } from 'oxfmt';
import { describe, expect, it } from 'vitest';
import { EARLIER_SETTINGS, earlierProblems } from '../../src/config/earlier-settings.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { listSettings, settingsPage } from '../../src/config/settings-list.ts';
import { chooseStorage } from '../../src/config/storage-choice.ts';
import { cityflow } from '../../src/datasets/cityflow/index.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { configuredDatasets, publisherHosts } from '../../src/workers/configured-datasets.ts';

/** Settings of the earlier systems: each has an effect, or is refused with the setting to use. */

function load(env: Record<string, string>) {
  return loadConfig({ env, cwd: '/', home: '/nowhere', hosts: [] });
}

describe('settings of the earlier systems', () => {
  it.each([
    ['API_DATE', '2025-11-04', 'REPORT_DATE'],
    ['API_HOUR', '02', 'remove it'],
    ['OUTPUT_DIR', '/tmp/out', 'QUOTIDIEN_HOME'],
    ['DYNAMODB_TABLE_PREFIX', 'CityFlow', 'DYNAMODB_METRICS_TABLE'],
    ['S3_PATH_RAW', 'raw/', 'S3_RAW_PREFIX'],
    ['S3_PATH_REPORTS', 'reports/', 'S3_REPORTS_PREFIX'],
    ['TRAFFIC_MODE', 'navitia', 'QUOTIDIEN_IDFM_URL'],
    ['LOG_LEVEL', 'loud', 'QUOTIDIEN_LOG_LEVEL'],
  ])('%s is refused by name, with what to set instead', (name, value, instead) => {
    const [problem = '', ...others] = earlierProblems({ [name]: value }, () => 'the environment');
    expect(others).toEqual([]);
    expect(problem).toMatch(new RegExp(`^${name} \\(from the environment\\)`));
    expect(problem).toContain(instead);
    expect(() => load({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  it('LOG_LEVEL is that of the log, unless ours is set', () => {
    expect(load({ LOG_LEVEL: 'WARNING' }).settings.QUOTIDIEN_LOG_LEVEL).toBe('warn');
    expect(
      load({ LOG_LEVEL: 'WARNING', QUOTIDIEN_LOG_LEVEL: 'debug' }).settings.QUOTIDIEN_LOG_LEVEL,
    ).toBe('debug');
    expect(load({ TRAFFIC_MODE: 'IDFM' }).settings.QUOTIDIEN_LOG_LEVEL).toBe('info');
  });

  it('ENABLE_SOURCES leaves the other sources out, and refuses names that there are not', () => {
    const closed = (sources: readonly string[]) =>
      configuredDatasets({ cityflow }, {}, { sources })['cityflow']!.definition.parts.flatMap(
        ({ id, closed: why }) => (why?.startsWith('ENABLE_SOURCES') === true ? [id] : []),
      );
    const { ENABLE_SOURCES: sources } = load({ ENABLE_SOURCES: 'weather, traffic' }).settings;
    expect(closed(sources!)).toEqual(['bikes']);
    expect(closed(['bikes'])).toEqual(['traffic', 'weather', 'open-meteo']);
    expect(() => closed(['velos'])).toThrow(
      /ENABLE_SOURCES names velos; there are bikes, traffic, weather/,
    );
  });

  it('QUOTIDIEN_DEPOSITS=instead asks no publisher for what other programs bring', () => {
    const { QUOTIDIEN_DEPOSITS: deposits } = load({ QUOTIDIEN_DEPOSITS: 'instead' }).settings;
    const { parts } = configuredDatasets({ cityflow }, {}, { deposits })['cityflow']!.definition;
    const asked = parts
      .filter(({ closed, source }) => closed === undefined && source !== 'import')
      .map(({ id }) => id);
    expect(asked).toEqual(['open-meteo', 'arrondissements']);
  });

  const s3 = { USE_S3: 'true', QUOTIDIEN_S3_BUCKET: 'days' };
  const placed = (env: Record<string, string>) => {
    const { storage, problems } = chooseStorage({ ...s3, ...env });
    expect(problems).toEqual([]);
    return storage.objects.kind === 's3' ? storage.objects.placed : undefined;
  };

  it.each([
    ['S3_BUCKET_RAW', 'incoming', { folder: 'raw', bucket: 'incoming', prefix: 'raw' }],
    [
      'S3_BUCKET_METRICS',
      'figures',
      { folder: 'processed/metrics', bucket: 'figures', prefix: 'processed/metrics' },
    ],
    [
      'S3_BUCKET_METRICS',
      'city/metrics',
      { folder: 'processed/metrics', bucket: 'city', prefix: 'metrics' },
    ],
    [
      'S3_BUCKET_REPORTS',
      'reports',
      { folder: 'processed/reports', bucket: 'reports', prefix: 'processed/reports' },
    ],
    [
      'S3_REPORTS_BUCKET',
      'city/reports',
      { folder: 'processed/reports', bucket: 'city', prefix: 'reports' },
    ],
  ])('%s=%s gives its folder a bucket of its own', (name, value, place) => {
    expect(placed({ [name]: value })).toEqual([place]);
  });

  it('QUOTIDIEN_S3_RAW_READ_ONLY reads the raw bucket beside ours, where our own raw files stay', () => {
    expect(
      placed({
        S3_RAW_BUCKET: 'incoming',
        S3_RAW_PREFIX: 'city',
        QUOTIDIEN_S3_RAW_READ_ONLY: 'true',
      }),
    ).toEqual([{ folder: 'deposited/bucket', bucket: 'incoming', prefix: 'city', foreign: true }]);
  });

  it('two names of one thing contradict each other, and both are named', () => {
    const { problems } = chooseStorage({
      ...s3,
      S3_REPORTS_BUCKET: 'one',
      S3_BUCKET_REPORTS: 'two',
    });
    expect(problems).toEqual([expect.stringMatching(/S3_REPORTS_BUCKET and S3_BUCKET_REPORTS/)]);
  });

  it('REPORT_DATE, table names, cache folder, region and endpoint are read', () => {
    expect(load({ REPORT_DATE: '2025-11-04' }).settings.REPORT_DATE).toBe('2025-11-04');
    const env = {
      S3_CACHE_DIR: '/cache',
      AWS_S3_REGION: 'eu-west-9',
      S3_ENDPOINT_URL: 'http://127.0.0.1:9',
    };
    expect(chooseStorage({ ...s3, ...env }).storage.objects).toMatchObject({
      cacheFolder: '/cache',
      region: 'eu-west-9',
      endpoint: 'http://127.0.0.1:9',
    });
    const tables = { DYNAMODB_METRICS_TABLE: 'm', DYNAMODB_REPORTS_TABLE: 'r' };
    expect(
      chooseStorage({ USE_DYNAMODB: 'true', ...tables, ...s3 }).storage.documents,
    ).toMatchObject({
      recordTables: tables,
    });
  });
});

describe('docs/settings.md', () => {
  const listed = listSettings(publisherHosts(DATASETS));

  it('is what the code that reads the settings says', async () => {
    const { code: page } = await format('settings.md', settingsPage(listed), { printWidth: 120 });
    await expect(page).toMatchFileSnapshot('../../docs/settings.md');
  });

  it('has every setting of the earlier systems, and a meaning for each', () => {
    const names = new Set(listed.map(({ name }) => name));
    for (const name of Object.keys(EARLIER_SETTINGS)) expect(names).toContain(name);
    expect(names.size).toBe(listed.length);
    for (const { name, meaning } of listed) expect(meaning.length, name).toBeGreaterThan(10);
  });
});
