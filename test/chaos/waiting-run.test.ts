import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { addDays } from '../../src/pipelines/civil-date.ts';
import { constantRows, portalCsv } from '../unit/eco2mix/portal-csv.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.ts');
/** Nobody has it before it is over. */
const LATER = addDays(new Date().toISOString().slice(0, 10), 2);
const WAITS = new RegExp(
  `day/eco2mix/${LATER} waits until \\d{4}-\\S+ \\([^)]*Europe/Paris\\): the day is not over, or not expected yet; Ctrl-C`,
);

let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-waiting-'));
});

afterAll(() => rm(home, { recursive: true, force: true }));

interface Program {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it says when it waits; `signal` is sent as soon as it does. */
  readonly waits: RegExp;
  readonly signal?: NodeJS.Signals | undefined;
}

/** The end of the program, told by the system, and what it said. */
async function runProgram({ args, env = {}, waits, signal }: Program) {
  const all = ['--import', 'tsx', MAIN, '--home', home, 'run', 'eco2mix', ...args];
  const child = spawn(process.execPath, all, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let told = '';
  for await (const chunk of child.stderr) {
    const before = waits.test(told);
    told += String(chunk);
    if (signal !== undefined && !before && waits.test(told)) child.kill(signal);
  }
  return { ended: await ended, told };
}

function runLater(options: readonly string[], signal?: NodeJS.Signals) {
  return runProgram({ args: [LATER, ...options], waits: WAITS, signal });
}

describe('the run of a day that is not over', () => {
  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'Ctrl-C'],
  ] as const)('says at once until when it waits, and ends in order on %s', async (signal, name) => {
    const { ended, told } = await runLater([], signal);
    expect(told).toMatch(WAITS);
    expect(told).toContain(`stopped by ${name}; the run continues when a worker runs again`);
    expect(told).not.toMatch(/\n {4}at |Channel|INTERNAL/);
    expect(ended).toEqual([1, null]);
  });

  it('is left to the workers with --detach, and is not done', async () => {
    const { ended, told } = await runLater(['--detach']);
    expect(told).toMatch(WAITS);
    expect(ended).toEqual([3, null]);
  });
});

describe('the run of a day that a check holds', () => {
  const DAY = '2024-05-05';
  const HELD = new RegExp(
    `day/eco2mix/${DAY} waits until \\d{4}-\\S+ \\([^)]*Europe/Paris\\): [^\\n]*readable-values[^\\n]*; ` +
      `decide by: quotidien --home \\S+ decide eco2mix ${DAY} --accept --reason "…"; Ctrl-C`,
  );
  let portal: Portal;

  beforeAll(async () => {
    const folder = path.join(home, 'publisher');
    await mkdir(folder);
    const measures = ['consommation', 'gaz'];
    const rows = (gaz: number | string) => constantRows(DAY, 15, { consommation: 50_000, gaz });
    const elsewhere = portalCsv(
      '2024-06-01',
      constantRows('2024-06-01', 30, { consommation: 50_000, gaz: 1 }),
      measures,
    );
    await writeFile(
      path.join(folder, 'eco2mix-national-tr.csv'),
      portalCsv(DAY, rows('4 000?'), measures),
    );
    await writeFile(path.join(folder, 'eco2mix-national-cons-def.csv'), elsewhere);
    portal = await startPortal({ now: () => new Date(), folder });
  });
  afterAll(() => portal.close());

  it('says at once how to decide, ends in order on SIGTERM, and is held as before when it is run again', async () => {
    const day = { env: { QUOTIDIEN_ODRE_URL: portal.url }, waits: HELD };
    const stopped = await runProgram({ ...day, args: [DAY], signal: 'SIGTERM' });
    expect(stopped.told).toMatch(HELD);
    expect(stopped.told).toContain(
      'stopped by SIGTERM; the run continues when a worker runs again',
    );
    expect(stopped.told).not.toMatch(/\n {4}at |Channel|INTERNAL/);
    expect(stopped.ended).toEqual([1, null]);
    const again = await runProgram({ ...day, args: [DAY, '--detach'] });
    expect(again.told).toMatch(HELD);
    expect(again.ended).toEqual([3, null]);
  });
});
