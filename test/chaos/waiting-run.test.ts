import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDays } from '../../src/pipelines/civil-date.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.ts');
/** Nobody has it before it is over. */
const LATER = addDays(new Date().toISOString().slice(0, 10), 2);
const WAITS = new RegExp(
  `day/eco2mix/${LATER} waits until \\d{4}-\\S+: the day is not over, or not expected yet; Ctrl-C`,
);

let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-waiting-'));
});

afterAll(() => rm(home, { recursive: true, force: true }));

/** The end of the program, told by the system, and what it said; `signal` is sent as soon as it says that it waits. */
async function runLater(options: readonly string[], signal?: NodeJS.Signals) {
  const args = ['--import', 'tsx', MAIN, '--home', home, 'run', 'eco2mix', LATER, ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let told = '';
  for await (const chunk of child.stderr) {
    const before = WAITS.test(told);
    told += String(chunk);
    if (signal !== undefined && !before && WAITS.test(told)) child.kill(signal);
  }
  return { ended: await ended, told };
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
