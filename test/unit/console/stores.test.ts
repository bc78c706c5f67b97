import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { createRemoteStores, openRemoteEngine } from '../../fixtures/remote-engine.ts';
import type { RemoteEngine, RemoteStores } from '../../fixtures/remote-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';

const KEY = { table: 'notes', partition: 'p', sort: 'one' };

let remote: RemoteStores;
let engine: RemoteEngine;
let api: ApiApp;

beforeAll(async () => {
  remote = createRemoteStores();
  engine = await openRemoteEngine(remote, [tinyDataset({ baseUrl: 'http://127.0.0.1:9' })]);
  api = await openTestApi(engine, {
    nameHome: (text) => text.replace('quotidien ', 'quotidien --home /srv/q '),
  });
});

afterAll(async () => {
  await api.close();
  await engine.close();
  await remote.dispose();
});

async function open(url: string, from: ApiApp = api): Promise<string> {
  const { statusCode, body } = await from.inject({ url, headers: { host: 'localhost' } });
  expect([url, statusCode]).toEqual([url, 200]);
  return body;
}

interface Standing {
  readonly pending: number;
  readonly pending_since: string | null;
  readonly breakers: readonly {
    readonly store: string;
    readonly state: string;
    readonly reason: string | null;
  }[];
  readonly conflicts: readonly { readonly id: string; readonly text: string }[];
}

const told = async (): Promise<Standing> => JSON.parse(await open('/api/v1/stores')) as Standing;

describe('the stores of the console', () => {
  it('are away, with why and what waits, and later have conflicts with the commands that decide them', async () => {
    expect(await open('/console/stores?lang=en')).toContain('Nothing waits');
    expect((await told()).breakers.map(({ state }) => state)).toEqual(['closed', 'closed']);

    engine.outages.documents.code = 'STORE_UNAVAILABLE';
    for (let call = 0; call < 3; call += 1) await engine.documents.get(KEY).catch(() => undefined);
    await engine.documents.put(KEY, { from: 'here' }, { expectedVersion: 0 });
    const away = await told();
    expect([away.pending, away.pending_since]).toEqual([1, expect.stringMatching(/^\d{4}-/)]);
    expect(away.breakers.find(({ store }) => store.includes('document'))).toMatchObject({
      state: 'open',
      reason: expect.stringContaining('the store does as the test says') as string,
    });
    const page = await open('/console/stores?lang=en');
    expect(page).toContain('the store does as the test says');
    expect(page).toContain(away.pending_since);
    expect(page).toContain('quotidien --home /srv/q reconcile');

    await remote.documents.put(KEY, { from: 'elsewhere' }, { expectedVersion: 0 });
    engine.outages.documents.code = undefined;
    for (const breaker of Object.values(engine.stores.fallback!.stores.breakers())) breaker.close();
    await engine.fallback!.replay(testControl());
    const { conflicts } = await told();
    expect(conflicts).toHaveLength(1);
    const { id } = conflicts[0]!;
    const decided = await open('/console/stores?lang=fr');
    expect(decided).toContain('Conflits');
    expect(decided).toContain('document-put of notes:p:one');
    for (const keep of ['primary', 'ours'])
      expect(decided).toContain(
        `quotidien --home /srv/q reconcile --conflict ${id} --keep ${keep}`,
      );
  });

  it('are on this host where none is remote: nothing can wait', async () => {
    const own = await openTestEngine([tinyDataset({ baseUrl: 'http://127.0.0.1:9' })]);
    const local = await openTestApi(own);
    expect(await open('/console/stores?lang=en', local)).toContain('The stores are on this host');
    await local.close();
    await own.close();
  });
});
