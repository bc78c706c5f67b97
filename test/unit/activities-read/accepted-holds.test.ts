import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { planFromStores } from '../../../src/engine/plan/plan-run.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { constantRows, portalCsv } from '../eco2mix/portal-csv.ts';

const DAY = '2024-05-05';
const NOW = new Date('2024-05-20T12:00:00Z');
const MEASURES = ['consommation', 'gaz', 'nucleaire'];

let engine: TestEngine;
beforeEach(async () => {
  engine = await openTestEngine([eco2mix], { now: () => NOW });
});
afterEach(() => engine.close());

async function give(load: number): Promise<void> {
  const values = { consommation: load, gaz: 4_000, nucleaire: load - 4_000 };
  const rows = constantRows(DAY, 30, values, 'Données consolidées');
  const file = path.join(engine.home, 'eco2mix-national-cons-def.csv');
  await writeFile(file, portalCsv(DAY, rows, MEASURES));
  await importFiles(engine, 'eco2mix', [file], testControl(), {});
}

function page(): Promise<string> {
  return readFile(
    path.join(engine.home, 'store', 'reports', 'eco2mix', `daily_report_${DAY}.html`),
    'utf8',
  );
}

describe('held data that somebody accepted', () => {
  it('are named on the page with who, when and why, and the page is rebuilt byte for byte', async () => {
    await give(500_000);
    expect((await runDay(engine, 'eco2mix', DAY, { offline: true })).held).toEqual([
      'transform/national',
    ]);
    await runDay(engine, 'eco2mix', DAY, { offline: true, decide: 'accept', by: 'ada' });
    expect(await page()).toMatch(
      /acceptées par <strong>ada<\/strong> le <time[^>]*>lundi 20 mai 2024 à 12:00 UTC<\/time>[^«]*« ?.?decided by a test/,
    );
    const { days } = await verifyDays(engine, testControl(), { pipeline: 'eco2mix', dates: [DAY] });
    expect(days.map(({ result }) => result)).toEqual(['identical']);
  });

  it('leave the day up to date: a plan foresees what its report was told', async () => {
    await give(500_000);
    await runDay(engine, 'eco2mix', DAY, { offline: true, decide: 'accept' });
    const { plans } = await planFromStores(engine, eco2mix.definition, [DAY], { offline: true });
    expect(plans[0]?.steps.filter(({ action }) => action === 'run')).toEqual([]);
    const again = await runDay(engine, 'eco2mix', DAY, { offline: true });
    expect([again.plan.upToDate, again.version]).toEqual([true, 1]);
  });

  it('are not told of where no check held', async () => {
    await give(50_000);
    await runDay(engine, 'eco2mix', DAY, { offline: true });
    expect(await page()).not.toContain('acceptées');
  });
});
