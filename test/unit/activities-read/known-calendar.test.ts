import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { calendarOfDays } from '../../../src/engine/look/day-calendar.ts';
import { KnownCalendar } from '../../../src/engine/look/known-calendar.ts';
import { KnownVersions } from '../../../src/engine/look/known-versions.ts';
import { recordFailure } from '../../../src/engine/records/failures.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATES = datesBetween('2024-01-01', '2024-06-30');
const NOBODY = new Map();
let now: Date;
let publisher: TinyPublisher;
let engine: TestEngine;
let calendar: KnownCalendar;
/** Tables that were asked since the last look. */
let asked: string[];

beforeEach(async () => {
  now = new Date('2025-06-01T12:00:00Z');
  publisher = await startTinyPublisher(datesBetween('2024-03-01', '2024-04-30'));
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })], { now: () => now });
  await runDays(engine, 'tiny', datesBetween('2024-03-01', '2024-04-29'));
  const documents = Object.assign(Object.create(engine.documents) as typeof engine.documents, {
    query: (...given: Parameters<typeof engine.documents.query>) => {
      asked.push(given[0].table);
      return engine.documents.query(...given);
    },
  });
  const watched = { ...engine, documents };
  calendar = new KnownCalendar(watched, new KnownVersions(watched));
  asked = [];
});
afterEach(async () => {
  await engine.close();
  await publisher.close();
});

async function look() {
  asked = [];
  const days = await calendar.of('tiny', DATES, NOBODY);
  expect(days).toEqual(await calendarOfDays(engine, 'tiny', DATES, NOBODY));
  return days;
}

describe('the calendar in memory', () => {
  it('reads no ledger and no manifest for months that it knows', async () => {
    await look();
    expect(asked).toContain('ledger');
    await look();
    expect(
      asked.filter((table) => table === 'ledger' || table === 'manifests' || table === 'receipts'),
    ).toEqual([]);
  });

  it('sees a new version and a failure at once, and makes their months alone again', async () => {
    await look();
    now = new Date(now.getTime() + 2_000);
    await runDay(engine, 'tiny', '2024-04-30');
    const made = await look();
    expect(made.find(({ date }) => date === '2024-04-30')?.standing).toBe('ok');
    expect(asked.filter((table) => table === 'ledger').length).toBeLessThan(4);
    await recordFailure(engine, testControl(), 'tiny', '2024-02-02', {
      step: 'download/readings',
      code: 'SRC_UNAVAILABLE',
      message: 'nobody there',
    });
    expect((await look()).find(({ date }) => date === '2024-02-02')?.standing).toBe('failed');
  });

  it('is not that of a part of a month for the whole, and shows what runs now', async () => {
    await calendar.of('tiny', ['2024-03-05'], NOBODY);
    expect(await look()).toHaveLength(182);
    const running = new Map([
      ['2024-03-07', { workflowId: 'day/tiny', startedAt: now.toISOString(), held: false }],
    ]);
    const standing = async (given: typeof running) =>
      (await calendar.of('tiny', DATES, given)).find(({ date }) => date === '2024-03-07')?.standing;
    expect([await standing(running), await standing(new Map())]).toEqual(['running', 'ok']);
  });

  it('is made again after a minute, for what nothing tells of', async () => {
    await look();
    now = new Date(now.getTime() + 61_000);
    await look();
    expect(asked).toContain('ledger');
  });
});
