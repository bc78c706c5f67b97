import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { smartMeterWith } from '../../../src/datasets/smart-meter/index.ts';
import { meterKey } from '../../../src/datasets/smart-meter/readings/meter-key.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import {
  newestManifests,
  readLedger,
  readReceipts,
} from '../../../src/engine/records/ledger-reader.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { newestDeliveries } from '../../../src/pipelines/receipt.ts';
import { unsharded } from '../../../src/pipelines/shard.ts';
import type { StepId } from '../../../src/pipelines/vocabulary.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { TEST_SECRET } from '../../fixtures/meters.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Nine meters in four shards, of which one reading of one meter is corrected; segments of so few
 * have no course that it could move.
 */

const DAY = '2024-01-15';
const SHARDS = 4;
const IDS = Array.from({ length: 9 }, (_, index) => `55000012${String(index).padStart(4, '0')}`);
const CORRECTED = IDS[5] ?? '';
const OF_METER = `0${Number(BigInt(meterKey(TEST_SECRET, CORRECTED)) >> 62n) + 1}-of-0${SHARDS}`;
const ALL = bulkFile({
  [DAY]: IDS.map((id, index) => ({ id, whOf: (slot) => 100 + index + slot })),
});
const CORRECTION = `meter_id,start_at,wh,quality,revision,file_time\n${CORRECTED},${DAY}T10:00:00Z,777,C,CORRIGE,2024-02-01\n`;

const PART = fleet(SHARDS).definition.parts.find(({ id }) => id === 'readings')!;
const WINDOW = { first: DAY, last: DAY };

const engines: TestEngine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

function fleet(shards: number) {
  return smartMeterWith(() => Promise.resolve(TEST_SECRET), shards);
}

async function openFleet(shards: number): Promise<TestEngine> {
  const engine = await openTestEngine([fleet(shards)]);
  engines.push(engine);
  return engine;
}

let files = 0;
async function give(engine: TestEngine, text: string): Promise<void> {
  const file = path.join(engine.home, `given-${(files += 1)}.csv`);
  await writeFile(file, text);
  await importFile(engine, 'smart-meter', file, testControl());
}

function run(engine: TestEngine) {
  return runDay(engine, 'smart-meter', DAY, { offline: true });
}

async function outputsOf(engine: TestEngine): Promise<Record<string, string>> {
  const manifest = (await newestManifests(engine.documents, 'smart-meter', [DAY])).get(DAY)!;
  return Object.fromEntries(
    Object.entries(manifest.steps).flatMap(([step, state]) =>
      state.state === 'done'
        ? Object.entries(state.outputs).map(([name, ref]) => [`${step}:${name}`, ref.sha256])
        : [],
    ),
  );
}

async function results(engine: TestEngine): Promise<string[]> {
  const { days } = await verifyDays(engine, testControl(), {
    pipeline: 'smart-meter',
    dates: [DAY],
  });
  return days.map(({ result }) => result);
}

it('one corrected meter makes one shard of its day again and the sums above it, as the plan says before', async () => {
  const engine = await openFleet(SHARDS);
  await give(engine, ALL);
  await run(engine);
  const before = await outputsOf(engine);
  await give(engine, CORRECTION);
  const { plan, state } = await run(engine);
  const planned = plan.steps.filter(({ action }) => action === 'run').map(({ step }) => step);
  // A course of a segment may move, and is known only then.
  const inShards = planned.filter(
    (step) => step !== unsharded(step) && unsharded(step) !== 'metrics/lags',
  );
  expect(inShards.length).toBeGreaterThan(5);
  expect(inShards.filter((step) => !step.endsWith(`.${OF_METER}`))).toEqual([]);
  // What reads bytes that are the same in the end is reused.
  const ran = Object.entries(state).flatMap(([step, one]) =>
    one.state === 'done' && one.how === 'ran' ? [step] : [],
  );
  expect(ran.filter((step) => !planned.includes(step as StepId))).toEqual([]);
  expect(ran.filter((step) => step.includes('-of-') && !step.endsWith(`.${OF_METER}`))).toEqual([]);
  expect(ran).toEqual(
    expect.arrayContaining([`transform/readings.${OF_METER}`, 'metrics/day', 'report/page']),
  );
  const after = await outputsOf(engine);
  const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
  const ofOthers = changed.filter((name) => /\d-of-/.test(name) && !name.includes(OF_METER));
  expect(ofOthers).toEqual([]);
  expect(changed).toContain(`download/readings:slice.${OF_METER}`);
  const fresh = await openFleet(SHARDS);
  await give(fresh, CORRECTION);
  await give(fresh, ALL);
  await run(fresh);
  expect(await outputsOf(fresh)).toEqual(after);
  expect(await results(engine)).toEqual(['identical']);
}, 180_000);

it('slices of a corrected day that are gone are cut again from the files that each came in', async () => {
  const engine = await openFleet(SHARDS);
  await give(engine, ALL);
  await give(engine, CORRECTION);
  await run(engine);
  const outputs = await outputsOf(engine);
  await rm(path.join(engine.home, 'store', 'slices', 'smart-meter', 'readings'), {
    recursive: true,
  });
  const { outcome } = await run(engine);
  expect(outcome.verdict).toBe('ok');
  expect(await outputsOf(engine)).toEqual(outputs);
  expect(await results(engine)).toEqual(['identical']);
}, 180_000);

it('another number of shards is planned as such, and gives the same sums', async () => {
  const whole = await openFleet(1);
  await give(whole, ALL);
  await give(whole, CORRECTION);
  await run(whole);
  const before = await outputsOf(whole);
  const sharded = whole.withDatasets([fleet(SHARDS)]);
  const { plan, outcome } = await run(sharded);
  expect(plan.steps.find(({ step }) => step === 'download/readings')).toMatchObject({
    action: 'run',
    reason: `its slices came whole, and come in ${SHARDS} shards now`,
  });
  expect(outcome.verdict).toBe('ok');
  const after = await outputsOf(sharded);
  const sums = Object.keys(before).filter((name) =>
    /^(metrics\/(day|quality|balance)|report)/.test(name),
  );
  expect(sums.length).toBeGreaterThan(8);
  for (const name of sums) expect([name, after[name]]).toEqual([name, before[name]]);
  expect((await run(sharded)).plan.upToDate).toBe(true);
  expect(await results(sharded)).toEqual(['identical']);
}, 180_000);

it('of a few rows those are added that are new, once, also rows that nobody can tell the meter of', async () => {
  const engine = await openFleet(SHARDS);
  await give(engine, ALL);
  const known = ALL.split('\n').find((row) => row.startsWith(CORRECTED));
  const header = 'meter_id,start_at,wh\n';
  await give(engine, `${header}${known}\n,${DAY}T10:00:00Z,5\n`);
  const rowsOf = async () => {
    const [delivery] = [
      ...newestDeliveries(
        await readReceipts(engine.documents, 'smart-meter', PART, WINDOW),
      ).values(),
    ];
    const entries = (await readLedger(engine.documents, 'smart-meter', [DAY])).get(DAY) ?? [];
    return entries.find(({ key }) => key === delivery?.key)?.facts['rows'];
  };
  expect(await rowsOf()).toBe(IDS.length * 48 + 1);
  await give(engine, `${header},${DAY}T10:00:00Z,5\n,${DAY}T10:30:00Z,6\n`);
  expect(await rowsOf()).toBe(IDS.length * 48 + 2);
}, 180_000);
