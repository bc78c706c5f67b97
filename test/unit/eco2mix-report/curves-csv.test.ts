import { describe, expect, it } from 'vitest';
import { curvesCsv } from '../../../src/datasets/eco2mix/report/curves-csv.ts';
import { ALL_BUT_LOAD, dayMetrics } from '../../fixtures/eco2mix-metrics.ts';

function tableOf(options: Parameters<typeof dayMetrics>[0]) {
  const text = curvesCsv(dayMetrics(options).curves);
  const [header = [], ...rows] = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(';'));
  return {
    text,
    header,
    rows,
    column: (name: string) => rows.map((row) => row[header.indexOf(name)]),
  };
}

describe('curvesCsv', () => {
  it('names every curve in French with its unit', () => {
    expect(tableOf({}).header).toEqual([
      'date_heure',
      'consommation_mw',
      'prevision_j1_mw',
      'prevision_j_mw',
      'nucleaire_mw',
      'hydraulique_mw',
      'eolien_mw',
      'solaire_mw',
      'bioenergies_mw',
      'gaz_mw',
      'charbon_mw',
      'fioul_mw',
      'pompage_mw',
      'stockage_batterie_mw',
      'destockage_batterie_mw',
      'ech_physiques_mw',
      'ech_comm_angleterre_mw',
      'ech_comm_espagne_mw',
      'ech_comm_italie_mw',
      'ech_comm_suisse_mw',
      'ech_comm_allemagne_belgique_mw',
      'taux_co2_g_par_kwh',
    ]);
  });

  it.each([
    ['2024-01-15', 96],
    ['2024-03-31', 92],
    ['2024-10-27', 100],
  ])('has a row for every quarter of %s and as many fields in each', (date, quarters) => {
    const { rows, header } = tableOf({ date });
    expect(rows).toHaveLength(quarters);
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([header.length]));
  });

  it('keeps the repeated hour of an autumn day apart by its offset', () => {
    const times = tableOf({ date: '2024-10-27' }).column('date_heure');
    expect(times.filter((time) => time?.includes('T02:00'))).toEqual([
      '2024-10-27T02:00:00+02:00',
      '2024-10-27T02:00:00+01:00',
    ]);
    expect(new Set(times).size).toBe(100);
  });

  it('writes integers without a decimal part and nothing for what was not published', () => {
    const { text, column } = tableOf({ layout: 'cons-def', without: ALL_BUT_LOAD });
    expect(
      column('consommation_mw').every((field, index) =>
        index % 2 === 0 ? /^\d+$/.test(field!) : field === '',
      ),
    ).toBe(true);
    expect(column('gaz_mw').every((field) => field === '')).toBe(true);
    expect(text).not.toMatch(/\.0|null|NaN|undefined/);
  });

  it('writes a decimal comma and no negative zero', () => {
    const { curves } = dayMetrics();
    const text = curvesCsv({
      ...curves,
      consommation: [50000.5, -0, ...curves.consommation.slice(2)],
    });
    expect(text.split('\n')[1]).toContain('+01:00;50000,5;');
    expect(text.split('\n')[2]).toContain('+01:00;0;');
  });

  it('ends every line with a line feed alone and starts without a mark', () => {
    const { text } = tableOf({});
    expect(text).not.toContain('\r');
    expect(text).toMatch(/^date_heure;[^]*[^\n]\n$/);
  });
});
