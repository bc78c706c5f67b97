import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/** As JSON 6 MB: more than the system keeps of a connection whose other end does not read. */
const DATES = datesBetween('2026-03-01', '2026-05-05');
const NOW = new Date('2026-06-20T10:00:00Z');
const TABLE = '/api/v1/tables/eco2mix_national';
const WHOLE = `${TABLE}/file.json?from=${DATES[0]}&to=${DATES.at(-1)}`;
/** As many as one caller may have. */
const DOWNLOADS = 32;
const STALL_MS = 30_000;

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;
let port: number;
let sessions = 0;

/** The engine, with its open sessions counted. */
function counted(base: TestEngine): TestEngine {
  const session: NonNullable<TestEngine['sql']>['session'] = async (work, options) => {
    sessions += 1;
    try {
      return await base.sql!.session(work, options);
    } finally {
      sessions -= 1;
    }
  };
  return { ...base, sql: { session } };
}

beforeAll(async () => {
  portal = await startPortal({ now: () => NOW });
  const datasets = Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } }));
  engine = await openTestEngine(datasets, { now: () => NOW });
  await runDays(engine, 'eco2mix', DATES);
  api = await openTestApi(counted(engine), { stallMs: STALL_MS });
  await api.listen({ host: '127.0.0.1', port: 0 });
  ({ port } = api.server.address() as AddressInfo);
}, 300_000);

afterAll(async () => {
  api.server.closeAllConnections();
  await api.close();
  await engine.close();
  await portal.close();
});

async function get(path: string): Promise<{
  readonly status: number;
  readonly retryAfter: string | null;
  readonly bytes: number;
}> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { 'accept-encoding': 'identity' },
  });
  const { byteLength } = await answer.arrayBuffer();
  return {
    status: answer.status,
    retryAfter: answer.headers.get('retry-after'),
    bytes: byteLength,
  };
}

describe('requests beyond what the server can do at once', () => {
  it('are told to come again, and those before them are answered', async () => {
    // Each another page, so that none is known.
    const asked = Array.from({ length: 300 }, (_, index) =>
      get(`${TABLE}/rows?from=2026-04-02&to=2026-04-02&limit=${index + 1}`),
    );
    const answers = await Promise.all(asked);
    const busy = answers.filter(({ status }) => status === 503);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
    expect(answers.length - busy.length).toBeGreaterThanOrEqual(66);
    for (const { retryAfter } of busy) expect(Number(retryAfter)).toBeGreaterThan(0);
    expect(sessions).toBe(0);
    expect((await get(`${TABLE}/rows?from=2026-04-03&to=2026-04-03`)).status).toBe(200);
  }, 120_000);

  it('do not keep the others from their answers, also where each asks again at once', async () => {
    const asked = Array.from(
      { length: 300 },
      (_, index) => `${TABLE}/rows?from=2026-04-05&to=2026-04-05&limit=${index + 1}`,
    );
    let refused = 0;
    const untilAnswered = async (path: string): Promise<void> => {
      while ((await get(path)).status === 503) refused += 1;
    };
    await Promise.all(asked.map(untilAnswered));
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(10 * asked.length);
  }, 120_000);
});

/**
 * A reader of three bytes from time to time: what the system has of its connection is full soon.
 */
async function slowReader(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`GET ${WHOLE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await once(socket, 'readable');
  expect(String(socket.read(12))).toBe('HTTP/1.1 200');
  const drip = setInterval(() => void socket.read(3), 100);
  socket.once('close', () => {
    clearInterval(drip);
  });
  return socket;
}

describe('readers of a few bytes a second', () => {
  it('hold no session of the engine, stop nobody, and lose their connection', async () => {
    let ended = 0;
    const allEnded = new Promise<void>((resolve) => {
      api.server.on('connection', (socket: Socket) => {
        socket.once('close', () => {
          ended += 1;
          if (ended === DOWNLOADS) resolve();
        });
      });
    });
    const readers = await Promise.all(Array.from({ length: DOWNLOADS }, slowReader));
    const one = await get(WHOLE);
    expect([one.status, Number(one.retryAfter) > 0]).toEqual([503, true]);
    const page = await get(`${TABLE}/rows?from=2026-04-04&to=2026-04-04`);
    expect(page.status).toBe(200);
    await allEnded;
    expect(sessions).toBe(0);
    for (const reader of readers) reader.destroy();
    const after = await get(WHOLE);
    expect(after.status).toBe(200);
    expect(after.bytes).toBeGreaterThan(5_000_000);
  }, 120_000);
});
