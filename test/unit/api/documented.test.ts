import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InjectOptions } from 'fastify';
import fc from 'fast-check';
import { DAY_FORM, isCivilDate } from '../../../src/pipelines/civil-date.ts';
import { openApiOf } from '../../../src/api/server.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  engine = await openTestEngine(Object.values(DATASETS));
  api = await openTestApi(engine);
  await api.ready();
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

interface Response {
  readonly content?: Readonly<Record<string, unknown>>;
}

/**
 * The media types that the document names for one status of a GET; undefined without the status.
 */
function typesOf(path: string, status: string): readonly string[] | undefined {
  const { paths } = JSON.parse(openApiOf(api)) as {
    readonly paths: Readonly<Record<string, { get: { responses: Record<string, Response> } }>>;
  };
  const response = paths[path]?.get.responses[status];
  return response && Object.keys(response.content ?? {});
}

function ask(call: InjectOptions) {
  return api.inject({ ...call, headers: { host: 'localhost', ...call.headers } });
}

function get(url: string) {
  return ask({ url });
}

describe('what the API sends is what its document says', () => {
  it.each(['/metrics/{date}', '/api/metrics/{date}', '/reports/{date}', '/correlations/{date}'])(
    'for the errors of %s, which have the form of the earlier system',
    async (path) => {
      const { statusCode, headers } = await get(path.replace('{date}', '0'));
      expect(statusCode).toBe(400);
      expect(headers['content-type']).toMatch(/^application\/json/);
      expect(typesOf(path, 'default')).toEqual(['application/json']);
    },
  );

  it.each(['/consommation/export-annuel/', '/production/export-production/', '/echanges/export/'])(
    'for the table of %s, which is CSV',
    (path) => {
      expect(typesOf(path, '200')).toEqual(['text/csv']);
    },
  );

  it.each(['/api/v1/tables/%', `/api/v1/tables/${'x'.repeat(200)}`])(
    'for a path that no route can take: %s',
    async (url) => {
      const { statusCode, headers, body } = await get(url);
      expect(statusCode).toBe(400);
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(JSON.parse(body)).toMatchObject({ code: 'INPUT_INVALID', status: 400 });
    },
  );

  it('for the formats of tables, the answers to questions and the events', () => {
    const rows = [
      'application/json',
      'application/x-ndjson',
      'text/csv',
      'application/vnd.apache.arrow.stream',
    ];
    expect(typesOf('/api/v1/tables/{table}/rows', '200')).toEqual(rows);
    const files = ['application/vnd.apache.parquet', ...rows];
    expect(typesOf('/api/v1/tables/{table}/file', '200')).toEqual(expect.arrayContaining(files));
    expect(typesOf('/api/v1/questions/get_peak', '200')).toEqual(['application/json', 'text/csv']);
    expect(typesOf('/api/v1/events', '200')).toEqual(['text/event-stream']);
    for (const path of [
      '/api/v1/tables/{table}/rows',
      '/api/v1/tables/{table}/file',
      '/api/v1/questions/get_peak',
    ])
      for (const status of ['406', '422', '429', '503'])
        expect([path, status, typesOf(path, status)]).toEqual([
          path,
          status,
          ['application/problem+json'],
        ]);
    expect(typesOf('/api/v1/tables/{table}/rows', '304')).toEqual([]);
  });

  it('for the plan of a day before the first', async () => {
    expect((await get('/api/v1/pipelines/enedis/days/2000-01-01/plan')).statusCode).toBe(409);
    expect(typesOf('/api/v1/pipelines/{pipeline}/days/{date}/plan', '409')).toEqual([
      'application/problem+json',
    ]);
  });

  it('for dates: none is taken that does not exist, and the form says so', () => {
    const ms = fc.integer({ min: Date.UTC(1000, 0, 1), max: Date.UTC(2999, 11, 31) });
    const digits = fc.tuple(fc.integer({ min: 1000, max: 2999 }), fc.nat(19), fc.nat(39));
    const given = digits.map(([year, month, day]) =>
      [year, String(month).padStart(2, '0'), String(day).padStart(2, '0')].join('-'),
    );
    fc.assert(fc.property(given, (text) => DAY_FORM.test(text) === isCivilDate(text)));
    fc.assert(fc.property(ms, (at) => DAY_FORM.test(new Date(at).toISOString().slice(0, 10))));
    for (const year of [1900, 2000, 2023, 2024, 2100, 2400])
      expect([year, DAY_FORM.test(`${year}-02-29`)]).toEqual([year, isCivilDate(`${year}-02-29`)]);
  });

  it.each(['/metrics?limit=many', '/api/reports?limit=0', '/reports/2026-05-01?report_type=x'])(
    'for what %s asks, which is no error of the server',
    async (url) => {
      const { statusCode, body } = await get(url);
      expect([statusCode, JSON.parse(body)]).toEqual([
        400,
        expect.objectContaining({ error: 'INPUT_INVALID' }),
      ]);
    },
  );
});

describe('what HTTP itself has a status for', () => {
  it.each([
    ['POST', '/api/v1/pipelines', 'GET, HEAD'],
    ['DELETE', '/api/v1/tables/eco2mix_national/rows', 'GET, HEAD'],
    ['GET', '/api/v1/deposits', 'POST'],
    ['PUT', '/metrics/2026-05-01', 'GET, HEAD'],
    ['PATCH', '/api/v1/backfills', 'GET, HEAD, POST'],
  ] as const)('is told by it: no %s of %s', async (method, url, allow) => {
    const { statusCode, headers, body } = await ask({ method, url });
    expect([statusCode, headers.allow]).toEqual([405, allow]);
    expect(JSON.parse(body)).toMatchObject({ status: 405, code: 'INPUT_INVALID' });
  });

  it('is told by it: a body that is too large, or of a type that is not taken', async () => {
    const order = { method: 'POST', url: '/api/v1/backfill-plans' } as const;
    const large = await ask({ ...order, payload: { pipeline: 'x'.repeat(70_000) } });
    expect(large.json()).toMatchObject({ status: 413, code: 'RANGE_TOO_LARGE' });
    const xml = await ask({
      ...order,
      payload: '<a/>',
      headers: { 'content-type': 'application/xml' },
    });
    expect(xml.json()).toMatchObject({ status: 415, code: 'INPUT_INVALID' });
  });

  it('is told of no member that the route does not know, whatever the route', async () => {
    const { paths } = JSON.parse(openApiOf(api)) as {
      readonly paths: Readonly<Record<string, object>>;
    };
    const own = Object.keys(paths).filter(
      (path) => path.startsWith('/api/v1/') && !path.endsWith('/events'),
    );
    for (const path of own.filter((one) => !one.includes('{') && 'get' in paths[one]!)) {
      const { statusCode } = await get(`${path}?unknown=1`);
      expect([path, statusCode]).toEqual([path, 400]);
    }
  });
});
