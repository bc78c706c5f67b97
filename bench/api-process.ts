import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { usageOfProcess } from './process-usage.ts';

/** Servers and the load on them, each in a process of its own, as they run elsewhere. */

/** A server that has said where it listens. */
export interface ServerProcess {
  readonly pid: number;
  /** Without a slash at its end. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a program that prints its address. */
export async function startServer(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = process.cwd(),
): Promise<ServerProcess> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await addressOf(child);
  return {
    pid: child.pid ?? 0,
    url,
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGINT');
      await exit;
    },
  };
}

async function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let told = '';
    const hear = (chunk: Buffer): void => {
      told += chunk.toString();
      const found = /https?:\/\/127\.0\.0\.1:\d+/.exec(told);
      if (found !== null) resolve(found[0]);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', () => {
      reject(new Error(`the server ended: ${told.slice(-2_000)}`));
    });
  });
}

/** What a load came to. */
export interface Load {
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Of the server and of who asks, for one request. */
  readonly serverUs: number;
  readonly clientUs: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests that got no answer within ten seconds, or none at all. */
  readonly lost: number;
}

interface LoadRequest {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
}

interface AutocannonResult {
  readonly requests: { readonly average: number; readonly total: number };
  readonly latency: { readonly p99: number };
  readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>;
  readonly errors: number;
  readonly timeouts: number;
}

const AUTOCANNON = fileURLToPath(import.meta.resolve('autocannon'));

function autocannon({ url }: ServerProcess, asked: LoadRequest): string[] {
  const headers = Object.entries(asked.headers ?? {}).flatMap(([name, value]) => [
    '-H',
    `${name}=${value}`,
  ]);
  const how = [
    '-j',
    '-c',
    String(asked.connections),
    '-d',
    String(asked.seconds),
    '-t',
    '10',
    ...headers,
  ];
  return [AUTOCANNON, ...how, url + asked.path];
}

/** A load by autocannon, to its end. */
export async function loadOf(server: ServerProcess, asked: LoadRequest): Promise<Load> {
  const before = usageOfProcess(server.pid).cpuSeconds;
  const started = promisify(execFile)(process.execPath, autocannon(server, asked), {
    maxBuffer: 2 ** 26,
  });
  const clientPid = started.child.pid ?? 0;
  let client = 0;
  const watch = setInterval(() => {
    client = cpuSecondsOf(clientPid) ?? client;
  }, 100);
  const { stdout } = await started;
  clearInterval(watch);
  const { requests, latency, statusCodeStats, errors, timeouts } = JSON.parse(
    stdout,
  ) as AutocannonResult;
  const each = 1e6 / Math.max(1, requests.total);
  return {
    perSecond: requests.average,
    p99Ms: latency.p99,
    serverUs: (usageOfProcess(server.pid).cpuSeconds - before) * each,
    clientUs: client * each,
    statuses: Object.fromEntries(
      Object.entries(statusCodeStats).map(([status, { count }]) => [status, count]),
    ),
    lost: errors + timeouts,
  };
}

/**
 * The same load until it is stopped; returns what processor seconds the server took meanwhile. Who
 * asks stands for other machines, and has the idle policy, so that what it takes of this one is not
 * taken for what the server takes.
 */
export function keepLoaded(server: ServerProcess, asked: LoadRequest): { stop(): Promise<number> } {
  const before = usageOfProcess(server.pid).cpuSeconds;
  const stop = startIdle(autocannon(server, asked));
  return {
    async stop() {
      await stop();
      return usageOfProcess(server.pid).cpuSeconds - before;
    },
  };
}

/** A loop that does nothing, with what the others leave it of the processors. */
export function keepBusy(): { stop(): Promise<undefined> } {
  return { stop: startIdle(['-e', 'while (true);']) };
}

function startIdle(args: readonly string[]): () => Promise<undefined> {
  const child = spawn('chrt', ['--idle', '0', process.execPath, ...args], { stdio: 'ignore' });
  return async () => {
    const exit = once(child, 'exit');
    child.kill();
    await exit;
    return undefined;
  };
}

function cpuSecondsOf(pid: number): number | undefined {
  try {
    return usageOfProcess(pid).cpuSeconds;
  } catch {
    return undefined;
  }
}

/** Resident memory now. */
export function residentMb(pid: number): number {
  return (
    Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  );
}
