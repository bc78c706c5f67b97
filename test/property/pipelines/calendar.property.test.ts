import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import {
  addDays,
  addMonths,
  datesBetween,
  datesOfMonth,
  isCivilDate,
  monthOf,
  toEpochDay,
} from '../../../src/pipelines/civil-date.ts';
import { fetchWindows, monthWindows } from '../../../src/pipelines/window.ts';
import { civilDateAt, zonedDay } from '../../../src/pipelines/zoned-day.ts';

const dates = fc.integer({ min: 0, max: 40_000 }).map((day) => addDays('1970-01-01', day));

describe('civil dates', () => {
  it('agree with a calendar library on every sum of days', () => {
    fc.assert(
      fc.property(dates, fc.integer({ min: -5_000, max: 5_000 }), (date, days) => {
        expect(addDays(date, days)).toBe(
          DateTime.fromISO(date, { zone: 'utc' }).plus({ days }).toFormat('yyyy-MM-dd'),
        );
      }),
    );
  });

  it('agree with a calendar library on every sum of months', () => {
    fc.assert(
      fc.property(dates, fc.integer({ min: -200, max: 200 }), (date, months) => {
        const expected = DateTime.fromISO(`${monthOf(date)}-01`, { zone: 'utc' })
          .plus({ months })
          .toFormat('yyyy-MM');
        expect(addMonths(monthOf(date), months)).toBe(expected);
      }),
    );
  });

  it('refuse text that is no existing date', () => {
    for (const text of [
      '2024-02-30',
      '2023-02-29',
      '2024-13-01',
      '2024-1-1',
      '',
      '2024-01-15T00:00',
      '20240115',
    ]) {
      expect(isCivilDate(text)).toBe(false);
    }
    expect(isCivilDate('2024-02-29')).toBe(true);
  });
});

describe('zonedDay', () => {
  it('covers time without gap or overlap, in days of 23, 24 or 25 hours', () => {
    fc.assert(
      fc.property(
        dates,
        fc.constantFrom('Europe/Paris', 'America/New_York', 'Asia/Kolkata'),
        (date, zone) => {
          const day = zonedDay(date, zone);
          expect([23, 24, 25]).toContain(day.hours);
          expect(zonedDay(addDays(date, 1), zone).startAt).toBe(day.endAt);
          expect(civilDateAt(new Date(day.startAt), zone)).toBe(date);
          expect(civilDateAt(new Date(Date.parse(day.endAt) - 1), zone)).toBe(date);
        },
      ),
    );
  });

  it('knows the clock changes of Paris', () => {
    expect(zonedDay('2024-03-31', 'Europe/Paris')).toMatchObject({
      hours: 23,
      startAt: '2024-03-30T23:00:00Z',
    });
    expect(zonedDay('2024-10-27', 'Europe/Paris')).toMatchObject({
      hours: 25,
      endAt: '2024-10-27T23:00:00Z',
    });
  });
});

describe('windows', () => {
  it('cover every wanted day exactly once, within one month each', () => {
    fc.assert(
      fc.property(fc.uniqueArray(dates, { maxLength: 60 }), (wanted) => {
        const windows = fetchWindows(wanted, 'month');
        for (const { from, to } of windows) expect(monthOf(from)).toBe(monthOf(to));
        for (const date of wanted)
          expect(windows.filter(({ from, to }) => from <= date && date <= to)).toHaveLength(1);
      }),
    );
  });

  it('of a range are its months, cut at its ends', () => {
    expect(monthWindows('2024-01-15', '2024-03-02')).toEqual([
      { from: '2024-01-15', to: '2024-01-31' },
      { from: '2024-02-01', to: '2024-02-29' },
      { from: '2024-03-01', to: '2024-03-02' },
    ]);
  });

  it('count as many days as the month has', () => {
    expect(datesOfMonth('2024-02')).toHaveLength(29);
    expect(datesBetween('2024-02-28', '2024-03-01').map(toEpochDay)).toEqual([19781, 19782, 19783]);
    expect(datesBetween('2024-03-01', '2024-02-28')).toEqual([]);
  });
});
