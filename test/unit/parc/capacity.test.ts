import { describe, expect, it } from 'vitest';
import { capacityRows } from '../../../src/datasets/parc/capacity.ts';
import type { MonthToTell } from '../../../src/datasets/parc/capacity.ts';
import { yearRows } from '../../../src/datasets/parc/rollups.ts';

/** 744 hours at 25 % of 20 000 MW are 3,720,000 MWh. */
const JANUARY: MonthToTell = {
  period: '2024-01',
  hours: 744,
  figures: {
    eolien_terrestre: { production_mwh: 3_720_000, load_factor: 0.25 },
    eolien_en_mer: { production_mwh: 446_400, load_factor: 0.4 },
    solaire: { production_mwh: 744_000, load_factor: 0.05 },
  },
  registerBefore: { eolien: 21_000, solaire: 19_300, nucleaire: 61_370 },
  register: {},
};

const rowOf = (month: MonthToTell, source: string) =>
  capacityRows(month).find((row) => row.source === source);

describe('installed capacity of a month', () => {
  it('is production by load factor and hours, and keeps the register beside it', () => {
    expect(rowOf(JANUARY, 'eolien_terrestre')).toMatchObject({
      derived_mw: 20_000,
      capacity_from: 'rte',
    });
    expect(rowOf(JANUARY, 'eolien_en_mer')).toMatchObject({ derived_mw: 1_500 });
    expect(rowOf(JANUARY, 'solaire')).toMatchObject({
      derived_mw: 20_000,
      register_before_mw: 19_300,
      register_mw: null,
      difference_mw: null,
      capacity_mw: 20_000,
    });
  });

  it('adds land and sea, with the load factor of both together', () => {
    expect(rowOf(JANUARY, 'eolien')).toMatchObject({
      production_mwh: 4_166_400,
      derived_mw: 21_500,
      load_factor: Math.round((4_166_400 / (21_500 * 744)) * 1e6) / 1e6,
    });
  });

  it('takes the land alone while nothing is told of the sea, and nothing while only a part is told of it', () => {
    const { eolien_en_mer: sea, ...land } = JANUARY.figures;
    expect(rowOf({ ...JANUARY, figures: land }, 'eolien')).toMatchObject({ derived_mw: 20_000 });
    const half = { ...land, eolien_en_mer: { ...sea!, load_factor: null } };
    expect(rowOf({ ...JANUARY, figures: half }, 'eolien')).toMatchObject({
      derived_mw: null,
      capacity_mw: 21_000,
    });
  });

  it('follows the clock: March has an hour less, October one more', () => {
    const figures = { solaire: { production_mwh: 743_000, load_factor: 0.1 } };
    expect(
      rowOf({ ...JANUARY, period: '2024-03', hours: 743, figures }, 'solaire')?.derived_mw,
    ).toBe(10_000);
    expect(
      rowOf({ ...JANUARY, period: '2024-10', hours: 745, figures }, 'solaire')?.derived_mw,
    ).toBe(9_973.15);
  });

  it('derives nothing from a load factor of zero, and takes null for no figure', () => {
    const figures = { solaire: { production_mwh: 0, load_factor: 0 } };
    expect(rowOf({ ...JANUARY, figures }, 'solaire')).toMatchObject({
      production_mwh: 0,
      derived_mw: null,
      capacity_mw: 19_300,
      capacity_from: 'register_before',
    });
  });

  it('takes the register where both tell of the same time, and shows their difference', () => {
    const december: MonthToTell = {
      ...JANUARY,
      period: '2024-12',
      register: { eolien: 21_300, solaire: 20_500 },
    };
    expect(rowOf(december, 'solaire')).toMatchObject({
      derived_mw: 20_000,
      register_mw: 20_500,
      difference_mw: -500,
      capacity_mw: 20_500,
      capacity_from: 'register',
    });
    expect(rowOf(JANUARY, 'nucleaire')).toMatchObject({
      capacity_mw: 61_370,
      capacity_from: 'register_before',
    });
  });
});

describe('a year of capacity', () => {
  const months = ['2024-01', '2024-02'].flatMap((period, index) =>
    capacityRows({ ...JANUARY, period, hours: [744, 696][index]! }),
  );

  it('says how many months it knows, and whose capacity that is', () => {
    const solar = yearRows('2024', months).find(({ source }) => source === 'solaire');
    expect(solar).toMatchObject({
      capacity_from: 'rte',
      derived_month: '2024-02',
      months: 2,
      coverage: Math.round(((744 + 696) / 8_784) * 10_000) / 10_000,
      production_mwh: 1_488_000,
      difference_mw: null,
    });
    // The factor over both months is that of the two published ones, by the hours of each.
    expect(solar!.load_factor).toBeCloseTo(0.05, 6);
  });

  it('takes the register as soon as it has the year', () => {
    const registered = capacityRows({ ...JANUARY, register: { solaire: 22_000 } });
    expect(yearRows('2024', registered).find(({ source }) => source === 'solaire')).toMatchObject({
      capacity_mw: 22_000,
      capacity_from: 'register',
      derived_mw: 20_000,
      months: 1,
    });
  });
});
