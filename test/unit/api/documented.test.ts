import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

/** The media types that the document names for one status of a GET; undefined without the status. */
function typesOf(path: string, status: string): readonly string[] | undefined {
  const { paths } = JSON.parse(openApiOf(api)) as {
    readonly paths: Readonly<Record<string, { get: { responses: Record<string, Response> } }>>;
  };
  const response = paths[path]?.get.responses[status];
  return response && Object.keys(response.content ?? {});
}

function get(url: string) {
  return api.inject({ url, headers: { host: 'localhost' } });
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
});
