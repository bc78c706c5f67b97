import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { exportTable } from '../../../src/cli/look/export.ts';
import type { CapacityRow } from '../../../src/datasets/parc/capacity.ts';
import { parc } from '../../../src/datasets/parc/index.ts';
import type { ParcReport } from '../../../src/datasets/parc/report/model.ts';
import { capacityOf, registerRow } from '@quotidien/sample-portal/grid/capacity';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { collectText } from '../../conformance/byte-streams.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Installed capacity through the real surface: pages and register of the sample portal, days,
 * rollups, tables, API, export.
 */

const NOW = new Date('2026-05-20T10:00:00Z');
/** The end of a registered year and the beginning of one that is not. */
const DATES = ['2025-11-15', ...datesBetween('2025-12-30', '2026-01-02'), '2026-02-10'];

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  portal = await startPortal({ now: () => NOW });
  const host = { url: portal.url, requestsPerSecond: 1_000 };
  const datasets = configuredDatasets({ parc }, { odre: host, rte: host });
  engine = await openTestEngine(Object.values(datasets), { now: () => NOW });
  for (const outcome of (await runDays(engine, 'parc', DATES)).values())
    expect(outcome.verdict).toBe('ok');
  await runDay(engine, 'parc', '2026-01-03');
  await rollUpDays(engine, 'parc', [...DATES, '2026-01-03']);
  api = await openTestApi(engine);
}, 60_000);

afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

const published = (name: string): Promise<string> =>
  readFile(`${engine.home}/store/${name}`, 'utf8');

async function rowsOf(
  table: string,
  query = '',
): Promise<Record<string, number | string | null>[]> {
  const url = `/api/v1/tables/${table}/file.json?from=2025-01-01&to=2026-12-31${query}`;
  const answer = await api.inject({ url, headers: { host: 'localhost' } });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json();
}

describe('the capacity of a day', () => {
  it('is that of its month, derived from RTE’s figures and as registered', async () => {
    const report = JSON.parse(
      await published('reports/parc/daily_report_2025-12-31.json'),
    ) as ParcReport;
    const row = (source: string): CapacityRow => report.rows.find((one) => one.source === source)!;
    // The portal rounds as RTE does: load factors to a hundredth of a percent.
    for (const source of ['eolien_terrestre', 'eolien_en_mer', 'solaire'] as const) {
      const known = capacityOf(source, 2025, 12)!;
      expect(Math.abs(row(source).derived_mw! - known) / known).toBeLessThan(0.001);
    }
    const [, , , , , , nuclear, solar, wind] = registerRow(2025);
    expect(row('nucleaire')).toMatchObject({
      register_mw: nuclear,
      capacity_from: 'register',
      derived_mw: null,
    });
    expect(row('solaire')).toMatchObject({ register_mw: solar, capacity_mw: solar });
    expect(row('eolien').difference_mw).toBeCloseTo(row('eolien').derived_mw! - wind!, 6);
    expect(report.sample_data).toEqual(['odre-parc', 'rte-eolien', 'rte-solaire']);
  });

  it('takes RTE’s in a year that is not registered, and the last register for what RTE does not tell', async () => {
    const report = JSON.parse(
      await published('reports/parc/daily_report_2026-02-10.json'),
    ) as ParcReport;
    expect(report.rows.find(({ source }) => source === 'solaire')).toMatchObject({
      period: '2026-02',
      hours: 672,
      register_mw: null,
      capacity_from: 'rte',
    });
    expect(report.rows.find(({ source }) => source === 'gaz')).toMatchObject({
      capacity_from: 'register_before',
    });
  });

  it('shares its files with the days of its month, and raw pages are kept as they came', async () => {
    const manifests = await newestManifests(engine.documents, 'parc', [
      '2025-12-30',
      '2025-12-31',
      '2026-01-01',
    ]);
    const core = [...manifests.values()].map(({ steps }) => {
      const state = steps['transform/parc'];
      return state?.state === 'done' ? state.outputs['core']!.key : undefined;
    });
    expect(core[0]).toBe(core[1]);
    expect(core[2]).not.toBe(core[0]);
    const [origin] = manifests.get('2025-12-31')!.origins;
    expect(origin).toMatchObject({ part: 'rte-eolien', url: `${portal.url}/production/eolien` });
    expect(await collectText(await engine.objects.get(origin!.raw.key))).toContain('JSON.parse(');
  });

  it('has a page that says what is sample data', async () => {
    const page = await published('reports/parc/daily_report_2026-01-03.html');
    expect(page).toContain('Éolien en mer');
    expect(page).toContain('Données d’exemple');
    expect(page).not.toContain('Licence Ouverte');
  });
});

describe('the tables of installed capacity', () => {
  it('have a row a month with the earlier headers first', async () => {
    const rows = await rowsOf('parc_installe');
    expect(rows.map((row) => row['annee_mois'])).toEqual([
      '2025-11',
      '2025-12',
      '2026-01',
      '2026-02',
    ]);
    expect(Object.keys(rows[0]!).slice(0, 5)).toEqual([
      'annee',
      'annee_mois',
      'eolien_terrestre_mw',
      'eolien_en_mer_mw',
      'solaire_mw',
    ]);
    expect(rows.map((row) => row['solaire_ecart_mw'] === null)).toEqual([true, false, true, true]);
  });

  it('say of a year how many months they know, and take the register where it has the year', async () => {
    const rows = await rowsOf('parc_annuel');
    const solar = rows.filter((row) => row['filiere'] === 'solaire');
    expect(solar).toMatchObject([
      { annee: 2025, origine: 'ODRE', rte_mois: '2025-12', mois_connus: 2 },
      {
        annee: 2026,
        origine: 'RTE',
        rte_mois: '2026-02',
        mois_connus: 2,
        odre_mw: null,
        ecart_mw: null,
      },
    ]);
    expect(solar[0]!['couverture']).toBeCloseTo((720 + 744) / 8_760, 4);
    expect(solar[0]!['ecart_mw']).toBeCloseTo(
      Number(solar[0]!['rte_mw']) - Number(solar[0]!['odre_mw']),
      2,
    );
  });

  it('are published for French spreadsheets', async () => {
    const [head, first] = (await published('02_clean/parc_installe.csv')).split('\n');
    expect(head).toMatch(
      /^\uFEFFannee;annee_mois;eolien_terrestre_mw;eolien_en_mer_mw;solaire_mw;/,
    );
    expect(first).toMatch(/^2025;2025-11;\d+(,\d+)?;\d+(,\d+)?;\d+(,\d+)?;0,\d+;/);
    expect(await published('02_clean/parc_annuel.csv')).toContain('\n2026;solaire;');
  });

  it('are exported from the command line', async () => {
    const context = testContext(engine);
    const output = `${engine.home}/parc.csv`;
    expect(await exportTable(context, { table: 'parc_installe', dialect: 'fr', output })).toBe(0);
    expect(
      (await readFile(output, 'utf8')).split('\r\n').filter((line) => line.startsWith('202')),
    ).toHaveLength(4);
  });
});

describe('the endpoints of the earlier system', () => {
  it('answer /parc in its shape, one row a month and source', async () => {
    const answer = await api.inject({ url: '/api/v1/parc', headers: { host: 'localhost' } });
    expect(answer.statusCode, answer.body).toBe(200);
    const { count, unite, data } = answer.json<{
      count: number;
      unite: string;
      data: Record<string, unknown>[];
    }>();
    expect([count, unite, data.length]).toEqual([12, 'MW', 12]);
    expect(Object.keys(data[0]!)).toEqual(['date', 'filiere', 'parc_mw']);
    expect(new Set(data.map(({ filiere }) => filiere))).toEqual(
      new Set(['Eolien terrestre', 'Eolien en mer', 'Solaire']),
    );
  });

  it('answer the export of its page', async () => {
    const answer = await api.inject({
      url: '/production/export-parc-installe/',
      headers: { host: 'localhost' },
    });
    expect(answer.body.split('\r\n')[0]).toMatch(/^\uFEFFannee;annee_mois;eolien_terrestre_mw;/);
  });
});
