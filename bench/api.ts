import { get } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { startPortal } from '@quotidien/sample-portal/portal';
import { resultOf, startBackfill } from '../src/cli/temporal/runs.ts';
import { eco2mix } from '../src/datasets/eco2mix/index.ts';
import { resolveDerived } from '../src/engine/plan/resolve-derived.ts';
import { executeRollup } from '../src/engine/derive/execute-rollup.ts';
import { datesBetween } from '../src/pipelines/civil-date.ts';
import { testControl } from '../test/fixtures/test-engine.ts';
import { keepBusy, keepLoaded, loadOf, residentMb, startServer } from './api-process.ts';
import type { Load, ServerProcess } from './api-process.ts';
import { measureEarlier } from './api-earlier.ts';
import { median, report } from './figures.ts';
import { openInstallation } from './installation.ts';
import type { BenchInstallation } from './installation.ts';

/**
 * The API as `quotidien api` runs it, in a process of its own, over a year that a backfill made;
 * the load comes from another one. On two cores who asks takes what the server could have: so each
 * load is told with the processor time of both.
 */

const CONNECTIONS = 50;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 5);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const YEAR = { from: '2024-01-01', to: '2024-12-31' };
const SPAN = `from=${YEAR.from}&to=${YEAR.to}`;
const TABLE = '/api/v1/tables/eco2mix_national';
const DAY = `${TABLE}/rows?from=2024-03-01&to=2024-03-01&columns=instant_at,load_mw`;
const ALL_OF_DAY = `${TABLE}/rows?from=2024-05-14&to=2024-05-14`;
const YEAR_CSV = `${TABLE}/file.csv?${SPAN}&columns=instant_at,load_mw,revision`;
/** Any header that says more of a request keeps it from being answered from memory. */
const NEVER_SAME = { 'x-bench': 'not from memory' };
/** What a backfill has beside it, in turn and back again: what drifts, drifts for all. */
const COMPANY = ['none', 'api', 'loop', 'loop', 'api', 'none'] as const;
type Company = (typeof COMPANY)[number];
/** By then who asks has started, whose first second is not what a load costs. */
const UNDER_WAY_MS = 1_500;
const QUARTERS = [2018, 2019, 2020, 2021, 2022, 2023].flatMap((year) =>
  ['01-01/03-31', '04-01/06-30', '07-01/09-30', '10-01/12-31'].map((days) =>
    days.split('/').map((day) => `${year}-${day}`),
  ),
);

async function timed(url: string, headers: Readonly<Record<string, string>> = {}) {
  const start = performance.now();
  const answer = await fetch(url, {
    headers: { 'accept-encoding': 'identity', ...headers },
  });
  if (!answer.ok) throw new Error(`${url}: ${await answer.text()}`);
  let first = 0;
  for await (const _ of answer.body ?? []) if (first === 0) first = performance.now() - start;
  return { first, whole: performance.now() - start };
}

/** Status, headers and body as they are sent. */
async function rawOf(url: string, headers: Readonly<Record<string, string>>) {
  return new Promise<{
    status: number;
    headers: [string, string][];
    body: string;
  }>((resolve, reject) => {
    get(url, { headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => {
        const own = Object.entries(response.headers).filter(
          ([name]) => !/^(date|connection|keep-alive)$/.test(name),
        );
        resolve({
          status: response.statusCode ?? 0,
          headers: own as [string, string][],
          body,
        });
      });
    }).once('error', reject);
  });
}

/** A bare server that gives every request the same bytes. */
async function bareServer(answer: Awaited<ReturnType<typeof rawOf>>): Promise<ServerProcess> {
  const { status, headers, body } = answer;
  const program = `const headers = ${JSON.stringify(Object.fromEntries(headers))}; const body = ${JSON.stringify(body)};
    require('node:http').createServer((_, response) => response.writeHead(${status}, headers).end(body))
      .listen(0, '127.0.0.1', function () { console.log('http://127.0.0.1:' + this.address().port) })`;
  return startServer(process.execPath, ['-e', program]);
}

function toldOf({ serverUs, clientUs }: Load): string {
  return `${serverUs.toFixed(0)} µs of the server, ${clientUs.toFixed(0)} of who asks`;
}

/** In turns with a bare server; the first round warms both up. */
async function besideBare(
  api: ServerProcess,
  name: string,
  path: string,
  headers: Record<string, string>,
  target: number,
) {
  await rawOf(api.url + path, headers);
  const bare = await bareServer(await rawOf(api.url + path, headers));
  const rounds: { ours: Load; theirs: Load }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const load = { path, headers, connections: CONNECTIONS, seconds: SECONDS };
    const ours = await loadOf(api, load);
    const theirs = await loadOf(bare, load);
    if (round > 0) rounds.push({ ours, theirs });
  }
  await bare.stop();
  const share = (pick: (load: Load) => number): number =>
    median(rounds.map(({ ours, theirs }) => (pick(ours) / pick(theirs)) * 100));
  const middle = rounds.toSorted((a, b) => a.ours.perSecond - b.ours.perSecond)[
    Math.floor(rounds.length / 2)
  ];
  if (middle === undefined) throw new Error('no round');
  const { ours, theirs } = middle;
  report({
    name: `${name} beside bare node:http`,
    value: share(({ perSecond }) => perSecond),
    unit: '% of its requests a second',
    target,
    more: true,
    note: `${ours.perSecond.toFixed(0)}/s (${toldOf(ours)}) against ${theirs.perSecond.toFixed(0)}/s (${toldOf(theirs)})`,
  });
  report({
    name: `${name}, processor time`,
    value: 10_000 / share(({ serverUs }) => serverUs),
    unit: '% as cheap as bare node:http',
    target,
    more: true,
    note: 'of the servers alone, which depends less on what else runs',
  });
  const p99 = median(rounds.map((round) => round.ours.p99Ms));
  report({
    name: `${name}, p99`,
    value: p99,
    unit: 'ms',
    target: 25,
    note: `bare: ${theirs.p99Ms} ms`,
  });
}

async function known(api: ServerProcess): Promise<void> {
  const tag = (await rawOf(api.url + DAY, {})).headers.find(([name]) => name === 'etag')?.[1] ?? '';
  await besideBare(api, '304 of a day', DAY, { 'if-none-match': tag }, 50);
  await besideBare(api, 'a day as JSON, known', DAY, {}, 40);
}

async function downloads(api: ServerProcess): Promise<void> {
  const days: number[] = [];
  for (const date of datesBetween('2024-01-01', '2024-05-31'))
    days.push((await timed(`${api.url}${TABLE}/rows?from=${date}&to=${date}`)).whole);
  days.sort((a, b) => a - b);
  const p95 = days[Math.floor(days.length * 0.95)] ?? Number.NaN;
  report({
    name: 'a day not asked for before, all columns, p95',
    value: p95,
    unit: 'ms',
    target: 60,
  });
  await twentyAtOnce(api);
  for (const [name, path, coding] of [
    ['a year as CSV', YEAR_CSV, 'identity'],
    ['a year as CSV, packed', YEAR_CSV, 'br'],
    ['a year of all columns as CSV', `${TABLE}/file.csv?${SPAN}`, 'identity'],
  ] as const) {
    const times: { first: number; whole: number }[] = [];
    for (let round = 0; round < ROUNDS; round += 1)
      times.push(await timed(api.url + path, { 'accept-encoding': coding }));
    report({
      name: `${name}: first byte`,
      value: median(times.map((one) => one.first)),
      unit: 'ms',
      target: 150,
    });
    report({
      name: `${name}: whole`,
      value: median(times.map((one) => one.whole)),
      unit: 'ms',
      target: 1_000,
    });
  }
}

/** Before any other year was asked for: what one download leaves, later ones have for nothing. */
async function twentyAtOnce(api: ServerProcess): Promise<void> {
  const before = residentMb(api.pid);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, residentMb(api.pid));
  }, 10);
  await Promise.all(Array.from({ length: 20 }, () => timed(api.url + YEAR_CSV)));
  clearInterval(watch);
  report({
    name: 'twenty years as CSV at once: memory',
    value: peak - before,
    unit: 'MB more',
    target: 64,
  });
}

async function beyondCapacity(api: ServerProcess): Promise<void> {
  const load = {
    path: ALL_OF_DAY,
    headers: NEVER_SAME,
    connections: 400,
    seconds: 2 * SECONDS,
  };
  const { statuses, lost, p99Ms, perSecond } = await loadOf(api, load);
  const answered = statuses['200'] ?? 0;
  // Those that still waited when the load ended are given up first.
  while ((await fetch(api.url + ALL_OF_DAY)).status === 503);
  report({
    name: '400 connections: requests without an answer',
    value: lost,
    unit: 'of them',
    target: 0,
    note: `${answered} answered, ${statuses['503'] ?? 0} told to come again, ${perSecond.toFixed(0)}/s, p99 ${p99Ms} ms`,
  });
}

/**
 * Days a second of backfills that are made in turns alone, beside a loaded API, and beside a loop
 * that has the idle policy as the API has, and neither memory nor files: what it costs on this
 * machine that the other processor is busy at all.
 */
async function besideBackfills({ target }: BenchInstallation, api: ServerProcess): Promise<void> {
  const speeds: Record<Company, number[]> = { none: [], api: [], loop: [] };
  let taken = 0;
  for (const [index, [from = '', to = '']] of QUARTERS.entries()) {
    const company = COMPANY[index % COMPANY.length] ?? 'none';
    const load = { path: ALL_OF_DAY, headers: NEVER_SAME, connections: CONNECTIONS, seconds: 600 };
    const other =
      company === 'none' ? undefined : company === 'api' ? keepLoaded(api, load) : keepBusy();
    await delay(UNDER_WAY_MS);
    const start = performance.now();
    const { done } = await resultOf(await startBackfill(target, { pipeline: 'eco2mix', from, to }));
    speeds[company].push(done / ((performance.now() - start) / 1_000));
    taken += (await other?.stop()) ?? 0;
  }
  const { none, api: loaded, loop } = speeds;
  const name = 'backfill beside a loaded API';
  const note = `${mean(loaded).toFixed(1)} days/s against ${mean(none).toFixed(1)} alone; the API took ${taken.toFixed(0)} s of processor time`;
  report({ name, value: (1 - mean(loaded) / mean(none)) * 100, unit: '% slower', target: 5, note });
  report({
    name: `${name}, beside one that is beside an idle loop`,
    value: (1 - mean(loaded) / mean(loop)) * 100,
    unit: '% slower',
    target: 5,
    note: `${mean(loop).toFixed(1)} days/s beside the loop`,
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function rollUp({ engine }: BenchInstallation): Promise<void> {
  const { rollups } = await resolveDerived(engine, 'eco2mix', datesBetween(YEAR.from, YEAR.to));
  for (const { step, periods } of rollups)
    await executeRollup(engine, { pipeline: 'eco2mix', step, periods }, testControl());
}

/** What is measured, by its name in `BENCH_PARTS`. */
const PARTS: Readonly<
  Record<string, (api: ServerProcess, installation: BenchInstallation) => Promise<void>>
> = {
  downloads,
  known,
  capacity: beyondCapacity,
  earlier: (api, installation) => measureEarlier(api, installation, YEAR),
  backfills: (api, installation) => besideBackfills(installation, api),
};

/**
 * The parts named in `BENCH_PARTS`, or all; the figure of the earlier system where `BENCH_EARLIER`
 * names its folder.
 */
export async function run(): Promise<void> {
  const parts = process.env['BENCH_PARTS']?.split(',') ?? Object.keys(PARTS);
  const portal = await startPortal({
    now: () => new Date('2025-06-01T10:00:00Z'),
  });
  const settings = {
    QUOTIDIEN_ODRE_URL: portal.url,
    QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '1000',
    // Periods are made here, and not in the middle of what is measured.
    QUOTIDIEN_ROLLUP_QUIET_MS: '600000',
  };
  const installation = await openInstallation({ eco2mix }, settings);
  try {
    await resultOf(
      await startBackfill(installation.target, {
        pipeline: 'eco2mix',
        ...YEAR,
      }),
    );
    await rollUp(installation);
    const command = [
      'bin/quotidien.js',
      '--home',
      installation.home,
      'api',
      '--port',
      '0',
      '--per-minute',
      '1000000',
    ];
    const api = await startServer(process.execPath, command, settings);
    try {
      for (const part of parts) await PARTS[part]?.(api, installation);
    } finally {
      await api.stop();
    }
  } finally {
    await installation.close();
    await portal.close();
  }
}
