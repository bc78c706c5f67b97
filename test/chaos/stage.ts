import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { startDevServer } from '@quotidien/temporal-program/dev-server';
import { unusedPort } from '@quotidien/temporal-program/ports';
import { SEARCH_ATTRIBUTES } from '../../src/cli/temporal/search-attributes.ts';
import { connectClient } from '../../src/workers/temporal-target.ts';
import { testCli } from '../fixtures/temporal-server.ts';
import { killWorker, startWorker } from './day-worker.ts';

/**
 * Where processes are killed: a Temporal server that keeps its database, the sample portal, and
 * workers in processes of their own.
 */
export interface Stage {
  readonly folder: string;
  readonly client: Client;
  /** Of the server, also after it was restarted. */
  readonly address: string;
  readonly portal: Portal;
  /**
   * Kills the server and starts it again on its port and database, after what is done meanwhile.
   */
  restartServer(meanwhile?: () => Promise<void>): Promise<void>;
  /** A worker process that polls; with a moment and a place to die, it kills itself there. */
  startWorker(home: string, queue: string, death?: readonly string[]): Promise<ChildProcess>;
  close(): Promise<void>;
}

const NOW = new Date('2026-06-20T10:00:00Z');

/** `settings`: of the workers, besides those that make tests quick. */
export async function openStage(settings: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-chaos-'));
  const portal = await startPortal({ now: () => NOW });
  const cli = await testCli();
  const startServer = (port: number) =>
    startDevServer({
      cli,
      dbFile: path.join(folder, 'temporal.db'),
      logFile: path.join(folder, 'server.log'),
      searchAttributes: SEARCH_ATTRIBUTES,
      port,
    });
  // Many stages open at the same moment: none looks for the usual port first.
  let server = await startServer(await unusedPort());
  const client = await connectClient({
    connection: { address: server.address },
    namespace: 'default',
  });
  const children = new Set<ChildProcess>();
  return {
    folder,
    client,
    address: server.address,
    portal,
    async restartServer(meanwhile) {
      const port = Number(server.address.split(':')[1]);
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
      await meanwhile?.();
      server = await startServer(port);
    },
    async startWorker(home, queue, death) {
      const all = { ...settingsOf(portal), ...settings };
      const child = await startWorker(
        { home, address: server.address, queue, settings: all },
        death,
      );
      children.add(child);
      return child;
    },
    async close() {
      await Promise.all([...children].map(killWorker));
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
