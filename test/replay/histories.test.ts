import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { testBundle } from '../fixtures/workflow-bundle.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const FOLDER = path.resolve(import.meta.dirname, 'histories');
const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json')).sort();

async function replay(text: string): Promise<void> {
  const history = historyFromJSON(JSON.parse(text));
  await Worker.runReplayHistory({ workflowBundle: await testBundle() }, history);
}

/** Every workflow type, and each way in which one ends. */
const EXPECTED = [
  'backfill-across-years',
  'backfill-continued-as-new',
  'backfill',
  'day-at-one-host',
  'day-complete',
  'day-conflicting',
  'day-decision-kept',
  'day-degraded',
  'day-failed',
  'day-forced',
  'day-held-accept',
  'day-held-reject',
  'day-kept',
  'day-reset',
  'day-retried-cancelled',
  'day-skipped-cut-again',
  'day-success',
  'fetch-all',
  'fetch-failed',
  'fetch-rebuild',
  'reconcile',
  'reconcile-failed',
  'retain',
  'rollup',
  'rollup-announced',
  'tick',
  'verify',
  'watch',
  'watch-days-at-once',
  'window-after-another',
  'window-at-one-host',
  'window-published',
  'window',
];

describe('recorded histories', () => {
  it('are there for every workflow and each way in which one ends', () => {
    expect(names.map((name) => path.parse(name).name).sort()).toEqual([...EXPECTED].sort());
  });

  it.each(names)('%s replays with the workflow code of today', async (name) => {
    await replay(await readFile(path.join(FOLDER, name), 'utf8'));
  });

  it.each([
    ['day-at-one-host', 'quotidien-host-alpha'],
    ['window-at-one-host', '"served"'],
    ['day-conflicting', '"conflicting":["2024-01-10"]'],
    ['day-decision-kept', 'recordDecision'],
    ['day-skipped-cut-again', 'skips-cut-lost-slices-again'],
    ['fetch-all', 'c15: 2 files, 2 read'],
    ['fetch-rebuild', '3 days made of what is kept'],
    ['watch-days-at-once', 'watch-runs-days-at-once'],
    ['window-published', 'publishDays'],
  ])('%s holds what it is named for: %s', async (name, told) => {
    const text = await readFile(path.join(FOLDER, `${name}.json`), 'utf8');
    const payloads = [...text.matchAll(/"data":"([^"]+)"/g)].map(([, data = '']) =>
      Buffer.from(data, 'base64'),
    );
    expect(payloads.map(String)).toContainEqual(expect.stringContaining(told));
  });

  it.each([
    ['day-success.json', '"report"'],
    ['window.json', '"metrics"'],
    ['backfill.json', '"selectDays"'],
    ['fetch-all.json', '"fetchedParts"'],
  ])('%s no longer replays when %s in it is another activity', async (name, activity) => {
    const text = await readFile(path.join(FOLDER, name), 'utf8');
    expect(text).toContain(activity);
    await expect(replay(text.replaceAll(activity, '"somethingElse"'))).rejects.toThrow(
      /nondetermin/i,
    );
  });
});
