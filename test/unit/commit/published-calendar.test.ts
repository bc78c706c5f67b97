import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  publishCalendar,
  publishedPage,
  publishWholeCalendar,
} from '../../../src/engine/publish/publish-calendar.ts';
import { publishDays } from '../../../src/engine/publish/publish-versions.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { CalendarMonth } from '../../../src/pipelines/calendar-month.ts';
import type { Dataset } from '../../../src/pipelines/dataset.ts';
import type { DocumentStore } from '../../../src/ports/documents.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { toArray } from '../../conformance/byte-streams.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { storeWith } from '../../fixtures/store-with.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATES = ['2023-12-31', '2024-01-30', '2024-01-31', '2024-02-01'];

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(DATES);
  engine = await openTestEngine([withPublishedPage(tinyDataset({ baseUrl: publisher.url }))]);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

/** The tiny dataset, with its page under a name that readers know. */
function withPublishedPage(dataset: Dataset): Dataset {
  const steps = dataset.definition.steps.map((step) => {
    const { page } = step.outputs;
    if (page === undefined) return step;
    return {
      ...step,
      outputs: { page: { ...page, publishAs: 'reports/tiny/daily_report_{scope}.html' } },
    };
  });
  return { ...dataset, definition: { ...dataset.definition, steps } };
}

function read(key: string): Promise<string> {
  return readFile(path.join(engine.home, 'store', key), 'utf8');
}

async function month(name: string): Promise<CalendarMonth> {
  return JSON.parse(await read(`calendar/tiny/${name}.json`)) as CalendarMonth;
}

function definition() {
  const dataset = engine.datasets['tiny'];
  if (dataset === undefined) throw new Error('the dataset is gone');
  return dataset.definition;
}

describe('the published calendar', () => {
  it('links the page of each day from its year and from the page of all pipelines', async () => {
    await runDay(engine, 'tiny', '2024-01-31');
    await runDays(engine, 'tiny', ['2024-01-30']);
    expect((await month('2024-01')).days).toMatchObject({
      '2024-01-30': { version: 1, verdict: 'ok' },
      '2024-01-31': {
        version: 1,
        verdict: 'ok',
        page: 'reports/tiny/daily_report_2024-01-31.html',
      },
    });
    expect((await month('2024-01')).days['2024-01-30']).not.toHaveProperty('page');
    expect(await read('calendar/tiny/2024.html')).toContain(
      'href="../../reports/tiny/daily_report_2024-01-31.html"',
    );
    expect(await read('index.html')).toContain('href="reports/tiny/daily_report_2024-01-31.html"');
    expect(await read('index.html')).toContain('href="calendar/tiny/2024.html"');
    expect(await publishedPage(engine, definition())).toBe(
      'reports/tiny/daily_report_2024-01-31.html',
    );
    expect(await publishedPage(engine, definition(), '2024-01-30')).toBeUndefined();
  });

  it('needs no script and asks nobody for anything', async () => {
    await runDay(engine, 'tiny', '2024-01-31');
    for (const key of ['index.html', 'calendar/tiny/2024.html']) {
      const page = await read(key);
      expect(page).not.toMatch(/<script|src=|@import|url\(/);
      expect(page.match(/href="[^"]*"/g)?.filter((href) => href.includes('//'))).toEqual([]);
    }
  });

  it('reads the manifests of the changed month alone, however many there are', async () => {
    await runDays(engine, 'tiny', DATES);
    const asked: string[] = [];
    const query: DocumentStore['query'] = (wanted) => {
      if (wanted.table === 'manifests') asked.push(wanted.partition);
      return engine.documents.query(wanted);
    };
    const documents = storeWith(engine.documents, { query });
    await publishCalendar({ ...engine, documents }, definition(), ['2024-02-01']);
    const own = asked.filter((partition) => partition === 'tiny/2024-02');
    // The other months of its year have no days, or a file.
    expect(own.length).toBeGreaterThan(0);
    expect(asked).not.toContain('tiny/2024-01');
    expect(asked).not.toContain('tiny/2023-12');
  });

  it('asks for the names of its files as often, however many months are published together', async () => {
    await runDays(engine, 'tiny', DATES);
    const listed: string[] = [];
    const list: ObjectStore['list'] = (prefix) => {
      listed.push(prefix);
      return engine.objects.list(prefix);
    };
    const watched = { ...engine, objects: storeWith(engine.objects, { list }) };
    for (const date of DATES) publisher.publish(date, { add: 1_000 });
    await runDays(watched, 'tiny', DATES, { recheck: true });
    expect((await month('2024-02')).days['2024-02-01']?.version).toBe(2);
    // Before, and for the page of all pipelines, which stays as it is.
    expect(listed.filter((prefix) => prefix === 'calendar/tiny/')).toHaveLength(2);
  });

  it('is written once while nothing changes', async () => {
    await runDay(engine, 'tiny', '2024-01-31');
    const puts: string[] = [];
    const put: ObjectStore['put'] = (key, body, options) => {
      puts.push(key);
      return engine.objects.put(key, body, options);
    };
    const watched = { ...engine, objects: storeWith(engine.objects, { put }) };
    await publishCalendar(watched, definition(), ['2024-01-31']);
    expect(puts).toEqual([]);
  });

  it('is not put back by a writer that stood still while a newer version was published', async () => {
    await runDay(engine, 'tiny', '2024-01-31');
    publisher.publish('2024-01-31', { add: 1_000 });
    let stood = false;
    const put: ObjectStore['put'] = async (key, body, options) => {
      if (key === 'calendar/tiny/2024-01.json' && !stood) {
        stood = true;
        // Meanwhile the other writer commits and publishes.
        await runDay(engine, 'tiny', '2024-01-31', { recheck: true });
        expect((await month('2024-01')).days['2024-01-31']?.version).toBe(2);
      }
      return engine.objects.put(key, body, options);
    };
    const slow = { ...engine, objects: storeWith(engine.objects, { put }) };
    await runDay(slow, 'tiny', '2024-01-30');
    expect(stood).toBe(true);
    expect((await month('2024-01')).days).toMatchObject({
      '2024-01-30': { version: 1 },
      '2024-01-31': { version: 2 },
    });
  });

  it('is brought up to date by the next try of a publisher that was killed before it', async () => {
    const put: ObjectStore['put'] = (key, body, options) => {
      if (key.startsWith('calendar/')) throw new PipelineError('INTERNAL', 'killed');
      return engine.objects.put(key, body, options);
    };
    const dying = { ...engine, objects: storeWith(engine.objects, { put }) };
    await expect(runDay(dying, 'tiny', '2024-01-31')).rejects.toThrow('killed');
    // As the activity of the commit does, when it is tried again.
    await publishDays(engine, 'tiny', ['2024-01-31']);
    expect((await month('2024-01')).days['2024-01-31']).toMatchObject({ version: 1 });
    expect(await read('index.html')).toContain('daily_report_2024-01-31.html');
  });

  it('fails no day when one of its files is damaged, which the next version of its month mends', async () => {
    await runDays(engine, 'tiny', ['2024-01-30', '2024-02-01']);
    const damaged = path.join(engine.home, 'store', 'calendar/tiny/2024-01.json');
    await writeFile(damaged, '{"days":');
    expect(await runDay(engine, 'tiny', '2024-02-01')).toMatchObject({
      outcome: { verdict: 'ok' },
    });
    expect(await runDay(engine, 'tiny', '2024-01-31')).toMatchObject({
      outcome: { verdict: 'ok' },
    });
    expect(Object.keys((await month('2024-01')).days)).toEqual(['2024-01-30', '2024-01-31']);
  });

  it('is made of days that were finished before there was one', async () => {
    await runDays(engine, 'tiny', DATES);
    const whole = (await toArray(engine.objects.list('calendar/'))).map(({ key }) => key);
    for (const key of [...whole, 'index.html']) await engine.objects.delete(key);
    await publishWholeCalendar(engine);
    expect((await toArray(engine.objects.list('calendar/'))).map(({ key }) => key)).toEqual(whole);
    expect(whole).toContain('calendar/tiny/2023.html');
    expect(await read('index.html')).toContain('calendar/tiny/2023.html');
  });
});
