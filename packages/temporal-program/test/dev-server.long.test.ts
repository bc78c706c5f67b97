import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';

import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { TemporalProgramError } from '../src/program-error.ts';
import { startDevServer } from '../src/dev-server.ts';
import type { DevServer, DevServerOptions } from '../src/dev-server.ts';
import type { TemporalCli } from '../src/find-cli.ts';
import { unusedPort } from '../src/ports.ts';
import { gonePoll } from '../src/process-liveness.ts';
import { isAlive } from '@quotidien/machine/living-process';
import { SEARCH_ATTRIBUTES } from './attributes.ts';
import { readRecord, recordFile, replaceRecord } from '../src/server-record.ts';
import { findRunningServer } from '../src/server-standing.ts';
import { testCli } from '../../../test/fixtures/temporal-server.ts';

let cli: TemporalCli;
let home: string;
let dbFile: string;
let starting: Promise<DevServer>[];

beforeAll(async () => {
  cli = await testCli();
});

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-dev-server-'));
  dbFile = path.join(home, 'temporal.db');
  starting = [];
});

afterEach(async () => {
  const started = (await Promise.allSettled(starting)).filter(
    (start) => start.status === 'fulfilled',
  );
  await Promise.all(started.map(({ value }) => value.stop()));
  expect(existsSync(recordFile(home))).toBe(false);
  for (const { value } of started) expect(isAlive(value.pid)).toBe(false);
  await rm(home, { recursive: true, force: true });
});

function start(options: Partial<DevServerOptions> = {}): Promise<DevServer> {
  const logFile = path.join(home, 'server.log');
  const server = startDevServer({
    cli,
    dbFile,
    logFile,
    searchAttributes: SEARCH_ATTRIBUTES,
    ...options,
  });
  starting.push(server);
  return server;
}

async function clientOf(server: DevServer): Promise<Client> {
  const connection = await Connection.connect({ address: server.address });
  onTestFinished(() => connection.close());
  return new Client({ connection });
}

async function errorOf(work: Promise<unknown>): Promise<TemporalProgramError> {
  return work.then(() => expect.unreachable('nothing was thrown'), programError);
}

/** A program that listens on a port and knows nothing of Temporal. */
async function otherProgram(): Promise<number> {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  return (other.address() as AddressInfo).port;
}

/**
 * Search attributes that kill the server when they are read to be compared with its own: it is
 * ready, and not prepared.
 */
function killingAttributes(): typeof SEARCH_ATTRIBUTES {
  let reads = 0;
  return new Proxy(SEARCH_ATTRIBUTES, {
    ownKeys(target) {
      reads += 1;
      // The first reading makes the arguments of the start.
      if (reads > 1)
        process.kill(
          (JSON.parse(readFileSync(recordFile(home), 'utf8')) as { pid: number }).pid,
          'SIGKILL',
        );
      return Reflect.ownKeys(target);
    },
  });
}

/** Of the server that is being started: its record is written in the same breath as its start. */
async function recordedPid(): Promise<number> {
  for (;;) {
    const record = await readRecord(home);
    if (record !== undefined) return record.pid;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Starts `hold-server.ts` and resolves once its server is ready. */
async function holdElsewhere(): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('hold-server.ts', import.meta.url));
  const args = ['--import', 'tsx', program, 'durable', dbFile];
  const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(createInterface(holder.stdout), 'line');
  return holder;
}

function programError(error: unknown): TemporalProgramError {
  if (error instanceof TemporalProgramError) return error;
  throw error;
}

describe('startDevServer', () => {
  it('resolves when the server answers and knows the search attributes', async () => {
    const server = await start();
    const client = await clientOf(server);
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    expect(Object.keys(customAttributes).sort()).toEqual(Object.keys(SEARCH_ATTRIBUTES).sort());
    expect(
      await client.workflow.count("Pipeline = 'eco2mix' AND DataDate >= '2024-01-15'"),
    ).toMatchObject({
      count: 0,
    });
    expect(server).toMatchObject({
      joined: false,
      uiUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
    });
    expect((await fetch(server.uiUrl)).status).toBe(200);
  });

  it('writes a record by which another program finds the server, and removes it in the end', async () => {
    const server = await start();
    const found = await findRunningServer(home);
    expect(found).toMatchObject({
      pid: server.pid,
      address: server.address,
      uiUrl: server.uiUrl,
      cliVersion: cli.version,
      dbFile,
      users: [process.pid],
    });
    expect(Date.parse(found!.startedAt)).toBeLessThanOrEqual(Date.now());
    await server.stop();
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(await findRunningServer(home)).toBeUndefined();
    expect(isAlive(server.pid)).toBe(false);
  });

  it('has every workflow and schedule again after a kill -9', async () => {
    const server = await start();
    const before = await clientOf(server);
    const typedSearchAttributes = new TypedSearchAttributes([
      { key: defineSearchAttributeKey('Pipeline', 'KEYWORD'), value: 'eco2mix' },
      { key: defineSearchAttributeKey('DataDate', 'KEYWORD'), value: '2024-01-15' },
    ]);
    const action = {
      taskQueue: 'nobody-works-here',
      workflowId: 'day/eco2mix/2024-01-15',
      typedSearchAttributes,
    };
    const { firstExecutionRunId } = await before.workflow.start('day', action);
    await before.schedule.create({
      scheduleId: 'eco2mix-daily',
      spec: { intervals: [{ every: '1 day' }] },
      action: { type: 'startWorkflow', workflowType: 'tick', taskQueue: 'nobody-works-here' },
    });
    process.kill(server.pid, 'SIGKILL');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await findRunningServer(home)).toBeUndefined();

    const after = await clientOf(await start());
    const found = await after.workflow.getHandle(action.workflowId).describe();
    expect(found).toMatchObject({ status: { name: 'RUNNING' }, runId: firstExecutionRunId });
    expect(found.typedSearchAttributes.get(defineSearchAttributeKey('DataDate', 'KEYWORD'))).toBe(
      '2024-01-15',
    );
    expect((await after.schedule.getHandle('eco2mix-daily').describe()).action.type).toBe(
      'startWorkflow',
    );
    await expect
      .poll(() => after.workflow.count("Pipeline = 'eco2mix'"))
      .toMatchObject({ count: 1 });
  });

  it('gives each database a server of its own when many start at the same moment and want the same ports', async () => {
    const homes = ['a', 'b', 'c', 'd', 'e'].map((name) => path.join(home, name));
    const servers = await Promise.all(
      homes.map((folder) =>
        start({
          dbFile: path.join(folder, 'temporal.db'),
          logFile: path.join(folder, 'server.log'),
        }),
      ),
    );
    expect(new Set(servers.map(({ address }) => address)).size).toBe(homes.length);
    const found = await Promise.all(homes.map((folder) => findRunningServer(folder)));
    expect(found.map((record) => record?.pid)).toEqual(servers.map(({ pid }) => pid));
    expect(new Set(found.map((record) => record?.clusterId)).size).toBe(homes.length);
  });

  it('takes the demanded ports', async () => {
    const [port, uiPort] = [await unusedPort(), await unusedPort()];
    const server = await start({ port, uiPort });
    expect(server).toMatchObject({
      address: `127.0.0.1:${port}`,
      uiUrl: `http://127.0.0.1:${uiPort}`,
    });
  });

  it.each([
    ['port', 'TEMPORAL_PORT'],
    ['uiPort', 'TEMPORAL_UI_PORT'],
  ] as const)(
    'refuses a demanded %s that another program has, and names it and its setting',
    async (option, setting) => {
      const taken = await otherProgram();
      const error = await errorOf(start({ [option]: taken }));
      expect(error.code).toBe('CONFIG_INVALID');
      expect(error.message).toContain(
        `port ${taken}, demanded by ${setting}, is not free: another program has it`,
      );
    },
  );

  it('shows the last lines of a server that ends early, and what to do', async () => {
    await writeFile(dbFile, 'this is no database, but long enough to be read as one'.repeat(100));
    const error = await errorOf(start());
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain('did not start: it ended with code 1');
    expect(error.message).toContain('file is not a database');
    expect(error.message).toContain(`move ${dbFile} aside`);
  });

  it.each(['before it answers', 'while it learns the search attributes'])(
    'tells a server that is killed %s from one whose database cannot be opened',
    async (when) => {
      const asked = when === 'before it answers' ? undefined : killingAttributes();
      const starting = errorOf(start(asked === undefined ? {} : { searchAttributes: asked }));
      if (asked === undefined) process.kill(await recordedPid(), 'SIGKILL');
      const error = await starting;
      expect(error.code).toBe('STORE_UNAVAILABLE');
      expect(error.message).toContain(
        'was ended by somebody while it started: it ended with SIGKILL',
      );
      expect(error.message).not.toContain('aside');
    },
  );

  it('names the folder when it cannot be written', async () => {
    await writeFile(path.join(home, 'file'), '');
    const folder = path.join(home, 'file', 'below');
    const error = await errorOf(start({ dbFile: path.join(folder, 'temporal.db') }));
    expect(error.code).toBe('STORE_DENIED');
    expect(error.message).toContain(`${folder}, cannot be written: ENOTDIR`);
  });

  it('says so when the CLI cannot be run', async () => {
    const error = await errorOf(
      start({
        cli: { path: path.join(home, 'nothing'), version: '1.9.1', serverVersion: '1.32.0' },
      }),
    );
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(`${path.join(home, 'nothing')} cannot be started`);
  });

  it('refuses a database whose search attribute has another type, and ends the server it started for that', async () => {
    await (await start({ searchAttributes: { Pipeline: 'Int' } })).stop();
    const error = await errorOf(start());
    expect(error.message).toContain('Pipeline is Int and must be Keyword');
    expect(await readRecord(home)).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')(
    'lets no variable that is meant for clients reach the server',
    async () => {
      const server = await start();
      expect(await readFile(`/proc/${server.pid}/environ`, 'utf8')).toBe('');
    },
  );
});

describe('startDevServer with a server that runs (I1)', () => {
  it('joins it, and the last one to leave stops it (I3)', async () => {
    const first = await start();
    const second = await start({ port: await unusedPort() });
    expect(second).toMatchObject({ joined: true, pid: first.pid, address: first.address });
    await first.stop();
    expect(isAlive(first.pid)).toBe(true);
    expect((await findRunningServer(home))?.users).toEqual([process.pid]);
    await second.stop();
    expect(isAlive(first.pid)).toBe(false);
    expect(await second.exited).toBeDefined();
  });

  it('starts one server for many starts at the same moment', async () => {
    const servers = await Promise.all(Array.from({ length: 6 }, () => start()));
    expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1);
    expect(servers.filter(({ joined }) => !joined)).toHaveLength(1);
  });

  it('tells a joined program at once when the server is killed', async () => {
    await start();
    const joined = await start();
    process.kill(joined.pid, 'SIGKILL');
    expect(await joined.exited).toEqual({ code: null, signal: null });
  });

  it('takes over a server whose owner was killed, with all its state, and stops it in the end (I2)', async () => {
    const holder = await holdElsewhere();
    const orphan = await findRunningServer(home);
    expect(orphan?.users).toEqual([holder.pid]);
    const gone = once(holder, 'exit');
    holder.kill('SIGKILL');
    await gone;
    expect(isAlive(orphan!.pid)).toBe(true);

    const server = await start();
    expect(server).toMatchObject({ joined: true, pid: orphan!.pid, address: orphan!.address });
    expect((await findRunningServer(home))?.users).toEqual([process.pid]);
    await server.stop();
    expect(isAlive(orphan!.pid)).toBe(false);
  });

  it('leaves a server to another program that still uses it', async () => {
    const holder = await holdElsewhere();
    const server = await start();
    await server.stop();
    expect(isAlive(server.pid)).toBe(true);
    expect((await findRunningServer(home))?.users).toEqual([holder.pid]);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await start()).stop();
  });

  it('waits for a server whose start was cut short before it was ready (I2)', async () => {
    const first = await start();
    await replaceRecord(home, { ...(await readRecord(home))!, clusterId: undefined });
    expect(await start()).toMatchObject({ joined: true, pid: first.pid });
    expect((await readRecord(home))?.clusterId).toBeDefined();
  });

  it(
    'refuses to start beside a server that holds the database and does not answer',
    { timeout: 60_000 },
    async () => {
      const server = await start();
      process.kill(server.pid, 'SIGSTOP');
      const error = await errorOf(start()).finally(() => process.kill(server.pid, 'SIGCONT'));
      expect(error.code).toBe('CONFIG_INVALID');
      expect(error.message).toContain(
        `process ${server.pid} is recorded as the Temporal server of ${dbFile}`,
      );
      expect(error.message).toContain(`kill -9 ${server.pid}`);
    },
  );

  it('refuses a second database in the same folder', async () => {
    await start();
    const error = await errorOf(start({ dbFile: path.join(home, 'other.db') }));
    expect(error.message).toContain(`holds ${dbFile}, not ${path.join(home, 'other.db')}`);
  });
});

describe('findRunningServer', () => {
  it('finds nothing without a record, and behind one that is no record', async () => {
    expect(await findRunningServer(home)).toBeUndefined();
    for (const text of ['', '{', 'null', '{"pid": "x"}']) {
      await writeFile(recordFile(home), text);
      expect(await findRunningServer(home)).toBeUndefined();
    }
    await rm(recordFile(home));
  });

  it('does not take another server on the recorded port for ours', async () => {
    const server = await start();
    const other = await mkdtemp(path.join(os.tmpdir(), 'quotidien-dev-server-'));
    onTestFinished(() => rm(other, { recursive: true, force: true }));
    await replaceRecord(other, { ...(await readRecord(home))!, clusterId: 'of-another-database' });
    expect(await findRunningServer(other)).toBeUndefined();
    expect((await findRunningServer(home))?.pid).toBe(server.pid);
  });

  it('ignores a record whose process is gone, and a start replaces it', async () => {
    const server = await start();
    const stale = (await readRecord(home))!;
    await server.stop();
    await gonePoll(server.pid);
    await replaceRecord(home, stale);
    expect(await findRunningServer(home)).toBeUndefined();
    expect(await start()).toMatchObject({ joined: false });
  });
});
