import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareDays } from '../../../src/datasets/eco2mix/comparison.ts';
import type { DayComparison, DayMetrics } from '../../../src/datasets/eco2mix/metrics-model.ts';
import { BORDERS, SOURCES } from '../../../src/datasets/eco2mix/metrics-model.ts';
import type { Runner } from './day-runner.ts';
import { dayUnit } from '../../fixtures/step-runner.ts';
import { openRunner } from './day-runner.ts';
import type { PortalRow } from './portal-csv.ts';
import { constantRows, portalCsv } from './portal-csv.ts';

const DAY = '2024-01-15';
const POWER = {
  nucleaire: 40_000,
  hydraulique: 6_000,
  eolien: 3_000,
  solaire: 0,
  bioenergies: 1_000,
  gaz: 900,
};
const GENERATION = { ...POWER, charbon: 0, fioul: 100 };
const EXCHANGES = {
  ech_comm_angleterre: 100,
  ech_comm_espagne: -100,
  ech_comm_italie: 0,
  ech_comm_suisse: -50,
};
const ALL = {
  ...{
    consommation: 50_000,
    prevision_j1: 51_000,
    prevision_j: 49_500,
    taux_co2: 40,
    ech_physiques: -1_000,
  },
  ...{ pompage: -500, ...GENERATION, ...EXCHANGES, ech_comm_allemagne_belgique: 25 },
};
const MEASURES = Object.keys(ALL);

let runner: Runner;
beforeAll(async () => {
  runner = await openRunner();
});
afterAll(() => runner.close());

async function metricsOf(rows: readonly PortalRow[], day = DAY): Promise<DayMetrics> {
  const path = await runner.file('tr.csv', portalCsv(day, rows, MEASURES));
  return (await runner.metrics([{ part: 'tr', path }], [day])).get(day)!;
}

describe('metrics/national', () => {
  it('integrates every column of a constant day', async () => {
    const metrics = await metricsOf(constantRows(DAY, 15, ALL));
    const whole = { expected_samples: 96, observed_samples: 96, coverage: 1 };
    expect(metrics.load).toEqual({
      energy_mwh: 1_200_000,
      ...whole,
      mean_mw: 50_000,
      peak: { mw: 50_000, at: '2024-01-15T00:00:00+01:00' },
      trough: { mw: 50_000, at: '2024-01-15T00:00:00+01:00' },
    });
    expect(metrics.generation.total_mwh).toBe(24 * 51_000);
    expect(metrics.generation.by_source.gaz).toEqual({
      energy_mwh: 21_600,
      ...whole,
      share: 0.017647,
    });
    expect(metrics.generation.low_carbon_share).toBe(0.980392);
    expect(metrics.storage.pompage).toEqual({ energy_mwh: -12_000, ...whole });
    expect(metrics.exchanges.by_border.espagne).toMatchObject({
      import_mwh: 0,
      export_mwh: 2_400,
      net_mwh: -2_400,
    });
    expect(metrics.exchanges.total).toEqual({
      import_mwh: 0,
      export_mwh: 600,
      net_mwh: -600,
      ...whole,
    });
    expect(metrics.exchanges.physical).toMatchObject({ net_mwh: -24_000 });
    expect(metrics.forecasts).toEqual({
      j1: { samples: 96, mae_mw: 1_000, mape_pct: 2, bias_mw: 1_000 },
      j: { samples: 96, mae_mw: 500, mape_pct: 1, bias_mw: -500 },
    });
    expect(metrics.carbon_intensity).toMatchObject({
      mean_g_per_kwh: 40,
      min_g_per_kwh: 40,
      max_g_per_kwh: 40,
    });
  });

  it('says of what was never published that it is unknown, at the step of the load', async () => {
    const metrics = await metricsOf(constantRows(DAY, 30, { consommation: 50_000 }));
    const nothing = { expected_samples: 48, observed_samples: 0, coverage: 0 };
    expect(metrics.load).toMatchObject({
      energy_mwh: 1_200_000,
      expected_samples: 48,
      observed_samples: 48,
    });
    for (const source of SOURCES) {
      expect(metrics.generation.by_source[source]).toEqual({
        energy_mwh: null,
        ...nothing,
        share: null,
      });
    }
    for (const border of BORDERS) {
      expect(metrics.exchanges.by_border[border]).toEqual({
        ...{ import_mwh: null, export_mwh: null, net_mwh: null },
        ...nothing,
      });
    }
    expect(metrics.exchanges.total.net_mwh).toBeNull();
    expect(metrics.generation).toMatchObject({ total_mwh: null, low_carbon_share: null });
    expect(metrics.carbon_intensity).toMatchObject({
      mean_g_per_kwh: null,
      min_g_per_kwh: null,
      max_g_per_kwh: null,
    });
    expect(metrics.forecasts.j1).toEqual({
      samples: 0,
      mae_mw: null,
      mape_pct: null,
      bias_mw: null,
    });
  });

  it('has no total of generation while one of the eight sources is unknown', async () => {
    const metrics = await metricsOf(constantRows(DAY, 15, { ...ALL, charbon: null }));
    expect(metrics.generation.by_source.gaz).toMatchObject({ energy_mwh: 21_600, share: null });
    expect(metrics.generation).toMatchObject({ total_mwh: null, low_carbon_share: null });
  });

  it('takes each column at its own step', async () => {
    const rows = constantRows(DAY, 15, ALL).map((row) => {
      const unscheduled = Object.fromEntries(BORDERS.map((border) => [`ech_comm_${border}`, null]));
      return row.quarter % 2 === 0 ? row : { ...row, values: { ...row.values, ...unscheduled } };
    });
    const metrics = await metricsOf(rows);
    expect(metrics.load).toMatchObject({ expected_samples: 96, energy_mwh: 1_200_000 });
    expect(metrics.exchanges.by_border.angleterre).toMatchObject({
      expected_samples: 48,
      import_mwh: 2_400,
    });
    expect(metrics.exchanges.total).toMatchObject({
      expected_samples: 48,
      observed_samples: 48,
      net_mwh: -600,
    });
  });

  it('weights carbon intensity by generation', async () => {
    const rows = constantRows(DAY, 15, ALL).map((row) => {
      if (row.quarter >= 48) return row;
      return {
        ...row,
        values: { ...row.values, nucleaire: 14_500, taux_co2: row.quarter === 0 ? 0 : 10 },
      };
    });
    const metrics = await metricsOf(rows);
    // 47 quarters of 25,500 MW at 10 g and 48 of 51,000 MW at 40 g; the first quarter's 0 is
    // unknown.
    const expected = (47 * 25_500 * 10 + 48 * 51_000 * 40) / (47 * 25_500 + 48 * 51_000);
    expect(metrics.carbon_intensity).toMatchObject({
      mean_g_per_kwh: Math.round(expected * 100) / 100,
      min_g_per_kwh: 10,
      observed_samples: 95,
      expected_samples: 96,
    });
  });

  it('finds the first peak and trough, with the local time and its offset', async () => {
    const day = '2024-10-27';
    const rows = constantRows(day, 15, { consommation: 50_000 }).map((row) => {
      const load = { 11: 40_000, 15: 40_000, 60: 70_000, 61: 70_000 }[row.quarter] ?? 50_000;
      return { ...row, values: { consommation: load } };
    });
    const { load, hours } = await metricsOf(rows, day);
    expect(hours).toBe(25);
    expect(load.trough).toEqual({ mw: 40_000, at: '2024-10-27T02:45:00+02:00' });
    expect(load.peak).toEqual({ mw: 70_000, at: '2024-10-27T14:00:00+01:00' });
  });

  it('gives curves with one value per quarter of the day', async () => {
    const day = '2024-03-31';
    const rows = constantRows(day, 30, ALL);
    const { curves } = await metricsOf(rows, day);
    expect(curves.at).toHaveLength(92);
    expect(curves.consommation.slice(0, 3)).toEqual([50_000, null, 50_000]);
    expect(curves.sources.gaz).toHaveLength(92);
    expect(curves.borders.espagne[2]).toBe(-100);
    expect(curves.storages.stockage_batterie.every((value) => value === null)).toBe(true);
  });
});

describe('metrics/comparison', () => {
  it('compares with the days that have metrics, and knows when there is none', async () => {
    const days = ['2024-01-14', DAY];
    const documents = [];
    for (const [index, day] of days.entries()) {
      const path = await runner.file(
        'tr.csv',
        portalCsv(day, constantRows(day, 15, { ...ALL, gaz: 900 + index }), MEASURES),
      );
      const [core] = await runner.core([{ part: 'tr', path }], [day]);
      documents.push(
        await runner.step('metrics/national', [dayUnit(day, { core: [core!.outputs['core']!] })]),
      );
    }
    const [before, today] = documents.map(([done]) => done!.outputs['metrics']!);
    const unit = dayUnit(DAY, { day: [today!], previous_day: [before!], previous_week: [] });
    const [done] = await runner.step('metrics/comparison', [unit]);
    const comparison = JSON.parse(
      await readFile(done!.outputs['comparison']!.path, 'utf8'),
    ) as DayComparison;
    expect(comparison).toMatchObject({ schema: 'eco2mix.comparison/1', date: DAY });
    expect(comparison.against.previous_week).toBeNull();
    expect(comparison.against.previous_year).toBeNull();
    expect(comparison.against.previous_day!.date).toBe('2024-01-14');
    expect(comparison.against.previous_day!.values.generation_gaz_mwh).toEqual({
      value: 21_624,
      reference: 21_600,
      difference: 24,
      difference_pct: 0.11,
    });
    expect(done!.facts['compared_with']).toEqual(['previous_day']);
  });

  it('has no percentage of a reference of zero, and the sign of the change for a negative one', async () => {
    const [day, reference] = [
      await metricsOf(constantRows(DAY, 15, { ...ALL, charbon: 10, ech_comm_suisse: -25 })),
      await metricsOf(constantRows(DAY, 15, ALL)),
    ];
    const { values } = compareDays(day, reference);
    expect(values.generation_charbon_mwh).toEqual({
      value: 240,
      reference: 0,
      difference: 240,
      difference_pct: null,
    });
    expect(values.exchange_net_mwh).toEqual({
      value: 0,
      reference: -600,
      difference: 600,
      difference_pct: 100,
    });
    expect(values.low_carbon_share.difference).toBe(-0.000192);
  });
});
