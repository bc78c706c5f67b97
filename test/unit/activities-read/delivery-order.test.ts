import { EventEmitter, once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import { saveReceipt, takeSequence } from '../../../src/engine/records/delivery-order.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { readReceipts } from '../../../src/engine/records/ledger-reader.ts';
import { RECEIPT_TABLE, newestDeliveries, receiptKey } from '../../../src/pipelines/receipt.ts';
import type { Receipt } from '../../../src/pipelines/receipt.ts';
import type { FetchedFile } from '../../../src/ports/source.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATE = '2024-03-05';
const NOW = new Date('2024-03-10T12:00:00Z');
const TWO_DAYS_AHEAD = new Date('2024-03-12T12:00:00Z');

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher([DATE]);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url, freshForMinutes: null })], {
    now: () => NOW,
  });
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

type Fetched = Promise<FetchedFile | undefined>;

/** The sources of the engine, where each fetch of a file is done by `how`. */
function around(how: (fetch: () => Fetched) => Fetched): NonNullable<Engine['openSource']> {
  return (declaration) => {
    const source = engine.openSource!(declaration);
    return { ...source, fetch: (file, request) => how(() => source.fetch(file, request)) };
  };
}

async function receiptsOf(part: string): Promise<Receipt[]> {
  const dates = { first: DATE, last: DATE };
  return readReceipts(engine.documents, 'tiny', { id: part, bulkWindow: 'month' }, dates);
}

async function sums(): Promise<readonly unknown[]> {
  return (await readVersions(engine, 'tiny', DATE)).map(({ steps }) => {
    const state = steps['metrics/day'];
    return state?.state === 'done' ? state.outputs['metrics']?.sha256 : undefined;
  });
}

describe('the newest answer for a day', () => {
  it('is the one that was asked for last, also when an earlier one came by a clock that is days ahead', async () => {
    await runDay({ ...engine, now: () => TWO_DAYS_AHEAD }, 'tiny', DATE);
    publisher.publish(DATE, { add: 7 });
    expect(await runDay(engine, 'tiny', DATE, { recheck: true })).toMatchObject({ version: 2 });
    expect(await runDay(engine, 'tiny', DATE)).toMatchObject({
      version: 2,
      plan: { upToDate: true },
    });
    const [before, after] = await sums();
    expect(before).not.toBe(after);
  });

  it('is not one that was asked for earlier and took longer', async () => {
    const signals = new EventEmitter();
    const [arrived, released] = [once(signals, 'arrived'), once(signals, 'released')];
    const slow: Engine = {
      ...engine,
      openSource: around(async (fetch) => {
        const answer = await fetch();
        signals.emit('arrived');
        await released;
        return answer;
      }),
    };
    const late = runDay(slow, 'tiny', DATE);
    await arrived;
    publisher.publish(DATE, { add: 7 });
    await runDay(engine, 'tiny', DATE);
    const newest = async () => newestDeliveries(await receiptsOf('readings')).get(DATE)?.key;
    const revised = await newest();
    signals.emit('released');
    await late.catch(() => undefined);
    expect(await receiptsOf('readings')).toHaveLength(2);
    expect(await newest()).toBe(revised);
  });

  it.for(['the earlier number', 'the later number'])(
    'is what the publisher has when two asked at the same time, and the one with %s ends last',
    async (last) => {
      const signals = new EventEmitter();
      const gate = (name: string) => ({
        reached: once(signals, name),
        opened: once(signals, `${name} opens`),
      });
      const gates = { asks: gate('asks'), answered: gate('answered') };
      const pass = async (name: keyof typeof gates): Promise<void> => {
        signals.emit(name);
        await gates[name].opened;
      };
      const behind = (before: boolean): Engine => ({
        ...engine,
        openSource: around(async (fetch) => {
          if (before) await pass('asks');
          const answer = await fetch();
          if (!before) await pass('answered');
          return answer;
        }),
      });
      // Has the earlier number and asks after the revision.
      const late = runDay(behind(true), 'tiny', DATE);
      await gates.asks.reached;
      // Has the later number and what the publisher had before.
      const early = runDay(behind(false), 'tiny', DATE);
      await gates.answered.reached;
      publisher.publish(DATE, { add: 7 });
      const open = async (name: keyof typeof gates, run: Promise<unknown>): Promise<void> => {
        signals.emit(`${name} opens`);
        await run.catch(() => undefined);
      };
      if (last === 'the earlier number') await open('answered', early);
      await open('asks', late);
      await open('answered', early);
      const newest = async () => newestDeliveries(await receiptsOf('readings')).get(DATE)?.key;
      const delivered = await newest();
      await runDay(engine, 'tiny', DATE, { recheck: true });
      expect(await newest()).toBe(delivered);
    },
  );

  it('is one with a number before any of an earlier version of Quotidien, whatever their times', () => {
    const receipt = (key: string, checkedAt: string, sequence?: number) =>
      ({
        checkedAt,
        freshness: null,
        days: { [DATE]: key },
        origin: { raw: {} },
        ...(sequence === undefined ? {} : { sequence }),
      }) as unknown as Receipt;
    const newest = (...receipts: Receipt[]) => newestDeliveries(receipts).get(DATE)?.key;
    const [old, older] = [receipt('old', '2024-05-02'), receipt('older', '2024-05-01')];
    expect(newest(older, old)).toBe('old');
    expect(newest(old, receipt('numbered', '2024-01-01', 1), older)).toBe('numbered');
    expect(newest(receipt('second', '2024-01-01', 2), receipt('first', '2024-02-01', 1))).toBe(
      'second',
    );
  });
});

describe('takeSequence', () => {
  it('gives every number once, to however many workers at the same time', async () => {
    const part = { pipeline: 'tiny', part: 'readings' };
    const taken = await Promise.all(
      Array.from({ length: 20 }, () => takeSequence(engine.documents, part, [])),
    );
    const numbers = taken.map(({ sequence }) => sequence);
    expect(numbers.sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    expect(await takeSequence(engine.documents, part, [{ sequence: 50 } as Receipt])).toEqual({
      sequence: 51,
    });
  });
});

describe('the receipt of one answer', () => {
  it('counts the rows of a raw file once that had to be fetched again', async () => {
    await runDay(engine, 'tiny', DATE);
    const [receipt] = await receiptsOf('readings');
    expect(receipt?.rows).toBe(24);
    await engine.objects.delete(receipt!.origin.raw.key);
    await runDay(engine, 'tiny', DATE);
    expect((await receiptsOf('readings')).map(({ rows }) => rows)).toEqual([24]);
  });

  it('keeps the days of two workers that cut the same bytes at the same time, and the later answer', async () => {
    await runDay(engine, 'tiny', DATE);
    const [receipt] = await receiptsOf('readings');
    const of = (date: string, sequence: number): Receipt => ({
      ...receipt!,
      sequence,
      days: { [date]: date },
    });
    await Promise.all([
      saveReceipt(engine.documents, of('2024-03-07', 8)),
      saveReceipt(engine.documents, of('2024-03-06', 9)),
    ]);
    const key = receiptKey({ ...receipt!, sha256: receipt!.origin.raw.sha256 });
    expect(key.table).toBe(RECEIPT_TABLE);
    const stored = (await engine.documents.get<Receipt>(key))?.body;
    expect(stored).toMatchObject({ sequence: 9 });
    expect(Object.keys(stored!.days).sort()).toEqual([DATE, '2024-03-06', '2024-03-07']);
  });
});
