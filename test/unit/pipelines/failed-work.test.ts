import { describe, expect, it } from 'vitest';
import { failedDay } from '../../../src/pipelines/failed-work.ts';

const date = '2024-03-05';

describe('a derived day that was not made', () => {
  it('is left to be made when a store kept it from being planned', () => {
    const why = 'STORE_UNAVAILABLE: version 1 has a download/forecast that this host has not seen';
    expect(failedDay({ date, step: null, why }, 'report/day')).toEqual([
      {
        step: 'report/day',
        scopes: [date],
        code: 'STORE_UNAVAILABLE',
        message: 'version 1 has a download/forecast that this host has not seen',
      },
    ]);
  });

  it('is left to be made when a step of it failed', () => {
    const left = { date, step: 'metrics/day', why: 'DATA_CHECK_FAILED: a sum' } as const;
    expect(failedDay(left, 'report/day')).toMatchObject([
      { step: 'metrics/day', code: 'DATA_CHECK_FAILED' },
    ]);
  });

  it.each(['no part has rows', 'STORE_CORRUPT: the row cannot be read'])(
    'stays as it was: %s',
    (why) => {
      expect(failedDay({ date, step: null, why }, 'report/day')).toEqual([]);
    },
  );
});
