import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { calendarOfDays } from '../../../src/engine/look/day-calendar.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { selectSpan } from '../../../src/engine/plan/plan-backfill.ts';
import { executeDownload } from '../../../src/engine/download/execute-download.ts';
import { resolveDerived } from '../../../src/engine/plan/resolve-derived.ts';
import { keyIn } from '../../../src/pipelines/manifest.ts';
import { runDay, runDays, settleDerived } from '../../fixtures/run-day.ts';
import { storeWith } from '../../fixtures/store-with.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/**
 * A day is out of date when its newest version says something else than its inputs give now, also
 * when the ledger has all of it.
 */

const [DATE, NEXT] = ['2024-03-05', '2024-03-06'];

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher([DATE, NEXT]);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

async function comparison(): Promise<string | undefined> {
  return keyIn(
    (await newestManifests(engine.documents, 'tiny', [NEXT])).get(NEXT),
    'metrics/comparison',
  );
}

describe('a day that compares itself with one whose correction was taken back', () => {
  beforeEach(async () => {
    await runDays(engine, 'tiny', [DATE, NEXT]);
    publisher.publish(DATE, { add: 1 });
    await runDay(engine, 'tiny', DATE, { recheck: true });
    await settleDerived(engine, 'tiny', [DATE]);
    publisher.publish(DATE);
    await runDay(engine, 'tiny', DATE, { recheck: true });
  });

  it('is told as stale, selected by a backfill of stale days, and made again', async () => {
    const remarks = async () =>
      (await calendarOfDays(engine, 'tiny', [NEXT], new Map())).flatMap((day) =>
        day.remarks.map(({ kind }) => kind),
      );
    const select = () =>
      selectSpan(
        engine,
        { pipeline: 'tiny', from: NEXT, to: NEXT, select: 'stale' },
        { from: NEXT, to: NEXT },
      );
    const withdrawn = await comparison();
    expect(await remarks()).toContain('stale');
    expect((await select()).selected).toMatchObject([{ date: NEXT }]);
    expect((await resolveDerived(engine, 'tiny', [DATE])).windows).toMatchObject([
      { dates: [NEXT] },
    ]);
    await settleDerived(engine, 'tiny', [DATE]);
    expect(await comparison()).not.toBe(withdrawn);
    expect(await remarks()).not.toContain('stale');
    expect((await select()).selected).toEqual([]);
  });
});

describe('a day that was made while the day that it reads changed', () => {
  it('is made again by its own announcement', async () => {
    await runDay(engine, 'tiny', DATE);
    const documents = engine.documents;
    let changed = false;
    const createMany: typeof documents.createMany = async (many) => {
      if (!changed && many.some(({ key }) => key.table === 'manifests')) {
        changed = true;
        publisher.publish(DATE, { add: 1 });
        await runDay(engine, 'tiny', DATE, { recheck: true });
        await settleDerived(engine, 'tiny', [DATE]);
      }
      return documents.createMany(many);
    };
    await runDay({ ...engine, documents: storeWith(documents, { createMany }) }, 'tiny', NEXT);
    expect((await resolveDerived(engine, 'tiny', [NEXT])).windows).toMatchObject([
      { dates: [NEXT] },
    ]);
    await settleDerived(engine, 'tiny', [NEXT]);
    expect((await resolveDerived(engine, 'tiny', [NEXT])).windows).toEqual([]);
  });
});

describe('a day with a page that compares itself with a changed day', () => {
  it('has its page made again with the rest, and the page of no other day', async () => {
    const [alone, inWindow] = [NEXT, DATE];
    await runDays(engine, 'tiny', [inWindow]);
    await runDay(engine, 'tiny', alone);
    publisher.publish(DATE, { add: 1 });
    await runDays(engine, 'tiny', [inWindow], { recheck: true });
    expect((await resolveDerived(engine, 'tiny', [DATE])).windows).toMatchObject([
      { dates: [alone], pages: true },
    ]);
    await settleDerived(engine, 'tiny', [DATE]);
    const manifests = await newestManifests(engine.documents, 'tiny', [DATE, NEXT]);
    expect(manifests.get(alone)?.version).toBe(2);
    expect(keyIn(manifests.get(alone), 'report/page')).toBeDefined();
    expect(keyIn(manifests.get(inWindow), 'report/page')).toBeUndefined();
  });
});

describe('a changed day with something new of its own', () => {
  it('is left to its own run, which may be waiting for a decision on it', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.publish(DATE, { add: 1 });
    // A run that has downloaded and not gone on yet.
    const request = {
      pipeline: 'tiny',
      step: 'download/readings',
      days: [{ date: DATE, inputs: {} }],
      siblings: {},
    } as const;
    await executeDownload(engine, { ...request, force: false }, testControl());
    expect((await resolveDerived(engine, 'tiny', [DATE])).windows).toEqual([]);
    const plan = await calendarOfDays(engine, 'tiny', [DATE], new Map());
    expect(plan[0]!.remarks.map(({ kind }) => kind)).toContain('stale');
  });
});
