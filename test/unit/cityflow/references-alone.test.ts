import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gaps, stale } from '../../../src/cli/look/gaps.ts';
import { status } from '../../../src/cli/look/status.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import type { CalendarDay } from '../../../src/pipelines/calendar-of-days.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { DISTRICTS, networkCsv, SHAPE } from './made-data.ts';

const DAY = '2020-01-01';

describe('a day of which only the road network and the districts are there', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine([cityflow], { now: () => new Date('2020-02-01T10:00:00Z') });
    const shape = SHAPE.replaceAll('"', '""');
    const take = async (name: string, text: string): Promise<void> => {
      const file = path.join(engine.home, name);
      await writeFile(file, text);
      await importFile(engine, 'cityflow', file, testControl());
    };
    await take('network.csv', networkCsv([{ arc: '1', shape }]));
    await take('districts.geojson', DISTRICTS);
  });
  afterAll(() => engine.close());

  it('has no data, when it is run and when it is run again', async () => {
    for (const version of [1, 1]) {
      const ran = await runDay(engine, 'cityflow', DAY, { offline: true });
      expect(ran.outcome.verdict).toBe('no_data');
      expect(ran.version).toBe(version);
    }
  });

  it('has no data in the calendar and among the gaps, and is not out of date', async () => {
    const range = { pipeline: 'cityflow', from: DAY, to: DAY };
    const shown = testContext(engine);
    await status(shown, { pipeline: 'cityflow', period: '2020-01' });
    expect((shown.terminal.values[0] as CalendarDay[])[0]).toMatchObject({
      date: DAY,
      standing: 'no_data',
      verdict: 'no_data',
    });
    const found = testContext(engine);
    expect(await gaps(found, range)).toBe(3);
    expect(found.terminal.values).toMatchObject([{ gaps: [{ kind: 'no_data', days: 1 }] }]);
    const old = testContext(engine);
    await stale(old, range);
    expect(old.terminal.values).toMatchObject([{ days: [], periods: [] }]);
  });
});
