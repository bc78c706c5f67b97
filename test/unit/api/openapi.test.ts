import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiOf } from '../../../src/api/server.ts';
import { createKey } from '../../../src/api/security/keys.ts';
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

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

describe('docs/openapi.json', () => {
  it('is what the routes say; "quotidien api --openapi" writes it', async () => {
    const committed = await readFile(
      new URL('../../../docs/openapi.json', import.meta.url),
      'utf8',
    );
    expect(JSON.parse(openApiOf(api))).toEqual(JSON.parse(committed));
  });

  it('is OpenAPI 3.1, with a route for every question of every dataset', () => {
    const document = JSON.parse(openApiOf(api)) as Document;
    expect(document.openapi).toBe('3.1.0');
    const asked = Object.values(DATASETS).flatMap(({ questions = [] }) =>
      questions.map(({ id }) => `/api/v1/questions/${id}`),
    );
    expect(asked.length).toBeGreaterThanOrEqual(14);
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(asked));
  });
});

describe('the guards', () => {
  const routes = () =>
    Object.keys((JSON.parse(openApiOf(api)) as Document).paths).filter(
      (path) => !path.includes('{'),
    );

  it('refuse every route under a name that is not the server’s own', async () => {
    for (const url of routes()) {
      const answer = await api.inject({ url, headers: { host: 'evil.example:8080' } });
      expect([url, answer.statusCode]).toEqual([url, 403]);
    }
  });

  /** Every method and path, with something in the place of each parameter. */
  function calls(): { method: 'GET' | 'POST'; url: string }[] {
    const { paths } = JSON.parse(openApiOf(api)) as Document;
    const values: Readonly<Record<string, string>> = {
      pipeline: 'eco2mix',
      date: '2026-05-01',
      table: 'eco2mix_national',
      format: 'csv',
      version: '1',
    };
    return Object.entries(paths).flatMap(([path, methods]) => {
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'x');
      return Object.keys(methods).map((method) => ({
        method: method.toUpperCase() as 'GET' | 'POST',
        url,
      }));
    });
  }

  async function statuses(
    server: ApiApp,
    headers: Record<string, string> = {},
    only = /./,
  ): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (const { method, url } of calls().filter((call) => only.test(call.method))) {
      const payload = method === 'POST' ? { payload: {} } : {};
      const { statusCode } = await server.inject({
        method,
        url,
        ...payload,
        headers: { host: 'api.example', ...headers },
      });
      found.set(`${method} ${url}`, statusCode);
    }
    return found;
  }

  it('refuse every route but health to who has no key, where others can connect', async () => {
    const open = await openTestApi(engine, { loopback: false, hosts: ['api.example'] });
    try {
      for (const [call, status] of await statuses(open))
        expect([call, status]).toEqual([call, call.endsWith('/health') ? 200 : 401]);
    } finally {
      await open.close();
    }
  });

  it('refuse every route of one pipeline to who may read another, and every action to who may only read', async () => {
    const open = await openTestApi(engine, { loopback: false, hosts: ['api.example'] });
    const keyOf = async (scope: string): Promise<Record<string, string>> => {
      const wanted = { owner: 'test', scopes: [scope], days: 1, by: 'test' };
      return {
        authorization: `Bearer ${(await createKey(engine.documents, wanted, engine.now())).key}`,
      };
    };
    try {
      for (const [call, status] of await statuses(open, await keyOf('data:read:cityflow')))
        if (call.includes('eco2mix')) expect([call, status]).toEqual([call, 403]);
      for (const [call, status] of await statuses(open, await keyOf('ops:read'), /POST/))
        // 422: of the earlier billing system, whose questions by POST change nothing.
        expect([call, [400, 403, 422].includes(status)]).toEqual([call, true]);
    } finally {
      await open.close();
    }
  });
});
