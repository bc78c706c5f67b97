import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { calendarOfDays } from '../../../src/engine/look/day-calendar.ts';
import { staleDays } from '../../../src/engine/look/stale-days.ts';
import { readLedger } from '../../../src/engine/records/ledger-reader.ts';
import { publishersOf } from '../../../src/pipelines/calendar-of-days.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { Dataset } from '../../../src/pipelines/dataset.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATE = '2024-03-05';
const NOW = new Date('2024-06-01T12:00:00Z');

let publisher: TinyPublisher;
let engine: TestEngine;

/** Its report asks what became of the parts of its day. */
function tellingDataset(baseUrl: string): Dataset {
  const tiny = tinyDataset({ baseUrl });
  const steps = tiny.definition.steps.map((step) =>
    step.id === 'report/day' ? { ...step, withNotes: true } : step,
  );
  return { ...tiny, definition: { ...tiny.definition, steps } };
}

beforeEach(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-03-01', '2024-03-08'));
  engine = await openTestEngine([tellingDataset(publisher.url)], { now: () => NOW });
});
afterEach(async () => {
  await engine.close();
  await publisher.close();
});

async function notesOfReport(date: string) {
  const entries = (await readLedger(engine.documents, 'tiny', [date])).get(date) ?? [];
  return entries.filter(({ step }) => step === 'report/day').map(({ notes }) => notes ?? []);
}

async function heard(date: string) {
  return publishersOf(await calendarOfDays(engine, 'tiny', [date], new Map()));
}

describe('a part of which nothing came', () => {
  it.each([
    [503, 'NOT_ANSWERED', 'the publisher did not answer'],
    [403, 'NOT_USABLE', 'the answer of the publisher could not be taken'],
  ] as const)(
    'because its publisher refused with %i is told as such',
    async (status, code, words) => {
      publisher.refuse('forecast', status);
      expect((await runDay(engine, 'tiny', DATE)).outcome.verdict).toBe('degraded');
      expect(await notesOfReport(DATE)).toEqual([[{ part: 'forecast', code }]]);
      expect(await heard(DATE)).toEqual({ [`forecast: ${words}`]: 1 });
    },
  );

  it('because the publisher had nothing is told otherwise, and gives the report no note', async () => {
    const empty = '2024-05-05';
    const { outcome } = await runDay(engine, 'tiny', empty);
    expect(outcome.verdict).toBe('no_data');
    expect(await heard(empty)).toEqual({
      'readings: the publisher published nothing': 1,
      'forecast: the publisher published nothing': 1,
    });
  });

  it('leaves a day as it is in runs that do not ask: nothing is out of date, and the words stay', async () => {
    publisher.refuse('forecast', 503);
    const dates = datesBetween('2024-03-04', '2024-03-06');
    await runDays(engine, 'tiny', dates);
    const before = await Promise.all(dates.map(notesOfReport));
    expect((await staleDays(engine, 'tiny', dates)).days).toEqual([]);
    await runDay(engine, 'tiny', DATE, { offline: true, fromStep: 'metrics' });
    expect(await Promise.all(dates.map(notesOfReport))).toEqual(before);
    expect(await heard(DATE)).toEqual({ 'forecast: the publisher did not answer': 1 });
  });
});
