import type { JSX } from 'preact';
import type { DayStanding } from '../pipelines/calendar-of-days.ts';
import { monthOf, yearOf } from '../pipelines/civil-date.ts';
import { AskForm, Choice } from './fields.tsx';
import { linkTo } from './layout.tsx';
import type { PageContext } from './layout.tsx';
import { stateWord } from './state-words.ts';

/**
 * All years of a pipeline on one page: a row for each year, a strip of days for each month, which
 * leads to the month.
 */

/** The standings that a person may look for, worst first. */
export const SHOWN_STANDINGS: readonly DayStanding[] = [
  ...(['failed', 'quarantined', 'missing', 'unknown', 'degraded', 'running'] as const),
  ...(['no_data', 'not_asked', 'not_due', 'ok'] as const),
];

const MONTHS = ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12'];
const DAY_WIDTH = 2;
const HEIGHT = 12;

/**
 * The strip of a month has a place for each of 31 days; days that are not looked for are left out
 * of it.
 */
export function YearsPage({
  page,
  pipeline,
  standings,
  only,
}: {
  readonly page: PageContext;
  readonly pipeline: string;
  /** By date, ascending. */
  readonly standings: ReadonlyMap<string, DayStanding>;
  readonly only: DayStanding | undefined;
}): JSX.Element {
  const { words } = page;
  const months = byMonth(standings, only);
  const years = [...new Set([...standings.keys()].map(yearOf))].reverse();
  return (
    <>
      <AskForm page={page} path={`/console/${pipeline}/years`}>
        <Standings page={page} only={only} />
      </AskForm>
      <Key page={page} />
      <div class="scroll" role="region" aria-label={words.calendar} tabIndex={0}>
        <table class="years">
          <thead>
            <tr>
              <th scope="col">{words.year}</th>
              {MONTHS.map((month) => (
                <th key={month} scope="col">
                  {month}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {years.map((year) => (
              <tr key={year}>
                <th scope="row">
                  <a href={linkTo(page, `/console/${pipeline}/${year}`)}>{year}</a>
                </th>
                {MONTHS.map((month) => (
                  <td key={month}>
                    <Month
                      page={page}
                      pipeline={pipeline}
                      month={`${year}-${month}`}
                      days={months.get(`${year}-${month}`)}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Standings({
  page,
  only,
}: {
  readonly page: PageContext;
  readonly only: DayStanding | undefined;
}): JSX.Element {
  const { words } = page;
  const tell = (standing: DayStanding): string => stateWord(page, standing);
  const choices = {
    choices: SHOWN_STANDINGS,
    tell,
    isOptional: true,
    none: words.all,
    value: only,
  };
  return <Choice name="only" label={words.state} {...choices} />;
}

function byMonth(
  standings: ReadonlyMap<string, DayStanding>,
  only: DayStanding | undefined,
): Map<string, [date: string, standing: DayStanding][]> {
  const months = new Map<string, [date: string, standing: DayStanding][]>();
  for (const day of standings) {
    if (only !== undefined && day[1] !== only) continue;
    const own = months.get(monthOf(day[0]));
    if (own === undefined) months.set(monthOf(day[0]), [day]);
    else own.push(day);
  }
  return months;
}

/** What the colours mean. */
function Key({ page }: { readonly page: PageContext }): JSX.Element {
  return (
    <ul class="key">
      {SHOWN_STANDINGS.map((standing) => (
        <li key={standing}>
          <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
            <rect class={standing} width="12" height="12" />
          </svg>{' '}
          {stateWord(page, standing)}
        </li>
      ))}
    </ul>
  );
}

function Month({
  page,
  pipeline,
  month,
  days,
}: {
  readonly page: PageContext;
  readonly pipeline: string;
  readonly month: string;
  readonly days: readonly (readonly [date: string, standing: DayStanding])[] | undefined;
}): JSX.Element | null {
  if (days === undefined) return null;
  const by = new Map<DayStanding, number[]>();
  for (const [date, standing] of days) {
    const places = by.get(standing);
    if (places === undefined) by.set(standing, [Number(date.slice(8)) - 1]);
    else places.push(Number(date.slice(8)) - 1);
  }
  const told = [...by]
    .map(([standing, places]) => `${places.length} ${stateWord(page, standing)}`)
    .join(', ');
  return (
    <a
      href={`${linkTo(page, `/console/${pipeline}/${month.slice(0, 4)}`)}#m${month}`}
      aria-label={`${month}: ${told}`}
      title={told}
    >
      <svg
        viewBox={`0 0 ${31 * DAY_WIDTH} ${HEIGHT}`}
        aria-hidden="true"
        preserveAspectRatio="none"
      >
        {[...by].map(([standing, places]) => (
          <path key={standing} class={standing} d={stripOf(places)} />
        ))}
      </svg>
    </a>
  );
}

/** One rectangle for each run of days that follow each other. */
function stripOf(places: readonly number[]): string {
  let path = '';
  for (let index = 0; index < places.length;) {
    const start = places[index] ?? 0;
    let length = 1;
    while (places[index + length] === start + length) length += 1;
    path += `M${start * DAY_WIDTH} 0h${length * DAY_WIDTH}v${HEIGHT}h-${length * DAY_WIDTH}z`;
    index += length;
  }
  return path;
}
