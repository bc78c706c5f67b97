import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { eco2mix } from '../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { addDays, datesBetween } from '../../src/pipelines/civil-date.ts';
import type { Dataset } from '../../src/pipelines/dataset.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import { configuredDatasets } from '../../src/workers/configured-datasets.ts';
import { runDay, runDays, settleDerived } from '../fixtures/run-day.ts';
import { openTestEngine } from '../fixtures/test-engine.ts';

/**
 * Over a change of the clocks and of the month, and more than 2,048 rows: beyond that an engine's
 * vector, and with it a file, could split.
 */
const FIRST = '2026-03-12';
const DAYS = 24;
const DATES = datesBetween(FIRST, addDays(FIRST, DAYS - 1));

let portal: Portal;
let datasets: readonly Dataset[];

beforeAll(async () => {
  portal = await startPortal({ now: () => new Date('2026-04-20T10:00:00Z') });
  datasets = Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } }));
});

afterAll(() => portal.close());

/**
 * The keys and output hashes of every step of every day and period, after the pieces were run in
 * their order.
 */
async function hashesOf(pieces: readonly (readonly CivilDate[])[]): Promise<unknown> {
  const engine = await openTestEngine(datasets);
  try {
    for (const piece of pieces) {
      const [date] = piece;
      if (piece.length === 1 && date !== undefined) await runDay(engine, 'eco2mix', date);
      else await runDays(engine, 'eco2mix', piece);
    }
    await settleDerived(engine, 'eco2mix', DATES);
    const manifests = await newestManifests(engine.documents, 'eco2mix', [
      ...DATES,
      '2026-03',
      '2026-04',
      '2026',
      'all',
    ]);
    return [...manifests.values()].map(({ scope, steps }) => [
      scope,
      // The page is made for single days only, so it depends on the cut whether there is one.
      Object.entries(steps)
        .filter(([id]) => id !== 'report/page')
        .map(([id, state]) => [
          id,
          state.state === 'done'
            ? [state.key, Object.values(state.outputs).map((o) => o.sha256)]
            : state.state,
        ]),
    ]);
  } finally {
    await engine.close();
  }
}

/** Random cuts of the range into consecutive pieces, in random order. */
const cuts = fc
  .tuple(
    fc.subarray(Array.from({ length: DAYS - 1 }, (_, index) => index + 1)),
    fc.integer({ min: 0, max: 10_000 }),
  )
  .map(([marks, seed]) => {
    const bounds = [0, ...marks, DAYS];
    const pieces = bounds.slice(1).map((end, index) => DATES.slice(bounds[index], end));
    return pieces
      .map((piece, index) => ({ piece, order: (seed * (index + 7) * 2_654_435_761) % 97 }))
      .sort((a, b) => a.order - b.order)
      .map(({ piece }) => piece);
  });

describe('a range of days', () => {
  it('ends with the same keys and bytes however it is cut into windows and days, in any order', async () => {
    const expected = await hashesOf([DATES]);
    await fc.assert(
      fc.asyncProperty(cuts, async (pieces) => {
        expect(await hashesOf(pieces)).toEqual(expected);
      }),
      { numRuns: 3, endOnFailure: true },
    );
  }, 240_000);
});
