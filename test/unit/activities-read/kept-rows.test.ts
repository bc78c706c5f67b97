import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { RECEIPT_TABLE, receiptKey } from '../../../src/pipelines/receipt.ts';
import type { Receipt } from '../../../src/pipelines/receipt.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATE = '2024-03-05';

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-02-25', '2024-03-31'));
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

describe('a day that its publisher cleared away', () => {
  it('keeps the rows it had, however often the publisher is asked again', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.withdraw(DATE);
    for (let asked = 0; asked < 2; asked += 1) {
      expect(await runDay(engine, 'tiny', DATE, { recheck: true })).toMatchObject({
        outcome: { verdict: 'ok' },
      });
      expect(await readVersions(engine, 'tiny', DATE)).toHaveLength(1);
    }
    const { days } = await verifyDays(engine, testControl(), { pipeline: 'tiny', dates: [DATE] });
    expect(days).toMatchObject([{ result: 'identical' }]);
  });

  it('keeps them in a window too, beside days that were revised', async () => {
    const dates = datesBetween('2024-03-01', '2024-03-10');
    await runDays(engine, 'tiny', dates);
    publisher.withdraw(DATE);
    publisher.publish('2024-03-06', { add: 7 });
    await runDays(engine, 'tiny', dates, { recheck: true });
    expect(await readVersions(engine, 'tiny', DATE)).toHaveLength(1);
    expect(await readVersions(engine, 'tiny', '2024-03-06')).toHaveLength(2);
  });

  it('keeps them when the receipt of its rows was written before receipts knew of kept days', async () => {
    await runDay(engine, 'tiny', DATE);
    for await (const { body } of engine.documents.query<Receipt>({
      table: RECEIPT_TABLE,
      partition: 'tiny/readings',
    })) {
      const older = { ...body, kept: undefined };
      await engine.documents.put(receiptKey({ ...older, sha256: older.origin.raw.sha256 }), older);
    }
    publisher.withdraw(DATE);
    expect(await runDay(engine, 'tiny', DATE, { recheck: true })).toMatchObject({
      outcome: { verdict: 'ok' },
    });
    expect(await readVersions(engine, 'tiny', DATE)).toHaveLength(1);
  });

  it('takes new rows as soon as there are some', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.withdraw(DATE);
    await runDay(engine, 'tiny', DATE, { recheck: true });
    publisher.publish(DATE, { add: 7 });
    await runDay(engine, 'tiny', DATE, { recheck: true });
    expect(await readVersions(engine, 'tiny', DATE)).toHaveLength(2);
  });

  it('gives them up when its download is forced', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.withdraw(DATE);
    expect(await runDay(engine, 'tiny', DATE, { fromStep: 'download' })).toMatchObject({
      outcome: { verdict: 'no_data' },
    });
  });
});
