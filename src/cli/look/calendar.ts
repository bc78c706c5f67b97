import { calendarTotals } from '../../pipelines/calendar-of-days.ts';
import type {
  CalendarDay,
  CalendarTotals,
  DateRange,
  DayRemark,
  DayStanding,
} from '../../pipelines/calendar-of-days.ts';
import { monthOf, toEpochDay, yearOf } from '../../pipelines/civil-date.ts';
import { REVISIONS } from '../../pipelines/vocabulary.ts';
import type { Revision } from '../../pipelines/vocabulary.ts';
import { count } from '../shared/measures.ts';
import type { Terminal } from '../shared/terminal.ts';

/** The calendar of days as text. Every sign says without colour what it says with it. */

type Colours = Terminal['colours'];
type Paint = (text: string) => string;

interface Sign {
  readonly glyph: string;
  readonly word: string;
  readonly paint: (colours: Colours) => Paint;
}

const STANDINGS: Readonly<Record<DayStanding, Sign>> = {
  ok: { glyph: '●', word: 'ok', paint: (colours) => colours.green },
  degraded: { glyph: '◐', word: 'degraded', paint: (colours) => colours.yellow },
  no_data: { glyph: '○', word: 'no data', paint: (colours) => colours.blue },
  failed: { glyph: '✗', word: 'failed', paint: (colours) => colours.red },
  quarantined: { glyph: '?', word: 'quarantined', paint: (colours) => colours.magenta },
  running: { glyph: '»', word: 'running', paint: (colours) => colours.cyan },
  missing: { glyph: '·', word: 'missing', paint: (colours) => colours.red },
  unknown: {
    glyph: '-',
    word: 'unknown while a store is away',
    paint: (colours) => colours.yellow,
  },
  not_asked: { glyph: '_', word: 'not asked for', paint: (colours) => colours.dim },
  not_due: { glyph: ' ', word: 'not due yet', paint: (colours) => colours.dim },
};

/** An ok day in a row of a year has room for one sign only. */
const OK_WITH_REMARK = '◉';

/** Marks behind the sign of a day. */
const MARKS: Readonly<
  Partial<Record<DayRemark['kind'], { readonly mark: string; readonly word: string }>>
> = {
  stale: { mark: '~', word: 'out of date' },
  paused: { mark: '‖', word: 'paused' },
  stands_still: { mark: '#', word: 'stands still' },
  failed_run: { mark: 'x', word: 'last run failed' },
  failed_check: { mark: '!', word: 'a check fails' },
  coverage: { mark: '%', word: 'incomplete' },
};

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 3;

/** More months than this are shown as one row each. */
const MAX_GRIDS = 3;
const MAX_REMARKS = 12;
const MAX_RANGES = 8;

/** Day number, sign, revision and three marks, with a space before. */
const MAX_MARKS = 3;
const CELL_WIDTH = 5 + MAX_MARKS;

/**
 * The days (ascending) as lines: a grid of weeks for each of up to three months, or a row for each
 * month; then legend, totals, missing spans and what a person should know.
 */
export function renderCalendar(
  days: readonly CalendarDay[],
  { colours }: Pick<Terminal, 'colours'>,
): string[] {
  const months = new Map<string, CalendarDay[]>();
  for (const day of days)
    months.set(monthOf(day.date), [...(months.get(monthOf(day.date)) ?? []), day]);
  const asRows = months.size > MAX_GRIDS;
  const lines = asRows
    ? rows(months, colours)
    : [...months].flatMap(([month, list]) => grid(month, list, colours));
  return [
    ...lines,
    ...legend(days, asRows, colours),
    ...totalLines(calendarTotals(days)),
    ...remarkLines(days, colours),
  ];
}

function grid(month: string, days: readonly CalendarDay[], colours: Colours): string[] {
  const first = days[0]?.date ?? `${month}-01`;
  const cells = [...blankCells(weekdayOf(first)), ...days.map((day) => cell(day, colours))];
  const weeks: string[] = [];
  for (let at = 0; at < cells.length; at += WEEKDAYS.length)
    weeks.push(cells.slice(at, at + WEEKDAYS.length).join(''));
  const head = WEEKDAYS.map((name) => `  ${name}`.padEnd(CELL_WIDTH)).join('');
  return [
    colours.bold(monthTitle(month)),
    colours.dim(head.trimEnd()),
    ...weeks.map((week) => week.trimEnd()),
    '',
  ];
}

function blankCells(count: number): string[] {
  return Array.from({ length: count }, () => ' '.repeat(CELL_WIDTH));
}

/** 0 for Monday. */
function weekdayOf(date: string): number {
  return (toEpochDay(date) + EPOCH_WEEKDAY) % WEEKDAYS.length;
}

function monthTitle(month: string): string {
  return `${MONTHS[Number(month.slice(5)) - 1] ?? month} ${yearOf(month)}`;
}

function cell(day: CalendarDay, colours: Colours): string {
  const { glyph, paint } = STANDINGS[day.standing];
  const number = String(Number(day.date.slice(8))).padStart(2);
  const marks = marksOf(day);
  const padding = ' '.repeat(MAX_MARKS - marks.length);
  return ` ${number}${painted(paint(colours), glyph)}${letter(day.revision)}${painted(colours.yellow, marks)}${padding}`;
}

/** Blanks stay without colour, so that a line can be trimmed at its end. */
function painted(paint: Paint, text: string): string {
  return text.trim() === '' ? text : paint(text);
}

function marksOf({ remarks }: CalendarDay): string {
  return Object.entries(MARKS)
    .filter(([kind]) => remarks.some((remark) => remark.kind === kind))
    .map(([, { mark }]) => mark)
    .slice(0, MAX_MARKS)
    .join('');
}

function letter(revision: Revision | null): string {
  return revision?.slice(0, 1) ?? ' ';
}

function rows(months: ReadonlyMap<string, readonly CalendarDay[]>, colours: Colours): string[] {
  const lines: string[] = [];
  let year = '';
  for (const [month, days] of months) {
    if (yearOf(month) !== year) {
      if (year !== '') lines.push('');
      year = yearOf(month);
      lines.push(`${colours.bold(year)} ${colours.dim('1   5    10   15   20   25   30')}`);
    }
    lines.push(row(month, days, colours));
  }
  return [...lines, ''];
}

const LONGEST_MONTH = 31;

function row(month: string, days: readonly CalendarDay[], colours: Colours): string {
  const byNumber = new Map(days.map((day) => [Number(day.date.slice(8)), day]));
  const cells = Array.from({ length: LONGEST_MONTH }, (_, index) => {
    const day = byNumber.get(index + 1);
    return day === undefined
      ? ' '
      : painted(STANDINGS[day.standing].paint(colours), compactGlyph(day));
  });
  const { standings, revisions } = calendarTotals(days);
  const finals = REVISIONS.flatMap((name) =>
    revisions[name] === undefined ? [] : [`${letter(name)}${revisions[name]}`],
  );
  const due = days.length - (standings.not_due ?? 0) - (standings.not_asked ?? 0);
  const summary = due === 0 ? '' : [`${standings.ok ?? 0} of ${due} ok`, ...finals].join(' ');
  return `${monthTitle(month).slice(0, 3)}  ${cells.join('')}  ${painted(colours.dim, summary)}`.trimEnd();
}

function compactGlyph({ standing, remarks }: CalendarDay): string {
  return standing === 'ok' && remarks.length > 0 ? OK_WITH_REMARK : STANDINGS[standing].glyph;
}

/** Explains what occurs, and nothing else. */
function legend(days: readonly CalendarDay[], asRows: boolean, colours: Colours): string[] {
  const parts = Object.entries(STANDINGS)
    .filter(([standing]) => days.some((day) => day.standing === standing))
    .map(
      ([, { glyph, word, paint }]) => `${glyph === ' ' ? 'blank' : paint(colours)(glyph)} ${word}`,
    );
  if (asRows && days.some((day) => compactGlyph(day) === OK_WITH_REMARK)) {
    parts.push(`${colours.green(OK_WITH_REMARK)} ok with a remark`);
  }
  const revisions = REVISIONS.filter((name) => days.some(({ revision }) => revision === name));
  parts.push(...revisions.map((name) => `${letter(name)} ${name}`));
  if (!asRows) {
    const used = Object.entries(MARKS).filter(([kind]) =>
      days.some(({ remarks }) => remarks.some((one) => one.kind === kind)),
    );
    parts.push(...used.map(([, { mark, word }]) => `${colours.yellow(mark)} ${word}`));
  }
  return parts.length === 0 ? [] : [parts.join('   ')];
}

function totalLines({ days, standings, revisions, incomplete, missing }: CalendarTotals): string[] {
  const counts = Object.entries(STANDINGS).flatMap(([standing, { word }]) => {
    const count = standings[standing as DayStanding];
    return count === undefined ? [] : [`${count} ${word}`];
  });
  const finals = REVISIONS.flatMap((name) =>
    revisions[name] === undefined ? [] : [`${revisions[name]} ${name}`],
  );
  if (incomplete > 0) finals.push(`${incomplete} incomplete`);
  const line = `${days === 1 ? '1 day' : `${days} days`}: ${counts.join(', ')}${finals.length === 0 ? '' : `; ${finals.join(', ')}`}`;
  return missing.length === 0 ? [line] : [line, `missing: ${rangeText(missing)}`];
}

function rangeText(ranges: readonly DateRange[]): string {
  const shown = ranges
    .slice(0, MAX_RANGES)
    .map(({ from, to }) => (from === to ? from : `${from} … ${to}`));
  const rest = ranges.length - shown.length;
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`;
}

function remarkLines(days: readonly CalendarDay[], colours: Colours): string[] {
  const lines = days.flatMap(({ date, standing, remarks }) => {
    const { word, paint } = STANDINGS[standing];
    return remarks.map(({ text }) => `${date}  ${paint(colours)(word)}  ${oneLine(text)}`);
  });
  if (lines.length <= MAX_REMARKS) return lines;
  return [
    ...lines.slice(0, MAX_REMARKS),
    `and ${lines.length - MAX_REMARKS} more remarks; --json lists all of them`,
  ];
}

const DAY_MS = 86_400_000;

/**
 * Of how many of these days the publisher is asked again, and when; undefined when it is asked for
 * none of them.
 */
export function askAgainLine(days: readonly CalendarDay[], now: Date): string | undefined {
  const dates = days.flatMap(({ askAgainAt }) =>
    askAgainAt === null ? [] : [Date.parse(askAgainAt)],
  );
  if (dates.length === 0) return undefined;
  const waits = dates.map((at) => at - now.getTime());
  const due = waits.filter((ms) => ms <= 0).length;
  const soon = waits.filter((ms) => ms > 0 && ms <= DAY_MS).length;
  const later = dates.filter((at) => at - now.getTime() > DAY_MS).sort((a, b) => a - b);
  const first = new Date(later[0] ?? now).toISOString().slice(0, 10);
  const parts = [
    due === 0 ? '' : `${due} as soon as it has something new`,
    soon === 0 ? '' : `${soon} within a day`,
    later.length === 0 ? '' : `${later.length} later, the first on ${first}`,
  ];
  const told = parts.filter((part) => part !== '').join(', ');
  return `the publisher is asked again for ${count(dates.length, 'finished day')}: ${told}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
