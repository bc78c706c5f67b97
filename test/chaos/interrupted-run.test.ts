import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.ts');
/** A port that `fetch` itself refuses. */
const NOBODY = 'http://127.0.0.1:9';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-interrupted-'));
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

it.each([
  ['run', 'download', ['run', 'eco2mix', '2026-01-15']],
  ['watch', 'watchPublisher', ['watch', 'eco2mix']],
])(
  'a %s whose publisher cannot be reached says so while it waits, and ends in order on Ctrl-C',
  async (_, step, args) => {
    const child = spawn(process.execPath, ['--import', 'tsx', MAIN, '--home', home, ...args], {
      env: { ...process.env, QUOTIDIEN_ODRE_URL: NOBODY, QUOTIDIEN_RETRY_INITIAL_MS: '500' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(child, 'exit');
    let told = '';
    for await (const chunk of child.stderr) {
      const before = told.includes('cannot be reached');
      told += String(chunk);
      if (!before && told.includes('cannot be reached')) child.kill('SIGINT');
    }
    expect(await ended).toEqual([1, null]);
    expect(told).toContain(`${step}, try `);
    expect(told).toMatch(
      /, try \d+( of \d+)?, (next in \d+ s|the next runs): http:\/\/127\.0\.0\.1:9\S+ cannot be/,
    );
    expect(told).toContain('stopped by Ctrl-C; the run continues when a worker runs again');
    expect(told).not.toContain('INPUT_INVALID');
    expect(told).not.toMatch(/\n {4}at /);
  },
);
