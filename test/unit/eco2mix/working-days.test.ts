import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  easterSunday,
  holidaysOf,
} from '../../../src/datasets/eco2mix/calendar/public-holidays.ts';
import { calendarOfYears } from '../../../src/datasets/eco2mix/calendar/working-days.ts';

/** Easter by Gauss's rule with its two exceptions: another way to the same date. */
function easterOfGauss(year: number): string {
  const century = Math.floor(year / 100);
  const p = Math.floor((13 + 8 * century) / 25);
  const m = (15 - p + century - Math.floor(century / 4)) % 30;
  const n = (4 + century - Math.floor(century / 4)) % 7;
  const d = (19 * (year % 19) + m) % 30;
  const e = (2 * (year % 4) + 4 * (year % 7) + 6 * d + n) % 7;
  const march = 22 + d + e;
  if (march <= 31) return `${year}-03-${String(march).padStart(2, '0')}`;
  let april = march - 31;
  if (april === 26) april = 19;
  else if (april === 25 && d === 28 && e === 6 && (11 * m + 11) % 30 < 19) april = 18;
  return `${year}-04-${String(april).padStart(2, '0')}`;
}

describe('easterSunday', () => {
  it('gives the known extremes', () => {
    expect([1818, 2008, 2024, 2026, 2038].map(easterSunday)).toEqual([
      '1818-03-22',
      '2008-03-23',
      '2024-03-31',
      '2026-04-05',
      '2038-04-25',
    ]);
  });

  it('agrees with the rule of Gauss in every Gregorian year', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1583, max: 4099 }), (year) => {
        expect(easterSunday(year)).toBe(easterOfGauss(year));
        expect(new Date(`${easterSunday(year)}T00:00:00Z`).getUTCDay()).toBe(0);
      }),
    );
  });
});

describe('holidaysOf', () => {
  it('gives the eleven of 2024, and two more in Alsace-Moselle', () => {
    const { mainland, alsaceMoselle } = holidaysOf(2024);
    expect([...mainland.keys()].sort()).toEqual([
      ...['2024-01-01', '2024-04-01', '2024-05-01', '2024-05-08', '2024-05-09', '2024-05-20'],
      ...['2024-07-14', '2024-08-15', '2024-11-01', '2024-11-11', '2024-12-25'],
    ]);
    expect([...alsaceMoselle.keys()].filter((date) => !mainland.has(date)).sort()).toEqual([
      '2024-03-29',
      '2024-12-26',
    ]);
  });

  it('names both holidays of the first of May 2008', () => {
    expect(holidaysOf(2008).mainland.get('2008-05-01')).toBe('Fête du Travail, Ascension');
  });
});

describe('calendarOfYears', () => {
  const of = (year: number) => calendarOfYears(year, year);
  const count = (year: number, is: 'is_ouvre' | 'is_ouvrable' | 'is_ouvre_alsace_moselle') =>
    of(year).filter((day) => day[is]).length;

  it('counts the working days of published calendars', () => {
    // As payroll calendars of these years give them.
    expect([2023, 2024, 2025].map((year) => count(year, 'is_ouvre'))).toEqual([251, 252, 251]);
    expect([2023, 2024, 2025].map((year) => count(year, 'is_ouvrable'))).toEqual([302, 304, 302]);
    expect(count(2024, 'is_ouvre_alsace_moselle')).toBe(250);
  });

  it('finds the bridges beside Thursdays and Tuesdays', () => {
    const bridges = of(2024).filter(({ is_pont: isPont }) => isPont);
    expect(bridges.map(({ date }) => date)).toEqual(['2024-05-10', '2024-08-16']);
    // The Monday before the first of January of the next year, a Tuesday.
    expect(of(2018).find(({ date }) => date === '2018-12-31')).toMatchObject({
      is_pont: true,
      is_ouvre: true,
    });
  });

  it('has every day of its years once, and a jour ouvré is always ouvrable', () => {
    const days = calendarOfYears(2012, 2026);
    expect(days).toHaveLength(15 * 365 + 4);
    expect(new Set(days.map(({ date }) => date)).size).toBe(days.length);
    expect(days.filter((day) => day.is_ouvre && !day.is_ouvrable)).toEqual([]);
    expect(days.filter((day) => day.is_ouvrable_alsace_moselle && !day.is_ouvrable)).toEqual([]);
  });
});
