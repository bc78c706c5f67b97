import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { PipelineError } from '../../../src/errors.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
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
  const hosts = {
    odre: host,
    paris: host,
    idfm: host,
    'visual-crossing': host,
    'open-meteo': host,
  };
  const { eco2mix, cityflow } = configuredDatasets(DATASETS, hosts);
  // A list of roadworks tells of the day that has just ended.
  engine = await openTestEngine([eco2mix!, cityflow!], { now: () => NOW });
  await importFile(engine, 'eco2mix', await schoolCalendar(engine.home), testControl());
  await runDays(engine, 'eco2mix', DATES);
  await rollUpDays(engine, 'eco2mix', DATES);
  await runDay({ ...engine, now: () => new Date('2026-05-02T03:00:00Z') }, 'cityflow', CITY_DAY);
  api = await openTestApi(engine);
});

/** Zone B has holidays until the end of April; nothing is known after the tenth of May. */
async function schoolCalendar(folder: string): Promise<string> {
  const file = path.join(folder, 'calendar.csv');
  const rows = [
    'start_date;end_date;zones',
    '2026-04-11;2026-05-01;Zone B',
    '2026-04-04;2026-05-11;Zone C',
  ];
  await writeFile(file, `${rows.join('\n')}\n`);
  return file;
}

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
    const { rows, standing, sentence } = await ask(
      'get_consommation?granularity=raw&start=2026-05-01&end=2026-05-01',
    );
    const told = await get<Row[]>(
      '/api/v1/tables/eco2mix_national/file.json?from=2026-05-01&to=2026-05-01',
    );
    const loads = told.filter((row) => row['load_mw'] !== null);
    expect(rows.map(({ instant_at: at, value }) => [at, value]).reverse()).toEqual(
      loads.map((row) => [row['instant_at'], row['load_mw']]),
    );
    expect(standing).toMatchObject([{ coverage: 1 }]);
    expect(sentence.en).toContain(`${rows.length} values`);
  });

  it('give the energy of a day as the sum of its powers', async () => {
    const { rows } = await ask(
      'get_production?filiere=nucleaire&granularity=daily&start=2026-05-01&end=2026-05-01',
    );
    const day = await get<Row[]>(
      '/api/v1/tables/eco2mix_national/file.json?from=2026-05-01&to=2026-05-01',
    );
    const sum = day.reduce((mwh, row) => mwh + Number(row['nuclear_mw']) / 4, 0);
    expect(rows).toMatchObject([{ period: '2026-05-01', value: sum, coverage: 1 }]);
  });

  it('find the peak that the rows have, and the trough of an exchange', async () => {
    const rows = await powers();
    const { rows: peaks } = await ask('get_peak?n=3');
    const sorted = [...rows].sort((a, b) => Number(b['load_mw']) - Number(a['load_mw']));
    expect(peaks.map(({ value }) => value)).toEqual(
      sorted.slice(0, 3).map((row) => row['load_mw']),
    );
    const { rows: troughs } = await ask('get_peak?dataset=echanges&pays=espagne&direction=min');
    expect(troughs[0]!['value']).toBe(
      Math.min(...rows.map((row) => Number(row['exchange_spain_mw']))),
    );
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
    const { rows } = await ask(
      'get_echanges_energie?pays=total&granularity=monthly&order=value&sort_by=import',
    );
    expect(rows).toHaveLength(2);
    for (const row of rows)
      expect(Number(row['import_mwh']) - Number(row['export_mwh'])).toBeCloseTo(
        Number(row['net_mwh']),
        6,
      );
  });

  it.each([
    'get_overview',
    'get_dashboard',
    'get_echanges?granularity=raw',
    'get_parc?filiere=solaire',
  ])('%s has rows and a sentence in both languages', async (question) => {
    const { rows, sentence } = await ask(question);
    expect(rows.length).toBeGreaterThan(0);
    expect([sentence.fr, sentence.en].every((text) => text.length > 10)).toBe(true);
  });

  it('know the first of May as a holiday', async () => {
    const { rows } = await ask('get_calendrier?start=2026-04-29');
    expect(rows.map(({ period, kind }) => [period, kind])).toEqual([
      ['2026-04-29', 'workday'],
      ['2026-04-30', 'workday'],
      ['2026-05-01', 'holiday'],
      ['2026-05-02', 'weekend'],
    ]);
    expect(rows.map((row) => row['school_holiday_zones'])).toEqual(['B,C', 'B,C', 'C', 'C']);
    const { rows: kinds } = await ask('get_calendrier?start=2026-04-29&summary=true');
    expect(kinds.map(({ kind, days }) => [kind, days])).toEqual([
      ['holiday', 1],
      ['weekend', 1],
      ['workday', 2],
    ]);
  });

  it('count the working days of a range, of the mainland and of Alsace-Moselle', async () => {
    const may = 'start=2026-05-01&end=2026-05-31';
    const { rows, sentence } = await ask(`get_jours_ouvres?${may}`);
    expect(rows).toEqual([{ period: '2026-05', days: 31, ouvres: 17, ouvrables: 22, feries: 4 }]);
    expect(sentence.fr).toBe('31 jours, dont 17 ouvrés, 22 ouvrables et 4 fériés.');
    const { rows: years } = await ask(
      'get_jours_ouvres?granularity=annual&territoire=alsace_moselle&start=2026-01-01&end=2026-12-31',
    );
    expect(years).toMatchObject([{ period: '2026', days: 365, feries: 13 }]);
  });

  it('tell the record of all time from those of the years', async () => {
    const powers_ = await powers();
    const largest = Math.max(...powers_.map((row) => Number(row['load_mw'])));
    const { rows, sentence } = await ask('get_records');
    expect(rows.map(({ period, peak_mw: peak }) => [period, peak])).toEqual([
      ['all', largest],
      ['2026', largest],
    ]);
    expect(sentence.fr).toContain(`record de ${largest.toLocaleString('fr-FR')} MW`);
    const { rows: all } = await ask('get_records?period=all&grandeur=eolien');
    expect(all).toMatchObject([
      { period: 'all', peak_mw: Math.max(...powers_.map((row) => Number(row['wind_mw']))) },
    ]);
  });

  it('tell the low-carbon share of the year up to its last day, and on how many days it stands', async () => {
    const { rows, sentence } = await ask('get_part_bas_carbone');
    expect(rows.map(({ date }) => date)).toEqual(DATES);
    expect(rows.at(-1)).toMatchObject({ days_known: 4, days_of_year: 122 });
    expect(sentence.en).toContain('from 1 January to 2026-05-02 (4 of 122 days known)');
    const { rows: one } = await ask('get_part_bas_carbone?start=2026-05-01&end=2026-05-01');
    expect(one.map(({ date }) => date)).toEqual(['2026-05-01']);
  });

  it('tell the error of a forecast beside that of persistence', async () => {
    const { rows, sentence } = await ask('get_qualite_previsions?prevision=j1');
    const last = rows.at(-1)!;
    expect(last).toMatchObject({ date: '2026-05-02', days: 4 });
    expect(Number(last['skill_day'])).toBeGreaterThan(0);
    expect(sentence.fr).toMatch(
      /^Prévision de la veille, 30 jours jusqu’au 2026-05-02 \(4 connus\)/,
    );
  });

  it('give whole tables of all time, whatever days are asked for', async () => {
    const days = await get<Row[]>(
      '/api/v1/tables/eco2mix_calendar/file.json?from=2026-05-01&to=2026-05-01',
    );
    expect(days).toHaveLength(365);
    const described = await get<{ each: string }>('/api/v1/tables/eco2mix_calendar');
    expect(described.each).toBe('history');
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
  it.each([
    'get_busiest_streets',
    'get_worst_hours',
    'get_works_near',
    'get_disruptions',
    'compare_days',
  ])('%s has rows and a sentence', async (question) => {
    const { rows, sentence } = await ask(`${question}?start=${CITY_DAY}`);
    expect(rows.length).toBeGreaterThan(0);
    expect(sentence.fr).not.toBe('');
  });

  it('refuse centuries, of which each missing day would be named', async () => {
    for (const asked of [
      'suggest_work_hours?start=2026-04-29&end=2860-02-29',
      'get_chiffres_chantiers?start=1082-11-14&end=2939-02-04',
    ]) {
      const url = `/api/v1/questions/${asked}`;
      const answer = await api.inject({ url, headers: { host: 'localhost' } });
      expect(answer.statusCode, answer.body).toBe(422);
      expect(answer.json()).toMatchObject({
        code: 'RANGE_TOO_LARGE',
        detail: expect.stringContaining('at most 10958') as string,
      });
    }
    await ask('suggest_work_hours?start=2000-01-01&end=2026-05-02');
  });

  it('take the name of a street as text and nothing else', async () => {
    const { rows } = await ask(
      `get_works_near?start=${CITY_DAY}&street=${encodeURIComponent("l'a%' OR 1=1 --")}`,
    );
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
    expect(energy).toMatchObject({
      unite: 'GWh',
      filiere: 'eolien',
      data: [{ mois: '2026-04' }, { mois: '2026-05' }],
    });
    expect(await get('/api/v1/echange?debut=2026-05-01&fin=2026-05-01&pays=total')).toMatchObject({
      count: 96,
    });
    expect(await get('/api/v1/meta')).toMatchObject({
      consommation: { debut: '2026-04-29', fin: '2026-05-02' },
    });
    expect(await get('/api/v1/parc')).toMatchObject({ count: 0, unite: 'MW' });
    const long = await api.inject({
      url: '/api/v1/courbe_conso?debut=2020-01-01&fin=2026-01-01',
      headers: { host: 'localhost' },
    });
    expect(long.statusCode).toBe(400);
    const csv = await api.inject({
      url: '/consommation/export-mensuel/',
      headers: { host: 'localhost' },
    });
    expect(csv.body.split('\r\n')[0]).toBe(
      '\uFEFFannee;annee_mois;consommation_mwh;consommation_couverture',
    );
    expect(csv.body.trimEnd().split('\r\n')).toHaveLength(3);
    expect(csv.headers['content-disposition']).toMatch(
      /^attachment; filename="consommation_mensuelle_/,
    );
    const heads: Record<string, string> = {
      '/consommation/export-puissance/': 'date_heure;consommation_mw;source',
      '/consommation/export-annuel/': 'annee;consommation_mwh;',
      '/production/export-production/':
        'date_heure;nucleaire_mw;hydraulique_mw;eolien_mw;solaire_mw;gaz_mw;',
      '/production/export-mensuel/': 'annee;annee_mois;nucleaire_mwh;hydraulique_mwh;',
      '/production/export-annuel/': 'annee;nucleaire_mwh;',
      '/echanges/export/': 'date_heure;ech_physiques;ech_comm_angleterre;',
      '/echanges/export-annuel/':
        'annee;angleterre_import_mwh;angleterre_export_mwh;angleterre_solde_mwh;',
    };
    const power = await api.inject({
      url: '/consommation/export-puissance/',
      headers: { host: 'localhost' },
    });
    expect(power.body.split('\r\n')[1]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:00Z;\d+;/);
    for (const [url, head] of Object.entries(heads)) {
      const answer = await api.inject({ url, headers: { host: 'localhost' } });
      expect([url, answer.statusCode, answer.body.slice(1, head.length + 1)]).toEqual([
        url,
        200,
        head,
      ]);
    }
  });

  it('CityFlow and its rewrite, at the root and under /api, told apart by the date', async () => {
    for (const base of ['', '/api']) {
      expect(await get(`${base}/health`)).toMatchObject({
        status: 'healthy',
        service: 'CityFlow Analytics API',
      });
      expect(await get(`${base}/metrics/bikes/${CITY_DAY}`)).toMatchObject({
        metric_type: 'bikes',
        date: CITY_DAY,
      });
      expect(await get(`${base}/metrics/${CITY_DAY}/bikes`)).toMatchObject({
        metric_type: 'bikes',
        date: CITY_DAY,
      });
      const { metrics } = await get<{ metrics: object }>(`${base}/metrics/${CITY_DAY}`);
      expect(Object.keys(metrics)).toEqual(
        expect.arrayContaining(['comptages', 'heures_pointe', 'qualite_service']),
      );
      const { data } = await get<{ data: { compteur_id: string }[] }>(
        `${base}/metrics/${CITY_DAY}/top_compteurs`,
      );
      expect(data).toHaveLength(10);
      const { names } = await get<{ names: string[] }>(`${base}/metrics/names`);
      expect(names).toHaveLength(6 + 18);
      expect(await get(`${base}/report/${CITY_DAY}`)).toMatchObject({
        date: CITY_DAY,
        report: { date: CITY_DAY },
      });
      expect(await get(`${base}/stats`)).toMatchObject({ database_stats: { reports_count: 1 } });
      expect(await get(`${base}/reports?limit=5`)).toMatchObject({ count: 1 });
    }
    const wrong = await api.inject({
      url: '/metrics/trams/2026-05-01',
      headers: { host: 'localhost' },
    });
    expect([wrong.statusCode, wrong.json()]).toMatchObject([
      400,
      { error: 'INPUT_INVALID', statusCode: 400 },
    ]);
    const none = await api.inject({ url: '/report/2020-01-01', headers: { host: 'localhost' } });
    expect([none.statusCode, none.json()]).toMatchObject([
      404,
      { error: 'NOT_FOUND', statusCode: 404 },
    ]);
  });
});

describe('an answer without a place for what it stands on', () => {
  const headOf = async (url: string) => {
    const { headers, statusCode } = await api.inject({ url, headers: { host: 'localhost' } });
    const { 'quotidien-coverage': coverage, 'quotidien-version': version, link } = headers;
    const proofs = String(link).matchAll(/<([^>]+)>; rel="describedby"/g);
    return { statusCode, coverage, version, proofs: [...proofs].map(([, proof]) => proof!) };
  };

  it.each([
    `/api/v1/questions/get_peak.csv?n=2&start=${DATES[0]}&end=${DATES[0]}`,
    `/api/v1/courbe_conso?debut=${DATES[0]}&fin=${DATES[0]}`,
    '/api/v1/energie_conso?debut=2026-04-01&fin=2026-04-30',
    `/consommation/export-puissance/?debut=${DATES[0]}&fin=${DATES[0]}`,
    `/report/${CITY_DAY}`,
    `/api/metrics/${CITY_DAY}`,
    `/metrics/${CITY_DAY}/bikes`,
  ])('says so by headers: %s', async (url) => {
    const { statusCode, coverage, version, proofs } = await headOf(url);
    expect([url, statusCode]).toEqual([url, 200]);
    expect(Number(coverage)).toBeGreaterThan(0);
    expect(Number(version)).toBeGreaterThan(0);
    expect(proofs).toHaveLength(1);
    await get(proofs[0]!);
  });

  it('names the proof of each table that it is from, and the lowest coverage', async () => {
    const { coverage, proofs } = await headOf('/api/v1/questions/get_dashboard.csv');
    const { standing } = await ask('get_dashboard');
    expect(proofs).toHaveLength(standing.length);
    expect(standing.length).toBeGreaterThan(1);
    expect(Number(coverage)).toBe(Math.min(...standing.map((one) => one.coverage)));
    for (const proof of proofs) await get(proof);
  });

  it('is no day without metrics while the store is away', async () => {
    const away = () => Promise.reject(new PipelineError('STORE_UNAVAILABLE', 'away'));
    const objects = new Proxy(engine.objects, { get: () => away });
    const without = await openTestApi({ ...engine, objects });
    try {
      const { statusCode } = await without.inject({
        url: `/metrics/${CITY_DAY}`,
        headers: { host: 'localhost' },
      });
      expect(statusCode).toBe(503);
    } finally {
      await without.close();
    }
  });
});

describe('the studies of the city', () => {
  const one = `start=${CITY_DAY}&end=${CITY_DAY}`;

  it('suggest hours for works, with the share of the mean flow', async () => {
    const { rows, sentence } = await ask(`suggest_work_hours?${one}&hours=3&top_n=5`);
    expect(rows).toHaveLength(5);
    for (const { from_hour: from, to_hour: to, share_pct: share } of rows) {
      expect((Number(to) - Number(from) + 24) % 24).toBe(3);
      expect(share).toBeLessThan(100);
    }
    expect(sentence.fr).toContain('heures les plus calmes');
  });

  it('tell of no correlation from one day', async () => {
    const { rows } = await ask(`get_links?${one}`);
    expect(rows).toHaveLength(9 * 4);
    expect(rows.every(({ r, note }) => r === null && note === 'pas assez de jours')).toBe(true);
  });

  it('name silent sensors, and the bikes of days', async () => {
    const { rows: sensors } = await ask(`get_silent_sensors?end=${CITY_DAY}&kind=route`);
    for (const { silent_hours: hours } of sensors) expect(hours).toBeGreaterThan(6);
    const { rows } = await ask(`get_bike_daily_flow?${one}`);
    const { data } = await get<{ data: { total_velos: number } }>(`/metrics/${CITY_DAY}/bikes`);
    expect(rows).toMatchObject([{ day: CITY_DAY, bikes: data.total_velos }]);
  });

  it('are tables that are exported like any other', async () => {
    for (const table of [
      'cityflow_days',
      'cityflow_sensors',
      'cityflow_bike_counters',
      'cityflow_quality',
    ]) {
      const rows = await get<Row[]>(
        `/api/v1/tables/${table}/file.json?from=${CITY_DAY}&to=${CITY_DAY}`,
      );
      expect(rows.length, table).toBeGreaterThan(0);
      expect(rows[0]![table === 'cityflow_days' ? 'date' : 'scope'], table).toBe(CITY_DAY);
    }
  });
});
