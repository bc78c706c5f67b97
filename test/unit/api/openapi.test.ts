import { readFile } from 'node:fs/promises';
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

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

describe('docs/openapi.json', () => {
  it('is what the routes say; "quotidien api --openapi" writes it', async () => {
    const committed = await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8');
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
    Object.keys((JSON.parse(openApiOf(api)) as Document).paths).filter((path) => !path.includes('{'));

  it('refuse every route under a name that is not the server’s own', async () => {
    for (const url of routes()) {
      const answer = await api.inject({ url, headers: { host: 'evil.example:8080' } });
      expect([url, answer.statusCode]).toEqual([url, 403]);
    }
  });

  it('refuse every route but health to who has no key, where others can connect', async () => {
    const open = await openTestApi(engine, { loopback: false, hosts: ['api.example'] });
    try {
      for (const url of routes()) {
        const { statusCode } = await open.inject({ url, headers: { host: 'api.example' } });
        expect([url, statusCode]).toEqual([url, url.endsWith('/health') ? 200 : 401]);
      }
    } finally {
      await open.close();
    }
  });
});
