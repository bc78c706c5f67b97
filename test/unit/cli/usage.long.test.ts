import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What each command says, with its exit code, of values that are not there and of surroundings that are not as it needs them. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-usage-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
}

/** An argument that stands for the environment in which it is the address of the Temporal server. */
const DEAD = 'TEMPORAL_ADDRESS=127.0.0.1:1';

function quotidien(...given: string[]): Promise<Ended> {
  const main = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
  const args = given.filter((arg) => arg !== DEAD);
  const env = { ...process.env, ...(args.length < given.length ? { TEMPORAL_ADDRESS: '127.0.0.1:1' } : {}) };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--import', 'tsx', main, ...args], { env }, (_, stdout) => {
      resolve({ code: child.exitCode ?? -1, stdout });
    });
  });
}

/** Runs in a home of its own, unless the arguments name one. */
async function wrong(
  args: readonly string[],
): Promise<{ readonly exit: number; readonly code: string; readonly told: string }> {
  const { code, stdout } = await quotidien('--json', ...(args.includes('--home') ? [] : ['--home', folder]), ...args);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string; remedy: string } };
  expect(error.remedy).not.toBe('');
  return { exit: code, code: error.code, told: error.message };
}

describe('a command that names something that is not there', () => {
  it.concurrent.each([
    ['run', ['run', 'nothing', '2024-01-15'], 'PIPELINE_UNKNOWN'],
    ['run, a day', ['run', 'eco2mix', '2024-02-30'], 'INPUT_INVALID'],
    ['run, a step', ['run', 'eco2mix', '2024-01-15', '--from-step', 'transform/x'], 'PLAN_INVALID'],
    ['backfill', ['backfill', 'eco2mix', '2024-01-15', '--parallel', 'many'], 'INPUT_INVALID'],
    ['show', ['show', 'eco2mix', 'yesteryear'], 'INPUT_INVALID'],
    ['status', ['status', 'eco2mix', '2024-3'], 'INPUT_INVALID'],
    ['verify', ['verify', 'eco2mix', '2024-01-15', '--sample', 'few'], 'INPUT_INVALID'],
    ['gc', ['gc', '--grace-days', 'few'], 'INPUT_INVALID'],
    ['keys', ['keys', 'create', 'me', '--scope', 'all'], 'INPUT_INVALID'],
    ['migrate', ['migrate', '--from', 'no-such.json', '--to', 'embedded'], 'CONFIG_INVALID'],
    ['portal', ['portal', '--folder', '/no/such/folder'], 'INPUT_INVALID'],
    ['portal, a port', ['portal', '--port', 'any'], 'INPUT_INVALID'],
    ['schedules', ['schedules', 'trigger', 'eco2mix/never'], 'PLAN_INVALID'],
    ['worker', ['worker', '--queues', 'all'], 'INPUT_INVALID'],
    ['plan', ['plan', 'eco2mix', '2024-01-15', '--home', '/no/such/home'], 'INPUT_INVALID'],
    ['gc', ['gc', '--home', '/no/such/home'], 'INPUT_INVALID'],
    ['schedules list', ['schedules', 'list', '--home', '/no/such/home'], 'INPUT_INVALID'],
  ])('%s says so with 2', { timeout: 60_000 }, async (_, args, code) => {
    expect(await wrong(args)).toMatchObject({ exit: 2, code });
  });
});

describe('a command whose surroundings are not as it needs them', () => {
  it.concurrent.each([
    ['run', ['run', 'eco2mix', '2024-01-15']],
    ['backfill', ['backfill', 'eco2mix', '2024-01-15']],
    ['watch', ['watch', 'eco2mix']],
    ['worker', ['worker']],
    ['schedules list', ['schedules', 'list']],
    ['decide', ['decide', 'eco2mix', '2024-01-15', '--unit', 'x', '--accept', '--reason', 'y']],
  ])('%s names the address where no Temporal server answers', { timeout: 120_000 }, async (_, args) => {
    const ended = await wrong([...args, DEAD]);
    expect(ended).toMatchObject({ exit: 1, code: 'STORE_UNAVAILABLE' });
    expect(ended.told).toMatch(/127\.0\.0\.1:1 does not answer .*TEMPORAL_ADDRESS/);
  });

  it.concurrent.each([
    ['run', ['run', 'eco2mix', '2024-01-15']],
    ['import', ['import', 'eco2mix']],
    ['keys create', ['keys', 'create', 'me']],
    ['demo', ['demo']],
    ['dev', ['dev']],
  ])('%s says that its home cannot be written', { timeout: 60_000 }, async (_, args) => {
    const ended = await wrong(['--home', '/dev/null/home', ...args]);
    expect(['STORE_DENIED', 'CONFIG_INVALID', 'INPUT_INVALID']).toContain(ended.code);
    expect(ended.told).toContain('/dev/null');
  });
});
