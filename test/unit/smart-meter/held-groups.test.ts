import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FleetDay } from '../../../src/datasets/smart-meter/marts/day.ts';
import { GROUP_CHECK } from '../../../src/datasets/smart-meter/quality/hold-groups.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { recordDecision } from '../../../src/engine/records/decisions.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { unitsHeldIn } from '../../../src/pipelines/held-units.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { meterKey } from '../../../src/datasets/smart-meter/readings/meter-key.ts';
import { TEST_SECRET, testMeters } from '../../fixtures/meters.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Forty meters behind two transformers, 4.8 kWh a day each. On the last of five like days one meter
 * of T1 counts in Wh what were kWh, and one meter is in no list.
 */

const HISTORY = ['2024-01-01', '2024-01-08', '2024-01-15', '2024-01-22'];
const DAY = '2024-01-29';
const IDS = Array.from({ length: 40 }, (_, index) => `55000012${String(index).padStart(4, '0')}`);
const [WRONG = '', STRANGER] = [IDS[3], '660000120001'];
const KWH_OF_METER = (48 * 100) / 1000;

let decisions = 0;
let engine: TestEngine;
beforeEach(async () => {
  engine = await openTestEngine([testMeters]);
});
afterEach(() => engine.close());

async function give(name: string, text: string): Promise<void> {
  const file = path.join(engine.home, name);
  await writeFile(file, text);
  await importFile(engine, 'smart-meter', file, testControl());
}

async function giveAll(): Promise<void> {
  const usual = IDS.map((id) => ({ id, whOf: () => 100 }));
  const odd = usual.map((one) => (one.id === WRONG ? { id: WRONG, whOf: () => 100_000 } : one));
  const last = [...odd, { id: STRANGER, whOf: () => 100 }];
  await give(
    'bulk.csv',
    bulkFile({ ...Object.fromEntries(HISTORY.map((date) => [date, usual])), [DAY]: last }),
  );
  const list = IDS.map((id, index) => `${id},2024-01-01,home,T${index < 20 ? 1 : 2},6\n`).join('');
  await give('list.csv', `meter_id,valid_from,segment,transformer,kva\n${list}`);
  await runDays(engine, 'smart-meter', HISTORY, { offline: true });
}

async function fleet(): Promise<FleetDay> {
  const file = path.join(engine.home, 'store', 'processed', 'metrics', `meter_metrics_${DAY}.json`);
  return JSON.parse(await readFile(file, 'utf8')) as FleetDay;
}

async function heldOf() {
  const manifest = (await newestManifests(engine.documents, 'smart-meter', [DAY])).get(DAY);
  return unitsHeldIn(manifest!);
}

async function decide(unit: string, decision: 'accept' | 'reject'): Promise<void> {
  const held = (await heldOf()).find((one) => one.unit === unit);
  const { check, evidence } = held!;
  const about = { step: 'metrics/quality', key: 'unused', check, unit, evidence } as const;
  await recordDecision(engine, testControl(), {
    pipeline: 'smart-meter',
    scope: DAY,
    decision: {
      ...about,
      decision,
      reason: 'looked at',
      by: 'Ada',
      decidedAt: `2024-02-0${(decisions += 1)}T00:00:00Z`,
    },
  });
}

describe('meters that cannot be believed', () => {
  it('are left out and asked about by group, while the rest of the fleet goes on', async () => {
    await giveAll();
    const { outcome } = await runDay(engine, 'smart-meter', DAY, { offline: true });
    expect(outcome.verdict).toBe('degraded');
    const part = `part ${String(Number(BigInt(meterKey(TEST_SECRET, STRANGER)) >> 60n) + 1).padStart(2, '0')} of 16`;
    const day = await fleet();
    expect(day.held).toEqual([
      { unit: 'T1', rule: 'same_unit', meters: 1 },
      { unit: part, rule: 'known_meter', meters: 1 },
    ]);
    const [all] = day.metrics;
    expect(all!.total_kwh).toBeCloseTo(39 * KWH_OF_METER, 9);
    expect(all).toMatchObject({ meters: 39, observed: 39 * 48, expected: 40 * 48 });
    expect(day.load.every(({ observed }) => observed === 39)).toBe(true);
    const units = await heldOf();
    expect(units.map(({ unit, check }) => [unit, check])).toEqual([
      ['T1', GROUP_CHECK.id],
      [part, GROUP_CHECK.id],
    ]);
    for (const id of [WRONG, STRANGER])
      expect(JSON.stringify(units)).not.toContain(meterKey(TEST_SECRET, id));
    const page = await readFile(
      path.join(engine.home, 'store', 'processed', 'reports', `meter_report_${DAY}.html`),
      'utf8',
    );
    expect(page).toContain('Compteurs retenus');
  });

  it('come back when somebody accepts their group, and stay out when somebody rejects it', async () => {
    await giveAll();
    await runDay(engine, 'smart-meter', DAY, { offline: true });
    await decide('T1', 'accept');
    expect((await runDay(engine, 'smart-meter', DAY, { offline: true })).outcome.verdict).toBe(
      'degraded',
    );
    const accepted = await fleet();
    expect(accepted.metrics[0]!.total_kwh).toBeCloseTo(39 * KWH_OF_METER + 1_000 * KWH_OF_METER, 9);
    const [left] = await heldOf();
    await decide(left!.unit, 'reject');
    await runDay(engine, 'smart-meter', DAY, { offline: true });
    expect((await fleet()).held).toHaveLength(1);
    expect((await heldOf()).every(({ rejected }) => rejected === true)).toBe(true);
    const { days } = await verifyDays(engine, testControl(), {
      pipeline: 'smart-meter',
      dates: [DAY],
    });
    expect(days.map(({ result }) => result)).toEqual(['identical']);
  });

  it('leave a day without figures where the list knows none of them', async () => {
    await give(
      'bulk.csv',
      bulkFile({ [DAY]: IDS.slice(0, 12).map((id) => ({ id, whOf: () => 100 })) }),
    );
    await give(
      'list.csv',
      `meter_id,valid_from,segment,transformer,kva\n${STRANGER},2024-01-01,home,T1,6\n`,
    );
    const { outcome } = await runDay(engine, 'smart-meter', DAY, { offline: true });
    expect(outcome.verdict).toBe('degraded');
    expect((await fleet()).held!.reduce((sum, { meters }) => sum + meters, 0)).toBe(12);
  });
});
