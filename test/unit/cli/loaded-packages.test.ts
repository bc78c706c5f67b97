import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** What runs the sources in place of a build. */
const RUNNER = ['esbuild', 'tsx'];
/** What each costs a start: tens of milliseconds, where a bare Node.js takes sixty. */
const LARGE = [
  '@temporalio',
  '@grpc',
  'protobufjs',
  '@aws-sdk',
  'mongodb',
  '@duckdb',
  'fastify',
  'echarts',
  'hucre',
  'pino',
];

let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-loaded-'));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

interface Started {
  readonly stdout: string;
  readonly told: string;
  /** Of the packages that were loaded, in order. */
  readonly packages: readonly string[];
}

/** Calls the program from its sources. */
async function start(...args: string[]): Promise<Started> {
  const loaders = ['tsx', './test/fixtures/list-loaded.mjs'].flatMap((name) => ['--import', name]);
  const [stdout, stderr] = await new Promise<[string, string]>((done) => {
    execFile(
      process.execPath,
      ['--conditions=quotidien-source', ...loaders, 'src/cli/main.ts', ...args],
      { cwd: ROOT },
      (_, out, err) => {
        done([out, err]);
      },
    );
  });
  const lines = stderr.trimEnd().split('\n');
  const loaded = JSON.parse(lines.pop() ?? '') as string[];
  const names = loaded.flatMap(
    (url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [],
  );
  const packages = [...new Set(names)].filter((name) => !RUNNER.includes(name)).sort();
  return { stdout, told: lines.join('\n'), packages };
}

const largeOf = (packages: readonly string[]): string[] =>
  packages.filter((name) => LARGE.some((large) => name === large || name.startsWith(`${large}/`)));

describe('what a command loads', () => {
  it('is the parser of arguments alone where only the version is asked', async () => {
    const { stdout, packages } = await start('--version');
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(packages).toEqual(['commander', 'luxon']);
  });

  it('is no client of Temporal, of a remote store or of the SQL engine where a day is looked at', async () => {
    const { told, packages } = await start('--home', home, 'show', 'cityflow', '2024-01-01');
    expect(told).toContain('nothing is known of cityflow 2024-01-01');
    expect(packages).toContain('libsql');
    expect(largeOf(packages)).toEqual([]);
  });

  it('is the client of Temporal where a server is asked: the list above sees it', async () => {
    const { packages } = await start('--home', home, 'schedules', 'list');
    expect(largeOf(packages)).toContain('@temporalio/client');
  });
});
