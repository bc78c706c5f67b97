import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eco2mixDefinition } from '../../../src/datasets/eco2mix/definition.ts';
import { writeSyntheticCsv } from '@quotidien/sample-portal/portal';
import { datesOfMonth } from '../../../src/pipelines/civil-date.ts';
import type { LocalArtefact } from '../../../src/pipelines/dataset.ts';
import type { Done } from '../../fixtures/step-runner.ts';
import type { Runner } from './day-runner.ts';
import { dayUnit } from '../../fixtures/step-runner.ts';
import { openRunner } from './day-runner.ts';

/**
 * Seen on 2024-03-15: January and February are consolidated, and real time reaches back beyond
 * both.
 */
const NOW = new Date('2024-03-15T12:00:00Z');
const MONTHS = ['2024-01', '2024-02'];

let runner: Runner;
let months: Done[];
let years: Done[];
let history: Done;

async function synthetic(
  dataset: 'eco2mix-national-tr' | 'eco2mix-national-cons-def',
  month: string,
): Promise<string> {
  const path = await runner.file(`${dataset}.csv`, '');
  const days = datesOfMonth(month);
  await writeSyntheticCsv({ dataset, from: days[0]!, to: days.at(-1)!, path, now: NOW });
  return path;
}

async function rollUpMonth(month: string): Promise<Done> {
  const days = datesOfMonth(month);
  const slices = {
    tr: await runner.slice(
      { part: 'tr', path: await synthetic('eco2mix-national-tr', month) },
      days,
    ),
    'cons-def': await runner.slice(
      { part: 'cons-def', path: await synthetic('eco2mix-national-cons-def', month) },
      days,
    ),
  };
  const cores = await runner.step(
    'transform/national',
    days.map((day, index) => {
      return dayUnit(day, {
        tr: slicesOf(slices.tr[index]!),
        'cons-def': slicesOf(slices['cons-def'][index]!),
      });
    }),
  );
  const metrics = await runner.step(
    'metrics/national',
    cores.map((core) => dayUnit(core.scope, { core: [core.outputs['core']!] })),
  );
  const unit = {
    scope: month,
    inputs: {
      core: cores.map(({ outputs }) => outputs['core']!),
      metrics: metrics.map(({ outputs }) => outputs['metrics']!),
      raw_tr: slices.tr.flatMap(slicesOf),
      raw_cons_def: slices['cons-def'].flatMap(slicesOf),
    },
  };
  const [done] = await runner.step('rollup/month', [unit]);
  return done!;
}

function slicesOf({ outputs }: Done): LocalArtefact[] {
  return outputs['slice'] === undefined ? [] : [outputs['slice']];
}

function outputsOf(done: readonly Done[], name: string): LocalArtefact[] {
  return done.map(({ outputs }) => outputs[name]!);
}

const query = (sql: string) => runner.sql((session) => session.rows(sql));
const table = (name: string) => `read_parquet('${history.outputs[name]!.path}')`;

beforeAll(async () => {
  runner = await openRunner();
  months = [];
  for (const month of MONTHS) months.push(await rollUpMonth(month));
  const year = { energies: outputsOf(months, 'energies'), core: outputsOf(months, 'core') };
  years = await runner.step('rollup/year', [{ scope: '2024', inputs: year }]);
  const inputs = {
    core: outputsOf(months, 'core'),
    days: outputsOf(months, 'days'),
    month_energies: outputsOf(months, 'energies'),
    year_energies: outputsOf(years, 'energies'),
    raw_tr: outputsOf(months, 'raw_tr'),
    raw_cons_def: outputsOf(months, 'raw_cons_def'),
  };
  [history] = (await runner.step('rollup/history', [{ scope: 'all', inputs }])) as [Done];
}, 120_000);
afterAll(() => runner.close());

describe('rollup/month', () => {
  it('has one row per instant and per published row', () => {
    expect(months[1]!.outputs['core']!.ref.rows).toBe(29 * 96);
    expect(months[1]!.outputs['raw_tr']!.ref.rows).toBe(29 * 96);
    expect(months[1]!.facts).toEqual({ days: 29, rows: 29 * 96 });
  });

  it('does not count twice what both parts have', async () => {
    const one = await query(`
      WITH tr AS (SELECT CAST(date_heure AS TIMESTAMPTZ) AS instant, CAST(consommation AS INTEGER) AS load
                  FROM read_parquet('${months[1]!.outputs['raw_tr']!.path}')),
           cons AS (SELECT CAST(date_heure AS TIMESTAMPTZ) AS instant, CAST(consommation AS INTEGER) AS load
                    FROM read_parquet('${months[1]!.outputs['raw_cons_def']!.path}') WHERE consommation IS NOT NULL)
      SELECT (SELECT sum(load) / 4 FROM tr) AS real_time, (SELECT sum(load) / 2 FROM cons) AS consolidated,
             (SELECT sum(coalesce(cons.load, tr.load)) / 4 FROM tr LEFT JOIN cons USING (instant)) AS merged`);
    const { real_time: realTime, consolidated, merged } = one[0] as Record<string, number>;
    const [february] = await query(
      `SELECT * FROM ${table('consommation_mensuelle')} WHERE annee_mois_str = '2024-02'`,
    );
    expect(february!['consommation_mensuelle']).toBe(merged);
    expect(Math.abs(merged! - realTime!) / realTime!).toBeLessThan(0.005);
    expect(Math.abs(merged! - consolidated!) / consolidated!).toBeLessThan(0.005);
  });

  it('covers the whole month, days without data included', async () => {
    const days = datesOfMonth('2024-02').slice(0, 10);
    const path = await synthetic('eco2mix-national-tr', '2024-02');
    const metrics = await runner.core([{ part: 'tr', path }], days);
    const measured = await runner.step(
      'metrics/national',
      metrics.map((core) => dayUnit(core.scope, { core: [core.outputs['core']!] })),
    );
    const unit = { scope: '2024-02', inputs: { metrics: outputsOf(measured, 'metrics') } };
    const [done] = await runner.step('rollup/month', [unit]);
    const rows = await query(
      `SELECT * FROM read_parquet('${done!.outputs['energies']!.path}') WHERE quantity = 'consommation'`,
    );
    expect(rows[0]).toMatchObject({
      expected_samples: 29 * 96,
      observed_samples: 960,
      coverage: 0.3448,
    });
  });
});

describe('rollup/year', () => {
  it('sums the months and covers the whole year', async () => {
    const rows = await query(`SELECT * FROM read_parquet('${years[0]!.outputs['energies']!.path}')
      WHERE quantity IN ('consommation', 'ech_comm_total') ORDER BY quantity`);
    expect(rows[0]).toMatchObject({ period: '2024', coverage: 0.1639, expected_samples: 366 * 96 });
    const sum = await query(
      `SELECT sum(consommation_mensuelle) AS energy FROM ${table('consommation_mensuelle')}`,
    );
    expect(rows[0]!['energy_mwh']).toBe(sum[0]!['energy']);
    expect(rows[1]!['energy_mwh']).toBe(
      Number(rows[1]!['import_mwh']) - Number(rows[1]!['export_mwh']),
    );
  });
});

/** The lines of a CSV for French spreadsheets: every field of every line. */
async function csvOf(done: Done, output: string): Promise<string[][]> {
  const text = await readFile(done.outputs[output]!.path, 'utf8');
  expect(text.startsWith('\uFEFF')).toBe(true);
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.slice(1).trimEnd().split('\n');
  expect(done.outputs[output]!.ref.rows).toBe(lines.length - 1);
  return lines.map((line) => line.split(';'));
}

const french = (value: unknown): string =>
  value === null ? '' : JSON.stringify(value).replace('.', ',');

describe('the CSV exports of the earlier pages', () => {
  it('publish the curves of a year, every instant once', async () => {
    expect(
      eco2mixDefinition.rollups.find(({ id }) => id === 'rollup/year')!.outputs[
        'echanges_puissance_csv'
      ],
    ).toEqual(expect.objectContaining({ publishAs: '02_clean/echanges_puissance_{scope}.csv' }));
    const rows = await query(`SELECT epoch_ms(date_heure) AS at, consommation, source
      FROM ${table('consommation_france_puissance')} ORDER BY date_heure`);
    const [head, ...lines] = await csvOf(years[0]!, 'consommation_puissance_csv');
    expect(head).toEqual(['date_heure', 'consommation_mw', 'source']);
    expect(lines).toEqual(
      rows.map(({ at, consommation, source }) => [
        new Date(Number(at)).toISOString().replace('.000', ''),
        String(consommation),
        source,
      ]),
    );
    const [names, first] = await csvOf(years[0]!, 'production_puissance_csv');
    expect(names).toEqual(expect.arrayContaining(['nucleaire_mw', 'gaz_ccg_mw', 'pompage_mw']));
    expect(first).toHaveLength(names!.length);
  });

  it('publish months and years with the figures of the tables beside them', async () => {
    const [head, ...lines] = await csvOf(history, 'consommation_mensuelle_csv');
    expect(head).toEqual(['annee', 'annee_mois', 'consommation_mwh', 'consommation_couverture']);
    const rows = await query(
      `SELECT * FROM ${table('consommation_mensuelle')} ORDER BY annee_mois_str`,
    );
    expect(lines).toEqual(
      rows.map((row) => [
        '2024',
        row['annee_mois_str'],
        french(row['consommation_mensuelle']),
        french(row['consommation_coverage']),
      ]),
    );
  });

  it('publish import, export and their balance for each border and in total', async () => {
    const [head, line] = await csvOf(history, 'echanges_annuels_csv');
    const figure = Object.fromEntries(head!.map((name, index) => [name, line![index]]));
    const [row] = await query(`SELECT * FROM ${table('echanges_annuels_import_export')}`);
    const [bought, sold] = [
      Number(row!['ech_comm_italie_import_mwh']),
      Number(row!['ech_comm_italie_export_mwh']),
    ];
    expect(figure).toMatchObject({
      annee: '2024',
      italie_import_mwh: french(bought),
      italie_export_mwh: french(sold),
      italie_solde_mwh: french(sold - bought),
      total_import_mwh: french(row!['total_import_mwh']),
    });
  });
});

describe('rollup/history', () => {
  const columnsOf = async (name: string): Promise<Record<string, unknown>> =>
    Object.fromEntries(
      (await query(`DESCRIBE SELECT * FROM ${table(name)}`)).map((row) => [
        String(row['column_name']),
        row['column_type'],
      ]),
    );

  it('makes every output that it declares, under the published names', () => {
    const { outputs } = eco2mixDefinition.rollups.find(({ id }) => id === 'rollup/history')!;
    expect(Object.keys(history.outputs).sort()).toEqual(Object.keys(outputs).sort());
    expect(Object.values(outputs).map(({ publishAs }) => publishAs)).toEqual([
      '02_clean/consommation_france_puissance.parquet',
      '02_clean/consommation_mensuelle.parquet',
      '02_clean/consommation_annuelle.parquet',
      '02_clean/production_france_detail.parquet',
      '02_clean/production_mensuelle.parquet',
      '02_clean/production_annuelle.parquet',
      '02_clean/echanges_france_detail.parquet',
      '02_clean/echanges_mensuels.parquet',
      '02_clean/echanges_annuels.parquet',
      '02_clean/echanges_annuels_import_export.parquet',
      'eco2mix/peaks.parquet',
      'eco2mix/low_carbon.parquet',
      'eco2mix/forecast_skill.parquet',
      'eco2mix/calendar.parquet',
      '02_clean/consommation_mensuelle.csv',
      '02_clean/consommation_annuelle.csv',
      '02_clean/production_mensuelle.csv',
      '02_clean/production_annuelle.csv',
      '02_clean/echanges_mensuels.csv',
      '02_clean/echanges_annuels.csv',
      '01_downloaded/odre/eco2mix-national-tr.parquet',
      '01_downloaded/odre/eco2mix-national-cons-def.parquet',
    ]);
  });

  it('publishes load with its columns and words', async () => {
    expect(await columnsOf('consommation_france_puissance')).toEqual({
      date_heure: 'TIMESTAMP WITH TIME ZONE',
      consommation: 'INTEGER',
      source: 'VARCHAR',
    });
    expect(await columnsOf('consommation_mensuelle')).toEqual({
      annee_mois_str: 'VARCHAR',
      consommation_mensuelle: 'DOUBLE',
      consommation_coverage: 'DOUBLE',
    });
    expect(await columnsOf('consommation_annuelle')).toEqual({
      annee: 'INTEGER',
      consommation_annuelle: 'DOUBLE',
      consommation_coverage: 'DOUBLE',
    });
    const sources = await query(
      `SELECT source, count(*) AS rows FROM ${table('consommation_france_puissance')} GROUP BY ALL ORDER BY source`,
    );
    expect(sources).toEqual([
      { source: 'Données Consolidées', rows: 60 * 48 },
      { source: 'Temps Réel', rows: 60 * 48 },
    ]);
  });

  it('publishes production and exchanges by column', async () => {
    expect(Object.keys(await columnsOf('production_france_detail'))).toEqual(
      expect.arrayContaining([
        'date_heure',
        'source',
        'nucleaire',
        'gaz_ccg',
        'pompage',
        'destockage_batterie',
      ]),
    );
    expect(Object.keys(await columnsOf('production_mensuelle'))).toEqual(
      expect.arrayContaining(['annee_mois_str', 'nucleaire_mwh', 'hydraulique_lacs_mwh']),
    );
    expect(Object.keys(await columnsOf('production_annuelle'))).toEqual(
      expect.arrayContaining(['annee', 'nucleaire_yearly_mwh']),
    );
    const borders = ['angleterre', 'espagne', 'italie', 'suisse', 'allemagne_belgique'].map(
      (name) => `ech_comm_${name}`,
    );
    expect(Object.keys(await columnsOf('echanges_france_detail'))).toEqual([
      'date_heure',
      'ech_physiques',
      ...borders,
      'source',
    ]);
    expect(Object.keys(await columnsOf('echanges_mensuels'))).toEqual([
      'annee_mois_str',
      ...['ech_physiques', ...borders].map((name) => `${name}_mwh`),
      ...['ech_physiques', ...borders].map((name) => `${name}_coverage`),
    ]);
    expect(Object.keys(await columnsOf('echanges_annuels_import_export'))).toEqual([
      'annee',
      ...['total', ...borders].flatMap((name) => [`${name}_import_mwh`, `${name}_export_mwh`]),
      ...['total', ...borders].map((name) => `${name}_coverage`),
    ]);
  });

  it('says beside every figure of a month or year on how much of the whole period it stands', async () => {
    const [load] = await query(`SELECT * FROM ${table('consommation_annuelle')}`);
    // Sixty days of a year of 366.
    expect(load!['consommation_coverage']).toBeCloseTo(60 / 366, 3);
    const tables = ['consommation', 'production', 'echanges'].flatMap((name) =>
      Object.keys(history.outputs).filter(
        (output) => output.startsWith(name) && /(mensuel|annuel)(?!.*_csv$)/.test(output),
      ),
    );
    expect(tables).toHaveLength(7);
    for (const name of tables) {
      const figures = Object.keys(await columnsOf(name)).filter(
        (column) => !/^annee|_coverage$/.test(column),
      );
      for (const figure of figures) {
        const quantity = figure.replace(
          /(_yearly|_import|_export)?_mwh$|_mensuelle$|_annuelle$/,
          '',
        );
        const [found] = await query(
          `SELECT count(*) AS bare FROM ${table(name)} WHERE ${figure} IS NOT NULL AND coalesce(${quantity}_coverage, 0) <= 0`,
        );
        expect(found!['bare'], `${name} ${figure}`).toBe(0);
      }
    }
  });

  it('splits exchanges by sign at each step, and lets borders cancel in the total', async () => {
    const detail = await query(`WITH d AS (
        SELECT date_heure, ech_comm_espagne AS p, ech_comm_angleterre + ech_comm_espagne + ech_comm_italie + ech_comm_suisse
          + ech_comm_allemagne_belgique AS total
        FROM ${table('echanges_france_detail')} WHERE ech_comm_espagne IS NOT NULL)
      SELECT sum(greatest(p, 0)) / 2 AS espagne_import, sum(greatest(-p, 0)) / 2 AS espagne_export,
        sum(greatest(total, 0)) / 2 AS total_import, sum(greatest(-total, 0)) / 2 AS total_export FROM d`);
    const [year] = await query(`SELECT * FROM ${table('echanges_annuels_import_export')}`);
    expect(year).toMatchObject({
      annee: 2024,
      ech_comm_espagne_import_mwh: detail[0]!['espagne_import'],
      ech_comm_espagne_export_mwh: detail[0]!['espagne_export'],
      total_import_mwh: detail[0]!['total_import'],
      total_export_mwh: detail[0]!['total_export'],
    });
    const [signed] = await query(`SELECT * FROM ${table('echanges_annuels')}`);
    expect(signed!['ech_comm_espagne_yearly_mwh']).toBe(
      Number(detail[0]!['espagne_import']) - Number(detail[0]!['espagne_export']),
    );
  });

  it('keeps published rows as text under short names, in order of time', async () => {
    const rows = await query(`SELECT * FROM ${table('raw_tr')} LIMIT 2`);
    expect(rows[1]).toMatchObject({ perimetre: 'France', date: '2024-01-01', heure: '00:15' });
    const sorted = await query(
      `SELECT count(*) AS wrong FROM (SELECT date_heure < lag(date_heure) OVER () AS w FROM ${table('raw_tr')}) WHERE w`,
    );
    expect(sorted[0]!['wrong']).toBe(0);
    expect(history.outputs['raw_cons_def']!.ref.rows).toBe(60 * 96);
  });
});
