import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectGarbage } from '../../../src/engine/upkeep/collect-garbage.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATES = datesBetween('2024-01-01', '2024-01-05');
let now = new Date('2024-03-01T00:00:00Z');
let publisher: TinyPublisher;
let engine: TestEngine;
let orphan: string;

async function keys(prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of engine.objects.list(prefix)) found.push(key);
  return found;
}

beforeAll(async () => {
  publisher = await startTinyPublisher(DATES);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })], { now: () => now });
  await runDays(engine, 'tiny', DATES);
  // A second version: the artefacts of the first are still referred to by its manifest.
  publisher.publish('2024-01-03', { add: 5 });
  await runDay(engine, 'tiny', '2024-01-03', { recheck: true });
  const [layer = ''] = await keys('core/');
  orphan = `${layer.slice(0, layer.lastIndexOf('/'))}/${'0'.repeat(64)}.parquet`;
  await engine.objects.put(orphan, Buffer.from('left by a crash'), {
    mediaType: 'x/y',
    mode: 'create',
  });
  await engine.objects.put(`raw/tiny/${'1'.repeat(64)}.csv`, Buffer.from('only copy'), {
    mediaType: 'x/y',
    mode: 'create',
  });
});

afterAll(async () => {
  await engine.close();
  await publisher.close();
});

describe('the garbage collection', () => {
  it('says in a dry run what no manifest refers to, and writes nothing', async () => {
    const before = await keys();
    const result = await collectGarbage(engine, { graceDays: 7, dryRun: true });
    expect(result).toEqual({
      unreferenced: [{ key: orphan, bytes: 15, since: null, removed: false }],
      removed: 0,
      removedBytes: 0,
    });
    expect(await collectGarbage(engine, { graceDays: 7, dryRun: true })).toEqual(result);
    expect(await keys()).toEqual(before);
  });

  it('removes an object only when a collection found it unreferenced a grace before (invariant 3)', async () => {
    expect((await collectGarbage(engine, { graceDays: 7, dryRun: false })).removed).toBe(0);
    now = new Date('2024-03-07T00:00:00Z');
    expect((await collectGarbage(engine, { graceDays: 7, dryRun: false })).removed).toBe(0);
    now = new Date('2024-03-08T00:00:01Z');
    expect(await collectGarbage(engine, { graceDays: 7, dryRun: false })).toMatchObject({
      removed: 1,
      removedBytes: 15,
    });
    expect(await keys()).not.toContain(orphan);
  });

  it('leaves raw files, published names and every version of every day (invariants 1 and 2)', async () => {
    expect(await keys('raw/')).toContain(`raw/tiny/${'1'.repeat(64)}.csv`);
    const { days } = await verifyDays(engine, testControl(), { pipeline: 'tiny', dates: DATES });
    expect(days.map(({ result }) => result)).toEqual(DATES.map(() => 'identical'));
    expect((await collectGarbage(engine, { graceDays: 0, dryRun: false })).unreferenced).toEqual(
      [],
    );
  });
});
