import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { meterKey } from '../../src/datasets/smart-meter/readings/meter-key.ts';
import { importFile } from '../../src/engine/download/import-file.ts';
import { namesUnder } from '../../src/engine/download/raw-names.ts';
import { objectsWith } from '../../src/engine/objects-with.ts';
import { endPromises, promiseScopes } from '../../src/engine/records/promises.ts';
import { destroyedObject } from '../../src/engine/records/forgotten.ts';
import { endForgetting, forgetPerson } from '../../src/engine/upkeep/forget-person.ts';
import { verifyDays } from '../../src/engine/verify/verify-day.ts';
import { configuredDatasets } from '../../src/workers/configured-datasets.ts';
import { TEST_SECRET, testMeters } from '../fixtures/meters.ts';
import { runDay } from '../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';

const [GONE, OTHER, THIRD] = ['19283746501928', '19283746501935', '19283746501942'];
const DAY = '2024-03-05';
const request = {
  pipeline: 'smart-meter',
  id: GONE,
  reason: 'asked for',
  by: 'test',
  dryRun: false,
};
const HEADER = 'meter_id,start_at,wh\n';

let engine: TestEngine;
let given: string;
beforeEach(async () => {
  engine = await openTestEngine(
    Object.values(configuredDatasets({ 'smart-meter': testMeters }, {})),
  );
  given = await mkdtemp(path.join(tmpdir(), 'quotidien-given-'));
  await give('first.csv', [GONE, OTHER]);
  expect((await runDay(engine, 'smart-meter', DAY)).outcome.failure).toBeUndefined();
});
afterEach(async () => {
  await engine.close();
  await rm(given, { recursive: true });
});

async function give(
  name: string,
  meters: readonly string[],
  into: TestEngine = engine,
): Promise<void> {
  const rows = meters.flatMap((meter, place) =>
    Array.from({ length: 48 }, (_, slot) => {
      const at = new Date(Date.parse(`${DAY}T00:00:00+01:00`) + slot * 1_800_000).toISOString();
      return `${meter},${at},${100 + 10 * place + (slot % 13)}\n`;
    }),
  );
  const file = path.join(given, name);
  await writeFile(file, HEADER + rows.join(''));
  await importFile(into, 'smart-meter', file, testControl());
}

/**
 * Gives a file to a worker that dies when it has stored an object of these names; returns the names
 * of what it left.
 */
async function killAt(names: RegExp, meters: readonly string[]): Promise<string[]> {
  const before = new Set(await parquetWith(GONE));
  const put: TestEngine['objects']['put'] = async (key, ...rest) => {
    const ref = await engine.objects.put(key, ...rest);
    if (names.test(key)) throw new Error('killed');
    return ref;
  };
  await expect(
    give('killed.csv', meters, { ...engine, objects: objectsWith(engine.objects, { put }) }),
  ).rejects.toThrow('killed');
  return (await parquetWith(GONE)).filter((name) => !before.has(name));
}

/** The tables of the store that have rows of the meter. */
async function parquetWith(meter: string): Promise<string[]> {
  const key = meterKey(TEST_SECRET, meter);
  const found: string[] = [];
  for (const name of (await namesUnder(engine.objects, [''])).filter((one) =>
    one.endsWith('.parquet'),
  )) {
    const file = path.join(engine.home, 'store', name);
    const rows = await engine.sql!.session((sql) =>
      sql.rows(
        `FROM read_parquet('${file}', hive_partitioning = false) AS one WHERE contains(CAST(one AS VARCHAR), '${key}')`,
      ),
    );
    if (rows.length > 0) found.push(name);
  }
  return found;
}

async function verified(): Promise<unknown[]> {
  const { days } = await verifyDays(engine, testControl(), {
    pipeline: 'smart-meter',
    dates: [DAY],
  });
  return days.map(({ result }) => result);
}

const JOINED = /^raw\/smart-meter\/readings\/[^/]+\/[0-9a-f]{64}\.parquet$/;
const SLICE = /^slices\/smart-meter\/readings\/.*\.parquet$/;

describe('forgetting a meter', () => {
  it('removes joined rows that a worker had stored when it died', async () => {
    const [orphan, ...others] = await killAt(JOINED, [OTHER, THIRD]);
    expect([orphan, others]).toEqual([expect.stringMatching(JOINED), []]);
    const result = await forgetPerson(engine, testControl(), request);
    expect(result).toMatchObject({ state: 'done', left: [] });
    expect(await parquetWith(GONE)).toEqual([]);
    expect(await destroyedObject(engine.documents, 'smart-meter', orphan!)).toMatchObject({
      cause: 'forgotten',
    });
    expect(await verified()).toEqual(['identical']);
    // The same delivery once more is taken in, without the meter.
    await give('again.csv', [OTHER, THIRD]);
    expect((await runDay(engine, 'smart-meter', DAY)).outcome.failure).toBeUndefined();
    expect(await parquetWith(GONE)).toEqual([]);
    expect(await parquetWith(THIRD)).not.toEqual([]);
    expect(await verified()).toEqual(['identical']);
  }, 120_000);

  it('tells of them beforehand, and leaves those of other meters', async () => {
    const joined = await killAt(JOINED, [OTHER, THIRD]);
    await forgetPerson(engine, testControl(), { ...request, id: '19283746501959' });
    expect(await parquetWith(GONE)).toEqual(expect.arrayContaining(joined));
    const planned = await forgetPerson(engine, testControl(), { ...request, dryRun: true });
    // The file that was given, and the joined rows.
    expect(planned).toMatchObject({ state: 'planned', raws: 2 });
    expect(await parquetWith(GONE)).toEqual(expect.arrayContaining(joined));
  }, 120_000);

  it('removes slices that no entry names, unless a run may still commit them', async () => {
    const [orphan] = await killAt(SLICE, [GONE, THIRD]);
    expect(orphan).toMatch(SLICE);
    const run = {
      ...testControl(),
      execution: { workflowId: 'other', runId: 'other-run', attempt: 1 },
    };
    await promiseScopes(engine, run, 'smart-meter', [DAY]);
    const first = await forgetPerson(engine, testControl(), request);
    expect(first.underWay).toEqual([{ workflowId: 'other', scopes: [DAY] }]);
    expect(await parquetWith(GONE)).toEqual([orphan]);
    await endPromises(engine, run, 'smart-meter', [DAY]);
    expect((await forgetPerson(engine, testControl(), request)).underWay).toEqual([]);
    expect(await parquetWith(GONE)).toEqual([]);
    expect(await verified()).toEqual(['identical']);
  }, 120_000);

  it('finds them without its id when a reconciliation ends the work', async () => {
    await killAt(JOINED, [OTHER, THIRD]);
    const progress = (note: string): void => {
      if (note === 'looking for rows') throw new Error('killed');
    };
    await expect(forgetPerson(engine, { ...testControl(), progress }, request)).rejects.toThrow(
      'killed',
    );
    expect(await endForgetting(engine, testControl())).toMatchObject([{ state: 'done' }]);
    expect(await parquetWith(GONE)).toEqual([]);
  }, 120_000);
});
