import { describe, expect, it } from 'vitest';
import { weekendRatio } from '../../../src/datasets/cityflow/studies/bike-rhythm.ts';

const MONDAY = { counter_id: 'c1', day: '2025-11-10', n: 24, total: 100 };
const TUESDAY = { counter_id: 'c1', day: '2025-11-11', n: 24, total: 300 };
const SATURDAY = { counter_id: 'c1', day: '2025-11-15', n: 24, total: 100 };

describe('the ratio of weekend to working days', () => {
  it('compares totals, and a mean day with a mean day', () => {
    expect(weekendRatio([MONDAY, TUESDAY, SATURDAY])).toEqual({
      debit_weekend: 100,
      debit_semaine: 400,
      ratio_weekend_semaine: 0.25,
      difference_pct: -75,
      ratio_par_jour: 0.5,
    });
  });

  it('is missing, and not 0, where the window has days of one kind alone', () => {
    const missing = { ratio_weekend_semaine: null, difference_pct: null, ratio_par_jour: null };
    expect(weekendRatio([MONDAY, TUESDAY])).toEqual({
      debit_weekend: null,
      debit_semaine: 400,
      ...missing,
    });
    expect(weekendRatio([SATURDAY])).toEqual({
      debit_weekend: 100,
      debit_semaine: null,
      ...missing,
    });
    expect(weekendRatio([])).toBeNull();
  });

  it('is 0 where the weekend was counted and nobody came', () => {
    expect(weekendRatio([MONDAY, { ...SATURDAY, total: 0 }])).toMatchObject({
      debit_weekend: 0,
      ratio_weekend_semaine: 0,
      ratio_par_jour: 0,
    });
  });
});
