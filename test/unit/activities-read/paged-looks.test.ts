import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Checkpoint, Engine, StepControl } from '../../../src/engine/engine.ts';
import { executeDownload } from '../../../src/engine/download/execute-download.ts';
import { selectDays } from '../../../src/engine/watch/select-days.ts';
import { changedDays, watchPublisher } from '../../../src/engine/watch/watch-publisher.ts';
import { PipelineError } from '../../../src/errors.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { MANIFEST_TABLE } from '../../../src/pipelines/manifest.ts';
import { RECEIPT_TABLE } from '../../../src/pipelines/receipt.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { storeWith } from '../../fixtures/store-with.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATES = ['2024-01-05', '2024-02-05', '2024-05-05'];
const NOW = new Date('2024-06-10T12:00:00Z');

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(DATES);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url, freshForMinutes: 0 })], {
    now: () => NOW,
  });
  for (const date of DATES) await runDay(engine, 'tiny', date);
  publisher.publish(DATES[1]!, { add: 7 });
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

/** The control of one try, which begins where the one before it saved. */
function tryAfter(before: unknown, save: Checkpoint['save']): StepControl {
  return { ...testControl(), checkpoint: { before, save } };
}

describe('a watch', () => {
  it('that breaks off goes on behind the months that it has looked at, and finds the same', async () => {
    const expected = await watchPublisher(engine, testControl(), 'tiny');
    expect(expected.windows.flat()).not.toEqual([]);
    const looked: string[] = [];
    let isAway = false;
    const documents = storeWith(engine.documents, {
      query: (query) => {
        if (query.table === MANIFEST_TABLE) looked.push(query.partition);
        if (isAway) throw new PipelineError('STORE_UNAVAILABLE', 'the store is away');
        return engine.documents.query(query);
      },
    });
    let saved: unknown;
    const save = (value: object): void => {
      saved = JSON.parse(JSON.stringify(value));
      isAway = looked.includes('tiny/2024-03');
    };
    await expect(
      watchPublisher({ ...engine, documents }, tryAfter(undefined, save), 'tiny'),
    ).rejects.toThrow('the store is away');
    const first = looked.splice(0);
    isAway = false;
    expect(
      await watchPublisher(
        { ...engine, documents },
        tryAfter(saved, () => undefined),
        'tiny',
      ),
    ).toEqual(expected);
    expect(first).toContain('tiny/2024-01');
    expect(looked).not.toContain('tiny/2024-01');
    expect(looked).toContain('tiny/2024-05');
  });

  it('looks at no object', async () => {
    const refused = () => Promise.reject(new Error('an object was looked at'));
    const objects = storeWith(engine.objects, {
      head: refused,
      inspect: refused,
      get: refused,
      openLocal: refused,
    });
    const seen = await watchPublisher({ ...engine, objects }, testControl(), 'tiny');
    expect(seen).toEqual(await watchPublisher(engine, testControl(), 'tiny'));
  });
});

describe('the look for changed days', () => {
  it('goes on behind the months that a try before it has looked at, and finds the same', async () => {
    for (const date of [DATES[1]!, DATES[2]!]) {
      publisher.publish(date, { add: 7 });
      const download = {
        pipeline: 'tiny',
        step: 'download/readings',
        days: [{ date, inputs: {} }],
        siblings: {},
        force: false,
      } as const;
      await executeDownload(engine, download, testControl());
    }
    const { definition } = engine.datasets['tiny']!;
    const all = datesBetween(DATES[0]!, DATES[2]!);
    const pages: unknown[] = [];
    const save = (value: object) => pages.push(JSON.parse(JSON.stringify(value)));
    const expected = await changedDays(engine, definition.name, all, tryAfter(undefined, save));
    expect(expected).toEqual([DATES[1], DATES[2]]);
    expect(pages.length).toBe(Math.ceil(all.length / 31));
    const asked: string[] = [];
    const documents = storeWith(engine.documents, {
      query: (query) => {
        if (query.table === MANIFEST_TABLE) asked.push(query.partition);
        return engine.documents.query(query);
      },
    });
    const next = tryAfter(pages[2], () => undefined);
    expect(await changedDays({ ...engine, documents }, definition.name, all, next)).toEqual(
      expected,
    );
    expect(asked).not.toContain('tiny/2024-01');
    expect(asked).toContain('tiny/2024-05');
  });
});

describe('the selection of a backfill', () => {
  it('is not made again by a try after it, and is by one for another stretch', async () => {
    const select = (own: Engine, control: StepControl, to = '2024-05-31') => {
      const range = { from: '2024-01-01', to };
      return selectDays(
        own,
        { request: { pipeline: 'tiny', ...range }, stretch: range },
        new Set(),
        control,
      );
    };
    let saved: unknown;
    const save = (value: object): void => {
      saved = JSON.parse(JSON.stringify(value));
    };
    const expected = await select(engine, tryAfter(undefined, save));
    expect(expected.windows.flat()).not.toEqual([]);
    let receipts = 0;
    const documents = storeWith(engine.documents, {
      query: (query) => {
        if (query.table === RECEIPT_TABLE) receipts += 1;
        return engine.documents.query(query);
      },
    });
    const own = { ...engine, documents };
    expect(await select(own, tryAfter(saved, save))).toEqual(expected);
    expect(receipts).toBe(0);
    await select(own, tryAfter(saved, save), '2024-04-30');
    expect(receipts).toBeGreaterThan(0);
  });

  it('opens no object, and asks for records by the month and not by the day', async () => {
    const select = (own: Engine, to: string) => {
      const range = { from: '2023-06-01', to };
      return selectDays(
        own,
        { request: { pipeline: 'tiny', ...range }, stretch: range },
        new Set(),
      );
    };
    const refused = () => Promise.reject(new Error('an object was opened'));
    const objects = storeWith(engine.objects, { get: refused, openLocal: refused, put: refused });
    let asked = 0;
    const documents = storeWith(engine.documents, {
      get: (key) => ((asked += 1), engine.documents.get(key)),
      query: (query) => ((asked += 1), engine.documents.query(query)),
    });
    const own = { ...engine, objects, documents };
    await select(own, '2023-06-30');
    const month = asked;
    asked = 0;
    expect(await select(own, '2024-05-31')).toEqual(await select(engine, '2024-05-31'));
    expect(asked).toBeLessThanOrEqual(12 * month);
  });
});
