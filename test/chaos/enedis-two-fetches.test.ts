import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { unusedPort } from '@quotidien/temporal-program/ports';
import { enedisSettings, fetchedFrom, startDistributor } from '../fixtures/enedis-server.ts';
import { testCli } from '../fixtures/temporal-server.ts';
import { enedisContents } from './enedis-home.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.ts');
const NAMES = octoberArchives()
  .map(({ name }) => name)
  .sort();

let folder: string;
let server: SftpServer;
let settings: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-two-fetches-'));
  server = await startDistributor(octoberArchives());
  settings = enedisSettings(server);
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/**
 * `quotidien fetch enedis` by so many processes at the same moment, each with workers of its own; a
 * home has one Temporal server.
 */
async function fetchedBy(processes: number, name: string) {
  const home = path.join(folder, name);
  const { path: cli } = await testCli();
  const ports = {
    TEMPORAL_PORT: String(await unusedPort()),
    TEMPORAL_UI_PORT: String(await unusedPort()),
  };
  const before = fetchedFrom(server).length;
  const told = await Promise.all(
    Array.from({ length: processes }, async () => {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', MAIN, '--home', home, 'fetch', 'enedis'],
        {
          env: { ...process.env, ...settings, ...ports, TEMPORAL_CLI: cli },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      const [out, failure] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'exit'),
      ]);
      return { out, failure, exit: child.exitCode };
    }),
  );
  const fetched = fetchedFrom(server).slice(before).sort();
  return { told, fetched, contents: await enedisContents(home, settings) };
}

it('a folder that two processes fetch at once comes once, into one version of each day', async () => {
  const alone = await fetchedBy(1, 'alone');
  expect(
    alone.told.map(({ exit }) => exit),
    JSON.stringify(alone.told),
  ).toEqual([0]);
  expect(alone.contents.wrong).toEqual([]);
  expect(alone.fetched).toEqual(NAMES);
  const both = await fetchedBy(2, 'both');
  expect(
    both.told.map(({ exit }) => exit),
    JSON.stringify(both.told),
  ).toEqual([0, 0]);
  expect(both.fetched).toEqual(NAMES);
  expect(both.contents).toEqual(alone.contents);
});
