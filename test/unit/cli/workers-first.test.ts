import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { timesOfHome, WorkersFirst } from '../../../src/cli/services/workers-first.ts';

/** Processor times that a test sets, and hears asked for; another process, number 7, has taken `other` seconds so far. */
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

/** Who has looked once beside a process that takes `other` of a processor, as of the request after that. */
async function beside(other: number): Promise<{ readonly times: GivenTimes; readonly room: WorkersFirst }> {
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
    // 0.3 s were taken, of 0.1 s that were kept: a fifth of a second gives back 0.05 of the 0.2 that are owed.
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

describe.skipIf(process.platform !== 'linux')('the processes of a home', () => {
  it('are those that have a folder there and live, without this one', async () => {
    const root = await mkdtemp(path.join(os.tmpdir(), 'quotidien-scratch-'));
    const busy = spawn(process.execPath, [
      '-e',
      'const end = Date.now() + 200; while (Date.now() < end); console.log(1); setInterval(() => {}, 1e6)',
    ]);
    try {
      await once(busy.stdout, 'data');
      const gone = spawn(process.execPath, ['-e', '0']);
      await once(gone, 'exit');
      const name = (pid: number | undefined) => `sql-${os.hostname()}-${pid}-0123456789ab`;
      const names = [...[busy.pid, gone.pid, process.pid].map(name), 'sql-elsewhere-1-0123456789ab', 'other'];
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
