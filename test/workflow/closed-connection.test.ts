import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startEphemeralServer } from '@quotidien/temporal-program/ephemeral-server';
import { SEARCH_ATTRIBUTES } from '../../src/cli/temporal/search-attributes.ts';
import { connectClient } from '../../src/workers/temporal-target.ts';
import { testCli } from '../fixtures/temporal-server.ts';

it('calls that wait for their next try end with the connection, and not the process', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-closed-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const server = await startEphemeralServer({
    cli: await testCli(),
    logFile: path.join(folder, 'server.log'),
    searchAttributes: SEARCH_ATTRIBUTES,
  });
  const client = await connectClient({
    connection: { address: server.address },
    namespace: 'default',
  });
  await server.stop();
  const timers = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => {
    timers.mockRestore();
  });
  const call = client.workflow.getHandle('day/tiny/2024-01-05').describe();
  // The first try has failed when the SDK sets the timer of the next one.
  await vi.waitFor(
    () => {
      expect(timers.mock.calls.some(([callback]) => callback.name === 'retry')).toBe(true);
    },
    { timeout: 50_000 },
  );
  await client.connection.close();
  await expect(call).rejects.toMatchObject({
    cause: { code: 1, details: expect.stringContaining('shut down') as string },
  });
});
