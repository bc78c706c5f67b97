import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginSession } from '../../../src/api/security/sessions.ts';
import type { Grant } from '../../../src/config/role-rules.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { InjectedBrowser, PUBLIC_URL } from '../../fixtures/injected-browser.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';

/** What a person sees and does whose role is one at some pipelines. */

let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  const baseUrl = 'http://127.0.0.1:1';
  engine = await openTestEngine([
    tinyDataset({ baseUrl, name: 'mine' }),
    tinyDataset({ baseUrl, name: 'other' }),
  ]);
  api = await openTestApi(engine, {
    loopback: false,
    hosts: ['data.example'],
    publicUrl: PUBLIC_URL,
  });
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

async function signedIn(...grants: Grant[]): Promise<InjectedBrowser> {
  const person = { name: 'oidc:alice', role: grants[0]!.role, grants };
  const browser = new InjectedBrowser(api);
  browser.set(
    '__Host-quotidien-session',
    await beginSession(engine.documents, person, engine.now()),
  );
  return browser;
}

describe('a role at one pipeline', () => {
  it.each([
    ['/console/mine/2024', 200],
    ['/console/mine/2024-01-02', 200],
    ['/console/mine/years', 200],
    ['/console/other/2024', 403],
    ['/console/other/2024-01-02', 403],
    ['/console/other/years', 403],
    ['/console/plans/mine/x', 404],
    ['/console/plans/other/x', 403],
    ['/console/backfills/other/2024-01-01_2024-01-02/x', 403],
    ['/console/stores', 403],
    ['/console/schedules', 403],
    ['/console/keys', 403],
    ['/api/v1/gaps?pipeline=mine', 200],
    ['/api/v1/gaps?pipeline=other', 403],
    ['/api/v1/gaps', 403],
  ])('gets %s answered by %s', async (path, status) => {
    const browser = await signedIn({ role: 'admin', pipeline: 'mine' });
    expect((await browser.open(path)).status).toBe(status);
  });

  it.each([
    '/console',
    '/console/gaps',
    '/console/failures',
    '/console/backfills',
    '/console/questions',
    '/console/tables',
  ])('leaves the other pipelines out of %s', async (path) => {
    const all = await (await signedIn({ role: 'reader' })).open(path);
    const own = await (await signedIn({ role: 'operator', pipeline: 'mine' })).open(path);
    expect([all.status, own.status]).toEqual([200, 200]);
    expect(own.html).not.toMatch(/\bother\b/);
    if (path === '/console')
      expect([all.html.includes('/other/'), own.html.includes('/mine/')]).toEqual([true, true]);
    expect(own.html).not.toContain('href="/console/stores');
  });

  it('acts there and nowhere else', async () => {
    const browser = await signedIn(
      { role: 'operator', pipeline: 'mine' },
      { role: 'reader', pipeline: 'other' },
    );
    const verify = async (pipeline: string) =>
      (await browser.send(`/console/${pipeline}/2024-01-02/verify`, { reason: 'because' })).status;
    // There is no such day: whoever gets that far was let in.
    expect([await verify('mine'), await verify('other')]).toEqual([404, 403]);
    const page = async (pipeline: string) =>
      (await browser.open(`/console/${pipeline}/2024-01-02`)).html;
    expect([await page('mine'), await page('other')].map((html) => html.includes('/run'))).toEqual([
      true,
      false,
    ]);
  });
});
