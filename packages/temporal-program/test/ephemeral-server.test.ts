import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { TemporalProgramError } from '../src/program-error.ts';
import { startEphemeralServer } from '../src/ephemeral-server.ts';
import { SEARCH_ATTRIBUTES as searchAttributes } from './attributes.ts';
import { isOpen } from '../src/server-process.ts';
import { portOf } from '../src/server-standing.ts';
import { watchServer } from '../src/server-watch.ts';
import { testCli } from '../../../test/fixtures/temporal-server.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-ephemeral-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function programError(error: unknown): TemporalProgramError {
  if (error instanceof TemporalProgramError) return error;
  throw error;
}

describe('startEphemeralServer', () => {
  it('starts a server that is ready, and stop leaves nothing of it', async () => {
    const server = await startEphemeralServer({
      cli: await testCli(),
      logFile: path.join(folder, 'server.log'),
      searchAttributes,
    });
    const connection = await Connection.connect({ address: server.address });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    expect(Object.keys(customAttributes)).toContain('DataDate');
    await connection.close();
    await server.stop();
    expect(await isOpen(portOf(server.address))).toBe(false);
    await server.stop();
  });

  it('ends with its owner, also when the owner is killed', async () => {
    const program = fileURLToPath(new URL('hold-server.ts', import.meta.url));
    const args = ['--import', 'tsx', program, 'ephemeral', folder];
    const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void holder.kill('SIGKILL'));
    const [line] = (await once(createInterface(holder.stdout), 'line')) as [string];
    const { address } = JSON.parse(line) as { address: string };
    const watch = watchServer(address);
    holder.kill('SIGKILL');
    await watch.gone;
    expect(await isOpen(portOf(address))).toBe(false);
  });

  it('shows why a server ended early', async () => {
    const cli = { path: '/bin/ls', version: '1.9.1', serverVersion: '1.32.0' };
    const work = startEphemeralServer({
      cli,
      logFile: path.join(folder, 'server.log'),
      searchAttributes,
    });
    const error = await work.then(() => expect.unreachable('nothing was thrown'), programError);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toMatch(
      /did not start: it ended with code \d+\. What it wrote last is in .*:\n.*ls: /,
    );
  });
});
