import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { timesOfHome, WorkersFirst } from '../../../src/cli/services/workers-first.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { noopDataset } from '../../fixtures/noop-dataset.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Processor times that a test sets, and hears asked for; another process, number 7, has taken
 * `other` seconds so far.
 */
class GivenTimes extends EventEmitter {
  seconds = 0;
  taken = 0;
  other = 0;
  now = () => this.seconds;
  own = () => {
    this.emit('reckoned');
    return this.taken;
  };
  others = () => Promise.resolve(new Map([[7, this.other]]));

  /** Time goes by, of which the other process takes its part. */
  pass(seconds: number, other: number): void {
    this.seconds += seconds;
    this.other += other;
  }
}

/**
 * Who has looked once beside a process that takes `other` of a processor, as of the request after
 * that.
 */
async function beside(
  other: number,
): Promise<{ readonly times: GivenTimes; readonly room: WorkersFirst }> {
  const times = new GivenTimes();
  const room = new WorkersFirst(times);
  await room.enter();
  times.pass(1, other);
  await room.enter();
  await new Promise(setImmediate);
  return { times, room };
}

describe('requests beside workers', () => {
  it('begin at once while no other process is at work, whatever they take', async () => {
    const { times, room } = await beside(0.1);
    for (let index = 0; index < 200; index += 1) {
      times.taken += 1;
      await room.enter();
    }
    expect(times.taken).toBe(200);
  });

  it('wait for their share of a processor while another process is at work', async () => {
    const { times, room } = await beside(0.9);
    times.taken += 0.3;
    let entered = 0;
    const asked = [1, 2].map(() => room.enter().then(() => (entered += 1)));
    // 0.3 s were taken, of 0.1 s that were kept: a fifth of a second gives back 0.05 of the 0.2
    // that are owed.
    times.pass(0.2, 0.2);
    for (let reckoned = 0; reckoned < 3; reckoned += 1) await once(times, 'reckoned');
    expect(entered).toBe(0);
    times.pass(0.7, 0.7);
    await Promise.all(asked);
    expect(entered).toBe(2);
  });

  it('begin again when the other process has ended its work', async () => {
    const { times, room } = await beside(0.9);
    times.taken += 100;
    const asked = room.enter();
    times.pass(1, 0);
    await asked;
    await room.enter();
    expect(times.seconds).toBe(2);
  });

  it('are told to come again where sixty-four wait', async () => {
    const { times, room } = await beside(0.9);
    times.taken += 100;
    const asked = Array.from({ length: 64 }, () => room.enter());
    await expect(room.enter()).rejects.toMatchObject({ code: 'BUSY', retryAfterMs: 1_000 });
    times.pass(1, 0);
    await Promise.all(asked);
  });
});

describe('requests whose caller has hung up', () => {
  let engine: TestEngine;
  let api: ApiApp;
  let times: GivenTimes;
  let waiting: number;
  let answered: number;
  const PATH = '/api/v1/pipelines/noop/calendar?from=2024-01-01&to=2024-01-02';

  beforeEach(async () => {
    engine = await openTestEngine([noopDataset]);
    let room: WorkersFirst;
    ({ times, room } = await beside(0.9));
    times.taken += 100;
    [waiting, answered] = [0, 0];
    api = await openTestApi(
      engine,
      {},
      {
        untilRoom: async (gone) => {
          waiting += 1;
          await room.enter(gone).finally(() => (waiting -= 1));
        },
        running: () => {
          answered += 1;
          return Promise.resolve(new Map());
        },
      },
    );
    await api.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    api.server.closeAllConnections();
    await api.close();
    await engine.close();
  });

  const url = () => `http://127.0.0.1:${(api.server.address() as AddressInfo).port}${PATH}`;

  /**
   * As many requests as may wait, on so many connections, of which each is closed before it has an
   * answer.
   */
  async function hangUp(connections: number): Promise<void> {
    const { port } = api.server.address() as AddressInfo;
    const request = `GET ${PATH} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`;
    const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
    for (const socket of sockets) socket.write(request.repeat(64 / connections));
    await vi.waitFor(() => {
      expect(waiting).toBe(64);
    });
    expect((await fetch(url())).status).toBe(503);
    for (const socket of sockets) socket.destroy();
  }

  it.each([
    ['of connections', 64],
    ['sent one behind the other', 1],
  ])('%s give up their places, and are not answered', async (_, connections) => {
    await hangUp(connections);
    await vi.waitFor(() => {
      expect(waiting).toBe(0);
    });
    const asked = fetch(url());
    await vi.waitFor(() => {
      expect(waiting).toBe(1);
    });
    times.pass(1, 0);
    expect((await asked).status).toBe(200);
    expect(answered).toBe(1);
  });
});

describe.skipIf(process.platform !== 'linux')('the processes of a home', () => {
  it('are those that have a folder there and live, without this one', async () => {
    const root = await mkdtemp(path.join(os.tmpdir(), 'quotidien-scratch-'));
    const busy = spawn(process.execPath, [
      '-e',
      'while (process.cpuUsage().user < 2e5); console.log(1); setInterval(() => {}, 1e6)',
    ]);
    try {
      await once(busy.stdout, 'data');
      const gone = spawn(process.execPath, ['-e', '0']);
      await once(gone, 'exit');
      const name = (pid: number | undefined) => `sql-${os.hostname()}-${pid}-0123456789ab`;
      const names = [
        ...[busy.pid, gone.pid, process.pid].map(name),
        'sql-elsewhere-1-0123456789ab',
        'other',
      ];
      for (const one of names) await mkdir(path.join(root, one));
      const times = await timesOfHome(root).others();
      expect([...times.keys()]).toEqual([busy.pid]);
      expect(times.get(busy.pid!)).toBeGreaterThanOrEqual(0.1);
    } finally {
      busy.kill();
      await rm(root, { recursive: true, force: true });
    }
  });

  it('are none where the folder is not there', async () => {
    expect(await timesOfHome('/nowhere').others()).toEqual(new Map());
  });
});
