import { createRequire } from 'node:module';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyCut } from '../../../src/cli/look/export-clickhouse.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { KnownVersions } from '../../../src/engine/look/known-versions.ts';
import { cutTable, tablesOf } from '../../../src/engine/look/table-cut.ts';
import type { TableCut } from '../../../src/engine/look/table-cut.ts';
import { copiesIn } from '../../../src/storage/sql/clickhouse.ts';
import type { TableCopies } from '../../../src/storage/sql/clickhouse.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * A real ClickHouse within this process: `npm install chdb@3.4.0` (546 MB) in a folder of its own,
 * named by CHDB_DIR. Twelve meters on two days; of the second day a correction comes later.
 */

const { CHDB_DIR } = process.env;
const CONNECTION = ['chdb', 'connection'].join('/');
const [FIRST, SECOND] = ['2024-01-15', '2024-01-16'];
const SPAN = { from: FIRST, to: SECOND };
const IDS = Array.from({ length: 12 }, (_, index) => `7700001234${String(index).padStart(4, '0')}`);
const signal = new AbortController().signal;

interface DatasetFile {
  readonly sql: string;
  readonly columns: readonly { readonly column_name: string }[];
  readonly metrics: readonly { readonly expression: string }[];
}

async function openChdb(): Promise<ClickHouseClient> {
  const require = createRequire(path.join(CHDB_DIR!, 'package.json'));
  // No dependency of ours: whoever has the engine names its folder.
  const file = require.resolve(CONNECTION);
  const { createChdbConnection } = (await import(pathToFileURL(file).href)) as {
    createChdbConnection: (of: { path: string }) => never;
  };
  return createClient({ connection: createChdbConnection({ path: ':memory:' }) });
}

describe.skipIf(CHDB_DIR === undefined)('tables in ClickHouse', () => {
  let engine: TestEngine;
  let client: ClickHouseClient;
  let copies: TableCopies;
  beforeAll(async () => {
    engine = await openTestEngine([testMeters]);
    client = await openChdb();
    copies = copiesIn(client, 'energy_analytics');
    const meters = IDS.map((id, index) => ({
      id,
      whOf: (slot: number) => 100.125 + 10 * index + (slot % 7),
    }));
    await give('bulk.csv', bulkFile({ [FIRST]: meters, [SECOND]: meters }));
    await give(
      'list.csv',
      `meter_id,valid_from,segment,transformer,kva\n${IDS.map((id) => `${id},2024-01-01,home,T1,6\n`).join('')}`,
    );
    for (const date of [FIRST, SECOND])
      await runDay(engine, 'smart-meter', date, { offline: true });
  }, 120_000);
  afterAll(async () => {
    await copies.close();
    await engine.close();
  });

  async function give(name: string, text: string): Promise<void> {
    const file = path.join(engine.home, name);
    await writeFile(file, text);
    await importFile(engine, 'smart-meter', file, testControl());
  }

  function cutOf(id: string): Promise<TableCut> {
    return cutTable(engine, new KnownVersions(engine), tablesOf(engine.datasets).get(id)!, SPAN);
  }

  async function rows<T>(query: string): Promise<T[]> {
    return (await client.query({ query, format: 'JSONEachRow' })).json<T>();
  }

  it('have the rows and sums of ours, and are not written again', async () => {
    const cut = await cutOf('meter_fleet');
    const done = await copyCut(engine, copies, cut, { as: 'consumption_metrics', signal });
    expect(done).toEqual({
      table: 'consumption_metrics',
      written: [FIRST, SECOND],
      removed: [],
      unchanged: 0,
      rows: 4,
    });
    const told = await rows<{ segment: string; total_kwh: number; metric_date: string }>(
      `SELECT segment, total_kwh, metric_date FROM energy_analytics.consumption_metrics FINAL ORDER BY metric_date, segment`,
    );
    const kwh = (12 * 48 * 100.125 + 48 * 10 * 66 + 12 * (6 * 21 + 15)) / 1000;
    expect(told).toEqual(
      [FIRST, SECOND].flatMap((metric_date) =>
        ['fleet', 'home'].map((segment) => ({
          segment,
          total_kwh: expect.closeTo(kwh, 6) as number,
          metric_date,
        })),
      ),
    );
    const again = await copyCut(engine, copies, cut, { as: 'consumption_metrics', signal });
    expect(again).toMatchObject({ written: [], unchanged: 2, rows: 4 });
  });

  it('keep rows of one order, instants to the microsecond and what is null', async () => {
    const done = await copyCut(engine, copies, await cutOf('meter_readings'), {
      as: 'readings',
      signal,
    });
    expect(done).toMatchObject({ rows: 2 * 12 * 48 });
    const [one] = await rows(
      `SELECT min(start_at) AS first, max(start_at) AS last, countIf(label IS NULL) AS nulls, uniqExact(meter_key) AS meters
       FROM energy_analytics.readings FINAL`,
    );
    expect(one).toMatchObject({
      first: '2024-01-14 23:00:00.000000',
      last: '2024-01-16 22:30:00.000000',
    });
    expect(Number((one as { meters: string }).meters)).toBe(12);
    expect(Number((one as { nulls: string }).nulls)).toBe(2 * 12 * 48);
  });

  it('replace a day of a newer version, and no other, without a row of the older one', async () => {
    await copyCut(engine, copies, await cutOf('meter_days'), { as: 'days', signal });
    const header = 'meter_id,start_at,wh,revision\n';
    await give('late.csv', `${header}${IDS[0]},2024-01-16T10:00:00+01:00,900,CORRIGE\n`);
    await runDay(engine, 'smart-meter', SECOND, { offline: true });
    const done = await copyCut(engine, copies, await cutOf('meter_days'), { as: 'days', signal });
    expect(done).toMatchObject({ written: [SECOND], unchanged: 1, rows: 24 });
    const found = await rows<{ date: string; revisions: number[]; n: string; peak: number }>(
      `SELECT date, groupUniqArray(_revision) AS revisions, toString(count()) AS n, max(peak_wh) AS peak FROM energy_analytics.days
       GROUP BY date ORDER BY date`,
    );
    expect(found.map(({ revisions, n, peak }) => [revisions.map(Number), n, peak])).toEqual([
      [[1], '12', expect.closeTo(216.125, 6)],
      [[2], '12', 900],
    ]);
  });

  it('have no rows of a day that has none any more', async () => {
    const cut = await cutOf('meter_list');
    await copyCut(engine, copies, cut, { as: 'list', signal });
    const [kept] = cut.versions;
    const done = await copyCut(
      engine,
      copies,
      { ...cut, versions: [kept!] },
      { as: 'list', signal },
    );
    expect(done).toMatchObject({ written: [], removed: [SECOND], unchanged: 1, rows: 12 });
    expect(await rows('SELECT DISTINCT _scope FROM energy_analytics.list')).toEqual([
      { _scope: FIRST },
    ]);
  });

  it('answer what the dashboards for Superset and Grafana ask', async () => {
    const names = { meter_fleet: 'consumption_metrics', meter_scores: 'anomaly_scores' } as Record<
      string,
      string
    >;
    for (const id of [
      'meter_fleet',
      'meter_scores',
      'meter_days',
      'meter_losses',
      'meter_profiles',
      'meter_failures',
    ])
      await copyCut(engine, copies, await cutOf(id), { as: names[id] ?? id, signal });
    const folder = 'infra/superset/smart-meter/datasets/energy_analytics';
    for (const name of await readdir(folder)) {
      const file = parse(await readFile(path.join(folder, name), 'utf8')) as DatasetFile;
      const columns = file.columns.map(({ column_name: column }) => column);
      await rows(`SELECT ${columns.join(', ')} FROM (${file.sql})`);
      await rows(
        `SELECT ${file.metrics.map(({ expression }) => expression).join(', ')} FROM (${file.sql})`,
      );
    }
    const { panels } = JSON.parse(await readFile('infra/grafana/smart-meter.json', 'utf8')) as {
      panels: { targets?: { rawSql?: string }[] }[];
    };
    const asked = panels.flatMap(({ targets = [] }) =>
      targets.flatMap(({ rawSql }) => rawSql ?? []),
    );
    const told = await Promise.all(
      asked.map((sql) => rows(sql.replaceAll(/\$__timeFilter\([^)]*\)\)/gu, '1 = 1'))),
    );
    expect(told[0]).toEqual([{ newest: SECOND }]);
    expect(told[1]).toHaveLength(2);
  });

  it('that add up to something else are told as corrupt', async () => {
    const lying: TableCopies = {
      ...copies,
      sumsOf: async (table, scope) => {
        const { rows: n, sums } = await copies.sumsOf(table, scope);
        return { rows: n, sums: { ...sums, total_kwh: (sums['total_kwh'] ?? 0) * 1.000_001 } };
      },
    };
    await expect(
      copyCut(engine, lying, await cutOf('meter_fleet'), { as: 'other', signal }),
    ).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    });
  });
});
