import { afterEach, describe, expect, it } from 'vitest';
import { openTemporal } from '../../src/cli/temporal/temporal.ts';
import { readRecord } from '@quotidien/temporal-program/server-record';
import { testContext } from '../fixtures/cli-context.ts';
import { testCli } from '../fixtures/temporal-server.ts';
import { openTestEngine } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';

let engine: TestEngine;

afterEach(() => engine.close());

async function killServer(): Promise<void> {
  const { pid } = (await readRecord(engine.home))!;
  process.kill(pid, 'SIGKILL');
}

describe('a session on the embedded server', () => {
  it('breaks at once, with what to do, when the server is killed before the workers are up', async () => {
    engine = await openTestEngine([tinyDataset()]);
    const context = testContext(engine, { TEMPORAL_CLI: (await testCli()).path });
    const opening = openTemporal({
      ...context,
      // Asked for between the connection of the client and that of the workers.
      async engine() {
        await killServer();
        return engine;
      },
    });
    await expect(opening).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('start the command again, nothing is lost') as string,
    });
  });

  it('ends, and can be closed, when the server is killed afterwards', async () => {
    engine = await openTestEngine([tinyDataset()]);
    const context = testContext(engine, { TEMPORAL_CLI: (await testCli()).path });
    const session = await openTemporal(context);
    await killServer();
    await expect(session.broken).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await session.close();
  });
});
