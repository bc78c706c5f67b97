import { tableFromIPC } from 'apache-arrow';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { quoteText } from '../../../src/pipelines/sql-text.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const DATES = datesBetween('2026-04-01', '2026-05-10');
const RANGE = 'from=2026-04-28&to=2026-05-04';

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;
let clock = new Date('2026-06-20T10:00:00Z');

beforeAll(async () => {
  portal = await startPortal({ now: () => new Date('2026-06-20T10:00:00Z') });
  const datasets = Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } }));
  engine = await openTestEngine(datasets, { now: () => clock });
  await runDays(engine, 'eco2mix', DATES);
  await rollUpDays(engine, 'eco2mix', DATES);
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

async function get(url: string, headers: Record<string, string> = {}) {
  return api.inject({ url: `/api/v1${url}`, headers: { host: '127.0.0.1', ...headers } });
}

interface Page {
  readonly rows: readonly Record<string, unknown>[];
  readonly next: string | null;
  readonly standing: { readonly coverage: number; readonly scopes: number; readonly proof: string };
}

async function page(url: string): Promise<Page> {
  const answer = await api.inject({ url, headers: { host: '127.0.0.1' } });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<Page>();
}

const COLUMNS = 'columns=instant_at,load_mw,revision';

describe('rows of a table', () => {
  it('come page by page, and all pages are the file', async () => {
    const rows: unknown[] = [];
    let next: string | null = `/api/v1/tables/eco2mix_national/rows?${RANGE}&limit=100&${COLUMNS}`;
    let pages = 0;
    while (next !== null) {
      const one: Page = await page(next);
      rows.push(...one.rows);
      next = one.next;
      pages += 1;
    }
    const whole = await get(`/tables/eco2mix_national/file.json?${RANGE}&${COLUMNS}`);
    expect(rows).toEqual(whole.json());
    expect(pages).toBe(Math.ceil(rows.length / 100));
    expect(rows.length).toBe(7 * 96);
  });

  it('say what they stand on, and lead to the proof', async () => {
    const { standing } = await page(`/api/v1/tables/eco2mix_national/rows?${RANGE}&limit=1`);
    expect(standing).toMatchObject({ coverage: 1, scopes: 7 });
    const proof = await api.inject({ url: standing.proof, headers: { host: '127.0.0.1' } });
    const { versions } = proof.json<{
      versions: { scope: string; version: number; sha256: string }[];
    }>();
    expect(versions.map(({ scope }) => scope)).toEqual(datesBetween('2026-04-28', '2026-05-04'));
    expect(
      versions.every(({ version, sha256 }) => version === 1 && /^[0-9a-f]{64}$/.test(sha256)),
    ).toBe(true);
  });

  it('are the same in JSON, NDJSON, CSV, Parquet and Arrow, and whether a month is read whole or day by day', async () => {
    const url = `/tables/eco2mix_national/file`;
    const query = 'from=2026-04-01&to=2026-05-02';
    const json = (await get(`${url}.json?${query}`)).json<Record<string, unknown>[]>();
    const lines = (await get(`${url}.ndjson?${query}`)).body.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(json);
    const arrow = tableFromIPC((await get(`${url}.arrow?${query}`)).rawPayload);
    expect(arrow.numRows).toBe(json.length);
    const loads = json.map((row) => row['load_mw']);
    expect(
      [...arrow.getChild('load_mw')!].map((value) => (value === null ? null : Number(value))),
    ).toEqual(loads);
    const file = path.join(engine.home, 'given.parquet');
    await writeFile(file, (await get(`${url}.parquet?${query}`)).rawPayload);
    const csv = path.join(engine.home, 'given.csv');
    await writeFile(csv, (await get(`${url}.csv?${query}`)).rawPayload);
    await engine.sql!.session(async (sql) => {
      expect(await sql.rows(`SELECT * FROM read_parquet(${quoteText(file)})`)).toEqual(json);
      const read = `SELECT instant_at, load_mw, revision FROM read_csv(${quoteText(csv)})`;
      expect(await sql.rows(`SELECT count(*) AS rows FROM (${read})`)).toEqual([
        { rows: json.length },
      ]);
      expect((await sql.rows<{ load_mw: number }>(read)).map((row) => row.load_mw)).toEqual(loads);
    });
    const days = await Promise.all(
      datesBetween('2026-04-01', '2026-05-02').map(async (date) =>
        (await get(`${url}.json?from=${date}&to=${date}`)).json<unknown[]>(),
      ),
    );
    expect(days.flat()).toEqual(json);
  });

  it('answer a known tag without rows, and a revision with another tag; an earlier instant gives the earlier rows', async () => {
    const url = `/tables/eco2mix_national/rows?from=2026-05-06&to=2026-05-06&${COLUMNS}`;
    const first = await get(url);
    const tag = String(first.headers.etag);
    expect(tag).toMatch(/^"[0-9a-f]{40}"$/);
    const again = await get(url, { 'if-none-match': tag });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    const before = clock.toISOString();
    clock = new Date(clock.getTime() + 600_000);
    portal.revise({
      dataset: 'eco2mix-national-tr',
      from: '2026-05-06',
      to: '2026-05-06',
      salt: 3,
    });
    await runDay(engine, 'eco2mix', '2026-05-06', { recheck: true });
    clock = new Date(clock.getTime() + 2_000);
    const changed = await get(url, { 'if-none-match': tag });
    expect(changed.statusCode).toBe(200);
    expect(changed.json<Page>().rows).not.toEqual(first.json<Page>().rows);
    expect(changed.headers['quotidien-version']).toBe('2');
    const then = await get(`${url}&as_of=${before}`);
    expect(then.json<Page>().rows).toEqual(first.json<Page>().rows);
  });

  it('keep a walk through the pages on the versions of its first page', async () => {
    const url = `/api/v1/tables/eco2mix_national/rows?from=2026-05-07&to=2026-05-07&limit=50&${COLUMNS}`;
    const first = await page(url);
    const whole = (
      await get(`/tables/eco2mix_national/file.json?from=2026-05-07&to=2026-05-07&${COLUMNS}`)
    ).json<unknown[]>();
    clock = new Date(clock.getTime() + 600_000);
    portal.revise({
      dataset: 'eco2mix-national-tr',
      from: '2026-05-07',
      to: '2026-05-07',
      salt: 4,
    });
    await runDay(engine, 'eco2mix', '2026-05-07', { recheck: true });
    clock = new Date(clock.getTime() + 2_000);
    const second = await page(first.next!);
    expect([...first.rows, ...second.rows]).toEqual(whole);
  });

  it('are packed when the caller takes that, under a tag of their own', async () => {
    const url = `/tables/eco2mix_national/file.csv?${RANGE}`;
    const plain = await get(url);
    const packed = await get(url, { 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.headers.etag).toBe(String(plain.headers.etag).replace(/"$/, '-gzip"'));
    expect((await get(url, { 'if-none-match': String(packed.headers.etag) })).statusCode).toBe(304);
    expect(packed.rawPayload.length).toBeLessThan(plain.rawPayload.length / 3);
  });

  it('come whole over a connection, also as events while they are committed', async () => {
    const open = await openTestApi(engine);
    await open.listen({ host: '127.0.0.1', port: 0 });
    try {
      const { port } = open.server.address() as AddressInfo;
      const url = `/tables/eco2mix_national/file.csv?from=2026-04-01&to=2026-05-10`;
      const sent = await fetch(`http://127.0.0.1:${port}/api/v1${url}`);
      expect(await sent.text()).toBe((await get(url)).body);
      const events = await fetch(`http://127.0.0.1:${port}/api/v1/events`);
      expect(events.headers.get('content-type')).toBe('text/event-stream');
      clock = new Date(clock.getTime() + 600_000);
      portal.revise({
        dataset: 'eco2mix-national-tr',
        from: '2026-05-08',
        to: '2026-05-08',
        salt: 5,
      });
      await runDay(engine, 'eco2mix', '2026-05-08', { recheck: true });
      let told = '';
      for await (const chunk of events.body!) {
        told += Buffer.from(chunk as Uint8Array).toString();
        if (told.includes('"scope":"2026-05-08"')) break;
      }
      expect(told).toMatch(
        /event: change\ndata: \{"pipeline":"eco2mix","scope":"2026-05-08","version":2/,
      );
      // The instant of the commit itself, in another zone and without its milliseconds.
      const inParis = `${new Date(clock.getTime() + 7_200_000).toISOString().slice(0, 19)}+02:00`;
      for (const since of ['2026-06-20T10:05:00Z', inParis]) {
        const feed = await get(`/changes?since=${encodeURIComponent(since)}`);
        const { changes } = feed.json<{ changes: { scope: string }[] }>();
        expect(changes.map(({ scope }) => scope)).toContain('2026-05-08');
      }
    } finally {
      open.server.closeAllConnections();
      await open.close();
    }
  });

  it('are French for French spreadsheets', async () => {
    const { body } = await get(
      `/tables/eco2mix_energies_day/rows.csv?from=2026-05-04&to=2026-05-04&dialect=fr&limit=1`,
    );
    expect(body.split('\r\n')[0]).toBe(
      '\uFEFFperiod;quantity;energy_mwh;import_mwh;export_mwh;expected_samples;observed_samples;coverage',
    );
  });

  it('of a Parquet file come by byte ranges', async () => {
    const url = `/tables/eco2mix_national/file.parquet?${RANGE}`;
    const whole = await get(url);
    const part = await get(url, { range: 'bytes=4-11' });
    expect(part.statusCode).toBe(206);
    expect(part.rawPayload).toEqual(whole.rawPayload.subarray(4, 12));
    const outside = await get(url, { range: `bytes=${whole.rawPayload.length}-` });
    expect([outside.statusCode, outside.headers['content-range']]).toEqual([
      416,
      `bytes */${whole.rawPayload.length}`,
    ]);
    expect(outside.headers.etag).toBeUndefined();
  });
});

describe('what cannot be answered', () => {
  it.each([
    ['/tables/none/rows', 404, 'NOT_FOUND'],
    ['/tables/eco2mix_national/rows?columns=nothing', 400, 'INPUT_INVALID'],
    ['/tables/eco2mix_national/rows?from=2026-02-30', 400, 'INPUT_INVALID'],
    ['/tables/eco2mix_national/rows?unknown=1', 400, 'INPUT_INVALID'],
    ['/tables/eco2mix_national/rows?limit=100000', 400, 'INPUT_INVALID'],
    ['/tables/eco2mix_national/rows?cursor=nonsense', 400, 'INPUT_INVALID'],
    ['/tables/eco2mix_national/file?from=2000-01-01&to=2026-01-01', 422, 'RANGE_TOO_LARGE'],
    ['/pipelines/none/calendar', 404, 'PIPELINE_UNKNOWN'],
    ['/pipelines/eco2mix/days/2026-06-01', 404, 'NOT_FOUND'],
    ['/nothing', 404, 'NOT_FOUND'],
  ])('%s is a problem with a code and a remedy', async (url, status, code) => {
    const answer = await get(url);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ status, code, type: `/api/errors#${code}` });
    expect(answer.json<{ remedy: string }>().remedy).not.toBe('');
  });

  it('names the formats there are', async () => {
    const answer = await get(`/tables/eco2mix_national/rows?${RANGE}`, { accept: 'image/png' });
    expect(answer.json()).toMatchObject({ status: 406, code: 'NOT_ACCEPTABLE' });
  });
});
