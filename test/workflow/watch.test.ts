import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { REVISION_TABLE } from '../../src/engine/watch/watch-publisher.ts';
import { finishRollup, startBackfill, startWatch } from '../../src/cli/temporal/runs.ts';
import { addDays, datesBetween } from '../../src/pipelines/civil-date.ts';
import type { VersionDiff } from '../../src/pipelines/version-diff.ts';
import { zonedDay } from '../../src/pipelines/zoned-day.ts';
import type { verify, WatchResult } from '../../src/workflows/watch.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

const TODAY = new Date().toISOString().slice(0, 10);
const DATES = datesBetween(addDays(TODAY, -40), addDays(TODAY, -21));
const REVISED = addDays(TODAY, -30);

let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher(DATES);
  const tiny = tinyDataset({ baseUrl: publisher.url, freshForMinutes: 0, holdAbove: 9_000 });
  installation = await openInstallation({ datasets: { tiny } });
  const range = { pipeline: 'tiny', from: DATES[0] ?? '', to: DATES.at(-1) ?? '' };
  const made = await (await startBackfill(installation.target, range)).result();
  expect(made.done).toBe(20);
  await finishRollup(installation.target, 'tiny');
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

async function watchNow(): Promise<WatchResult> {
  const result = await (await startWatch(installation.target, 'tiny')).result();
  await finishRollup(installation.target, 'tiny');
  return result;
}

async function versionOf(date: string) {
  return (await newestManifests(installation.engine.documents, 'tiny', [date])).get(date)?.version;
}

describe('the watch', () => {
  it('runs exactly the day whose content the publisher changed, and keeps the difference', async () => {
    publisher.publish(REVISED, { add: 7, status: 'consolidated' });
    const result = await watchNow();
    expect(result).toMatchObject({
      moved: ['readings', 'forecast'],
      asked: 20,
      revisions: { provisional: 20 },
    });
    expect(result.changed).toEqual([
      { date: REVISED, versions: { from: 1, to: 2 }, failure: null },
    ]);
    const manifest = (await newestManifests(installation.engine.documents, 'tiny', [REVISED])).get(
      REVISED,
    );
    expect(manifest).toMatchObject({
      version: 2,
      run: { reason: 'revision' },
      facts: { revision: 'consolidated' },
    });
    const kept = await installation.engine.documents.get<VersionDiff>({
      table: REVISION_TABLE,
      partition: `tiny/${REVISED.slice(0, 7)}`,
      sort: `${REVISED}/000002`,
    });
    const table = kept?.body.steps.find(({ step }) => step === 'transform/readings')?.outputs[0]
      ?.content;
    const { hours } = zonedDay(REVISED, 'Europe/Paris');
    expect(table).toMatchObject({
      kind: 'table',
      changed: hours,
      columns: expect.anything() as unknown,
    });
  });

  it('asks for no data while the publisher’s freshness value stands', async () => {
    const before = publisher.requests.length;
    expect(await watchNow()).toMatchObject({ moved: [], asked: 0, changed: [] });
    expect(publisher.requests.slice(before).every((request) => request.includes('.json'))).toBe(
      true,
    );
  });

  it('runs nothing when the publisher published the same again', async () => {
    publisher.publish(REVISED, { add: 7, status: 'consolidated' });
    expect(await watchNow()).toMatchObject({ asked: 20, changed: [] });
    expect(await versionOf(REVISED)).toBe(2);
  });
});

describe('a revised day that is held', () => {
  const held = DATES[2] ?? '';
  const handle = () => installation.client.workflow.getHandle(`day/tiny/${held}`);
  const waits = {
    date: held,
    versions: null,
    failure: null,
    waits: expect.stringContaining('held at') as string,
  };

  it('keeps neither the other days nor the watch waiting, whoever started it', async () => {
    publisher.publish(held, { add: 10_000 });
    publisher.publish(DATES[5] ?? '', { add: 3 });
    expect((await watchNow()).changed).toEqual([
      waits,
      { date: DATES[5], versions: { from: 1, to: 2 }, failure: null },
    ]);
    publisher.publish(DATES[7] ?? '', { add: 3 });
    expect((await watchNow()).changed).toEqual([
      waits,
      { date: DATES[7], versions: { from: 1, to: 2 }, failure: null },
    ]);
    await handle().executeUpdate('decide', { args: [{ decision: 'accept', reason: 'confirmed' }] });
    expect(await handle().result()).toMatchObject({ version: 2 });
  });
});

describe('the audit', () => {
  const audit = () =>
    installation.client.workflow.execute<typeof verify>('verify', {
      workflowId: 'verify/tiny',
      taskQueue: installation.target.taskQueue,
      args: [{ pipeline: 'tiny', sample: 20 }],
    });

  it('rebuilds random finished days and finds them identical', async () => {
    expect((await audit()).verified).toEqual(DATES);
  });

  it('fails, and names the day, when a stored byte is not what was recorded', async () => {
    const manifest = (await newestManifests(installation.engine.documents, 'tiny', [REVISED])).get(
      REVISED,
    );
    const state = manifest?.steps['transform/readings'];
    const key = state?.state === 'done' ? state.outputs['core']?.key : undefined;
    await rm(path.join(installation.home, 'store', key ?? ''));
    await expect(audit()).rejects.toMatchObject({
      cause: { type: 'STORE_CORRUPT', message: expect.stringContaining(REVISED) as string },
    });
  });
});
