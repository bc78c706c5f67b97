import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canaryDays, compareCanary } from '../../../src/engine/look/compare-canary.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATES = datesBetween('2024-02-01', '2024-02-03');
let publisher: TinyPublisher;
let engine: TestEngine;
beforeEach(async () => {
  publisher = await startTinyPublisher(DATES);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })], {
    now: () => new Date('2024-03-01T00:00:00Z'),
  });
});
afterEach(async () => {
  await engine.close();
  await publisher.close();
});

describe('canary days', () => {
  it('that a range made do not differ by the page that a single day makes besides', async () => {
    await runDays(engine, 'tiny', DATES);
    const before = await canaryDays(engine, 'tiny', DATES);
    for (const date of DATES) expect((await runDay(engine, 'tiny', date)).version).toBe(2);
    const differences = await compareCanary(engine, testControl(), 'tiny', before);
    expect(differences).toMatchObject(
      DATES.map((date) => ({ date, from: 1, to: 2, steps: [], share: 0 })),
    );
  });
});
