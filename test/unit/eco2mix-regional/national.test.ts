import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { compareDays } from '../../../src/datasets/eco2mix-regional/comparison.ts';
import type {
  NationalComparison,
  RegionsDay,
} from '../../../src/datasets/eco2mix-regional/metrics-model.ts';
import { REGIONS } from '../../../src/datasets/eco2mix-regional/regions.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Both pipelines over one world: days come from the portal, through the engine, to reports and
 * answers.
 */

const PIPELINE = 'eco2mix-regional';
const DATES = datesBetween('2026-04-29', '2026-05-01');
const DAY = '2026-05-01';
const NOW = new Date('2026-05-20T10:00:00Z');

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  portal = await startPortal({ now: () => NOW });
  const hosts = { odre: { url: portal.url, requestsPerSecond: 1_000 } };
  const { eco2mix, [PIPELINE]: regional } = configuredDatasets(
    { eco2mix: DATASETS['eco2mix']!, [PIPELINE]: DATASETS[PIPELINE]! },
    hosts,
  );
  engine = await openTestEngine([eco2mix!, regional!], { now: () => NOW });
  await runDays(engine, 'eco2mix', DATES.slice(1));
  await runDays(engine, PIPELINE, DATES.slice(0, 2));
  await runDay(engine, PIPELINE, DAY);
  await rollUpDays(engine, PIPELINE, DATES);
  api = await openTestApi(engine);
}, 120_000);

afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

async function pathOf(
  pipeline: string,
  scope: string,
  step: `metrics/${string}` | `report/${string}`,
  output: string,
): Promise<string> {
  const state = (await newestManifests(engine.documents, pipeline, [scope])).get(scope)!.steps[
    step
  ];
  if (state?.state !== 'done') throw new Error(`${step} of ${scope} is not done`);
  return (await engine.objects.openLocal(state.outputs[output]!))!;
}

async function text(path: string): Promise<string> {
  const rows = await engine.sql!.session((sql) =>
    sql.rows<{ content: string }>(`SELECT content FROM read_text('${path}')`),
  );
  return rows[0]!.content;
}

async function document<T>(
  pipeline: string,
  scope: string,
  step: `metrics/${string}` | `report/${string}`,
  output: string,
): Promise<T> {
  return JSON.parse(await text(await pathOf(pipeline, scope, step, output))) as T;
}

async function get<T>(url: string): Promise<T> {
  const answer = await api.inject({ url, headers: { host: 'localhost' } });
  expect(answer.statusCode, `${url}: ${answer.body}`).toBe(200);
  return answer.json<T>();
}

type Row = Readonly<Record<string, number | string | null>>;

describe('a day of the regions', () => {
  it('has the energies that plain sums over the portal’s own rows give', async () => {
    const url = `${portal.url}/api/explore/v2.1/catalog/datasets/eco2mix-regional-tr/exports/csv?delimiter=%3B&where=date%3Ddate'${DAY}'`;
    const [head = '', ...lines] = (await (await fetch(url)).text()).trimEnd().split('\n');
    const names = head.split(';');
    const day = await document<RegionsDay>(PIPELINE, DAY, 'metrics/regions', 'metrics');
    expect(day.regions.map(({ code }) => code)).toEqual(REGIONS.map(({ code }) => code));
    for (const { code, load, generation } of day.regions) {
      const rows = lines.map((line) => line.split(';')).filter((cells) => cells[0] === code);
      const of = (name: string): number[] =>
        rows.map((cells) => Number(cells[names.indexOf(name)]));
      const sum = (name: string): number => of(name).reduce((total, mw) => total + mw, 0) / 4;
      expect(rows).toHaveLength(96);
      expect(load).toMatchObject({ energy_mwh: sum('consommation'), coverage: 1 });
      expect(load.peak!.mw).toBe(Math.max(...of('consommation')));
      expect(generation.by_source.solaire.energy_mwh).toBe(sum('solaire'));
      expect(generation.by_source.solaire.coverage_rate_pct).toBeCloseTo(
        (100 * sum('solaire')) / sum('consommation'),
        2,
      );
    }
  });

  it('knows every column of the export, the empty one at its end included', async () => {
    const { facts } = (await newestManifests(engine.documents, PIPELINE, [DAY])).get(DAY)!;
    expect(facts).toMatchObject({ unknown_columns: [], regions: 12, coverage: 1 });
  });

  it('adds up to the national figures of the same day, shown beside them', async () => {
    const comparison = await document<NationalComparison>(
      PIPELINE,
      DAY,
      'metrics/comparison',
      'comparison',
    );
    expect(comparison.quantities.map(({ quantity, reason }) => [quantity, reason])).toEqual(
      [
        'consommation',
        'nucleaire',
        'hydraulique',
        'eolien',
        'solaire',
        'bioenergies',
        'thermique',
      ].map((name) => [name, null]),
    );
    const national = await document<{ load: { energy_mwh: number } }>(
      'eco2mix',
      DAY,
      'metrics/national',
      'metrics',
    );
    expect(comparison.quantities[0]).toMatchObject({
      national_mwh: national.load.energy_mwh,
      difference_mwh: 0,
    });
  });

  it('is not compared with a day that is not there, and says so', async () => {
    const { quantities } = await document<NationalComparison>(
      PIPELINE,
      DATES[0]!,
      'metrics/comparison',
      'comparison',
    );
    expect(new Set(quantities.map(({ reason }) => reason))).toEqual(
      new Set(['no national figure']),
    );
    expect(quantities[0]!.regions_mwh).toBeGreaterThan(0);
  });

  it('names a difference and does not hide it', async () => {
    const day = await document<RegionsDay>(PIPELINE, DAY, 'metrics/regions', 'metrics');
    const national = await document<Parameters<typeof compareDays>[1] & object>(
      'eco2mix',
      DAY,
      'metrics/national',
      'metrics',
    );
    const larger = {
      ...national,
      load: { energy_mwh: national.load.energy_mwh! * 1.25, coverage: 1 },
    };
    expect(compareDays(day, larger).quantities[0]).toMatchObject({
      difference_pct: -20,
      reason: null,
    });
    const gap = { ...national, load: { ...national.load, coverage: 0.9 } };
    expect(compareDays(day, gap).quantities[0]).toMatchObject({
      difference_mwh: null,
      reason: 'national incomplete',
    });
  });

  it('is shown on a map whose tiles name region and value, with every figure in tables', async () => {
    const page = await text(await pathOf(PIPELINE, DAY, 'report/page', 'page'));
    for (const { name } of REGIONS) {
      expect(page, name).toContain(`<title>${name} · consommation `);
      expect(page.split(`<th scope="row">${name}</th>`).length, name).toBeGreaterThan(3);
    }
    expect(page.match(/<svg [^>]*role="img" aria-label="[^"]*Bretagne [^"]+"/g)).toHaveLength(3);
    expect(page).not.toMatch(/<script|https?:\/\//);
    expect(page.includes('Données d’exemple')).toBe(true);
  });

  it('has a row per region in its CSV', async () => {
    const csv = await text(await pathOf(PIPELINE, DAY, 'report/regions', 'csv'));
    const lines = csv.trimEnd().split('\n');
    expect(lines).toHaveLength(13);
    expect(lines[0]).toMatch(/^date;region_code;region;load_mwh;.*;sample_data$/);
  });
});

describe('the answers', () => {
  it('compare the regions and follow one', async () => {
    const { rows, sentence } = await get<{ rows: Row[]; sentence: { fr: string } }>(
      `/api/v1/questions/get_regions?grandeur=eolien&start=${DAY}&end=${DAY}`,
    );
    const day = await document<RegionsDay>(PIPELINE, DAY, 'metrics/regions', 'metrics');
    const winds = day.regions.flatMap(
      ({ generation }) => generation.by_source.eolien.energy_mwh ?? [],
    );
    expect(rows.map((row) => row['energy_mwh'])).toEqual(winds.sort((a, b) => b - a));
    expect(rows[0]!['of_load_pct']).toBe(
      day.regions.find(({ code }) => code === rows[0]!['region_code'])!.generation.by_source.eolien
        .coverage_rate_pct,
    );
    expect(sentence.fr).toContain('en tête');
    const { rows: days } = await get<{ rows: Row[] }>('/api/v1/questions/get_region?region=53');
    expect(days.map(({ period }) => period)).toEqual(DATES);
  });

  it('have the same energy by day, month and year', async () => {
    const sums = await Promise.all(
      ['daily', 'monthly', 'annual'].map(async (granularity) => {
        const { rows } = await get<{ rows: Row[] }>(
          `/api/v1/questions/get_region?region=84&granularity=${granularity}`,
        );
        return rows.reduce((sum, row) => sum + Number(row['energy_mwh']), 0);
      }),
    );
    expect(sums[0]).toBeGreaterThan(0);
    expect(sums[1]).toBe(sums[0]);
    expect(sums[2]).toBe(sums[0]);
  });

  it('give every row of the regions with their rates', async () => {
    const rows = await get<Row[]>(
      `/api/v1/tables/eco2mix_regional/file.json?from=${DAY}&to=${DAY}`,
    );
    expect(rows).toHaveLength(12 * 96);
    expect(rows[0]).toMatchObject({ region_code: '11', quarters: 1 });
    const row = rows.find((one) => one['region_code'] === '32')!;
    expect(row['wind_coverage_pct']).toBeCloseTo(
      (100 * Number(row['wind_mw'])) / Number(row['load_mw']),
      1,
    );
  });
});
