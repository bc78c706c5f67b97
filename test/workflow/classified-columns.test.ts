import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compareVersions } from '../../src/engine/look/compare-versions.ts';
import { readManifests } from '../../src/engine/records/ledger-reader.ts';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { protocolText } from '../fixtures/history-text.ts';
import { endRuntime, openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/** Values that nothing but the data may hold. */
const [HELD, IMPOSSIBLE, UNREADABLE] = [54_321.987, 654_321.987, 98_765_432_109_876];
const DIGITS = ['54321', '54_321', '98765432109'];

let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-10'));
  const baseUrl = publisher.url;
  installation = await openInstallation({
    datasets: {
      open: tinyDataset({ name: 'open', baseUrl, holdAbove: 5_000, failAbove: 100_000 }),
      tiny: tinyDataset({
        baseUrl,
        holdAbove: 5_000,
        failAbove: 100_000,
        columns: { VALUE: 'personal', max: 'personal' },
      }),
    },
  });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
  await endRuntime();
});

/**
 * Runs a held day, a day that a check fails, and one that the engine cannot read; everything that
 * is kept of them, by place.
 */
async function runAll(pipeline: string): Promise<Record<string, string>> {
  publisher.publish('2024-01-03', { hours: { 5: HELD } });
  publisher.publish('2024-01-04', { hours: { 5: IMPOSSIBLE } });
  publisher.publish('2024-01-05', { hours: { 5: UNREADABLE } });
  const day = (date: string) => startDay(installation.target, { pipeline, date });
  const held = await day('2024-01-03');
  await vi.waitFor(
    () => held.executeUpdate('decide', { args: [{ decision: 'accept', reason: 'as told' }] }),
    20_000,
  );
  expect(await dayResult(held)).toMatchObject({ verdict: 'ok' });
  const failed = [await day('2024-01-04'), await day('2024-01-05')];
  const messages: string[] = [];
  for (const handle of failed) {
    const error = (await handle.result().catch((thrown: unknown) => thrown)) as Error;
    messages.push(`${error.message} ${(error.cause as Error).message}`);
  }
  publisher.publish('2024-01-03', { hours: { 5: HELD - 1 } });
  const again = await startDay(installation.target, {
    pipeline,
    date: '2024-01-03',
    recheck: true,
  });
  await vi.waitFor(
    () => again.executeUpdate('decide', { args: [{ decision: 'accept', reason: 'as told' }] }),
    20_000,
  );
  expect(await dayResult(again)).toMatchObject({ verdict: 'ok', version: 2 });
  const { engine } = installation;
  const versions =
    (await readManifests(engine.documents, pipeline, ['2024-01-03'])).get('2024-01-03') ?? [];
  const [before, after] = versions.slice(-2);
  const diff = await compareVersions(engine, before!, after!, new AbortController().signal);
  const histories = await Promise.all(
    [held, again, ...failed].map(async (handle) => (await handle.fetchHistory()).events),
  );
  return {
    messages: messages.join('\n'),
    manifests: JSON.stringify(versions),
    diff: JSON.stringify(diff),
    history: protocolText(histories),
  };
}

/** The document store's files and the log of the workers, as they lie on the disk. */
async function onDisk(): Promise<string> {
  const files = (await readdir(installation.home)).filter((name) => name.includes('.db'));
  expect(files).not.toEqual([]);
  const paths = [...files, path.join('logs', 'worker.log')].map((name) =>
    path.join(installation.home, name),
  );
  return (await Promise.all(paths.map((file) => readFile(file, 'latin1')))).join('\n');
}

const found = (text: string): string[] => DIGITS.filter((digits) => text.includes(digits));

describe('values of a personal column', () => {
  it('are in no message, manifest, difference, history, ledger or log, and the checks still say what failed', async () => {
    const places = await runAll('tiny');
    for (const [place, text] of Object.entries(places)) expect(found(text), place).toEqual([]);
    expect(found(await onDisk())).toEqual([]);
    expect(places['messages']).toMatch(
      /value_possible fails on 1 of 24 rows, such as .*"value":"\[personal\]"/,
    );
    expect(places['messages']).toContain('Conversion Error');
    expect(places['manifests']).toContain('value_plausible');
    expect(places['diff']).toContain('"column":"value","changed":1,"largest":null');
  });

  it('would be in all of these places if the column were open', async () => {
    const places = await runAll('open');
    for (const place of ['messages', 'diff', 'history'])
      expect(found(places[place]!), place).not.toEqual([]);
    expect(found(await onDisk())).not.toEqual([]);
  });
});
