import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { open } from '../../../src/cli/look/open.ts';
import { overview } from '../../../src/cli/look/overview.ts';
import { desktopCommand, showFile } from '../../../src/cli/shared/desktop.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const NOW = new Date('2024-03-20T10:00:00Z');

let publisher: TinyPublisher;
let engine: TestEngine;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-03-01', '2024-03-19'));
  const tiny = tinyDataset({ baseUrl: publisher.url, failAbove: 9_000 });
  const idle = tinyDataset({ name: 'idle', baseUrl: publisher.url });
  engine = await openTestEngine([tiny, idle], { now: () => NOW });
});

afterAll(async () => {
  await engine.close();
  await publisher.close();
});

describe('quotidien open', () => {
  it('says that nothing is there yet, and what makes something', async () => {
    await expect(open(testContext(engine), {})).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('no day is finished here yet') as string,
    });
  });

  it('prints where the calendar is, and which days have no page', async () => {
    await runDays(engine, 'tiny', datesBetween('2024-03-04', '2024-03-15'));
    const told = testContext(engine);
    expect(await open(told, {})).toBe(0);
    expect(told.terminal.text()).toBe(path.join(engine.home, 'store', 'index.html'));
    expect(await readFile(told.terminal.text(), 'utf8')).toContain('mars 2024');
    await expect(
      open(testContext(engine), { pipeline: 'tiny', date: '2024-03-04' }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('"quotidien report tiny 2024-03-04"') as string,
    });
  });

  it('knows who shows a file, and where nobody does', async () => {
    expect(desktopCommand('darwin', {})).toEqual(['open']);
    expect(desktopCommand('win32', {})?.[0]).toBe('cmd');
    expect(desktopCommand('linux', { DISPLAY: ':0' })).toEqual(['xdg-open']);
    expect(desktopCommand('linux', { DISPLAY: '' })).toBeUndefined();
    expect(await showFile(['no-such-program-here'], 'index.html')).toBe(false);
    expect(await showFile(['true'], 'index.html')).toBe(true);
  });
});

describe('quotidien status without a pipeline', () => {
  it('tells how each stands and what needs a person, with the command that answers it', async () => {
    publisher.publish('2024-03-16', { add: 10_000 });
    await runDay(engine, 'tiny', '2024-03-16');
    const told = testContext(engine);
    expect(await overview(told)).toBe(3);
    expect(told.terminal.values).toMatchObject([
      {
        pipelines: [
          {
            pipeline: 'tiny',
            newest: { date: '2024-03-15', verdict: 'ok' },
            finished: 12,
            next: null,
          },
          { pipeline: 'idle', newest: null, finished: 0 },
        ],
        wanted: [
          {
            pipeline: 'tiny',
            what: '1 day failed: 2024-03-16',
            command: 'quotidien run tiny 2024-03-16',
          },
          {
            pipeline: 'tiny',
            what: expect.stringContaining('2024-03-17 … ') as string,
            command: expect.stringMatching(
              /^quotidien backfill tiny 2024-03-17 \S+ --missing$/,
            ) as string,
          },
        ],
      },
    ]);
    expect(told.terminal.text()).toContain('needs a person:');
    expect(told.terminal.notes.join()).toContain('no tick is planned');
  });
});
