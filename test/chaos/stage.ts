import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { inject } from 'vitest';
import { readLedger, readManifests } from '../../src/activities/ledger-reader.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { startPortal } from '../../src/dev/portal/portal.ts';
import type { Portal } from '../../src/dev/portal/portal.ts';
import { startDevServer } from '../../src/dev/temporal/dev-server.ts';
import { SEARCH_ATTRIBUTES } from '../../src/dev/temporal/search-attributes.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import { publisherHosts } from '../../src/workers/configured-datasets.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import { connectClient } from '../../src/workers/temporal-target.ts';
import { testCli } from '../fixtures/temporal-server.ts';

/** Where processes are killed: a Temporal server that keeps its database, the sample portal, and workers in processes of their own. */
export interface Stage {
  readonly folder: string;
  readonly client: Client;
  readonly portal: Portal;
  /** Kills the server and starts it again on its port and database. */
  restartServer(): Promise<void>;
  /** A worker process that polls; with a moment and a place to die, it kills itself there. */
  startWorker(home: string, queue: string, death?: readonly string[]): Promise<ChildProcess>;
  close(): Promise<void>;
}

const NOW = new Date('2026-06-20T10:00:00Z');
const WORKER = path.resolve(import.meta.dirname, 'worker-process.ts');

export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-chaos-'));
  const portal = await startPortal({ now: () => NOW });
  const cli = await testCli();
  const startServer = (port?: number) =>
    startDevServer({
      cli,
      dbFile: path.join(folder, 'temporal.db'),
      logFile: path.join(folder, 'server.log'),
      searchAttributes: SEARCH_ATTRIBUTES,
      port,
    });
  let server = await startServer();
  const client = await connectClient({ connection: { address: server.address }, namespace: 'default' });
  const children = new Set<ChildProcess>();
  return {
    folder,
    client,
    portal,
    async restartServer() {
      const port = Number(server.address.split(':')[1]);
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
      server = await startServer(port);
    },
    async startWorker(home, queue, death = []) {
      const args = ['--import', 'tsx', WORKER, home, server.address, queue, inject('workflowBundle'), ...death];
      const env = { ...process.env, ...settingsOf(portal) };
      const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
      children.add(child);
      void once(child, 'exit').then(() => children.delete(child));
      await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
      return child;
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await client.connection.close();
      await server.stop();
      await portal.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function settingsOf(portal: Portal): Record<string, string> {
  return {
    QUOTIDIEN_ODRE_URL: portal.url,
    QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '100',
    QUOTIDIEN_HEARTBEAT_MS: '1500',
    QUOTIDIEN_RETRY_INITIAL_MS: '20',
    QUOTIDIEN_ROLLUP_QUIET_MS: '600000',
  };
}

export async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** What a home holds of some days, without anything that names the run. */
export interface Contents {
  readonly days: readonly { readonly date: CivilDate; readonly versions: number; readonly steps: readonly unknown[] }[];
  /** Step, key and output hashes of every entry of the days, sorted. */
  readonly ledger: readonly (readonly string[])[];
  /** Names of published reports. */
  readonly published: readonly string[];
}

export async function contentsOf(home: string, dates: readonly CivilDate[]): Promise<Contents> {
  const config = loadConfig({ env: {}, cwd: home, home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine(config, DATASETS);
  try {
    const manifests = await readManifests(engine.documents, 'eco2mix', dates);
    const ledger = await readLedger(engine.documents, 'eco2mix', dates);
    const hashes = (outputs: object) => Object.values(outputs).map((ref: { sha256: string }) => ref.sha256);
    const published: string[] = [];
    for await (const { key } of engine.objects.list('reports/eco2mix/daily_report_')) published.push(key);
    return {
      days: dates.map((date) => ({
        date,
        versions: manifests.get(date)?.length ?? 0,
        steps: Object.entries(manifests.get(date)?.at(-1)?.steps ?? {}).map(([step, state]) => [
          step,
          state.state === 'done' ? [state.key, ...hashes(state.outputs)] : state.state,
        ]),
      })),
      ledger: [...ledger.values()]
        .flat()
        .map((entry) => [entry.scope, entry.step, entry.key, ...hashes(entry.outputs)])
        .sort((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1)),
      published,
    };
  } finally {
    await engine.close();
  }
}
