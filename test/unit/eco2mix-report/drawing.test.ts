import { describe, expect, it } from 'vitest';
import { CORE_CHECKS } from '../../../src/datasets/eco2mix/checks.ts';
import { valueScale } from '../../../src/datasets/eco2mix/report/page/charts/value-scale.ts';
import { dayAxis, labelledHours } from '../../../src/datasets/eco2mix/report/page/day-axis.ts';
import {
  gigawattHours,
  instantText,
  listed,
  longDate,
  number,
  percentOf,
  signed,
} from '../../../src/datasets/kit/page/french.ts';
import {
  heldSamples,
  lineSamples,
  stackable,
} from '../../../src/datasets/eco2mix/report/page/samples.ts';
import { checkName, quantityName } from '../../../src/datasets/eco2mix/report/page/words.ts';
import { QUANTITIES } from '../../../src/datasets/eco2mix/report/quantities.ts';
import { dayMetrics } from '../../fixtures/eco2mix-metrics.ts';

const _ = null;

describe('lineSamples', () => {
  it('puts the quarter between two half-hours on their line', () => {
    expect(lineSamples([10, _, 20, _, 40, _])).toEqual([10, 15, 20, 30, 40, _]);
  });

  it('keeps a hole of a quarter-hourly column', () => {
    expect(lineSamples([1, 2, 3, _, 5, 6, 7, 8])).toEqual([1, 2, 3, _, 5, 6, 7, 8]);
  });

  it('keeps a hole of a half-hourly column', () => {
    expect(lineSamples([10, _, _, _, 40, _, 50, _])).toEqual([10, _, _, _, 40, 45, 50, _]);
  });
});

describe('heldSamples', () => {
  it('keeps a half-hour’s value until the next one and not beyond a hole', () => {
    expect(heldSamples([10, _, 20, _, _, _, 40, _])).toEqual([10, 10, 20, 20, _, _, 40, 40]);
  });
});

describe('stackable', () => {
  it('ends layers above an unknown one, and none below it', () => {
    expect(
      stackable([
        [1, 1],
        [2, _],
        [3, 3],
      ]),
    ).toEqual([
      [1, 1],
      [2, _],
      [3, _],
    ]);
  });
});

describe('valueScale', () => {
  it('ends close to the data with round ticks inside', () => {
    expect(
      valueScale([[59_812, 80_302]], { withZero: false, below: 0.1, above: 0.1, intervals: 5 }),
    ).toEqual({
      min: 57_000,
      max: 83_000,
      ticks: [60_000, 65_000, 70_000, 75_000, 80_000],
    });
  });

  it('holds zero where signs are read', () => {
    const { min, max, ticks } = valueScale([[120, _, 480]], {
      withZero: true,
      above: 0.02,
      intervals: 5,
    });
    expect([min, max]).toEqual([0, 500]);
    expect(ticks).toContain(0);
  });

  it.each([[[]], [[[_, _]]], [[[0, 0]]], [[[7, 7]]], [[[-7]]]])(
    'has room and a tick for %j',
    (series) => {
      for (const withZero of [true, false]) {
        const { min, max, ticks } = valueScale(series, { withZero, intervals: 4 });
        expect(max).toBeGreaterThan(min);
        expect(ticks.length).toBeGreaterThan(0);
      }
    },
  );
});

describe('dayAxis', () => {
  it('counts quarters since midnight, whatever the clock does', () => {
    const autumn = dayAxis(dayMetrics({ date: '2024-10-27' }).curves.at);
    expect(autumn.quarters).toBe(100);
    expect(autumn.change).toEqual({ position: 12, from: 3, to: 2 });
    expect([...labelledHours(autumn, 2).keys()].slice(0, 4)).toEqual([0, 8, 12, 20]);
    const spring = dayAxis(dayMetrics({ date: '2024-03-31' }).curves.at);
    expect(spring.change).toEqual({ position: 8, from: 2, to: 3 });
    expect(dayAxis(dayMetrics().curves.at).change).toBeUndefined();
  });
});

describe('French figures', () => {
  it('part thousands, use a decimal comma and a true minus', () => {
    expect(number(1234567.25, 1)).toBe('1\u202f234\u202f567,3');
    expect(number(-1234)).toBe('\u22121\u202f234');
    expect(signed(12.34, 1)).toBe('+12,3');
    expect(gigawattHours(1_689_934.25)).toBe('1\u202f689,9\u00a0GWh');
    expect(percentOf(0.9219)).toBe('92,2\u00a0%');
    expect(percentOf(1)).toBe('100,0\u00a0%');
  });

  it('round no part to the whole, and none to nothing', () => {
    expect([0.9995, 0.99999, 0.0004, 1e-9].map((share) => percentOf(share))).toEqual([
      '99,9\u00a0%',
      '99,9\u00a0%',
      '0,1\u00a0%',
      '0,1\u00a0%',
    ]);
    expect([percentOf(0.999, 0), percentOf(0.001, 0), percentOf(0, 0)]).toEqual([
      '99\u00a0%',
      '1\u00a0%',
      '0\u00a0%',
    ]);
    expect([percentOf(0.99996, 2), percentOf(1.2)]).toEqual(['99,99\u00a0%', '120,0\u00a0%']);
  });

  it('give no sign to what rounds to zero, and a dash to what is unknown', () => {
    expect(number(-0.04, 1)).toBe('0,0');
    expect(signed(0.04, 1)).toBe('0,0');
    expect(gigawattHours(null)).toBe('–');
  });

  it('name days and moments', () => {
    expect(longDate('2024-09-01')).toBe('dimanche 1er septembre 2024');
    expect(instantText('2024-10-27T02:15:00+02:00', 25)).toBe('02:15\u00a0(UTC+2)');
    expect(instantText('2024-01-15T19:15:00+01:00', 24)).toBe('19:15');
    expect(listed(['a', 'b', 'c'])).toBe('a, b et c');
    expect(listed([])).toBe('');
  });
});

describe('the words of the page', () => {
  it('name every check and every column', () => {
    expect(CORE_CHECKS.map(({ id }) => id).filter((id) => checkName(id) === id)).toEqual([]);
    expect(
      QUANTITIES.map(({ name }) => name).filter((name) => quantityName(name) === name),
    ).toEqual([]);
  });

  it('leave a check that nobody named its id', () => {
    expect(checkName('new-check')).toBe('new-check');
  });
});
