import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { show } from '../../../src/cli/look/show.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { Report } from '../../../src/datasets/cityflow/report/model.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import type { ReportModel } from '../../../src/datasets/eco2mix/report/model.ts';
import { startPortal, writeSyntheticCsv } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { readLedger } from '../../../src/engine/records/ledger-reader.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const DAY = '2026-05-05';
const NOW = new Date('2026-05-06T10:00:00Z');
const WORDS = /données d’exemple/i;

async function openOn(portal: Portal): Promise<TestEngine> {
  const host = { url: portal.url, requestsPerSecond: 1_000, key: 'k' };
  const hosts = {
    odre: host,
    paris: host,
    idfm: host,
    'visual-crossing': host,
    'open-meteo': host,
  };
  return openTestEngine(Object.values(configuredDatasets({ eco2mix, cityflow }, hosts)), {
    now: () => NOW,
  });
}

describe('a day whose answers a sample portal has made up', () => {
  let portal: Portal;
  let engine: TestEngine;
  beforeAll(async () => {
    portal = await startPortal({ now: () => NOW });
    engine = await openOn(portal);
    await runDay(engine, 'eco2mix', DAY);
    await runDay(engine, 'cityflow', DAY);
  });
  afterAll(async () => {
    await engine.close();
    await portal.close();
  });

  const file = (name: string) => readFile(path.join(engine.home, 'store', name));
  const text = async (name: string) => (await file(name)).toString('utf8');

  it('says so in the page of the grid, and signs and links no publisher', async () => {
    const page = await text(`reports/eco2mix/daily_report_${DAY}.html`);
    expect(WORDS.test(page)).toBe(true);
    expect(page.includes('ODRÉ')).toBe(false);
    expect(page.includes('https://odre')).toBe(false);
  });

  it('says so in the model, the curves and the metadata of the figures', async () => {
    const model = JSON.parse(await text(`reports/eco2mix/daily_report_${DAY}.json`)) as ReportModel;
    expect(model.sample_data).toEqual(['tr']);
    expect(model.status).not.toBe('no_data');
    expect(model).not.toHaveProperty('notes');
    const lines = (await text(`reports/eco2mix/daily_report_${DAY}.csv`)).trimEnd().split('\n');
    expect(lines[0]).toMatch(/;donnees_exemple$/);
    expect(lines.slice(1).every((line) => line.endsWith(';tr'))).toBe(true);
    expect(
      (await file(`reports/eco2mix/daily_report_${DAY}.parquet`)).includes('sample_data'),
    ).toBe(true);
  });

  it('says so in every file of the city', async () => {
    const name = `processed/reports/daily_report_${DAY}`;
    const report = JSON.parse(await text(`${name}.json`)) as Report;
    expect(report.sample_data).toEqual(
      expect.arrayContaining(['bikes', 'comptages', 'traffic', 'weather']),
    );
    expect(await text(`${name}.csv`)).toMatch(WORDS);
    const page = await text(`${name}.html`);
    expect(WORDS.test(page)).toBe(true);
    expect(page.includes('Ville de Paris (')).toBe(false);
    expect((await file(`${name}_troncons.parquet`)).includes('sample_data')).toBe(true);
    expect((await file(`${name}_compteurs.parquet`)).includes('sample_data')).toBe(true);
  });

  it('is shown with what its report lacks beside the verdict of the day', async () => {
    const model = JSON.parse(await text(`reports/eco2mix/daily_report_${DAY}.json`)) as ReportModel;
    expect(model.status).toBe('degraded');
    const context = testContext(engine);
    await show(context, { pipeline: 'eco2mix', date: DAY });
    expect(context.terminal.lines[0]).toMatch(/ {2}ok, its report is degraded \([^)]*comparison/);
  });

  it('is planned as it was made: nothing runs again, and what is rebuilt is identical', async () => {
    for (const pipeline of ['eco2mix', 'cityflow']) {
      const { plan } = await runDay(engine, pipeline, DAY, { recheck: true });
      expect(plan.steps.filter(({ action }) => action === 'run')).toEqual([]);
      const keys = (await readLedger(engine.documents, pipeline, [DAY])).get(DAY) ?? [];
      expect(keys.filter(({ step }) => step.startsWith('report/'))).toHaveLength(2);
    }
    const { days } = await verifyDays(engine, testControl(), { pipeline: 'eco2mix', dates: [DAY] });
    expect(days).toMatchObject([{ result: 'identical' }]);
  });
});

describe('a day whose answers are files in the folder of a portal', () => {
  it('is not called sample data: the files may be real ones', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-portal-'));
    const dataset = 'eco2mix-national-tr';
    await writeSyntheticCsv({
      dataset,
      from: DAY,
      to: DAY,
      path: path.join(folder, `${dataset}.csv`),
      now: NOW,
    });
    const portal = await startPortal({ now: () => NOW, folder, datasets: [dataset] });
    const engine = await openOn(portal);
    try {
      await runDay(engine, 'eco2mix', DAY);
      const name = path.join(engine.home, 'store', 'reports', 'eco2mix', `daily_report_${DAY}`);
      expect(JSON.parse(await readFile(`${name}.json`, 'utf8'))).not.toHaveProperty('sample_data');
      expect(await readFile(`${name}.html`, 'utf8')).toContain('https://odre');
      expect(await readFile(`${name}.csv`, 'utf8')).not.toContain('donnees_exemple');
    } finally {
      await engine.close();
      await portal.close();
      await rm(folder, { recursive: true });
    }
  });
});
