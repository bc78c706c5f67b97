import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../../src/api/security/keys.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { lastAudit } from '../../../src/api/shared/audit.ts';
import { enedis } from '../../../src/datasets/enedis/index.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Orders of the earlier billing system where no Temporal server is known; with one:
 * `test/workflow/earlier-ingestion.test.ts`.
 */

let engine: TestEngine;
let api: ApiApp;
const keys = { operator: '', reader: '', stranger: '' };

beforeAll(async () => {
  engine = await openTestEngine([enedis]);
  api = await openTestApi(engine);
  const make = async (scope: string) =>
    (
      await createKey(
        engine.documents,
        { owner: 'erp', scopes: [scope], days: 1, by: 'test' },
        engine.now(),
      )
    ).key;
  keys.operator = await make('ops:write:enedis');
  keys.reader = await make('data:read:enedis');
  keys.stranger = await make('ops:write:eco2mix');
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

async function ask(path: string, key: string, payload?: object) {
  const sent = payload === undefined ? {} : { method: 'POST' as const, payload };
  const headers = { host: 'localhost', ...(key === '' ? {} : { 'x-api-key': key }) };
  const answer = await api.inject({ url: `/ingestion${path}`, headers, ...sent });
  return { status: answer.statusCode, body: answer.json<unknown>(), headers: answer.headers };
}

const FLUX = ['affaires', 'c12', 'c15', 'f12', 'f15', 'r15', 'r151', 'r64', 'r67'];

describe('a fetch ordered as in the earlier billing system', () => {
  it('is for who may act on the pipeline', async () => {
    expect(await ask('/run', '', { mode: 'all' })).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
    expect((await ask('/run', keys.reader, { mode: 'all' })).status).toBe(403);
    expect((await ask('/run', keys.reader, { mode: 'everything' })).status).toBe(403);
    expect((await ask('/run', keys.stranger, { mode: 'all' })).status).toBe(403);
  });

  it('is refused in a mode that there is not, and told which there are', async () => {
    for (const mode of ['everything', 'r151 r99', 'all c15', ' ', '']) {
      const { status, body } = await ask('/run', keys.operator, { mode });
      expect([mode, status]).toEqual([mode, 422]);
      for (const name of ['test', 'all', 'rebuild', 'resync', ...FLUX])
        expect((body as { detail: string }).detail).toContain(name);
    }
    expect((await ask('/run', keys.operator, { mode: 'all', unknown: 1 })).status).toBe(422);
    expect((await ask('/run', keys.operator, { mode: 1 })).status).toBe(422);
  });

  it('is refused without a Temporal server, and written down all the same', async () => {
    for (const payload of [{}, { mode: 'R151 affaires' }]) {
      const refused = await ask('/run', keys.operator, payload);
      expect(refused).toMatchObject({ status: 503, body: { detail: 'no Temporal server' } });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    }
    const noted = await lastAudit(engine.documents, engine.now(), 9);
    expect(noted.map(({ action, reason }) => `${action}: ${reason}`).sort()).toEqual([
      'fetch: POST /ingestion/run, mode r151 affaires',
      'fetch: POST /ingestion/run, mode test',
    ]);
  });

  it('has the flux of the earlier system, in lower case', async () => {
    expect(await ask('/flux', keys.reader)).toMatchObject({ status: 200, body: FLUX });
    expect((await ask('/flux', keys.stranger)).status).toBe(403);
  });

  it('is looked for by whoever may read, within the bounds of a list', async () => {
    for (const path of ['/jobs', '/jobs?limit=50', '/jobs/none'])
      expect([path, (await ask(path, keys.reader)).status]).toEqual([path, 503]);
    for (const limit of ['0', '51', 'x'])
      expect((await ask(`/jobs?limit=${limit}`, keys.reader)).status).toBe(422);
  });
});
