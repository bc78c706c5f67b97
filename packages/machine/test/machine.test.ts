import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { measure, measuring, sha256OfFile } from '../src/file-hash.ts';
import { isAlive } from '../src/living-process.ts';

describe('isAlive', () => {
  it('is true of this process and of one of another user, and false of one that has ended', () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    expect([isAlive(process.pid), isAlive(1), isAlive(pid)]).toEqual([true, true, false]);
  });

  it.runIf(process.platform === 'linux')(
    'is false of a process that waits for a parent that never looks',
    async () => {
      // The shell becomes "sleep", which does not know that it has a child.
      const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      try {
        const [line] = (await once(parent.stdout, 'data')) as [Buffer];
        await expect.poll(() => isAlive(Number(line.toString()))).toBe(false);
      } finally {
        parent.kill('SIGKILL');
      }
    },
  );
});

describe('sha256OfFile', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-machine-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('hashes a file that is larger than one piece', async () => {
    const file = path.join(folder, 'large');
    const bytes = Buffer.alloc(300_001, 'quotidien');
    await writeFile(file, bytes);
    expect(await sha256OfFile(file)).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('tells the same of bytes on their way, and passes them on', async () => {
    const pieces = [Buffer.from('quo'), Buffer.from(''), Buffer.from('tidien')];
    const whole = Buffer.concat(pieces);
    const found = {
      sha256: createHash('sha256').update(whole).digest('hex'),
      bytes: whole.byteLength,
    };
    const { chunks, measured } = measuring(Readable.from(pieces));
    const passed: Uint8Array[] = [];
    for await (const chunk of chunks) passed.push(chunk);
    expect(Buffer.concat(passed)).toEqual(whole);
    expect([measured(), measured(), await measure(Readable.from(pieces))]).toEqual([
      found,
      found,
      found,
    ]);
  });

  it('fails for a file that is not there', async () => {
    await expect(sha256OfFile(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
