import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sliceReadings } from '../../../src/datasets/smart-meter/readings/slice.ts';
import { zonedDay } from '../../../src/pipelines/zoned-day.ts';
import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { TEST_SECRET, testMeters } from '../../fixtures/meters.ts';
import { openStepRunner } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

/**
 * Days of a large file are cut from numbers that lie beside it, those of a small one from rows in
 * memory: the slices are the same.
 */

/** The clock goes back in the middle of them. */
const DATES = ['2024-10-26', '2024-10-27', '2024-10-28'];
const MADE = Array.from({ length: 20 }, (_, meter) => ({
  id: `M${meter}`,
  whOf: (slot: number) => 100 + meter + slot,
}));

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

interface Cut {
  /** By date. */
  readonly hashes: Readonly<Record<string, string>>;
  /** Statements that made a table of all rows. */
  readonly kept: number;
}

async function cut(text: string, dates: readonly CivilDate[], maxKeptRows: number): Promise<Cut> {
  const file = await runner.file('bulk.csv', text);
  const raw = { path: file, sha256: 'a'.repeat(64), bytes: 0 };
  const task = {
    part: 'readings',
    raw,
    days: dates.map((date) => zonedDay(date, 'Europe/Paris')),
    progress: () => undefined,
  };
  return runner.sql(async (session) => {
    const statements = vi.spyOn(session, 'run');
    const hashes: Record<string, string> = {};
    for (const outcome of await sliceReadings(task, session, {
      secret: TEST_SECRET,
      shards: 1,
      maxKeptRows,
    })) {
      const slice = 'outputs' in outcome ? outcome.outputs['slice'] : undefined;
      if (slice === undefined || !('path' in slice)) continue;
      hashes[outcome.scope] = createHash('sha256')
        .update(await readFile(slice.path))
        .digest('hex');
    }
    const kept = statements.mock.calls.filter(([sql]) =>
      sql.includes('TABLE readings_read_kept'),
    ).length;
    return { hashes, kept };
  });
}

const inUtc = bulkFile(Object.fromEntries(DATES.map((date) => [date, MADE])));
/** Times without an offset, of which the repeated hour is told apart by the order of its rows. */
const local = inUtc
  .split('\n')
  .map((row) => row.replace(/(\d{4}-\d\d-\d\dT[\d:]+)\.000Z/, (_, at: string) => shown(at)))
  .join('\n');

function shown(at: string): string {
  const instant = new Date(`${at}Z`);
  const hours = instant < new Date('2024-10-27T01:00:00Z') ? 2 : 1;
  return new Date(instant.getTime() + hours * 3_600_000).toISOString().slice(0, 19);
}

describe.each([
  ['times in UTC', inUtc],
  ['local times with a repeated hour', local],
])('a file of %s', (_, text) => {
  it.each([
    ['several days', DATES],
    ['one day', DATES.slice(1, 2)],
  ])(
    'is cut into the same slices of %s whether its rows are in memory or not',
    async (__, dates) => {
      const small = await cut(text, dates, 1_000_000);
      expect(Object.keys(small.hashes)).toEqual(dates);
      expect(small.kept).toBe(dates.length > 1 ? 1 : 0);
      expect(await cut(text, dates, 100)).toEqual({ hashes: small.hashes, kept: 0 });
    },
  );
});
