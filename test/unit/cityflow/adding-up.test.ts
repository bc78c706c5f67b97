import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import type { ImportResult } from '../../../src/engine/download/import-file.ts';
import { readDeliveries } from '../../../src/engine/records/ledger-reader.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { importRaw } from '../../../src/cli/make/import.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { countLine, countsCsv } from './made-data.ts';

/** Road counts that come in several files for the same days. */

const DAY = '2025-11-04';
const NEXT = '2025-11-05';
let engine: TestEngine;
beforeEach(async () => {
  engine = await openTestEngine([cityflow]);
});
afterEach(() => engine.close());

function hours(arc: string, q: number, date: CivilDate = DAY, count = 24): string[] {
  return Array.from({ length: count }, (_, hour) =>
    countLine(date, { arc, hour, q: q + hour, k: 10 }),
  );
}

let files = 0;
async function file(lines: readonly string[]): Promise<string> {
  const target = path.join(engine.home, `counts-${(files += 1)}.csv`);
  await writeFile(target, countsCsv(lines));
  return target;
}

async function give(...contents: (readonly string[])[]): Promise<ImportResult[]> {
  const given: string[] = [];
  for (const lines of contents) given.push(await file(lines));
  return (await importFiles(engine, 'cityflow', given, testControl())).map((outcome) => {
    if ('code' in outcome) throw new Error(outcome.message);
    return outcome;
  });
}

/** The vehicles of the day, and of how many roads they are. */
async function counted(date = DAY): Promise<{ vehicles: number; roads: number; verdict: string }> {
  await runDay(engine, 'cityflow', date, { offline: true });
  const report = path.join(
    engine.home,
    'store',
    'processed',
    'reports',
    `daily_report_${date}.json`,
  );
  const { summary } = JSON.parse(await readFile(report, 'utf8')) as {
    summary: { total_vehicules_paris: number };
  };
  const newest = (await readVersions(engine, 'cityflow', date)).at(-1)!;
  return {
    vehicles: summary.total_vehicules_paris,
    roads: Number(newest.facts['arcs']),
    verdict: newest.verdict,
  };
}

const sum = (q: number, count = 24): number => count * q + (count * (count - 1)) / 2;

describe('two files of road counts for the same day', () => {
  it('add up, taken in by one command', async () => {
    const context = testContext(engine);
    const exit = await importRaw(context, {
      pipeline: 'cityflow',
      files: [await file(hours('1', 100)), await file(hours('2', 200))],
    });
    expect(exit).toBe(0);
    expect(context.terminal.text()).toContain(`${DAY}  adds 48 values to the known ones`);
    expect(await counted()).toMatchObject({ vehicles: sum(100) + sum(200), roads: 2 });
    const { days } = await verifyDays(engine, testControl(), {
      pipeline: 'cityflow',
      dates: [DAY],
    });
    expect(days).toMatchObject([{ result: 'identical' }]);
  });

  it('add up over days, also where a run came in between', async () => {
    await give([...hours('1', 100), ...hours('1', 100, NEXT)]);
    expect(await counted()).toMatchObject({ vehicles: sum(100), roads: 1 });
    await give([...hours('2', 200), ...hours('1', 100).slice(20), ...hours('2', 7, NEXT)]);
    expect(await counted()).toMatchObject({ vehicles: sum(100) + sum(200), roads: 2 });
    expect(await counted(NEXT)).toMatchObject({ vehicles: sum(100) + sum(7), roads: 2 });
  });

  it('give the same day whichever is taken in again', async () => {
    const [one, two] = [hours('1', 100), hours('2', 200)];
    await give(one, two);
    await counted();
    const [again] = await give(one);
    expect(again).toMatchObject({ kept: 0, remarks: [{ date: DAY, text: 'has nothing new' }] });
    await counted();
    expect(await readVersions(engine, 'cityflow', DAY)).toHaveLength(1);
  });

  it('lose nothing when the second was cut off, or is a part of the first', async () => {
    await give(hours('1', 100));
    await counted();
    const [taken] = await give(hours('1', 100).slice(0, 9));
    expect(taken!.remarks).toEqual([{ date: DAY, text: 'has nothing new' }]);
    expect(await counted()).toMatchObject({ vehicles: sum(100) });
    expect(await readVersions(engine, 'cityflow', DAY)).toHaveLength(1);
  });

  it('that say different things of one hour leave the known value, and the conflict is listed', async () => {
    await give([...hours('1', 100), ...hours('3', 5)]);
    const context = testContext(engine);
    const other = [...hours('2', 200), countLine(DAY, { arc: '1', hour: 8, q: 99_000, k: 10 })];
    expect(await importRaw(context, { pipeline: 'cityflow', files: [await file(other)] })).toBe(3);
    expect(context.terminal.text()).toContain(
      '1 values are other than the known ones, which stay (flow of arc 1 at 2025-11-04T09:00:00+01:00: 108.0 is known, 99000.0 was given)',
    );
    expect(await counted()).toMatchObject({
      vehicles: sum(100) + sum(5) + sum(200),
      roads: 3,
      verdict: 'degraded',
    });
    const newest = (await readVersions(engine, 'cityflow', DAY)).at(-1)!;
    expect(newest.steps['download/comptages']).toMatchObject({ kept: { code: 'ROWS_DISAGREE' } });
  });

  it('are a correction when the second has all that is known: it counts, and says how much it replaces', async () => {
    await give(hours('1', 100));
    const [taken] = await give(hours('1', 300));
    const text: unknown = expect.stringMatching(
      /^replaces 24 values that were known \(flow of arc 1 at .*100\.0 is known, .*, …\)$/,
    );
    expect(taken).toMatchObject({ kept: 0, remarks: [{ text }] });
    expect(await counted()).toMatchObject({ vehicles: sum(300) });
  });

  it('have the rows of both when two imports settle them at the same time', async () => {
    await Promise.all([give(hours('1', 100)), give(hours('2', 200)), give(hours('3', 300))]);
    expect(await counted()).toMatchObject({ vehicles: sum(100) + sum(200) + sum(300), roads: 3 });
  });
});

describe('the rows of a file', () => {
  const rows = [
    ...hours('1', 100),
    ...hours('2', 200),
    ...hours('1', 50, NEXT),
    ...hours('3', 60, NEXT),
  ];

  async function slicesOf(pieces: readonly (readonly string[])[]): Promise<unknown> {
    const own = await openTestEngine([cityflow]);
    try {
      for (const [index, lines] of pieces.entries()) {
        const target = path.join(own.home, `piece-${index}.csv`);
        await writeFile(target, countsCsv(lines));
        await importFiles(own, 'cityflow', [target], testControl());
      }
      const deliveries = await readDeliveries(own.documents, cityflow.definition, [DAY, NEXT]);
      return [DAY, NEXT].map((date) => deliveries.get('comptages')?.get(date)?.key);
    } finally {
      await own.close();
    }
  }

  it('give the same slices however they are cut into files, in any order and with rows in several of them', async () => {
    const expected = await slicesOf([rows]);
    const cuts = fc
      .array(fc.integer({ min: 0, max: 3 }), { minLength: rows.length, maxLength: rows.length })
      .chain((places) =>
        fc.tuple(
          fc.constant(places),
          fc.subarray(rows),
          fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
        ),
      );
    await fc.assert(
      fc.asyncProperty(cuts, async ([places, twice, order]) => {
        const pieces = [0, 1, 2, 3].map((place) =>
          rows.filter((_, index) => places[index] === place),
        );
        const given = order
          .map((place) => [...pieces, twice][place] ?? [])
          .filter((lines) => lines.length > 0);
        expect(await slicesOf(given)).toEqual(expected);
      }),
      { numRuns: 4, endOnFailure: true },
    );
  }, 240_000);
});
