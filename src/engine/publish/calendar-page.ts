import { longDate } from '../../datasets/kit/page/french.ts';
import { CALENDAR_INDEX, calendarYearKey } from '../../pipelines/calendar-month.ts';
import type { CalendarEntry, CalendarMonth } from '../../pipelines/calendar-month.ts';
import { datesOfMonth, toEpochDay } from '../../pipelines/civil-date.ts';
import { percentFigure } from '../../pipelines/percent.ts';
import type { CivilDate, Period, Verdict } from '../../pipelines/vocabulary.ts';
import { CALENDAR_STYLE } from './calendar-style.ts';

/**
 * The pages of the published calendar: no script, no font, no request; light and dark, from 320 CSS
 * pixels on. Links are relative, so the pages work from a disk, a bucket or any web server. Equal
 * months give equal bytes.
 */

/** A pipeline as the page of all pipelines shows it. */
export interface PipelineCalendar {
  readonly name: string;
  /** As its definition says it, in English. */
  readonly title: string;
  /** Ascending. */
  readonly years: readonly Period[];
  /** The newest months, ascending. */
  readonly months: readonly CalendarMonth[];
}

interface Sign {
  readonly mark: string;
  readonly word: string;
}

/** Each verdict is told by a sign as well as by a colour. */
const SIGNS: Readonly<Record<Verdict, Sign>> = {
  ok: { mark: '', word: 'complète' },
  degraded: { mark: '◐', word: 'dégradée' },
  no_data: { mark: '○', word: 'sans données' },
  failed: { mark: '✕', word: 'en échec' },
  quarantined: { mark: '?', word: 'en attente d’une décision' },
};

/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 3;
const WEEKDAYS = ['lu', 'ma', 'me', 'je', 've', 'sa', 'di'] as const;

/** The page of all pipelines: the newest months of each, and the way to its years. */
export function calendarIndexPage(pipelines: readonly PipelineCalendar[]): string {
  const parts = pipelines.map(({ name, title, years, months }) => {
    const newest = newestPage(months);
    const links = [
      ...(newest === undefined ? [] : [link(newest[1], `rapport du ${longDate(newest[0])}`)]),
      ...[...years].reverse().map((year) => link(calendarYearKey(name, year), year)),
    ];
    return [
      `<section aria-labelledby="${escaped(name)}">`,
      `<h2 id="${escaped(name)}"><span lang="en">${escaped(title)}</span></h2>`,
      `<ul class="links">${links.map((one) => `<li>${one}</li>`).join('')}</ul>`,
      `<div class="months">${months.map((month) => monthGrid(month, '', title)).join('')}</div>`,
      '</section>',
    ].join('\n');
  });
  const none = '<p>Aucune journée n’est encore terminée.</p>';
  return page('Calendrier des journées', '', [legend(), ...(parts.length === 0 ? [none] : parts)]);
}

/** The page of a year of one pipeline; `months` ascending. */
export function calendarYearPage(
  title: string,
  year: Period,
  months: readonly CalendarMonth[],
): string {
  const up = '../../';
  return page(`${title} · ${year}`, `<span lang="en">${escaped(title)}</span> · ${year}`, [
    `<nav aria-label="Calendrier"><ul class="links"><li>${link(`${up}${CALENDAR_INDEX}`, '‹ Calendrier de toutes les chaînes')}</li></ul></nav>`,
    legend(),
    `<div class="months">${months.map((month) => monthGrid(month, up)).join('')}</div>`,
  ]);
}

function page(title: string, heading: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<style>${CALENDAR_STYLE}</style>
</head>
<body>
<main>
<h1>${heading === '' ? escaped(title) : heading}</h1>
${parts.join('\n')}
</main>
</body>
</html>
`;
}

function legend(): string {
  const signs = Object.entries(SIGNS).filter(
    ([verdict]) => verdict !== 'failed' && verdict !== 'quarantined',
  );
  const words = signs.map(
    ([verdict, { mark, word }]) =>
      `<li class="${verdict}"><span class="key" aria-hidden="true">${mark}</span> ${word}</li>`,
  );
  return `<ul class="legend">${words.join('')}<li class="none"><span class="key" aria-hidden="true"></span> pas encore faite</li><li><u>15</u> avec un rapport</li></ul>`;
}

/** With `of`, several pipelines stand on the page, each under a heading of its own. */
function monthGrid({ month, days }: CalendarMonth, up: string, of?: string): string {
  const heading = of === undefined ? 'h2' : 'h3';
  const name = of === undefined ? monthTitle(month) : `${of}, ${monthTitle(month)}`;
  const dates = datesOfMonth(month);
  const weekday = (toEpochDay(dates[0] ?? `${month}-01`) + EPOCH_WEEKDAY) % WEEKDAYS.length;
  const blanks = '<li aria-hidden="true"></li>'.repeat(weekday);
  const cells = dates.map((date) => cell(date, days[date], up)).join('');
  const head = WEEKDAYS.map((name) => `<span>${name}</span>`).join('');
  return [
    `<section class="month" aria-label="${escaped(name)}">`,
    `<${heading}>${monthTitle(month)}</${heading}>`,
    `<p class="week" aria-hidden="true">${head}</p>`,
    `<ol>${blanks}${cells}</ol>`,
    '</section>',
  ].join('\n');
}

function cell(date: CivilDate, entry: CalendarEntry | undefined, up: string): string {
  const number = String(Number(date.slice(8)));
  if (entry === undefined) return `<li class="none"><span>${number}</span></li>`;
  const { mark, word } = SIGNS[entry.verdict];
  const share = entry.coverage === undefined ? [] : [`couverture ${percentText(entry.coverage)}`];
  const text = [longDate(date), `journée ${word}`, ...share].join(', ');
  const sign = mark === '' ? '' : `<b aria-hidden="true">${mark}</b>`;
  if (entry.page === undefined) {
    return `<li class="${entry.verdict}"><span title="${text}, sans page">${number}${sign}</span></li>`;
  }
  const href = escaped(`${up}${encodeURI(entry.page)}`);
  return `<li class="${entry.verdict}"><a href="${href}" title="${text}" aria-label="${number}, ${text}">${number}${sign}</a></li>`;
}

function percentText(share: number): string {
  return `${String(percentFigure(share)).replace('.', ',')} %`;
}

/** `janvier 2024`, of `lundi 1er janvier 2024`. */
function monthTitle(month: Period): string {
  return longDate(`${month}-01`).split(' ').slice(2).join(' ');
}

function newestPage(months: readonly CalendarMonth[]): readonly [CivilDate, string] | undefined {
  const pages = months.flatMap(({ days }) =>
    Object.entries(days).flatMap(([date, { page: key }]) =>
      key === undefined ? [] : [[date, key] as const],
    ),
  );
  return pages.at(-1);
}

function link(href: string, text: string): string {
  return `<a href="${escaped(encodeURI(href))}">${escaped(text)}</a>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
