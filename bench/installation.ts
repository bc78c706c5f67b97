import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { RunTarget } from '../src/cli/temporal/runs.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { startEphemeralServer } from '@quotidien/temporal-program/ephemeral-server';
import { findTemporalCli } from '@quotidien/temporal-program/find-cli';
import { SEARCH_ATTRIBUTES } from '../src/cli/temporal/search-attributes.ts';
import type { Dataset } from '../src/pipelines/dataset.ts';
import { publisherHosts } from '../src/workers/configured-datasets.ts';
import { quietRuntime } from '../src/workers/logging.ts';
import { openEngine } from '../src/workers/open-engine.ts';
import type { OpenEngine } from '../src/workers/open-engine.ts';
import { QUEUE_KINDS, runWorkers } from '../src/workers/run-workers.ts';
import { connectClient } from '../src/workers/temporal-target.ts';

/** A Quotidien with server, stores and workers of its own, as a bench needs it. */
export interface BenchInstallation {
  readonly home: string;
  readonly address: string;
  /** Of the shell that watches the Temporal server. */
  readonly serverPid: number;
  readonly client: Client;
  readonly engine: OpenEngine;
  readonly target: RunTarget;
  close(): Promise<void>;
}

/** In a folder of its own, which `close` removes; settings are those of the environment. */
export async function openInstallation(
  datasets: Readonly<Record<string, Dataset>>,
  settings: Readonly<Record<string, string>> = {},
): Promise<BenchInstallation> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-bench-home-'));
  const config = loadConfig({ env: settings, cwd: home, home, hosts: publisherHosts(datasets) });
  quietRuntime(config);
  const cli = await findTemporalCli({ env: process.env, cacheDir: path.resolve('.cache') });
  const logFile = path.join(home, 'server.log');
  const server = await startEphemeralServer({ cli, logFile, searchAttributes: SEARCH_ATTRIBUTES });
  const engine = await openEngine(config, datasets);
  const temporal = { connection: { address: server.address }, namespace: 'default' };
  const client = await connectClient(temporal);
  // That of the build, which `npm run bench` makes first: the bundler would be the largest part of
  // this process's memory.
  const workflowBundle = { codePath: path.resolve('dist/workflows.bundle.js') };
  const workers = await runWorkers({
    engine,
    target: temporal,
    kinds: QUEUE_KINDS,
    workflowBundle,
  });
  return {
    home,
    address: server.address,
    serverPid: server.pid,
    client,
    engine,
    target: { client, taskQueue: config.settings.QUOTIDIEN_TASK_QUEUE },
    async close() {
      await workers.shutdown();
      await client.connection.close();
      await engine.close();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
