import type { JSX } from 'preact';
import type { HeldScope } from '../engine/look/held-scopes.ts';
import { firstOf, lastOf } from '../given.ts';
import type { CalendarDay, DayStanding, GapKind } from '../pipelines/calendar-of-days.ts';
import { calendarTotals, rangesOf } from '../pipelines/calendar-of-days.ts';
import { monthOf, toEpochDay } from '../pipelines/civil-date.ts';
import { HeldScopes } from './waiting-units.tsx';
import { linkTo, Live, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';
import { stateWord } from './state-words.ts';

/** A year of a pipeline: one link for each day, whose title says how it stands. */

/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 3;
const WEEK = 7;

/** A year of one pipeline, month by month. */
export function CalendarPage({
  page,
  pipeline,
  year,
  days,
}: {
  readonly page: PageContext;
  readonly pipeline: string;
  readonly year: number;
  readonly days: readonly CalendarDay[];
}): JSX.Element {
  const { words } = page;
  const months = new Map<string, CalendarDay[]>();
  for (const day of days)
    months.set(monthOf(day.date), [...(months.get(monthOf(day.date)) ?? []), day]);
  const { standings } = calendarTotals(days);
  return (
    <>
      <p>
        <a href={linkTo(page, `/console/${pipeline}/${year - 1}`)}>{words.previous}</a>{' '}
        <a href={linkTo(page, `/console/${pipeline}/${year + 1}`)}>{words.next}</a>{' '}
        <a href={linkTo(page, `/console/${pipeline}/years`)}>{words.allYears}</a>
      </p>
      <Live id="live-days" pipeline={pipeline}>
        <p>
          {Object.entries(standings)
            .map(([standing, count]) => `${count} ${stateWord(page, standing as DayStanding)}`)
            .join(', ')}
        </p>
        <div class="months">
          {[...months].map(([month, own]) => (
            <section class="month" key={month} id={`m${month}`} aria-label={month}>
              <h2>{month}</h2>
              <ol>
                {own.map((day, index) => (
                  <Day
                    key={day.date}
                    page={page}
                    pipeline={pipeline}
                    day={day}
                    isFirst={index === 0}
                  />
                ))}
              </ol>
            </section>
          ))}
        </div>
      </Live>
    </>
  );
}

function Day({
  page,
  pipeline,
  day,
  isFirst,
}: {
  readonly page: PageContext;
  readonly pipeline: string;
  readonly day: CalendarDay;
  readonly isFirst: boolean;
}): JSX.Element {
  const { date, standing, revision, remarks } = day;
  const told = [
    date,
    stateWord(page, standing),
    revision,
    ...remarks.map(({ text }) => text),
  ].filter(Boolean);
  const weekday = (toEpochDay(date) + EPOCH_WEEKDAY) % WEEK;
  const blanks = isFirst
    ? Array.from({ length: weekday }, (_, index) => (
        <li key={`blank ${index}`} aria-hidden="true" />
      ))
    : [];
  return (
    <>
      {blanks}
      <li class={standing}>
        <a
          href={linkTo(page, `/console/${pipeline}/${date}`)}
          title={told.join(', ')}
          aria-label={`${Number(date.slice(8))}, ${told.slice(0, 3).join(', ')}`}
        >
          {Number(date.slice(8))}
        </a>
      </li>
    </>
  );
}

/** Days of one pipeline that lack the same; dates ascending. */
export interface GapRow {
  readonly pipeline: string;
  readonly kind: GapKind;
  readonly dates: readonly string[];
}

const RANGES_SHOWN = 20;

/** What is missing anywhere, for a person who decides what to run. */
export function GapsPage({
  page,
  gaps,
  held,
}: {
  readonly page: PageContext;
  readonly gaps: readonly GapRow[];
  /** Days and periods that wait for decisions on units. */
  readonly held: readonly HeldScope[];
}): JSX.Element {
  const { words } = page;
  const rows = gaps.map(({ pipeline, kind, dates }) => [
    pipeline,
    stateWord(page, kind),
    dates.length,
    <>
      <a href={linkTo(page, planOf(pipeline, dates))}>{words.makePlan}</a>{' '}
      {rangesOf(dates)
        .slice(0, RANGES_SHOWN)
        .map(({ from, to }) => (
          <>
            <a key={from} href={linkTo(page, `/console/${pipeline}/${from}`)}>
              {from === to ? from : `${from} … ${to}`}
            </a>{' '}
          </>
        ))}
    </>,
  ]);
  return (
    <Live id="live-gaps">
      {gaps.length === 0 ? (
        <p>{words.noGaps}</p>
      ) : (
        <Rows
          caption={words.gaps}
          head={[words.pipelines, words.kind, words.days, words.ranges]}
          rows={rows}
        />
      )}
      <HeldScopes page={page} held={held} />
    </Live>
  );
}

/** The form of a backfill over all of these days, filled in. */
function planOf(pipeline: string, dates: readonly string[]): string {
  return `/console/backfills?pipeline=${pipeline}&from=${firstOf(dates)}&to=${lastOf(dates)}`;
}
