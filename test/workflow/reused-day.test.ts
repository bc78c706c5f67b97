import { afterAll, beforeAll, expect, it } from 'vitest';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { noopDataset } from '../fixtures/noop-dataset.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await openInstallation({ datasets: { noop: noopDataset } });
});
afterAll(() => installation.close());

async function run() {
  const handle = await startDay(installation.target, { pipeline: 'noop', date: '2024-01-15' });
  const result = await dayResult(handle);
  const events = (await handle.fetchHistory()).events ?? [];
  const queued = events.filter((event) =>
    Boolean(event.activityTaskScheduledEventAttributes),
  ).length;
  const within = events.filter((event) => Boolean(event.markerRecordedEventAttributes)).length;
  const turns = events.filter((event) =>
    Boolean(event.workflowTaskCompletedEventAttributes),
  ).length;
  return { result, queued, within, turns };
}

/** The calendar's files with what tells of each write. */
async function calendar(): Promise<[key: string, etag: string][]> {
  const files: [string, string][] = [];
  for await (const { key, etag } of installation.engine.objects.list('')) {
    if (key === 'index.html' || key.startsWith('calendar/')) files.push([key, etag]);
  }
  return files;
}

it('a day whose every step is reused is one look from within its workflow, and writes no calendar', async () => {
  const steps = noopDataset.definition.steps.length;
  // As many turns as a workflow takes that calls so many activities and nothing else.
  const least = { queued: steps, turns: steps + 1 };
  expect(await run()).toMatchObject({ result: { version: 1, created: true }, within: 2, ...least });
  const before = await calendar();
  expect(before.map(([key]) => key)).toEqual(
    expect.arrayContaining(['calendar/noop/2024-01.json', 'index.html']),
  );
  expect(await run()).toEqual({
    result: expect.objectContaining({
      version: 1,
      created: false,
      ran: [],
      reused: steps,
    }) as unknown,
    queued: 0,
    within: 1,
    turns: 1,
  });
  expect(await calendar()).toEqual(before);
}, 60_000);
