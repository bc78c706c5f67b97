import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publishDownloads } from '../../../src/engine/download/publish-downloads.ts';
import type { Dataset } from '../../../src/pipelines/dataset.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { RECEIPT_TABLE } from '../../../src/pipelines/receipt.ts';
import type { Receipt } from '../../../src/pipelines/receipt.ts';
import { collectText } from '../../conformance/byte-streams.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATE = '2024-03-05';
const NAMES = { freshness: 'state/freshness.json', log: 'logs/log.csv' };

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(['2024-03-04', DATE]);
  engine = await openTestEngine([telling(tinyDataset({ baseUrl: publisher.url }))]);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

/** The dataset with published names for its downloads. */
function telling(dataset: Dataset): Dataset {
  const publishedDownloads = { ...NAMES, fileNameOf: (part: string) => `hourly-${part}` };
  return { ...dataset, definition: { ...dataset.definition, publishedDownloads } };
}

async function read(key: string): Promise<string> {
  return collectText(await engine.objects.get(key));
}

async function state(): Promise<unknown> {
  return JSON.parse(await read(NAMES.freshness));
}

/** The published log by the columns that the test is about. */
async function log(): Promise<string[]> {
  await publishDownloads(engine, 'tiny');
  const [, ...lines] = (await read(NAMES.log)).trimEnd().split('\n');
  return lines.map((line) => {
    const [name, , rows, , from, to] = line.split(',');
    return [name, rows, from, to].join(' ');
  });
}

describe('the published freshness', () => {
  it('is that of the last answer as soon as a day ends, also of one in which nothing changed', async () => {
    await runDay(engine, 'tiny', DATE);
    expect(await state()).toEqual({ 'hourly-readings': '1', 'hourly-forecast': '1' });
    publisher.publish('2024-03-06');
    const { version } = await runDay(engine, 'tiny', DATE, { recheck: true });
    expect(version).toBe(1);
    expect(await state()).toEqual({ 'hourly-readings': '2', 'hourly-forecast': '2' });
  });

  it('is the newest value and not the greatest text', async () => {
    for (let version = 2; version <= 9; version += 1) publisher.publish('2024-03-06');
    await runDay(engine, 'tiny', DATE);
    publisher.publish('2024-03-06');
    await runDay(engine, 'tiny', '2024-03-04');
    expect(await state()).toMatchObject({ 'hourly-readings': '10' });
    await publishDownloads(engine, 'tiny');
    expect(await state()).toMatchObject({ 'hourly-readings': '10' });
  });

  it('is found in the receipts where an earlier version kept nothing else', async () => {
    await runDay(engine, 'tiny', DATE);
    for (const sort of ['readings', 'forecast'])
      await engine.documents.delete({ table: 'told-freshness', partition: 'tiny', sort });
    await publishDownloads(engine, 'tiny');
    expect(await state()).toEqual({ 'hourly-readings': '1', 'hourly-forecast': '1' });
  });
});

describe('the log of downloads', () => {
  it('tells the first and last day that a file has rows of, not those that were asked for', async () => {
    await runDays(engine, 'tiny', datesBetween('2024-03-01', '2024-03-09'));
    expect(await log()).toEqual([
      'hourly-forecast 48 2024-03-04 2024-03-05',
      'hourly-readings 48 2024-03-04 2024-03-05',
    ]);
  });

  it('tells no day of a file without rows', async () => {
    await runDay(engine, 'tiny', '2024-03-08');
    expect(await log()).toEqual(['hourly-forecast 0  ', 'hourly-readings 0  ']);
  });

  it('finds the days of receipts that do not say them', async () => {
    await runDays(engine, 'tiny', datesBetween('2024-03-01', '2024-03-09'));
    const before = await log();
    for (const part of ['readings', 'forecast']) {
      const query = { table: RECEIPT_TABLE, partition: `tiny/${part}` };
      for await (const { sort, body } of engine.documents.query<Receipt>(query)) {
        const { span, ...older } = body;
        expect(span).toEqual({ from: '2024-03-04', to: '2024-03-05' });
        await engine.documents.put({ ...query, sort }, older);
      }
    }
    expect(await log()).toEqual(before);
  });
});
