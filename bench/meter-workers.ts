import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startEphemeralServer } from '@quotidien/temporal-program/ephemeral-server';
import { findTemporalCli } from '@quotidien/temporal-program/find-cli';
import { unusedPort } from '@quotidien/temporal-program/ports';
import { startDay } from '../src/cli/temporal/runs.ts';
import { SEARCH_ATTRIBUTES } from '../src/cli/temporal/search-attributes.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { DATASETS } from '../src/datasets/registry.ts';
import { importFile } from '../src/engine/download/import-file.ts';
import { readLedger } from '../src/engine/records/ledger-reader.ts';
import { publisherHosts } from '../src/workers/configured-datasets.ts';
import { openEngine } from '../src/workers/open-engine.ts';
import type { OpenEngine } from '../src/workers/open-engine.ts';
import { connectClient } from '../src/workers/temporal-target.ts';
import { homeContents } from '../test/chaos/home-contents.ts';
import { testControl } from '../test/fixtures/test-engine.ts';
import { report } from './figures.ts';
import { METERS, SHARDS, writeMeterDay } from './meter-files.ts';
import { usageOfProcess } from './process-usage.ts';

/**
 * The same day of meters on one `quotidien worker` and on two, each on a processor of its own, one
 * server and one store; and on two of which one is killed. The import is not in it: one process
 * takes a file in.
 */

const PIPELINE = 'smart-meter';
const DATE = '2024-01-15';
const COMMAND = path.resolve('dist/cli/main.js');

/**
 * What a worker is told. Each uses one processor, so one thread; of the default of 16 activities
 * most would wait for one of two SQL sessions, where the other worker cannot take them.
 */
const SETTINGS = {
  QUOTIDIEN_SHARDS: `${PIPELINE}=${SHARDS}`,
  QUOTIDIEN_METER_SECRET: 'a secret for a benchmark',
  QUOTIDIEN_SQL_THREADS: '1',
  QUOTIDIEN_COMPUTE_ACTIVITIES: '4',
  QUOTIDIEN_HEARTBEAT_MS: '2000',
  QUOTIDIEN_LOG_LEVEL: 'error',
};

interface Worker {
  readonly child: ChildProcess;
  readonly pid: number;
}

interface MadeOnce {
  readonly seconds: number;
  /** Processor seconds of each worker that lived to the end. */
  readonly cpu: readonly number[];
  /** Every hash of the day. */
  readonly contents: string;
}

/** Three homes with the same files, one after the other. */
export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'quotidien-workers-'));
  try {
    const given = path.join(folder, 'given');
    await giveFiles(folder, given);
    const one = await makeDay(folder, given, { workers: 1 });
    const two = await makeDay(folder, given, { workers: 2 });
    const killed = await makeDay(folder, given, { workers: 2, kill: true });
    const listed = (cpu: readonly number[]): string =>
      cpu.map((seconds) => seconds.toFixed(1)).join(' + ');
    const note = `${METERS} meters, ${SHARDS} shards; processor seconds ${listed(one.cpu)} beside ${listed(two.cpu)}`;
    report({
      name: 'a day on two workers of one processor each, beside one: times as fast',
      value: one.seconds / two.seconds,
      unit: '×',
      target: 1.7,
      more: true,
      note: `${one.seconds.toFixed(1)} s beside ${two.seconds.toFixed(1)} s; ${note}`,
    });
    report({
      name: 'the same by processor seconds of the busier one',
      value: sum(one.cpu) / Math.max(...two.cpu),
      unit: '×',
      target: 1.7,
      more: true,
      note: 'what it would be on processors that have nothing else to do, as far as work is shared out and made no more',
    });
    report({
      name: 'days with other hashes than on one worker: two, and two of which one is killed',
      value: [two, killed].filter(({ contents }) => contents !== one.contents).length,
      unit: 'of 2',
      target: 0,
      note: `${killed.seconds.toFixed(1)} s with a kill`,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

async function withEngine<T>(home: string, use: (engine: OpenEngine) => Promise<T>): Promise<T> {
  const config = loadConfig({ env: SETTINGS, cwd: home, home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine(config, DATASETS);
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

async function giveFiles(folder: string, home: string): Promise<void> {
  await mkdir(home);
  const files = await writeMeterDay(folder);
  await withEngine(home, async (engine) => {
    for (const file of [files.meters, files.injected, files.readings])
      await importFile(engine, PIPELINE, file, testControl());
  });
}

async function makeDay(
  folder: string,
  given: string,
  { workers: count, kill = false }: { readonly workers: number; readonly kill?: boolean },
): Promise<MadeOnce> {
  const home = path.join(folder, `home-${count}${kill ? '-killed' : ''}`);
  await cp(given, home, { recursive: true });
  const cli = await findTemporalCli({ env: process.env, cacheDir: path.resolve('.cache') });
  const logFile = path.join(folder, 'server.log');
  const server = await startEphemeralServer({ cli, logFile, searchAttributes: SEARCH_ATTRIBUTES });
  const client = await connectClient({
    connection: { address: server.address },
    namespace: 'default',
  });
  const workers = await Promise.all(
    Array.from({ length: count }, (_, processor) => startWorker(home, server.address, processor)),
  );
  try {
    const before = workers.map(cpuOf);
    const begin = performance.now();
    const handle = await startDay(
      { client, taskQueue: 'quotidien' },
      { pipeline: PIPELINE, date: DATE, offline: true },
    );
    if (kill) await killInTheMiddle(home, workers[0]);
    const { verdict } = await handle.result();
    const seconds = (performance.now() - begin) / 1_000;
    if (verdict !== 'ok') throw new Error(`the day is ${verdict}`);
    const cpu = kill ? [] : workers.map((worker, index) => cpuOf(worker) - (before[index] ?? 0));
    return { seconds, cpu, contents: await contentsOf(home) };
  } finally {
    await Promise.all(workers.map(stopWorker));
    await client.connection.close();
    await server.stop();
  }
}

/** Once a quarter of the shards is made; the others are in the making or waiting. */
async function killInTheMiddle(home: string, doomed: Worker | undefined): Promise<void> {
  await withEngine(home, async ({ documents }) => {
    for (;;) {
      const entries = (await readLedger(documents, PIPELINE, [DATE])).get(DATE) ?? [];
      if (entries.filter(({ step }) => step.startsWith('transform/readings.')).length >= SHARDS / 4)
        break;
      await pause(50);
    }
  });
  doomed?.child.kill('SIGKILL');
}

async function startWorker(home: string, address: string, processor: number): Promise<Worker> {
  const port = await unusedPort();
  const own = `${processor % availableParallelism()}`;
  const child = spawn('taskset', ['-c', own, process.execPath, COMMAND, 'worker'], {
    env: {
      ...process.env,
      ...SETTINGS,
      QUOTIDIEN_HOME: home,
      TEMPORAL_ADDRESS: address,
      QUOTIDIEN_HEALTH_PORT: `${port}`,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('taskset is not there');
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error(`a worker ended with ${child.exitCode}`);
    await pause(50);
  }
  return { child, pid };
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/ready`)).ok;
  } catch {
    return false;
  }
}

function cpuOf({ pid }: Worker): number {
  return usageOfProcess(pid).cpuSeconds;
}

async function stopWorker({ child }: Worker): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

function contentsOf(home: string): Promise<string> {
  return withEngine(home, async (engine) => {
    const dataset = engine.datasets[PIPELINE];
    if (dataset === undefined) throw new Error('there are no meters');
    const { newest, published } = await homeContents(engine, {
      dataset,
      dates: [DATE],
      places: [],
    });
    return JSON.stringify({ newest, published });
  });
}
