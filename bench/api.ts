import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import autocannon from 'autocannon';
import { openTestApi } from '../test/fixtures/api-server.ts';
import { rollUpDays, runDays } from '../test/fixtures/run-day.ts';
import { openTestEngine } from '../test/fixtures/test-engine.ts';
import { eco2mix } from '../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import { datesBetween, monthOf } from '../src/pipelines/civil-date.ts';
import { configuredDatasets } from '../src/workers/configured-datasets.ts';

/**
 * The API under load, in the process that measures it and on the same machine: 50 connections against bare `node:http` with equal bytes, a day
 * and a year of half-hours without any cache but the system's, and a calendar. Not measured: a network, other stores than the embedded ones.
 */

const CONNECTIONS = 50;
const SECONDS = 5;
const YEAR = datesBetween('2024-01-01', '2024-12-31');
const NOW = new Date('2025-06-01T10:00:00Z');

function tell(figure: string, value: number, unit: string): void {
  process.stdout.write(`${JSON.stringify({ bench: 'api', figure, value: Math.round(value * 10) / 10, unit })}\n`);
  process.stderr.write(`${figure.padEnd(52)} ${value.toFixed(1).padStart(10)} ${unit}\n`);
}

async function load(url: string, headers: Record<string, string> = {}): Promise<{ perSecond: number; p99: number }> {
  const { requests, latency } = await autocannon({ url, connections: CONNECTIONS, duration: SECONDS, headers });
  return { perSecond: requests.average, p99: latency.p99 };
}

async function bare(status: number, headers: Record<string, string>, body: string): Promise<Server> {
  const server = createServer((_, response) => response.writeHead(status, headers).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function compare(name: string, url: string, headers: Record<string, string> = {}): Promise<void> {
  const answer = await fetch(url, { headers });
  const body = await answer.text();
  const sent = Object.fromEntries([...answer.headers].filter(([header]) => header !== 'transfer-encoding'));
  const plain = await bare(answer.status, sent, body);
  const ours = await load(url, headers);
  const theirs = await load(urlOf(plain), headers);
  plain.close();
  tell(`${name}: requests a second`, ours.perSecond, '/s');
  tell(`${name}: beside bare node:http`, (ours.perSecond / theirs.perSecond) * 100, '%');
  tell(`${name}: p99`, ours.p99, 'ms');
}

async function timed(url: string): Promise<{ first: number; whole: number; bytes: number }> {
  const start = performance.now();
  const answer = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
  if (!answer.ok) throw new Error(`${url}: ${await answer.text()}`);
  let first = 0;
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    if (first === 0) first = performance.now() - start;
    bytes += (chunk as Uint8Array).byteLength;
  }
  return { first, whole: performance.now() - start, bytes };
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
}

export async function run(): Promise<void> {
  const portal = await startPortal({ now: () => NOW });
  const engine = await openTestEngine(Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } })), {
    now: () => NOW,
  });
  const months = [...new Set(YEAR.map(monthOf))];
  for (const month of months)
    await runDays(
      engine,
      'eco2mix',
      YEAR.filter((date) => monthOf(date) === month),
    );
  await rollUpDays(engine, 'eco2mix', YEAR);
  const api = await openTestApi(engine);
  await api.listen({ host: '127.0.0.1', port: 0 });
  const base = `${urlOf(api.server)}/api/v1`;
  const day = `${base}/tables/eco2mix_national/rows?from=2024-03-01&to=2024-03-01&columns=instant_at,load_mw`;
  const tag = (await fetch(day)).headers.get('etag') ?? '';
  await compare('304 of a day', day, { 'if-none-match': tag });
  const days: number[] = [];
  for (const date of YEAR.slice(0, 100))
    days.push((await timed(`${base}/tables/eco2mix_national/rows?from=${date}&to=${date}`)).whole);
  tell('a day, all columns, not asked for before: p95', quantile(days, 0.95), 'ms');
  const year = `${base}/tables/eco2mix_national/file.csv?from=2024-01-01&to=2024-12-31&columns=instant_at,load_mw,revision`;
  const one = await timed(year);
  tell('a year as CSV: first byte', one.first, 'ms');
  tell('a year as CSV: whole', one.whole, 'ms');
  tell('a year as CSV: size', one.bytes / 1024, 'KiB');
  const before = process.memoryUsage().rss;
  await Promise.all(Array.from({ length: 20 }, () => timed(year)));
  tell('twenty years at once: resident memory', (process.memoryUsage().rss - before) / 2 ** 20, 'MiB more');
  const curve = await timed(`${base}/courbe_conso?debut=2024-01-01&fin=2024-12-31`);
  tell('courbe_conso of a year', curve.whole, 'ms');
  const page = await timed(`${urlOf(api.server)}/console/eco2mix/2024`);
  tell('console: calendar of a year', page.whole, 'ms');
  tell('console: its size, not packed', page.bytes / 1024, 'KiB');
  api.server.closeAllConnections();
  await api.close();
  await engine.close();
  await portal.close();
}
