import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { holidaysSql } from '../../../src/datasets/eco2mix/answers/holidays.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { startPortal } from '../../../src/dev/portal/portal.ts';
import type { Portal } from '../../../src/dev/portal/portal.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const DATES = datesBetween('2026-04-29', '2026-05-02');
const CITY_DAY = '2026-05-01';
const NOW = new Date('2026-05-20T10:00:00Z');

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  portal = await startPortal({ now: () => NOW });
  const host = { url: portal.url, requestsPerSecond: 1_000, key: 'k' };
  const hosts = { odre: host, paris: host, idfm: host, 'visual-crossing': host, 'open-meteo': host };
  const { eco2mix, cityflow } = configuredDatasets(DATASETS, hosts);
  // A list of roadworks tells of the day that has just ended.
  engine = await openTestEngine([eco2mix!, cityflow!], { now: () => NOW });
  await runDays(engine, 'eco2mix', DATES);
  await rollUpDays(engine, 'eco2mix', DATES);
  await runDay({ ...engine, now: () => new Date('2026-05-02T03:00:00Z') }, 'cityflow', CITY_DAY);
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

async function get<T>(url: string): Promise<T> {
  const answer = await api.inject({ url, headers: { host: 'localhost' } });
  expect(answer.statusCode, `${url}: ${answer.body}`).toBe(200);
  return answer.json<T>();
}

type Row = Readonly<Record<string, number | string | null>>;
interface Answer {
  readonly sentence: { readonly fr: string; readonly en: string };
  readonly rows: readonly Row[];
  readonly standing: readonly { readonly coverage: number }[];
  readonly link: string;
}

function ask(question: string): Promise<Answer> {
  return get(`/api/v1/questions/${question}`);
}

async function powers(): Promise<Row[]> {
  return get(`/api/v1/tables/eco2mix_national/file.json?from=${DATES[0]!}&to=${DATES.at(-1)!}`);
}

describe('the questions of the earlier chat', () => {
  it('give every instant of a day, and exactly those', async () => {
    const { rows, standing, sentence } = await ask('get_consommation?granularity=raw&start=2026-05-01&end=2026-05-01');
    const told = await get<Row[]>('/api/v1/tables/eco2mix_national/file.json?from=2026-05-01&to=2026-05-01');
    const loads = told.filter((row) => row['load_mw'] !== null);
    expect(rows.map(({ instant_at: at, value }) => [at, value]).reverse()).toEqual(
      loads.map((row) => [row['instant_at'], row['load_mw']]),
    );
    expect(standing).toMatchObject([{ coverage: 1 }]);
    expect(sentence.en).toContain(`${rows.length} values`);
  });

  it('give the energy of a day as the sum of its powers', async () => {
    const { rows } = await ask('get_production?filiere=nucleaire&granularity=daily&start=2026-05-01&end=2026-05-01');
    const day = await get<Row[]>('/api/v1/tables/eco2mix_national/file.json?from=2026-05-01&to=2026-05-01');
    const sum = day.reduce((mwh, row) => mwh + Number(row['nuclear_mw']) / 4, 0);
    expect(rows).toMatchObject([{ period: '2026-05-01', value: sum, coverage: 1 }]);
  });

  it('find the peak that the rows have, and the trough of an exchange', async () => {
    const rows = await powers();
    const { rows: peaks } = await ask('get_peak?n=3');
    const sorted = [...rows].sort((a, b) => Number(b['load_mw']) - Number(a['load_mw']));
    expect(peaks.map(({ value }) => value)).toEqual(sorted.slice(0, 3).map((row) => row['load_mw']));
    const { rows: troughs } = await ask('get_peak?dataset=echanges&pays=espagne&direction=min');
    expect(troughs[0]!['value']).toBe(Math.min(...rows.map((row) => Number(row['exchange_spain_mw']))));
  });

  it('read a month without a year as that month of every year', async () => {
    const april = await ask('get_consommation?granularity=monthly&month=4');
    expect(april.rows.map(({ period }) => period)).toEqual(['2026-04']);
    const none = await ask('get_consommation?granularity=monthly&month=2');
    expect([none.rows, none.sentence.en]).toEqual([[], 'Load: no data.']);
    const days = await ask('get_consommation?granularity=daily&month=4');
    expect(days.rows.map(({ period }) => period)).toEqual(['2026-04-30', '2026-04-29']);
  });

  it('add up imports and exports of a month', async () => {
    const { rows } = await ask('get_echanges_energie?pays=total&granularity=monthly&order=value&sort_by=import');
    expect(rows).toHaveLength(2);
    for (const row of rows)
      expect(Number(row['import_mwh']) - Number(row['export_mwh'])).toBeCloseTo(Number(row['net_mwh']), 6);
  });

  it.each(['get_overview', 'get_dashboard', 'get_echanges?granularity=raw', 'get_parc?filiere=solaire'])(
    '%s has rows and a sentence in both languages',
    async (question) => {
      const { rows, sentence } = await ask(question);
      expect(rows.length).toBeGreaterThan(0);
      expect([sentence.fr, sentence.en].every((text) => text.length > 10)).toBe(true);
    },
  );

  it('know the first of May as a holiday', async () => {
    const { rows } = await ask('get_calendrier?start=2026-04-29');
    expect(rows.map(({ period, kind }) => [period, kind])).toEqual([
      ['2026-04-29', 'workday'],
      ['2026-04-30', 'workday'],
      ['2026-05-01', 'holiday'],
      ['2026-05-02', 'weekend'],
    ]);
    const { rows: kinds } = await ask('get_calendrier?start=2026-04-29&summary=true');
    expect(kinds.map(({ kind, days }) => [kind, days])).toEqual([
      ['holiday', 1],
      ['weekend', 1],
      ['workday', 2],
    ]);
  });

  it('know Easter Monday, Ascension and Whit Monday of a year', async () => {
    // Of the calendar of the Bureau des longitudes.
    const known = {
      2000: '04-24 06-01 06-12',
      2024: '04-01 05-09 05-20',
      2026: '04-06 05-14 05-25',
      2038: '04-26 06-03 06-14',
    };
    for (const [year, days] of Object.entries(known)) {
      const list = `SELECT unnest([${holidaysSql(`DATE '${year}-07-01'`)}]) AS day`;
      const rows = await engine.sql!.session((sql) => sql.rows<{ day: string }>(list));
      expect(rows.slice(8).map(({ day }) => day)).toEqual(days.split(' ').map((day) => `${year}-${day}`));
    }
  });

  it('are found again under their link, and are refused with what they do not know', async () => {
    const first = await ask('get_peak?n=2');
    expect((await get<Answer>(first.link)).rows).toEqual(first.rows);
    const refused = await api.inject({
      url: "/api/v1/questions/get_peak?n=2&pays=x';DROP TABLE a--",
      headers: { host: 'localhost' },
    });
    expect(refused.json()).toMatchObject({ status: 400, code: 'INPUT_INVALID' });
  });
});

describe('the questions about the city', () => {
  it.each(['get_busiest_streets', 'get_worst_hours', 'get_works_near', 'get_disruptions', 'compare_days'])(
    '%s has rows and a sentence',
    async (question) => {
      const { rows, sentence } = await ask(`${question}?start=${CITY_DAY}`);
      expect(rows.length).toBeGreaterThan(0);
      expect(sentence.fr).not.toBe('');
    },
  );

  it('take the name of a street as text and nothing else', async () => {
    const { rows } = await ask(`get_works_near?start=${CITY_DAY}&street=${encodeURIComponent("l'a%' OR 1=1 --")}`);
    expect(rows).toEqual([]);
  });
});

describe('the earlier systems', () => {
  it('eCO2mix: curves, energies and exports in their shapes', async () => {
    const curve = await get<{ count: number; unite: string; data: Row[] }>(
      '/api/v1/courbe_conso?debut=2026-05-01&fin=2026-05-01',
    );
    expect([curve.count, curve.unite, Object.keys(curve.data[0]!)]).toEqual([
      96,
      'MW',
      ['date_heure', 'consommation', 'source'],
    ]);
    const energy = await get('/api/v1/energie_prod?debut=2026-04-01&fin=2026-05-31&filiere=eolien');
    expect(energy).toMatchObject({ unite: 'GWh', filiere: 'eolien', data: [{ mois: '2026-04' }, { mois: '2026-05' }] });
    expect(await get('/api/v1/echange?debut=2026-05-01&fin=2026-05-01&pays=total')).toMatchObject({ count: 96 });
    expect(await get('/api/v1/meta')).toMatchObject({ consommation: { debut: '2026-04-29', fin: '2026-05-02' } });
    expect(await get('/api/v1/parc')).toMatchObject({ count: 0, unite: 'MW' });
    const long = await api.inject({
      url: '/api/v1/courbe_conso?debut=2020-01-01&fin=2026-01-01',
      headers: { host: 'localhost' },
    });
    expect(long.statusCode).toBe(400);
    const csv = await api.inject({ url: '/consommation/export-mensuel/', headers: { host: 'localhost' } });
    expect(csv.body.split('\r\n')[0]).toBe('\uFEFFMois;Consommation (MWh)');
    expect(csv.body.trimEnd().split('\r\n')).toHaveLength(3);
  });

  it('CityFlow and its rewrite, at the root and under /api, told apart by the date', async () => {
    for (const base of ['', '/api']) {
      expect(await get(`${base}/health`)).toMatchObject({ status: 'healthy', service: 'CityFlow Analytics API' });
      expect(await get(`${base}/metrics/bikes/${CITY_DAY}`)).toMatchObject({ metric_type: 'bikes', date: CITY_DAY });
      expect(await get(`${base}/metrics/${CITY_DAY}/bikes`)).toMatchObject({ metric_type: 'bikes', date: CITY_DAY });
      const { metrics } = await get<{ metrics: object }>(`${base}/metrics/${CITY_DAY}`);
      expect(Object.keys(metrics)).toContain('comptages');
      expect(await get(`${base}/report/${CITY_DAY}`)).toMatchObject({ date: CITY_DAY, report: { date: CITY_DAY } });
      expect(await get(`${base}/stats`)).toMatchObject({ database_stats: { reports_count: 1 } });
      expect(await get(`${base}/reports?limit=5`)).toMatchObject({ count: 1 });
    }
    const wrong = await api.inject({ url: '/metrics/trams/2026-05-01', headers: { host: 'localhost' } });
    expect([wrong.statusCode, wrong.json()]).toMatchObject([400, { error: 'INPUT_INVALID', statusCode: 400 }]);
    const none = await api.inject({ url: '/report/2020-01-01', headers: { host: 'localhost' } });
    expect([none.statusCode, none.json()]).toMatchObject([404, { error: 'NOT_FOUND', statusCode: 404 }]);
  });
});
