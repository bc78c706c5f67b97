import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readLedger, readManifests } from '../../src/activities/ledger-reader.ts';
import { dayResult, startDay } from '../../src/cli/runs.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { startPortal } from '../../src/dev/portal/portal.ts';
import type { Portal } from '../../src/dev/portal/portal.ts';
import { startDevServer } from '../../src/dev/temporal/dev-server.ts';
import type { DevServer } from '../../src/dev/temporal/dev-server.ts';
import { startEphemeralServer } from '../../src/dev/temporal/ephemeral-server.ts';
import { SEARCH_ATTRIBUTES } from '../../src/dev/temporal/search-attributes.ts';
import { publisherHosts } from '../../src/workers/configured-datasets.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import { connectClient } from '../../src/workers/temporal-target.ts';
import { testCli } from '../fixtures/temporal-server.ts';

const DATE = '2026-03-29';
const NOW = new Date('2026-06-20T10:00:00Z');
const WORKER = path.resolve(import.meta.dirname, 'worker-process.ts');

let folder: string;
let server: DevServer;
let portal: Portal;
let place: Place;
const children = new Set<ChildProcess>();

/** A Temporal server as workers and clients see it. */
interface Place {
  readonly address: string;
  readonly client: Client;
}

async function connect(address: string): Promise<Place> {
  return { address, client: await connectClient({ connection: { address }, namespace: 'default' }) };
}

async function startServer(port?: number): Promise<DevServer> {
  return startDevServer({
    cli: await testCli(),
    dbFile: path.join(folder, 'temporal.db'),
    logFile: path.join(folder, 'server.log'),
    searchAttributes: SEARCH_ATTRIBUTES,
    port,
  });
}

/** A server for one test alone: the same day runs in all tests, under the same workflow id. */
async function ownServer<T>(name: string, use: (place: Place) => Promise<T>): Promise<T> {
  const logFile = path.join(folder, `${name}.server.log`);
  const own = await startEphemeralServer({ cli: await testCli(), logFile, searchAttributes: SEARCH_ATTRIBUTES });
  const its = await connect(own.address);
  try {
    return await use(its);
  } finally {
    await its.client.connection.close();
    await own.stop();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-chaos-'));
  portal = await startPortal({ now: () => NOW });
  server = await startServer();
  place = await connect(server.address);
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([...children].map((child) => once(child, 'exit')));
  await place.client.connection.close();
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

/** A worker process that polls; with a place to die, it kills itself there. */
async function startWorker(
  { address }: Place,
  home: string,
  queue: string,
  death: readonly string[] = [],
): Promise<ChildProcess> {
  const args = ['--import', 'tsx', WORKER, home, address, queue, inject('workflowBundle'), ...death];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...settings() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  void once(child, 'exit').then(() => children.delete(child));
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

function startRun({ client }: Place, queue: string) {
  return startDay({ client, taskQueue: queue }, { pipeline: 'eco2mix', date: DATE });
}

/** What a home holds of the day, without anything that names the run. */
async function contents(home: string) {
  const config = loadConfig({ env: {}, cwd: home, home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine(config, DATASETS);
  try {
    const manifests = (await readManifests(engine.documents, 'eco2mix', [DATE])).get(DATE) ?? [];
    const ledger = (await readLedger(engine.documents, 'eco2mix', [DATE])).get(DATE) ?? [];
    const hashes = (outputs: object) => Object.values(outputs).map((ref: { sha256: string }) => ref.sha256);
    const published: string[] = [];
    for await (const { key } of engine.objects.list('reports/eco2mix/daily_report_')) published.push(key);
    return {
      versions: manifests.length,
      steps: Object.entries(manifests.at(-1)?.steps ?? {}).map(([step, state]) => [
        step,
        state.state === 'done' ? [state.key, ...hashes(state.outputs)] : state.state,
      ]),
      ledger: ledger.map((entry) => [entry.step, entry.key, ...hashes(entry.outputs)]).sort(),
      published,
    };
  } finally {
    await engine.close();
  }
}

async function undisturbed() {
  const home = path.join(folder, 'undisturbed');
  const worker = await startWorker(place, home, 'undisturbed');
  expect(await dayResult(await startRun(place, 'undisturbed'))).toMatchObject({ verdict: 'ok', version: 1 });
  await stop(worker);
  return contents(home);
}

let expected: Awaited<ReturnType<typeof contents>>;

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

  // Each waits most of its time for the server to miss the dead worker: together they take a third of the time.
  it.concurrent.each(deaths)(
    '%s %s ends with the same bytes, one manifest and no orphan visible',
    async (moment, where) => {
      const name = `${moment}-${where.replace('/', '-')}`;
      const home = path.join(folder, name);
      await ownServer(name, async (own) => {
        const doomed = await startWorker(own, home, name, [moment, where]);
        const [handle] = await Promise.all([startRun(own, name), once(doomed, 'exit')]);
        expect(doomed.signalCode).toBe('SIGKILL');
        const heir = await startWorker(own, home, name);
        expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
        await stop(heir);
      });
      expect(await contents(home)).toEqual(expected);
    },
  );

  it('in the middle of a download ends with the same bytes', async () => {
    const home = path.join(folder, 'mid-body');
    const release = portal.behave({ kind: 'stall', afterBytes: 2_000, match: { endpoint: 'export' }, times: 1 });
    const doomed = await startWorker(place, home, 'mid-body');
    const asked = portal.nextRequest({ endpoint: 'export' });
    const handle = await startRun(place, 'mid-body');
    await asked;
    doomed.kill('SIGKILL');
    await once(doomed, 'exit');
    release();
    const heir = await startWorker(place, home, 'mid-body');
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    await stop(heir);
    expect(await contents(home)).toEqual(expected);
  });

  it('is finished after the Temporal server was killed, too', async () => {
    const home = path.join(folder, 'server-killed');
    const hold = portal.hold({ endpoint: 'export' });
    const worker = await startWorker(place, home, 'server-killed');
    const handle = await startRun(place, 'server-killed');
    await hold.arrived;
    const port = Number(server.address.split(':')[1]);
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    server = await startServer(port);
    hold.release();
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    await stop(worker);
    expect(await contents(home)).toEqual(expected);
  });
});
