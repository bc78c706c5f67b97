import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DayMetrics } from '../../../src/datasets/eco2mix/metrics-model.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import type { Done } from '../../fixtures/step-runner.ts';
import type { Runner } from '../../unit/eco2mix/day-runner.ts';
import { checkOf, dates } from '../../fixtures/step-runner.ts';
import { openRunner } from '../../unit/eco2mix/day-runner.ts';

/**
 * The publishers' own files, read as they are; what is expected of them comes from queries that
 * share no code with the steps.
 */

let runner: Runner;
beforeAll(async () => {
  runner = await openRunner();
});
afterAll(() => runner.close());

const LAYOUTS = [
  'eco2mix/eCO2mix_RTE_En-cours-Consolide_2024_latin1.xls',
  'eco2mix/eco2mix-national-cons-def_2024_labels.csv',
  'eco2mix/eco2mix-national-tr_2025_labels.csv',
];

const file = (name: string) => realData(`eco2mix/${name}`);

function sumOf(metrics: Iterable<DayMetrics>, valueOf: (day: DayMetrics) => number | null): number {
  return [...metrics].reduce((sum, day) => sum + (valueOf(day) ?? 0), 0);
}

function holds(done: readonly Done[]): string[] {
  return done.flatMap(({ scope, checks }) =>
    checks
      .filter(({ severity, failed }) => severity !== 'warn' && failed > 0)
      .map(({ check }) => `${scope} ${check}`),
  );
}

async function coreRows(done: Done): Promise<Record<string, unknown>[]> {
  return runner.sql((sql) =>
    sql.rows(`SELECT * FROM read_parquet('${done.outputs['core']!.path}') ORDER BY instant_at`),
  );
}

describeOnRealFiles(
  'December 2021, real time, French labels',
  ['eco2mix/eco2mix-national-tr.csv'],
  () => {
    const days = dates('2021-12-01', '2021-12-31');
    const source = () => ({ part: 'tr', path: file('eco2mix-national-tr.csv') });

    it('has 31 days of 96 instants that pass every check', async () => {
      const done = await runner.core([source()], days);
      expect(
        done.map(({ facts }) => [facts['rows'], facts['coverage'], facts['revision']]),
      ).toEqual(days.map(() => [96, 1, 'provisional']));
      const failing = done.flatMap(({ checks }) => checks.filter(({ failed }) => failed > 0));
      expect(failing).toEqual([]);
      expect(done.reduce((rows, day) => rows + checkOf(day, 'balance').tested, 0)).toBe(2_976);
    });

    it('has the energies that one line of SQL finds in the raw file', async () => {
      const metrics = [...(await runner.metrics([source()], days)).values()];
      const [raw] = await runner.sql((sql) =>
        sql.rows<
          Record<string, number>
        >(`SELECT sum("Consommation (MW)") / 4 AS load, sum("Gaz (MW)") / 4 AS gas,
          sum("Pompage (MW)") / 4 AS pumping, sum("Ech. physiques (MW)") / 4 AS physical,
          sum(greatest("Ech. comm. Espagne (MW)", 0)) / 2 AS spain_import,
          sum(greatest(-"Ech. comm. Espagne (MW)", 0)) / 2 AS spain_export, max("Consommation (MW)") AS peak
        FROM read_csv('${source().path}', delim = ';', header = true)`),
      );
      expect({
        load: sumOf(metrics, (day) => day.load.energy_mwh),
        gas: sumOf(metrics, (day) => day.generation.by_source.gaz.energy_mwh),
        pumping: sumOf(metrics, (day) => day.storage.pompage.energy_mwh),
        physical: sumOf(metrics, (day) => day.exchanges.physical.net_mwh),
        spain_import: sumOf(metrics, (day) => day.exchanges.by_border.espagne.import_mwh),
        spain_export: sumOf(metrics, (day) => day.exchanges.by_border.espagne.export_mwh),
        peak: Math.max(...metrics.map((day) => day.load.peak?.mw ?? 0)),
      }).toEqual(raw);
      expect(raw!['load']).toBe(48_346_392.75);
      for (const { exchanges } of metrics) {
        expect(exchanges.total).toMatchObject({
          expected_samples: 48,
          observed_samples: 48,
          coverage: 1,
        });
      }
    });
  },
);

describeOnRealFiles('2018, yearly definitive load in local time', ['eco2mix/rte_2018.csv'], () => {
  it('has 46 half-hours on the spring day, 48 of 50 on the autumn day, and the load of all valid instants', async () => {
    const days = dates('2018-01-01', '2018-12-31');
    const metrics = await runner.metrics(
      [{ part: 'rte-annual', path: file('rte_2018.csv') }],
      days,
    );
    expect(metrics.size).toBe(365);
    expect(metrics.get('2018-03-25')!.load).toMatchObject({
      expected_samples: 46,
      observed_samples: 46,
      coverage: 1,
    });
    expect(metrics.get('2018-10-28')!.load).toMatchObject({
      expected_samples: 50,
      observed_samples: 48,
      coverage: 0.96,
    });
    expect(new Set([...metrics.values()].map(({ revision }) => revision))).toEqual(
      new Set(['definitive']),
    );
    const [raw] = await runner.sql((sql) =>
      sql.rows<
        Record<string, number>
      >(`SELECT sum(Consommation) / 2 AS energy, count(Consommation) AS samples
        FROM read_csv('${file('rte_2018.csv')}', delim = ';', header = true,
          types = {'Date': 'VARCHAR', 'Heures': 'VARCHAR'})
        WHERE NOT (Date = '25/03/2018' AND Heures LIKE '02:%')`),
    );
    expect(sumOf(metrics.values(), ({ load }) => load.energy_mwh)).toBe(raw!['energy']);
    expect(sumOf(metrics.values(), ({ load }) => load.observed_samples)).toBe(raw!['samples']);
  }, 60_000);

  it('holds no day of it', async () => {
    const days = dates('2018-03-20', '2018-03-30');
    const done = await runner.core([{ part: 'rte-annual', path: file('rte_2018.csv') }], days);
    expect(holds(done)).toEqual([]);
    expect(done.flatMap(({ checks }) => checks.filter(({ failed }) => failed > 0))).toEqual([]);
  });
});

describeOnRealFiles(
  'June 2016, RTE’s own table of real time',
  ['eco2mix/eCO2mix_RTE_En-cours-TR_2016.xls'],
  () => {
    it('reads ND, the trailing tab and the notice, and has no days where nothing was measured yet', async () => {
      const days = dates('2016-06-01', '2016-06-26');
      const path = file('eCO2mix_RTE_En-cours-TR_2016.xls');
      const slices = await runner.slice({ part: 'rte', path }, days);
      expect(slices.reduce((rows, { facts }) => rows + Number(facts['rows']), 0)).toBe(2_496);
      const done = await runner.core([{ part: 'rte', path }], days);
      expect(
        done.slice(0, 24).map(({ facts }) => [facts['rows'], facts['coverage'], facts['revision']]),
      ).toEqual(days.slice(0, 24).map(() => [96, 1, 'provisional']));
      expect(done[24]!.facts).toMatchObject({
        observed_samples: 40,
        expected_samples: 96,
        coverage: 0.4167,
      });
      expect(done[25]!.failure).toMatchObject({ code: 'SRC_NOT_PUBLISHED' });
      expect(holds(done)).toEqual([]);
      const [first] = await coreRows(done[0]!);
      expect(first).toMatchObject({
        instant_at: '2016-05-31T22:00:00Z',
        source_part: 'rte',
        load_mw: 48_635,
        bioenergy_biogas_mw: 201,
        oil_turbine_mw: -4,
        battery_charging_mw: null,
      });
    });
  },
);

describeOnRealFiles('the layouts of 2024 and 2025', LAYOUTS, () => {
  it('reads RTE’s 40 columns of 2024, the one with a leading space included', async () => {
    const path = file('eCO2mix_RTE_En-cours-Consolide_2024_latin1.xls');
    const [done] = await runner.core([{ part: 'rte', path }], ['2024-01-01']);
    expect(done!.facts).toMatchObject({ rows: 3, revision: 'consolidated', unknown_columns: [] });
    const rows = await coreRows(done!);
    expect(rows[0]).toMatchObject({
      load_mw: 55_239,
      battery_charging_mw: 0,
      wind_onshore_mw: 14_976,
      wind_offshore_mw: 581,
    });
    expect(rows[1]).toMatchObject({
      load_mw: null,
      forecast_day_ahead_mw: 54_300,
      nuclear_mw: null,
    });
  });

  it('reads the portal’s consolidated labels, where quarters hold forecasts only', async () => {
    const path = file('eco2mix-national-cons-def_2024_labels.csv');
    const [done] = await runner.core([{ part: 'cons-def', path }], ['2024-01-01']);
    expect(done!.facts).toMatchObject({
      rows: 4,
      revision: 'consolidated',
      observed_samples: 3,
      unknown_columns: [],
    });
    const rows = await coreRows(done!);
    expect(rows[2]).toMatchObject({
      instant_at: '2024-01-01T07:45:00Z',
      load_mw: null,
      forecast_intraday_mw: 46_850,
    });
  });

  it('reads the portal’s labels of 2025 by name, with two columns in the middle', async () => {
    const path = file('eco2mix-national-tr_2025_labels.csv');
    const [done] = await runner.core([{ part: 'tr', path }], ['2025-02-22']);
    const [row] = await coreRows(done!);
    expect(row).toMatchObject({
      load_mw: 48_377,
      wind_mw: 10_939,
      wind_onshore_mw: 10_449,
      wind_offshore_mw: 489,
      solar_mw: 0,
      hydro_mw: 4_369,
      battery_charging_mw: -4,
      battery_discharging_mw: 0,
    });
  });
});
