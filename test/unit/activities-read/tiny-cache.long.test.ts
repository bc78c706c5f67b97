import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { verifyPeriod } from '../../../src/engine/verify/verify-period.ts';
import { datesOfMonth } from '../../../src/pipelines/civil-date.ts';
import { createRemoteStores, openRemoteEngine } from '../../fixtures/remote-engine.ts';
import type { RemoteEngine, RemoteStores } from '../../fixtures/remote-engine.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import { testControl } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/** The cache holds the files of a few days, and a month reads those of all its days at once. */

const MONTH = '2024-03';
const DATES = datesOfMonth(MONTH).slice(0, 16);

let publisher: TinyPublisher;
let remote: RemoteStores;
let engine: RemoteEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(DATES);
  remote = createRemoteStores();
  engine = await openRemoteEngine(remote, [tinyDataset({ baseUrl: publisher.url })], {
    cacheBytes: 12_000,
    now: () => new Date('2024-06-01T00:00:00Z'),
  });
});
afterEach(async () => {
  await engine.close();
  await remote.dispose();
  await publisher.close();
});

describe('work over remote stores with a cache that is smaller than what it reads', () => {
  it('makes days, their month and their verification', async () => {
    const outcomes = await runDays(engine, 'tiny', DATES);
    expect([...outcomes.values()].map(({ verdict }) => verdict)).toEqual(DATES.map(() => 'ok'));
    await rollUpDays(engine, 'tiny', DATES);
    expect((await newestManifests(engine.documents, 'tiny', [MONTH])).get(MONTH)).toMatchObject({
      verdict: 'ok',
    });
    expect(await verifyPeriod(engine, testControl(), 'tiny', MONTH)).toMatchObject({
      result: 'identical',
    });
    const { days } = await verifyDays(engine, testControl(), { pipeline: 'tiny', dates: DATES });
    expect(new Set(days.map(({ result }) => result))).toEqual(new Set(['identical']));
    expect(engine.stores.fallback?.cacheStats()?.evictions).toBeGreaterThan(DATES.length);
  });
});
