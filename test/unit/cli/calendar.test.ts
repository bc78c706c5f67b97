import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { askAgainLine, renderCalendar } from '../../../src/cli/look/calendar.ts';
import type {
  CalendarDay,
  DayRemark,
  DayStanding,
} from '../../../src/pipelines/calendar-of-days.ts';
import { datesBetween, datesOfMonth } from '../../../src/pipelines/civil-date.ts';

const plain = { colours: pc.createColors(false) };

function day(
  date: string,
  standing: DayStanding = 'ok',
  more: Partial<CalendarDay> = {},
): CalendarDay {
  const finished = standing === 'ok' || standing === 'degraded';
  return {
    date,
    standing,
    verdict: finished ? standing : null,
    version: finished ? 1 : null,
    committedAt: null,
    revision: finished ? 'definitive' : null,
    coverage: finished ? 1 : null,
    lacks: [],
    askAgainAt: null,
    failure: null,
    running: null,
    remarks: [],
    ...more,
  };
}

function remark(kind: DayRemark['kind'], text: string = kind): DayRemark {
  return { kind, text };
}

describe('renderCalendar', () => {
  it('draws a month as weeks from Monday, every standing with a sign of its own', () => {
    const standings: DayStanding[] = [
      'ok',
      'degraded',
      'no_data',
      'failed',
      'quarantined',
      'running',
      'missing',
      'not_due',
    ];
    const days = datesOfMonth('2024-03').map((date, index) => day(date, standings[index] ?? 'ok'));
    expect(renderCalendar(days, plain)).toEqual([
      'March 2024',
      '  Mon     Tue     Wed     Thu     Fri     Sat     Sun',
      '                                  1●d     2◐d     3○',
      '  4✗      5?      6»      7·      8       9●d    10●d',
      ' 11●d    12●d    13●d    14●d    15●d    16●d    17●d',
      ' 18●d    19●d    20●d    21●d    22●d    23●d    24●d',
      ' 25●d    26●d    27●d    28●d    29●d    30●d    31●d',
      '',
      '● ok   ◐ degraded   ○ no data   ✗ failed   ? quarantined   » running   · missing   blank not due yet   d definitive',
      '31 days: 24 ok, 1 degraded, 1 no data, 1 failed, 1 quarantined, 1 running, 1 missing, 1 not due yet; 25 definitive',
      'missing: 2024-03-07',
    ]);
  });

  it('marks revisions, gaps, failing checks and failed runs behind the sign', () => {
    const lines = renderCalendar(
      [
        day('2024-01-01', 'ok', {
          revision: 'provisional',
          coverage: 0.958,
          lacks: [{ part: null, share: 0.958, least: 1 }],
          remarks: [remark('coverage', 'coverage 95.8 %')],
        }),
        day('2024-01-02', 'ok', {
          revision: 'consolidated',
          remarks: [
            remark('failed_run', 'last run\n failed'),
            remark('failed_check'),
            remark('coverage'),
          ],
        }),
      ],
      plain,
    );
    expect(lines[2]).toBe('  1●p%    2●cx!%');
    expect(lines).toContain(
      '● ok   p provisional   c consolidated   x last run failed   ! a check fails   % incomplete',
    );
    expect(lines).toContain('2024-01-01  ok  coverage 95.8 %');
    expect(lines).toContain('2024-01-02  ok  last run failed');
  });

  it('draws more than three months as one row each, with a sign for good days that carry a remark', () => {
    const days = datesBetween('2024-01-01', '2024-12-31').map((date) => {
      if (date === '2024-02-10')
        return day(date, 'ok', { remarks: [remark('failed_check', 'a check')] });
      return date > '2024-10-15'
        ? day(date, 'not_due')
        : day(date, date.startsWith('2024-05') ? 'missing' : 'ok');
    });
    const lines = renderCalendar(days, plain);
    expect(lines[0]).toBe('2024 1   5    10   15   20   25   30');
    expect(lines[1]).toBe(`Jan  ${'●'.repeat(31)}  31 of 31 ok d31`);
    expect(lines[2]).toBe(`Feb  ${'●'.repeat(9)}◉${'●'.repeat(19)}    29 of 29 ok d29`);
    expect(lines[5]).toBe(`May  ${'·'.repeat(31)}  0 of 31 ok`);
    expect(lines[10]).toBe(`Oct  ${'●'.repeat(15)}                  15 of 15 ok d15`);
    expect(lines[11]).toBe('Nov');
    expect(lines).toContain('missing: 2024-05-01 … 2024-05-31');
    expect(lines).toContain('2024-02-10  ok  a check');
  });

  it('begins where the pipeline begins', () => {
    const lines = renderCalendar(
      datesBetween('2024-01-10', '2024-01-16').map((date) => day(date)),
      plain,
    );
    expect(lines.slice(2, 4)).toEqual([
      '                 10●d    11●d    12●d    13●d    14●d',
      ' 15●d    16●d',
    ]);
  });

  it('lists a bounded number of remarks and missing days', () => {
    const noisy = datesOfMonth('2024-01').map((date) =>
      day(date, 'ok', { remarks: [remark('failed_check')] }),
    );
    expect(renderCalendar(noisy, plain).at(-1)).toBe(
      'and 19 more remarks; --json lists all of them',
    );
    const gaps = datesOfMonth('2024-01').map((date, index) =>
      day(date, index % 2 === 0 ? 'missing' : 'ok'),
    );
    expect(renderCalendar(gaps, plain).at(-1)).toMatch(/2024-01-15 and 8 more$/);
  });

  it('says the same with colours as without', () => {
    const days = datesOfMonth('2024-03').map((date, index) =>
      day(date, index % 3 === 0 ? 'failed' : 'ok'),
    );
    const coloured = renderCalendar(days, { colours: pc.createColors(true) });
    const bare = coloured.map((line) => line.replaceAll(/\u001b\[\d+m/g, ''));
    expect(coloured.join('\n')).not.toBe(bare.join('\n'));
    expect(bare).toEqual(renderCalendar(days, plain));
  });
});

describe('askAgainLine', () => {
  const now = new Date('2024-03-10T12:00:00Z');
  const asked = (at: string | null) => day('2024-03-01', 'ok', { askAgainAt: at });

  it('is a sentence of what there is, and nothing where nobody is asked', () => {
    const [due, soon] = [asked('2024-03-09T00:00:00Z'), asked('2024-03-11T00:00:00Z')];
    expect(askAgainLine([asked(null)], now)).toBeUndefined();
    expect(askAgainLine([soon], now)).toBe(
      'the publisher is asked again for 1 finished day: 1 within a day',
    );
    expect(
      askAgainLine([due, soon, asked('2024-04-02T00:00:00Z'), asked('2024-03-20T00:00:00Z')], now),
    ).toBe(
      'the publisher is asked again for 4 finished days: 1 as soon as it has something new, 1 within a day, ' +
        '2 later, the first on 2024-03-20',
    );
  });
});
