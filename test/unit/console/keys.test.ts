import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey, endKey } from '../../../src/api/security/keys.ts';
import { createLink } from '../../../src/api/security/sessions.ts';
import type { Role } from '../../../src/config/role-rules.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { writeAudit } from '../../../src/api/shared/audit.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';

const NOW = new Date('2024-03-01T08:00:00Z');
const RECORDS = 130;

let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  engine = await openTestEngine([tinyDataset({ baseUrl: 'http://127.0.0.1:1' })], {
    now: () => NOW,
  });
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

async function cookieOf(role: Role): Promise<string> {
  const link = await createLink(engine.documents, { name: `${role}@host`, role }, NOW);
  const { headers } = await api.inject({
    url: `/console/enter?link=${link}`,
    headers: { host: 'localhost' },
  });
  return String(headers['set-cookie']).split(';')[0]!;
}

async function open(cookie?: string, language = 'en'): Promise<{ status: number; html: string }> {
  const headers = { host: 'localhost', ...(cookie === undefined ? {} : { cookie }) };
  const { statusCode, body } = await api.inject({ url: `/console/keys?lang=${language}`, headers });
  return { status: statusCode, html: body };
}

describe('the keys and the audit of the console', () => {
  it('are for administrators alone, and only they see the way there', async () => {
    expect((await open()).status).toBe(401);
    for (const role of ['reader', 'operator'] as const) {
      const { status, html } = await open(await cookieOf(role));
      expect([role, status]).toEqual([role, 403]);
      expect(html).not.toContain('href="/console/keys?lang=en"');
    }
    const { status, html } = await open(await cookieOf('admin'));
    expect(status).toBe(200);
    expect(html).toContain('href="/console/keys?lang=en"');
  });

  it('tell owner, scopes and end of each key, and nothing of its secret', async () => {
    const wanted = {
      owner: 'billing <team>',
      scopes: ['data:read:tiny', 'ops:read'],
      days: 30,
      by: 'alice@host',
    };
    const { key, record } = await createKey(engine.documents, wanted, NOW);
    const ended = await createKey(engine.documents, { ...wanted, owner: 'former' }, NOW);
    await endKey(engine.documents, ended.record.id, NOW);
    const past = new Date('2024-01-01T00:00:00Z');
    await createKey(engine.documents, { ...wanted, owner: 'forgotten' }, past);
    const { html } = await open(await cookieOf('admin'));
    expect(html).toContain('billing &lt;team>');
    expect(html).toContain('data:read:tiny ops:read');
    expect(html).toContain('2024-03-31T08:00:00.000Z');
    const states = [
      ...html.matchAll(
        /<tr><td>(billing|former|forgotten).*?<td>(good|revoked|expired)<\/td><\/tr>/g,
      ),
    ];
    expect(Object.fromEntries(states.map(([, owner, state]) => [owner, state]))).toEqual({
      billing: 'good',
      former: 'revoked',
      forgotten: 'expired',
    });
    const secret = key.split('_').slice(2, -1).join('_');
    for (const hidden of [key, secret, record.sha256]) expect(html).not.toContain(hidden);
  });

  it('tell the last hundred records, the newest first, across months', async () => {
    // Those who sign in are in it too: they come first.
    const cookie = await cookieOf('admin');
    const { html: before } = await open(cookie);
    const signedIn = [...before.matchAll(/<td>sign-in<\/td>/g)].length;
    for (let index = 0; index < RECORDS; index += 1) {
      const at = new Date(NOW.getTime() - 1 - index * 86_400_000).toISOString();
      const record = {
        at,
        by: 'key:abc',
        action: 'run',
        target: `tiny/day ${index}.`,
        reason: '<b>because</b>',
      };
      await writeAudit(engine.documents, record);
    }
    const { html } = await open(cookie, 'fr');
    const shown = [...html.matchAll(/<td>tiny\/day (\d+)\.<\/td>/g)].map(([, index]) =>
      Number(index),
    );
    expect(shown).toEqual(Array.from({ length: 100 - signedIn }, (_, index) => index));
    expect(html).toContain('&lt;b>because');
    expect(html).toContain('Journal d’audit');
  });
});
