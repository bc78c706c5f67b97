import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../src/api/security/keys.ts';
import { AUDIT_TABLE } from '../../src/api/shared/audit.ts';
import type { AuditRecord } from '../../src/api/shared/audit.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { RunningApi } from '../../src/cli/services/api-server.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

let publisher: TinyPublisher;
let installation: Installation;
let api: RunningApi;
const keys = { operator: '', reader: '' };

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-31'));
  installation = await openInstallation({
    datasets: { tiny: tinyDataset({ baseUrl: publisher.url, holdAbove: 9_000 }) },
  });
  const { engine, home, address } = installation;
  api = await startApi(testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address }), { host: '127.0.0.1', port: 0 });
  const make = async (scope: string) =>
    (await createKey(engine.documents, { owner: 'test', scopes: [scope], days: 1, by: 'test' }, engine.now())).key;
  keys.operator = await make('ops:write');
  keys.reader = await make('ops:read');
});

afterAll(async () => {
  await api.close();
  await installation.close();
  await publisher.close();
});

async function post(path: string, body: object, key = keys.operator) {
  const answer = await fetch(`${api.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === '' ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const reason = 'because of a test';

describe('an action over HTTP', () => {
  it('runs a day, for an operator with a reason and for nobody else', async () => {
    const path = '/pipelines/tiny/days/2024-01-02/runs';
    expect((await post(path, { reason }, '')).status).toBe(401);
    expect((await post(path, { reason }, keys.reader)).status).toBe(403);
    expect((await post(path, {})).status).toBe(400);
    expect((await post(path, { reason, unknown: 1 })).status).toBe(400);
    expect((await post(path, { reason, force: true })).status).toBe(403);
    const { status, body } = await post(path, { reason });
    expect([status, body['id']]).toEqual([202, 'day/tiny/2024-01-02']);
    expect(body['plan']).toContainEqual(expect.objectContaining({ step: 'download/readings', action: 'run' }));
    const result = (await installation.client.workflow.getHandle('day/tiny/2024-01-02').result()) as {
      verdict: string;
    };
    expect(result.verdict).toBe('ok');
  });

  it('starts exactly the plan that was looked at, once, and refuses it when the stores have moved', async () => {
    const planned = await post('/backfill-plans', { pipeline: 'tiny', from: '2024-01-03', to: '2024-01-08' });
    const { hash, days } = planned.body['plan'] as { hash: string; days: number };
    expect([planned.status, days]).toEqual([200, 6]);
    const order = { pipeline: 'tiny', plan: hash, reason };
    const [one, two] = await Promise.all([post('/backfills', order), post('/backfills', order)]);
    expect([one.status, two.status, one.body['id']]).toEqual([202, 202, two.body['id']]);
    const handle = installation.client.workflow.getHandle(String(one.body['id']));
    await handle.result();
    expect((await handle.describe()).runId).toBeDefined();
    const again = await post('/backfills', order);
    expect(again).toMatchObject({ status: 409, body: { code: 'PLAN_INVALID' } });
  });

  it('decides on a day that is held', async () => {
    publisher.publish('2024-01-20', { add: 10_000 });
    await post('/pipelines/tiny/days/2024-01-20/runs', { reason });
    const decide = () => post('/pipelines/tiny/days/2024-01-20/actions/decide', { reason, decision: 'accept' });
    await expect.poll(async () => (await decide()).status, { timeout: 50_000 }).toBe(202);
    const result = (await installation.client.workflow.getHandle('day/tiny/2024-01-20').result()) as {
      verdict: string;
    };
    expect(result.verdict).not.toBe('failed');
    const late = await decide();
    expect(late).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('is written down with who asked and why', async () => {
    const records: AuditRecord[] = [];
    const { documents } = installation.engine;
    for await (const partition of documents.partitions(AUDIT_TABLE))
      for await (const { body } of documents.query<AuditRecord>({ table: AUDIT_TABLE, partition })) records.push(body);
    expect(records.map(({ action }) => action)).toEqual(expect.arrayContaining(['run', 'backfill', 'decide']));
    expect(records.every(({ by, reason: why }) => by.startsWith('key:') && why === reason)).toBe(true);
  });
});
