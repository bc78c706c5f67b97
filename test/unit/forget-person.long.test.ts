import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forget } from '../../src/cli/stores/forget.ts';
import { OPERATIONAL_TABLES } from '../../src/cli/stores/storage.ts';
import { meterKey } from '../../src/datasets/smart-meter/readings/meter-key.ts';
import { objectsWith } from '../../src/engine/objects-with.ts';
import { namesUnder } from '../../src/engine/download/raw-names.ts';
import { importFile } from '../../src/engine/download/import-file.ts';
import { forgottenPersons } from '../../src/engine/records/forgotten.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { forgetPerson } from '../../src/engine/upkeep/forget-person.ts';
import { verifyDays } from '../../src/engine/verify/verify-day.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import { configuredDatasets } from '../../src/workers/configured-datasets.ts';
import { collectText } from '../conformance/byte-streams.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { TEST_SECRET, testMeters } from '../fixtures/meters.ts';
import { runDay } from '../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';

const [GONE, OTHER, THIRD] = ['19283746501928', '19283746501935', '19283746501942'];
/**
 * The meter was read on two days; a day before them knows nothing of it, a day after them reads
 * their tables.
 */
const [BEFORE, FIRST, SECOND, AFTER, LATER] = [
  '2024-03-02',
  '2024-03-04',
  '2024-03-05',
  '2024-03-06',
  '2024-03-07',
];
const DAYS = [BEFORE, FIRST, SECOND, AFTER];
const IDENTICAL = DAYS.map(() => 'identical');

const request = {
  pipeline: 'smart-meter',
  id: GONE,
  reason: `asked for by ${GONE}`,
  by: 'test',
  dryRun: false,
};
const key = meterKey(TEST_SECRET, GONE);

let engine: TestEngine;
let given: string;
beforeEach(async () => {
  // As configured: nobody said where a head-end is.
  const datasets = configuredDatasets({ 'smart-meter': testMeters }, {});
  engine = await openTestEngine(Object.values(datasets));
  given = await mkdtemp(path.join(tmpdir(), 'quotidien-given-'));
});
afterEach(async () => {
  await engine.close();
  await rm(given, { recursive: true });
});

function dayOf(date: string, meters: readonly string[]): string {
  return meters
    .flatMap((meter, place) =>
      Array.from({ length: 48 }, (_, slot) => {
        const at = new Date(Date.parse(`${date}T00:00:00+01:00`) + slot * 1_800_000).toISOString();
        return `${meter},${at},${100 + 10 * place + ((slot * 7) % 13)}\n`;
      }),
    )
    .join('');
}

async function give(name: string, text: string): Promise<string> {
  const file = path.join(given, name);
  await writeFile(file, text);
  await importFile(engine, 'smart-meter', file, testControl());
  return file;
}

const STAGES = [
  'taking names out of records',
  'looking for rows',
  'writing down what goes',
  'writing slices again',
  'replacing slices',
  'making days again',
  `making ${SECOND} again`,
  'destroying what was',
  'closing',
];

function killAt(stage: string): (note: string) => void {
  return (note) => {
    if (note === stage) throw new Error(`killed at ${stage}`);
  };
}

const HEADER = 'meter_id,start_at,wh\n';

/** Three days in one file, one more file that is named by the meter, and a list of meters. */
async function fill(): Promise<string[]> {
  const whole = await give(
    'bulk.csv',
    HEADER +
      [BEFORE, AFTER].map((date) => dayOf(date, [OTHER, THIRD])).join('') +
      [FIRST, SECOND].map((date) => dayOf(date, [GONE, OTHER, THIRD])).join(''),
  );
  const curve = await give(
    `curve-${GONE}.csv`,
    HEADER + dayOf(SECOND, [GONE]).replaceAll(',1', ',2'),
  );
  for (const date of DAYS)
    expect((await runDay(engine, 'smart-meter', date)).outcome.failure).toBeUndefined();
  return [whole, curve];
}

async function versions(): Promise<number[]> {
  const manifests = await newestManifests(engine.documents, 'smart-meter', DAYS);
  return DAYS.map((date) => manifests.get(date)!.version);
}

/** Every place of the home in which the meter is still told of. */
async function placesOf(words: readonly string[], of: TestEngine = engine): Promise<string[]> {
  const places: string[] = [];
  const names = await readdir(of.home, { recursive: true, withFileTypes: true });
  for (const entry of names.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const text = await readFile(file, 'latin1');
    if (words.some((word) => text.includes(word))) places.push(file);
    if (entry.name.endsWith('.parquet') && (await rowsIn(file, words)) > 0)
      places.push(`rows of ${file}`);
  }
  // Texts are packed on the disk.
  for (const name of await namesUnder(of.objects, [''])) {
    if (words.some((word) => name.includes(word))) places.push(name);
    const text = name.endsWith('.parquet') ? '' : await collectText(await of.objects.get(name));
    if (words.some((word) => text.includes(word))) places.push(name);
  }
  for (const table of OPERATIONAL_TABLES) {
    for await (const partition of of.documents.partitions(table)) {
      for await (const row of of.documents.query({ table, partition })) {
        if (words.some((word) => JSON.stringify(row).includes(word)))
          places.push(`${table} ${row.sort}`);
      }
    }
  }
  return places;
}

async function rowsIn(file: string, words: readonly string[]): Promise<number> {
  return engine.sql!.session(async (sql) => {
    const from = `read_parquet('${file}', hive_partitioning = false)`;
    const columns = await sql.rows<{ column_name: string }>(`DESCRIBE SELECT * FROM ${from}`);
    const text = columns
      .map(({ column_name: name }) => `coalesce(CAST("${name}" AS VARCHAR), '')`)
      .join(" || ' ' || ");
    const holds = words.map((word) => `contains(${text}, '${word}')`).join(' OR ');
    const [found] = await sql.rows<{ rows: number }>(
      `SELECT count(*) AS rows FROM ${from} WHERE ${holds}`,
    );
    return found!.rows;
  });
}

async function verifyAll(
  dates: readonly string[] = DAYS,
  of: TestEngine = engine,
): Promise<string[]> {
  const { days } = await verifyDays(of, testControl(), { pipeline: 'smart-meter', dates });
  return days.map(({ result, steps }) =>
    [
      result,
      ...steps.flatMap(({ step, findings }) => findings.map((one) => `${step} ${one}`)),
    ].join('; '),
  );
}

describe('forgetting a meter', () => {
  it('leaves nothing of it anywhere, and every day verifies', async () => {
    const files = await fill();
    expect(await placesOf([GONE, key])).not.toEqual([]);
    expect(await versions()).toEqual([1, 1, 1, 1]);

    const context = testContext(engine);
    await forget(context, { pipeline: 'smart-meter', id: GONE, dryRun: true });
    expect(context.terminal.text()).toContain('Nothing was changed');
    const [planned] = context.terminal.values as [
      { raws: number; scopes: string[]; slices: number },
    ];
    expect(planned.scopes).toEqual([FIRST, SECOND, AFTER]);
    // Both files, and the rows of both together.
    expect(planned.raws).toBe(3);
    expect(await versions()).toEqual([1, 1, 1, 1]);
    expect(await forgottenPersons(engine.documents, 'smart-meter')).toEqual([]);

    const result = await forgetPerson(engine, testControl(), request);
    expect(result).toMatchObject({
      state: 'done',
      scopes: [FIRST, SECOND, AFTER],
      left: [],
      raws: 3,
    });
    expect(await placesOf([GONE, key])).toEqual([]);
    expect(await versions()).toEqual([1, 2, 2, 2]);
    expect(await verifyAll()).toEqual(IDENTICAL);
    const [known] = await forgottenPersons(engine.documents, 'smart-meter');
    expect(known).toMatchObject({ state: 'done', by: 'test', reason: 'asked for by [forgotten]' });

    // The same files again, and a new day.
    for (const one of files) await importFile(engine, 'smart-meter', one, testControl());
    for (const date of DAYS) await runDay(engine, 'smart-meter', date);
    expect(await versions()).toEqual([1, 2, 2, 2]);
    await give('later.csv', HEADER + dayOf(LATER, [GONE, OTHER]));
    expect((await runDay(engine, 'smart-meter', LATER)).outcome.verdict).toBe('ok');
    expect(await placesOf([GONE, key])).toEqual([]);
    expect(await verifyAll([...DAYS, LATER])).toEqual([...IDENTICAL, 'identical']);
    expect(await placesOf([OTHER])).toEqual([]);
    const again = await forgetPerson(engine, testControl(), request);
    expect(again).toMatchObject({ state: 'done', scopes: [], left: [] });
  }, 180_000);

  it('killed before each of its stages, ends when it is asked for again', async () => {
    await fill();
    for (const stage of STAGES) {
      const killed = forgetPerson(engine, { ...testControl(), progress: killAt(stage) }, request);
      await expect(killed).rejects.toThrow(`killed at ${stage}`);
      // A run in between is not harmed, and brings nothing back.
      await runDay(engine, 'smart-meter', AFTER);
    }
    let left = 3;
    const objects = objectsWith(engine.objects, {
      delete: async (...of) => {
        if (left === 0) throw new Error('killed while it destroys');
        left -= 1;
        await engine.objects.delete(...of);
      },
    });
    const killed = forgetPerson({ ...engine, objects }, testControl(), request);
    await expect(killed).rejects.toThrow('killed while it destroys');
    const result = await forgetPerson(engine, testControl(), request);
    expect(result).toMatchObject({ state: 'done', left: [] });
    expect(await placesOf([GONE, key])).toEqual([]);
    expect((await versions())[0]).toBe(1);
    expect(await verifyAll()).toEqual(IDENTICAL);
  }, 300_000);

  it('leaves a day without its only meter as a day without data', async () => {
    await give('one.csv', HEADER + dayOf(FIRST, [GONE]));
    await runDay(engine, 'smart-meter', FIRST);
    expect(await forgetPerson(engine, testControl(), request)).toMatchObject({
      state: 'done',
      left: [],
    });
    const manifest = (await newestManifests(engine.documents, 'smart-meter', [FIRST])).get(FIRST)!;
    expect(manifest).toMatchObject({ version: 2, verdict: 'no_data' });
    expect(await placesOf([GONE, key])).toEqual([]);
    expect(
      (await readdir(path.join(engine.home, 'store'), { recursive: true })).join(),
    ).not.toContain('processed/reports/');
  }, 120_000);

  it('leaves nothing of it in what days say of single meters beside their weeks before', async () => {
    // A week that ended one, eight and fifteen days before: the least that a day is held against.
    const month = ['2024-04-15', '2024-04-22', '2024-04-29', '2024-04-30'];
    const [from, , , last] = month as [string, string, string, string];
    const rows = month.map((date) => dayOf(date, [GONE, OTHER, THIRD]));
    // On the last day the meter lacks more than any other.
    await give(
      'month.csv',
      HEADER +
        rows.join('').replaceAll(new RegExp(`^(${GONE},${last}.*),1(\\d\\d)$`, 'gmu'), '$1,1'),
    );
    for (const date of month)
      expect((await runDay(engine, 'smart-meter', date)).outcome.failure).toBeUndefined();
    const of = (await newestManifests(engine.documents, 'smart-meter', [last])).get(last)!;
    const steps = [
      'metrics/features',
      'metrics/changes',
      'metrics/lags',
      'metrics/fleet-rules',
      'metrics/suspicions',
    ];
    for (const step of steps)
      expect([step, of.steps[step as never]]).not.toEqual([step, undefined]);
    expect((await placesOf([key])).some((place) => place.includes('/changes/'))).toBe(true);
    expect(await forgetPerson(engine, testControl(), request)).toMatchObject({
      state: 'done',
      left: [],
    });
    expect(await placesOf([GONE, key])).toEqual([]);
    expect(await verifyAll([from, last])).toEqual(['identical', 'identical']);
  }, 300_000);

  it('does not keep what a head-end gives of it again, changed or not', async () => {
    const [id, date] = ['10000100000003', '2024-04-10'];
    let now = new Date('2024-04-11T10:00:00Z');
    const portal = await startPortal({ now: () => now, meters: 20 });
    const hosts = { 'head-end': { url: portal.url, key: 'sample', requestsPerSecond: 1_000 } };
    const other = await openTestEngine(
      Object.values(configuredDatasets({ 'smart-meter': testMeters }, hosts)),
      {
        now: () => now,
      },
    );
    try {
      const words = [id, meterKey(TEST_SECRET, id)];
      await runDay(other, 'smart-meter', date);
      expect(await placesOf(words, other)).not.toEqual([]);
      expect(await forgetPerson(other, testControl(), { ...request, id })).toMatchObject({
        state: 'done',
        left: [],
      });
      expect(await placesOf(words, other)).toEqual([]);
      await runDay(other, 'smart-meter', date, { recheck: true });
      expect(await placesOf(words, other)).toEqual([]);
      now = new Date('2024-04-20T10:00:00Z');
      expect(
        (await runDay(other, 'smart-meter', date, { recheck: true })).outcome.failure,
      ).toBeUndefined();
      expect(await placesOf(words, other)).toEqual([]);
      expect(await verifyAll([date], other)).toEqual(['identical']);
    } finally {
      await portal.close();
      await other.close();
    }
  }, 180_000);

  it('refuses what is nobody’s, and pipelines that tell of nobody', async () => {
    const blank = forgetPerson(engine, testControl(), { ...request, id: ' ' });
    await expect(blank).rejects.toThrow('give the id of a meter');
  });
});
