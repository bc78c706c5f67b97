import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayResult, startDay } from '../../src/cli/runs.ts';
import { startPortal } from '../../src/dev/portal/portal.ts';
import type { Portal } from '../../src/dev/portal/portal.ts';
import { startDevServer } from '../../src/dev/temporal/dev-server.ts';
import type { DevServer } from '../../src/dev/temporal/dev-server.ts';
import { SEARCH_ATTRIBUTES } from '../../src/dev/temporal/search-attributes.ts';
import { connectClient } from '../../src/workers/temporal-target.ts';
import { testCli } from '../fixtures/temporal-server.ts';
import { contentsOf, killWorkers, startWorker, stopWorker } from './day-worker.ts';
import type { DayWorker } from './day-worker.ts';

const DATE = '2026-03-29';
const NOW = new Date('2026-06-20T10:00:00Z');

let folder: string;
let server: DevServer;
let client: Client;
let portal: Portal;

async function startServer(port?: number): Promise<DevServer> {
  return startDevServer({
    cli: await testCli(),
    dbFile: path.join(folder, 'temporal.db'),
    logFile: path.join(folder, 'server.log'),
    searchAttributes: SEARCH_ATTRIBUTES,
    port,
  });
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-chaos-'));
  portal = await startPortal({ now: () => NOW });
  server = await startServer();
  client = await connectClient({ connection: { address: server.address }, namespace: 'default' });
});

afterAll(async () => {
  killWorkers();
  await client.connection.close();
  await server.stop();
  await portal.close();
  await rm(folder, { recursive: true, force: true });
});

function settings(): Record<string, string> {
  return {
    QUOTIDIEN_ODRE_URL: portal.url,
    QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '100',
    QUOTIDIEN_HEARTBEAT_MS: '1500',
    QUOTIDIEN_RETRY_INITIAL_MS: '20',
    QUOTIDIEN_ROLLUP_QUIET_MS: '600000',
  };
}

function worker(home: string, queue: string): DayWorker {
  return { home, address: server.address, queue, settings: settings() };
}

function startRun(queue: string) {
  return startDay({ client, taskQueue: queue }, { pipeline: 'eco2mix', date: DATE });
}

async function undisturbed() {
  const home = path.join(folder, 'undisturbed');
  const child = await startWorker(worker(home, 'undisturbed'));
  expect(await dayResult(await startRun('undisturbed'))).toMatchObject({ verdict: 'ok', version: 1 });
  await stopWorker(child);
  return contentsOf(home, DATE);
}

let expected: Awaited<ReturnType<typeof contentsOf>>;

describe('a day whose worker is killed', () => {
  beforeAll(async () => {
    expected = await undisturbed();
    expect(expected.steps.length).toBeGreaterThan(6);
  });

  const deaths = [
    ['after', 'resolveDay'],
    ['before', 'download/tr'],
    ['after', 'download/tr'],
    ['inside', 'download/tr'],
    ['after', 'transform/national'],
    ['inside', 'transform/national'],
    ['after', 'metrics/national'],
    ['after', 'metrics/comparison'],
    ['after', 'report/national'],
    ['after', 'report/page'],
    ['before', 'commitManifest'],
    ['after', 'commitManifest'],
  ] as const;

  it.each(deaths)('%s %s ends with the same bytes, one manifest and no orphan visible', async (moment, place) => {
    const name = `${moment}-${place.replace('/', '-')}`;
    const home = path.join(folder, name);
    const doomed = await startWorker(worker(home, name), [moment, place]);
    const [handle] = await Promise.all([startRun(name), once(doomed, 'exit')]);
    expect(doomed.signalCode).toBe('SIGKILL');
    const heir = await startWorker(worker(home, name));
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    await stopWorker(heir);
    expect(await contentsOf(home, DATE)).toEqual(expected);
  });

  it('in the middle of a download ends with the same bytes', async () => {
    const home = path.join(folder, 'mid-body');
    const release = portal.behave({ kind: 'stall', afterBytes: 2_000, match: { endpoint: 'export' }, times: 1 });
    const doomed = await startWorker(worker(home, 'mid-body'));
    const asked = portal.nextRequest({ endpoint: 'export' });
    const handle = await startRun('mid-body');
    await asked;
    doomed.kill('SIGKILL');
    await once(doomed, 'exit');
    release();
    const heir = await startWorker(worker(home, 'mid-body'));
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    await stopWorker(heir);
    expect(await contentsOf(home, DATE)).toEqual(expected);
  });

  it('is finished after the Temporal server was killed, too', async () => {
    const home = path.join(folder, 'server-killed');
    const hold = portal.hold({ endpoint: 'export' });
    const survivor = await startWorker(worker(home, 'server-killed'));
    const handle = await startRun('server-killed');
    await hold.arrived;
    const port = Number(server.address.split(':')[1]);
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    server = await startServer(port);
    hold.release();
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    await stopWorker(survivor);
    expect(await contentsOf(home, DATE)).toEqual(expected);
  });
});
