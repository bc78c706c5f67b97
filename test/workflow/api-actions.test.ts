import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../src/api/security/keys.ts';
import { AUDIT_TABLE } from '../../src/api/shared/audit.ts';
import type { AuditRecord } from '../../src/api/shared/audit.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { RunningApi } from '../../src/cli/services/api-server.ts';
import { applySchedules } from '../../src/schedules/apply-schedules.ts';
import { declaredSchedules } from '../../src/schedules/declared-schedules.ts';
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
    // A day whose publisher refuses goes on trying until the orders have come.
    settings: { QUOTIDIEN_RETRY_ATTEMPTS: '10000', QUOTIDIEN_HTTP_IDLE_MS: '60000' },
  });
  const { engine, home, address } = installation;
  api = await startApi(testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address }), {
    host: '127.0.0.1',
    port: 0,
  });
  const make = async (scope: string) =>
    (
      await createKey(
        engine.documents,
        { owner: 'test', scopes: [scope], days: 1, by: 'test' },
        engine.now(),
      )
    ).key;
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
    headers: {
      'content-type': 'application/json',
      ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
    },
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
    expect(body['plan']).toContainEqual(
      expect.objectContaining({ step: 'download/readings', action: 'run' }),
    );
    const result = (await installation.client.workflow
      .getHandle('day/tiny/2024-01-02')
      .result()) as {
      verdict: string;
    };
    expect(result.verdict).toBe('ok');
  });

  it('starts exactly the plan that was looked at, once, and refuses it when the stores have moved', async () => {
    const planned = await post('/backfill-plans', {
      pipeline: 'tiny',
      from: '2024-01-03',
      to: '2024-01-08',
    });
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
    const decide = () =>
      post('/pipelines/tiny/days/2024-01-20/actions/decide', { reason, decision: 'accept' });
    await expect.poll(async () => (await decide()).status, { timeout: 50_000 }).toBe(202);
    const result = (await installation.client.workflow
      .getHandle('day/tiny/2024-01-20')
      .result()) as {
      verdict: string;
    };
    expect(result.verdict).not.toBe('failed');
    const late = await decide();
    expect(late).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('retries a step, skips a part and asks for it again; what was not skipped is refused', async () => {
    const date = '2024-01-21';
    publisher.refuse('readings', 500);
    publisher.refuse('forecast', 403);
    await post(`/pipelines/tiny/days/${date}/runs`, { reason });
    const act = (action: string, body: object) =>
      post(`/pipelines/tiny/days/${date}/actions/${action}`, { reason, ...body });
    const step = 'download/forecast';
    await expect
      .poll(async () => (await act('retryStep', { step })).status, { timeout: 50_000 })
      .toBe(202);
    expect(await act('unskipPart', { step })).toMatchObject({
      status: 409,
      body: { code: 'PLAN_INVALID' },
    });
    expect(await act('skipPart', { step })).toMatchObject({
      status: 202,
      body: { answer: `${step} is skipped` },
    });
    expect(await act('unskipPart', { step })).toMatchObject({ status: 202 });
    expect(await act('skipPart', { step: 'transform/readings' })).toMatchObject({ status: 400 });
    expect(await act('skipPart', {})).toMatchObject({
      status: 400,
      body: { code: 'INPUT_INVALID' },
    });
    publisher.refuse('forecast', undefined);
    publisher.refuse('readings', undefined);
    await installation.client.workflow.getHandle(`day/tiny/${date}`).result();
  });

  it('rebuilds a finished day and compares every byte, for an operator, and one day at a time', async () => {
    const path = '/pipelines/tiny/days/2024-01-02/actions/verify';
    expect((await post(path, { reason }, keys.reader)).status).toBe(403);
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(path, { reason })));
    const sorted = answers.sort((one, other) => one.status - other.status);
    expect(sorted[0]).toMatchObject({
      status: 200,
      body: { result: 'identical', scope: '2024-01-02' },
    });
    expect(sorted.at(-1)).toMatchObject({ status: 503, body: { code: 'BUSY' } });
    const none = await post('/pipelines/tiny/days/2024-01-31/actions/verify', { reason });
    expect(none).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    // What failed has given its turn back.
    expect((await post(path, { reason })).status).toBe(200);
  });

  it('pauses, resizes, resumes and stops a backfill, and decides on its canary', async () => {
    const range = { from: '2024-01-22', to: '2024-01-27' };
    const planned = await post('/backfill-plans', { pipeline: 'tiny', ...range });
    const { hash } = planned.body['plan'] as { hash: string };
    const held = publisher.holdNext('readings');
    await post('/backfills', { pipeline: 'tiny', plan: hash, reason, canary: 2 });
    await held.arrived;
    const base = `/backfills/tiny/${range.from}_${range.to}/${hash}`;
    const act = (action: string, body: object = {}) =>
      post(`${base}/actions/${action}`, { reason, ...body });
    expect((await act('resume')).status).toBe(409);
    expect((await act('pause')).status).toBe(202);
    expect((await act('pause')).status).toBe(409);
    const progress = async () => {
      const answer = await fetch(`${api.url}/api/v1${base}`);
      return ((await answer.json()) as { progress: Record<string, unknown> }).progress;
    };
    expect(await progress()).toMatchObject({ paused: expect.stringContaining(reason) as string });
    expect((await act('resize', { parallel: 3 })).status).toBe(202);
    expect((await act('resize', { parallel: 99 })).status).toBe(400);
    expect((await act('resize')).status).toBe(400);
    expect((await act('resume')).status).toBe(202);
    expect(await progress()).toMatchObject({ paused: null, parallel: 3 });
    expect((await act('decide', { decision: 'accept' })).status).toBe(409);
    expect((await act('cancel')).status).toBe(202);
    held.release();
    const handle = installation.client.workflow.getHandle(
      `backfill/tiny/${range.from}_${range.to}/${hash}`,
    );
    expect(await handle.result()).toMatchObject({
      stopped: expect.stringContaining(reason) as string,
    });
    expect((await act('pause')).status).toBe(404);
  });

  it('asks the publisher what it revised', async () => {
    expect((await post('/pipelines/none/watch', { reason })).status).toBe(404);
    const { status, body } = await post('/pipelines/tiny/watch', { reason });
    expect(status).toBe(202);
    await installation.client.workflow.getHandle(String(body['id'])).result();
  });

  it('triggers, pauses and resumes a schedule', async () => {
    const { engine, client } = installation;
    await applySchedules(client, engine.datasets, 'quotidien');
    const { id } = declaredSchedules(engine.datasets, 'quotidien')[0]!;
    const act = (action: string, body: object = {}) =>
      post(`/schedules/${id}/actions/${action}`, { reason, ...body });
    const paused = async () => (await client.schedule.getHandle(id).describe()).state;
    expect((await act('pause')).status).toBe(202);
    expect(await paused()).toMatchObject({
      paused: true,
      note: expect.stringContaining(reason) as string,
    });
    expect((await act('resume')).status).toBe(202);
    expect(await paused()).toMatchObject({ paused: false });
    expect((await act('trigger', { date: '2024-01-28' })).status).toBe(202);
    const started = async () => {
      for await (const { workflowId } of client.workflow.list({
        query: `WorkflowId = "day/tiny/2024-01-28"`,
      }))
        return workflowId;
      return undefined;
    };
    await expect.poll(started, { timeout: 50_000 }).toBe('day/tiny/2024-01-28');
    expect((await post('/schedules/tiny/never/actions/pause', { reason })).status).toBe(404);
  });

  it('is written down with who asked and why', async () => {
    const records: AuditRecord[] = [];
    const { documents } = installation.engine;
    for await (const partition of documents.partitions(AUDIT_TABLE))
      for await (const { body } of documents.query<AuditRecord>({ table: AUDIT_TABLE, partition }))
        records.push(body);
    expect(records.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        ...['run', 'backfill', 'decide', 'retryStep', 'skipPart', 'unskipPart', 'verify', 'watch'],
        ...[
          'backfill/pause',
          'backfill/resume',
          'backfill/resize',
          'backfill/cancel',
          'backfill/decide',
        ],
        ...['schedule/pause', 'schedule/resume', 'schedule/trigger'],
      ]),
    );
    expect(records.every(({ by, reason: why }) => by.startsWith('key:') && why === reason)).toBe(
      true,
    );
  });
});
