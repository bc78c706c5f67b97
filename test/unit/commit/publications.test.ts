import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAnnouncements } from '../../../src/engine/publish/announcements.ts';
import { commitDays } from '../../../src/engine/commit/commit-manifest.ts';
import type { CommitRequest } from '../../../src/engine/contract.ts';
import { executeRollup } from '../../../src/engine/derive/execute-rollup.ts';
import {
  closeAnnouncements,
  hearAnnouncements,
} from '../../../src/engine/derive/hear-announcements.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { selectSpan } from '../../../src/engine/plan/plan-backfill.ts';
import {
  fenceOf,
  publishNewest,
  unpublishedScopes,
} from '../../../src/engine/publish/publish-versions.ts';
import { selectDays } from '../../../src/engine/watch/select-days.ts';
import { stalePeriods } from '../../../src/engine/derive/stale-periods.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { verifyPeriod } from '../../../src/engine/verify/verify-period.ts';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import { PipelineError } from '../../../src/errors.ts';
import { manifestKey } from '../../../src/pipelines/manifest.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { rollUpDays, runDay, runDays, settleDerived } from '../../fixtures/run-day.ts';
import { storeWith } from '../../fixtures/store-with.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/**
 * Published names show the newest version, by hash; whatever went wrong on the way is found and
 * mended by a plain run.
 */

const DATE = '2024-03-05';
const RANGE = { from: '2024-03-04', to: '2024-03-06' };
const DATES = ['2024-03-04', DATE, '2024-03-06'];
const CSV = `reports/tiny/daily_report_${DATE}.csv`;

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(DATES);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

function fileOf(key: string): string {
  return path.join(engine.home, 'store', key);
}

async function complete(): Promise<number> {
  return (await selectSpan(engine, { pipeline: 'tiny', ...RANGE }, RANGE)).complete;
}

/** Changes one byte; size and time of change stay as they were. */
async function flip(key: string): Promise<Buffer> {
  const file = fileOf(key);
  const [before, { atime, mtime }] = [await readFile(file), await stat(file)];
  const after = Buffer.from(before);
  after[0] = (after[0] ?? 0) ^ 1;
  await writeFile(file, after);
  await utimes(file, atime, mtime);
  return before;
}

/** The engine of a worker that dies before its first published name. */
function dying(): TestEngine {
  const put: ObjectStore['put'] = (key, body, options) => {
    if (key.startsWith('reports/') && options.mode === 'replace')
      throw new PipelineError('INTERNAL', 'killed');
    return engine.objects.put(key, body, options);
  };
  return { ...engine, objects: storeWith(engine.objects, { put }) };
}

describe('days whose run was killed before it published', () => {
  it('are not complete, and are published by a window that has nothing to make', async () => {
    await expect(runDays(dying(), 'tiny', DATES)).rejects.toThrow('killed');
    expect((await newestManifests(engine.documents, 'tiny', DATES)).size).toBe(3);
    expect(await complete()).toBe(0);
    await runDays(engine, 'tiny', DATES);
    expect(await complete()).toBe(3);
    expect((await readVersions(engine, 'tiny', DATE)).map(({ version }) => version)).toEqual([1]);
    expect((await readFile(fileOf(CSV), 'utf8')).startsWith('date;')).toBe(true);
  });
});

describe('a published file with a changed byte', () => {
  it('keeps the day from being complete, and a window puts it right without a new version', async () => {
    await runDays(engine, 'tiny', DATES);
    expect(await complete()).toBe(3);
    const right = await flip(CSV);
    expect(await complete()).toBe(2);
    await runDays(engine, 'tiny', DATES);
    expect(await readFile(fileOf(CSV))).toEqual(right);
    expect(await readVersions(engine, 'tiny', DATE)).toHaveLength(1);
  });

  it('is put right by a run of the day', async () => {
    await runDay(engine, 'tiny', DATE);
    const right = await flip(CSV);
    await runDay(engine, 'tiny', DATE);
    expect(await readFile(fileOf(CSV))).toEqual(right);
    expect(await readVersions(engine, 'tiny', DATE)).toHaveLength(1);
  });

  it('of a day with steps that windows leave out keeps its version', async () => {
    await runDay(engine, 'tiny', DATE);
    await rm(fileOf(CSV));
    await runDays(engine, 'tiny', [DATE]);
    const [only, ...others] = await readVersions(engine, 'tiny', DATE);
    expect(only?.steps['report/page']?.state).toBe('done');
    expect(others).toEqual([]);
    expect((await stat(fileOf(CSV))).size).toBeGreaterThan(0);
  });
});

describe('an output that windows leave out', () => {
  it('keeps the day from being complete when it is lost; a window goes on without it, and a run of the day makes it again', async () => {
    await runDays(engine, 'tiny', DATES);
    await runDay(engine, 'tiny', DATE);
    const page = async () =>
      (await newestManifests(engine.documents, 'tiny', [DATE])).get(DATE)?.steps['report/page'];
    const made = await page();
    const [ref] = made?.state === 'done' ? Object.values(made.outputs) : [];
    await rm(fileOf(ref!.key));
    expect(await complete()).toBe(2);
    await runDays(engine, 'tiny', DATES);
    expect(await page()).toEqual({
      state: 'skipped',
      reason: 'output page is missing in the store, and it is made for single days alone',
    });
    expect(await complete()).toBe(3);
    await runDay(engine, 'tiny', DATE);
    expect(await page()).toEqual(made);
    expect(await engine.objects.head(ref!.key)).toMatchObject({ bytes: ref!.bytes });
  });
});

describe('the fence of a version', () => {
  it('does not hold when a newer version is there and the one between them was set aside', async () => {
    await runDay(engine, 'tiny', DATE);
    const first = (await newestManifests(engine.documents, 'tiny', [DATE])).get(DATE)!;
    const fence = fenceOf(engine.documents, first);
    expect(await fence.holds()).toBe(true);
    await engine.documents.put(manifestKey('tiny', DATE, 3), { ...first, version: 3 });
    expect(await fence.holds()).toBe(false);
  });
});

describe('a name that a version withdraws', () => {
  /** Version 2 of the day has no report. */
  async function withoutReport(): Promise<CommitRequest> {
    const newest = (await newestManifests(engine.documents, 'tiny', [DATE])).get(DATE);
    const state = Object.fromEntries(
      Object.entries(newest?.steps ?? {}).flatMap(([step, one]) =>
        one.state === 'done' && !step.startsWith('report')
          ? [[step, { state: 'done', key: one.key, how: 'reused', empty: false }]]
          : [],
      ),
    );
    const outcome = { date: DATE, verdict: 'ok' as const };
    const days = [{ outcome, state, decisions: [], base: 1 }];
    return { pipeline: 'tiny', reason: 'manual', days } as CommitRequest;
  }

  it('is found again, and removed, when the run that was to remove it was killed', async () => {
    await runDay(engine, 'tiny', DATE);
    const killed = storeWith(engine.objects, {
      delete: () => Promise.reject(new PipelineError('INTERNAL', 'killed')),
    });
    const request = await withoutReport();
    await expect(
      commitDays({ ...engine, objects: killed }, testControl(), request),
    ).rejects.toThrow('killed');
    const { definition } = tinyDataset();
    const versions = await readVersions(engine, 'tiny', DATE);
    expect(versions).toHaveLength(2);
    expect(await unpublishedScopes(engine, definition, [versions])).toEqual(
      new Map([[DATE, [CSV]]]),
    );
    await publishNewest(engine, definition, [DATE]);
    expect(await engine.objects.head(CSV)).toBeUndefined();
    expect(await unpublishedScopes(engine, definition, [versions])).toEqual(new Map());
  });

  it('is not put back by a late writer of the version that had it', async () => {
    let overtaken = false;
    const put: ObjectStore['put'] = async (key, body, options) => {
      if (key !== CSV || options.fence === undefined || overtaken)
        return engine.objects.put(key, body, options);
      overtaken = true;
      const { fence } = options;
      const holds = async () => {
        const held = await fence.holds();
        await commitDays(engine, testControl(), await withoutReport());
        return held;
      };
      return engine.objects.put(key, body, { ...options, fence: { ...fence, holds } });
    };
    await runDay({ ...engine, objects: storeWith(engine.objects, { put }) }, 'tiny', DATE);
    expect(await readVersions(engine, 'tiny', DATE)).toHaveLength(2);
    expect(await engine.objects.head(CSV)).toBeUndefined();
  });
});

describe('a writer that stood still before it published', () => {
  it('leaves the names to the newer version', async () => {
    let overtaken = false;
    const put: ObjectStore['put'] = async (key, body, options) => {
      if (options.fence !== undefined && !overtaken) {
        overtaken = true;
        publisher.publish(DATE, { add: 1 });
        await runDay(engine, 'tiny', DATE, { recheck: true });
      }
      return engine.objects.put(key, body, options);
    };
    await runDay({ ...engine, objects: storeWith(engine.objects, { put }) }, 'tiny', DATE);
    const versions = await readVersions(engine, 'tiny', DATE);
    expect(versions).toHaveLength(2);
    expect(await unpublishedScopes(engine, tinyDataset().definition, [versions])).toEqual(
      new Map(),
    );
  });
});

describe('verify', () => {
  async function verifyOne() {
    return (await verifyDays(engine, testControl(), { pipeline: 'tiny', dates: [DATE] })).days[0];
  }

  it('reads every published name, and tells a changed byte and a missing file', async () => {
    await runDay(engine, 'tiny', DATE);
    expect(await verifyOne()).toMatchObject({
      result: 'identical',
      published: [{ name: CSV, state: 'intact' }],
    });
    await flip(CSV);
    expect(await verifyOne()).toMatchObject({
      result: 'different',
      published: [{ name: CSV, state: 'damaged' }],
    });
    await rm(fileOf(CSV));
    expect(await verifyOne()).toMatchObject({
      result: 'different',
      published: [{ name: CSV, state: 'missing' }],
    });
    await runDay(engine, 'tiny', DATE);
    expect(await verifyOne()).toMatchObject({ result: 'identical' });
  });
});

describe('the published table of a period', () => {
  const MONTH = '02_clean/tiny_2024-03.parquet';

  beforeEach(async () => {
    await runDays(engine, 'tiny', DATES);
    await rollUpDays(engine, 'tiny', DATES);
  });

  it('with a changed byte is told by verify and stale, and put right by a backfill with nothing to do', async () => {
    const verified = () => verifyPeriod(engine, testControl(), 'tiny', '2024-03');
    expect(await verified()).toMatchObject({
      result: 'identical',
      published: [{ name: MONTH, state: 'intact' }],
    });
    expect(await stalePeriods(engine, 'tiny', DATES)).toEqual([]);
    const right = await flip(MONTH);
    expect(await verified()).toMatchObject({
      result: 'different',
      published: [{ name: MONTH, state: 'damaged' }],
    });
    expect(await stalePeriods(engine, 'tiny', DATES)).toMatchObject([
      { period: '2024-03', reason: expect.stringContaining(MONTH) as string },
      { period: 'all' },
    ]);
    await selectDays(
      engine,
      { request: { pipeline: 'tiny', ...RANGE }, stretch: RANGE },
      new Set(),
    );
    expect(await readFile(fileOf(MONTH))).toEqual(right);
    expect(await stalePeriods(engine, 'tiny', DATES)).toEqual([]);
    expect(await readVersions(engine, 'tiny', '2024-03')).toHaveLength(1);
  });

  it('with a damaged table behind it is announced by a backfill with nothing to make, and made again', async () => {
    const newest = (await newestManifests(engine.documents, 'tiny', ['2024-03'])).get('2024-03');
    const state = newest?.steps['rollup/month'];
    const [table] = state?.state === 'done' ? Object.values(state.outputs) : [];
    const right = await flip(table!.key);
    await selectDays(
      engine,
      { request: { pipeline: 'tiny', ...RANGE }, stretch: RANGE },
      new Set(),
    );
    const [announced, ...others] = await openAnnouncements(engine.documents, 'tiny');
    expect(announced).toMatchObject({ scope: '2024-03-04' });
    expect(others).toEqual([]);
    await settleDerived(engine, 'tiny', [announced!.scope]);
    expect(await readFile(fileOf(table!.key))).toEqual(right);
    await selectDays(
      engine,
      { request: { pipeline: 'tiny', ...RANGE }, stretch: RANGE },
      new Set(),
    );
    expect(await openAnnouncements(engine.documents, 'tiny')).toEqual([]);
  });

  it.each([
    ['only', 1],
    ['newest of two', 2],
  ])(
    'whose %s version is lost is made again by a backfill with nothing to make',
    async (_, versions) => {
      if (versions === 2) {
        publisher.publish(DATE, { add: 1 });
        await runDay(engine, 'tiny', DATE, { recheck: true });
        await rollUpDays(engine, 'tiny', [DATE]);
      }
      await settleDerived(engine, 'tiny', DATES);
      const right = await readFile(fileOf(MONTH));
      expect(await readVersions(engine, 'tiny', '2024-03')).toHaveLength(versions);
      await engine.documents.delete(manifestKey('tiny', '2024-03', versions));
      await selectDays(
        engine,
        { request: { pipeline: 'tiny', ...RANGE }, stretch: RANGE },
        new Set(),
      );
      const { heard, rollups } = await hearAnnouncements(engine, testControl(), 'tiny', []);
      for (const rollup of rollups)
        await executeRollup(engine, { pipeline: 'tiny', ...rollup }, testControl());
      await closeAnnouncements(engine, testControl(), 'tiny', heard, []);
      expect(await readVersions(engine, 'tiny', '2024-03')).toHaveLength(versions);
      expect(await readFile(fileOf(MONTH))).toEqual(right);
      expect(await stalePeriods(engine, 'tiny', DATES)).toEqual([]);
      await selectDays(
        engine,
        { request: { pipeline: 'tiny', ...RANGE }, stretch: RANGE },
        new Set(),
      );
      expect(await openAnnouncements(engine.documents, 'tiny')).toEqual([]);
    },
  );

  it('is put right by its rollup', async () => {
    const right = await flip(MONTH);
    await executeRollup(
      engine,
      { pipeline: 'tiny', step: 'rollup/month', periods: ['2024-03'] },
      testControl(),
    );
    expect(await readFile(fileOf(MONTH))).toEqual(right);
  });
});
