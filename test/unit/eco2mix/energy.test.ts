import { describe, expect, it } from 'vitest';
import {
  daySeries,
  energyOf,
  exchangeOf,
  sumSeries,
} from '../../../src/datasets/eco2mix/energy.ts';
import type { DaySeries } from '../../../src/datasets/eco2mix/energy.ts';
import { exactRatio } from '../../../src/datasets/eco2mix/exact-ratio.ts';
import { localQuarters } from '../../../src/datasets/kit/local-time.ts';
import { sampleDay } from '../../../src/datasets/eco2mix/sampling.ts';
import { zonedDay } from '../../../src/pipelines/zoned-day.ts';

function series(values: (number | null)[]): DaySeries {
  const presence = Uint8Array.from(values, (value) => (value === null ? 0 : 1));
  return daySeries(values, sampleDay(values.length, [presence]));
}

function halfHourly(value: number): DaySeries {
  return series(Array.from({ length: 96 }, (_, quarter) => (quarter % 2 === 0 ? value : null)));
}

function quarterly(value: number): DaySeries {
  return series(Array.from({ length: 96 }, () => value));
}

describe('energyOf', () => {
  it('gives one energy for one power, whatever the step', () => {
    expect(energyOf(quarterly(50_000)).energy_mwh).toBe(1_200_000);
    expect(energyOf(halfHourly(50_000)).energy_mwh).toBe(1_200_000);
  });

  it('is unknown, not zero, where nothing was published', () => {
    expect(energyOf(series(Array.from({ length: 96 }, () => null))).energy_mwh).toBeNull();
    expect(energyOf(quarterly(0)).energy_mwh).toBe(0);
  });
});

describe('exchangeOf', () => {
  it('splits by sign at each step', () => {
    const values = Array.from({ length: 96 }, (_, quarter) => (quarter < 48 ? 100 : -40));
    expect(exchangeOf(series(values))).toMatchObject({
      import_mwh: 1_200,
      export_mwh: 480,
      net_mwh: 720,
    });
  });
});

describe('sumSeries', () => {
  it('lets opposite borders cancel in the total: 100/100 each, 0/0 together', () => {
    const [spain, italy] = [halfHourly(100), halfHourly(-100)];
    expect(exchangeOf(spain)).toMatchObject({ import_mwh: 2_400, export_mwh: 0 });
    expect(exchangeOf(italy)).toMatchObject({ import_mwh: 0, export_mwh: 2_400 });
    expect(exchangeOf(sumSeries([spain, italy], 15))).toMatchObject({
      import_mwh: 0,
      export_mwh: 0,
      net_mwh: 0,
    });
  });

  it('sums borders of different steps, at the finest of them', () => {
    const total = sumSeries([halfHourly(100), quarterly(-30)], 15);
    expect(exchangeOf(total)).toMatchObject({
      net_mwh: 1_680,
      expected_samples: 96,
      observed_samples: 96,
      coverage: 1,
    });
  });

  it('is unknown where one border is', () => {
    const values = Array.from({ length: 96 }, (_, quarter) =>
      quarter % 2 === 0 && quarter !== 20 ? 10 : null,
    );
    const total = exchangeOf(sumSeries([halfHourly(100), series(values)], 15));
    expect(total).toMatchObject({
      net_mwh: 110 * 23.5,
      expected_samples: 48,
      observed_samples: 47,
    });
  });
});

describe('exactRatio', () => {
  it('rounds halves away from zero, without floating point', () => {
    expect(exactRatio(1n, 8n, 2)).toBe(0.13);
    expect(exactRatio(-1n, 8n, 2)).toBe(-0.13);
    expect(exactRatio(10n ** 20n, 3n * 10n ** 20n, 6)).toBe(0.333333);
    expect(exactRatio(-1n, 1_000n, 2)).toBe(0);
    expect(Object.is(exactRatio(-1n, 1_000n, 2), -0)).toBe(false);
  });

  it('has no answer for nothing', () => {
    expect(exactRatio(0n, 0n, 2)).toBeNull();
  });
});

describe('localQuarters', () => {
  it('writes the offset of each quarter on the days when clocks change', () => {
    const spring = localQuarters(zonedDay('2018-03-25', 'Europe/Paris'));
    expect(spring).toHaveLength(92);
    expect(spring.slice(7, 9)).toEqual(['2018-03-25T01:45:00+01:00', '2018-03-25T03:00:00+02:00']);
    const autumn = localQuarters(zonedDay('2018-10-28', 'Europe/Paris'));
    expect(autumn).toHaveLength(100);
    expect([autumn[8], autumn[11], autumn[12], autumn[99]]).toEqual([
      '2018-10-28T02:00:00+02:00',
      '2018-10-28T02:45:00+02:00',
      '2018-10-28T02:00:00+01:00',
      '2018-10-28T23:45:00+01:00',
    ]);
  });
});
