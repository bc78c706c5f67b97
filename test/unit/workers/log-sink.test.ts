import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { openLogSink } from '../../../src/workers/log-sink.ts';
import { mountTinyDisk } from '../storage/tiny-disk.ts';
import type { TinyDisk } from '../storage/tiny-disk.ts';

let disk: TinyDisk | undefined;

afterEach(async () => {
  await disk?.unmount();
});

describe('a log on a disk that is full', () => {
  it('fails nobody who logs, and goes on when there is room again', async ({ skip }) => {
    disk = await mountTinyDisk(256);
    if (disk === undefined) {
      skip('no disk can be mounted here');
      return;
    }
    const [file, filler] = ['worker.log', 'filler'].map((name) =>
      path.join(disk!.folder, name),
    ) as [string, string];
    const logger = pino({ base: null, timestamp: false }, openLogSink({ file }));
    logger.info('before');
    await expect(writeFile(filler, Buffer.alloc(1 << 20))).rejects.toThrow('ENOSPC');
    for (let line = 0; line < 100; line += 1) logger.warn(`${line} ${'x'.repeat(1_000)}`);
    await rm(filler);
    logger.info('after');
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^\{"level":30,"msg":"before"\}\n/);
    expect(text).toMatch(/\{"level":30,"msg":"after"\}\n$/);
    expect(text).not.toContain('"99 x');
  });
});
