import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { plan } from '../../src/cli/look/plan.ts';
import { importRaw } from '../../src/cli/make/import.ts';
import { run } from '../../src/cli/make/run.ts';
import { EXIT } from '../../src/cli/shared/context.ts';
import { meterKey } from '../../src/datasets/smart-meter/readings/meter-key.ts';
import { readLedger } from '../../src/engine/records/ledger-reader.ts';
import { testContext } from '../fixtures/cli-context.ts';
import type { TestContext } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { bulkFile } from '../fixtures/meter-files.ts';
import { TEST_SECRET, testMeters } from '../fixtures/meters.ts';

/**
 * One corrected reading, through the commands that an operator types, in a fleet of sixteen shards.
 */

const DAY = '2024-01-15';
const IDS = Array.from({ length: 60 }, (_, index) => `55000012${String(index).padStart(4, '0')}`);
const CORRECTED = IDS[7] ?? '';
const OF_METER = `${String(Number(BigInt(meterKey(TEST_SECRET, CORRECTED)) >> 60n) + 1).padStart(2, '0')}-of-16`;

let installation: Installation;
beforeAll(async () => {
  installation = await openInstallation({
    datasets: { 'smart-meter': testMeters },
    settings: { QUOTIDIEN_SHARDS: 'smart-meter=16', QUOTIDIEN_METER_SECRET: TEST_SECRET },
  });
});
afterAll(() => installation.close());

function context(): TestContext {
  const { engine, home, address } = installation;
  return testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
}

async function give(name: string, text: string): Promise<void> {
  const file = path.join(installation.home, name);
  await writeFile(file, text);
  expect(await importRaw(context(), { pipeline: 'smart-meter', files: [file] })).toBe(EXIT.done);
}

/** The entries of the ledger that are there now. */
async function made(): Promise<string[]> {
  const ledger = await readLedger(installation.engine.documents, 'smart-meter', [DAY]);
  return (ledger.get(DAY) ?? []).map(({ step, key }) => `${step} ${key}`);
}

it('a corrected reading is planned as one of sixteen shards and the sums above it, and nothing else runs', async () => {
  await give(
    'all.csv',
    bulkFile({ [DAY]: IDS.map((id, index) => ({ id, whOf: (slot) => 100 + index + slot })) }),
  );
  expect(await run(context(), { pipeline: 'smart-meter', from: DAY })).toBe(EXIT.done);
  const correction = `${CORRECTED},${DAY}T10:00:00Z,140,C,CORRIGE,2024-02-01\n`;
  await give('one.csv', `meter_id,start_at,wh,quality,revision,file_time\n${correction}`);
  const told = context();
  expect(await plan(told, { pipeline: 'smart-meter', from: DAY })).toBe(EXIT.done);
  const text = told.terminal.text();
  for (const step of [
    'transform/readings',
    'metrics/daily',
    'metrics/week',
    'metrics/rules',
    'metrics/estimates',
  ])
    expect(text).toMatch(new RegExp(`run +${step} +1 of 16 shards`));
  for (const step of ['metrics/quality', 'metrics/day', 'report/daily', 'report/page'])
    expect(text).toMatch(new RegExp(`run +${step} `));
  const before = new Set(await made());
  expect(await run(context(), { pipeline: 'smart-meter', from: DAY })).toBe(EXIT.done);
  const ran = (await made())
    .filter((entry) => !before.has(entry))
    .map((entry) => entry.split(' ')[0] ?? '');
  expect(ran).toContain(`transform/readings.${OF_METER}`);
  // A course of sixty meters moves with one of them; that of a million hardly ever does.
  const others = ran.filter((step) => step.includes('-of-') && !step.endsWith(OF_METER));
  expect(others.filter((step) => !step.startsWith('metrics/lags.'))).toEqual([]);
}, 240_000);
