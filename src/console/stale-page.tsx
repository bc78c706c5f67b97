import type { JSX } from 'preact';
import type { StalePeriod } from '../engine/derive/stale-periods.ts';
import type { AskedRange } from '../engine/look/range-of-days.ts';
import type { StaleDay } from '../engine/look/stale-days.ts';
import type { Unfinished } from '../engine/look/unfinished.ts';
import { definedMembers, firstOf, lastOf } from '../given.ts';
import { AskForm, Choice, RangeFields } from './fields.tsx';
import { pathOf } from './waiting-units.tsx';
import { linkTo, Live, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/**
 * Finished days and periods that are out of date, with the reasons, and what is still to be made
 * from changed days.
 */

/** Of one pipeline; the API lists all. */
const SHOWN = 100;

/** What is out of date in a range of one pipeline. */
export interface StaleOf {
  readonly days: readonly StaleDay[];
  readonly periods: readonly StalePeriod[];
}

/** Planning a year of a pipeline takes its time: it is done for the one that is chosen. */
export function StalePage({
  page,
  pipelines,
  chosen,
  stale,
  unfinished,
}: {
  readonly page: PageContext;
  readonly pipelines: readonly string[];
  readonly chosen: AskedRange & { readonly pipeline?: string | undefined };
  /** Null where no pipeline is chosen. */
  readonly stale: StaleOf | null;
  readonly unfinished: readonly (readonly [pipeline: string, unfinished: Unfinished])[];
}): JSX.Element {
  const { words } = page;
  const { pipeline } = chosen;
  return (
    <>
      <AskForm page={page} path="/console/stale">
        <Choice name="pipeline" label={words.pipeline} choices={pipelines} value={pipeline} />
        <RangeFields words={words} range={chosen} />
      </AskForm>
      <Live id="live-stale" {...definedMembers({ pipeline })}>
        {stale === null || pipeline === undefined ? (
          <p>{words.choosePipeline}</p>
        ) : (
          <OutOfDate page={page} pipeline={pipeline} stale={stale} />
        )}
        <h2>{words.unfinished}</h2>
        <ToBeMade page={page} unfinished={unfinished} />
      </Live>
    </>
  );
}

function OutOfDate({
  page,
  pipeline,
  stale: { days, periods },
}: {
  readonly page: PageContext;
  readonly pipeline: string;
  readonly stale: StaleOf;
}): JSX.Element {
  const { words, nameHome } = page;
  if (days.length + periods.length === 0) return <p>{words.noStale}</p>;
  const ofDays = days
    .slice(0, SHOWN)
    .map(({ date, steps, unpublished }) => [
      <a href={linkTo(page, pathOf(pipeline, date))}>{date}</a>,
      steps.map(({ step }) => step).join(', '),
      nameHome([...new Set(steps.map(({ reason }) => reason)), ...unpublished].join('; ')),
    ]);
  const ofPeriods = periods
    .slice(0, SHOWN)
    .map(({ period, step, reason }) => [
      <a href={linkTo(page, pathOf(pipeline, period))}>{period}</a>,
      step,
      nameHome(reason),
    ]);
  const more = days.length + periods.length - ofDays.length - ofPeriods.length;
  return (
    <>
      <Rows
        caption={words.stale}
        head={[words.range, words.step, words.why]}
        rows={[...ofDays, ...ofPeriods]}
      />
      {more > 0 ? <p>{`… + ${more}`}</p> : null}
      {days.length === 0 ? null : (
        <p>
          <a
            href={linkTo(
              page,
              `/console/backfills?pipeline=${pipeline}&from=${firstOf(days).date}&to=${lastOf(days).date}&select=stale`,
            )}
          >
            {words.makePlan}
          </a>
        </p>
      )}
    </>
  );
}

function ToBeMade({
  page,
  unfinished,
}: {
  readonly page: PageContext;
  readonly unfinished: readonly (readonly [pipeline: string, unfinished: Unfinished])[];
}): JSX.Element {
  const { words } = page;
  const rows = unfinished.flatMap(([pipeline, { announced, failed }]) => [
    ...(announced.length === 0
      ? []
      : [[pipeline, words.announced, announced.slice(0, SHOWN).join(', ')]]),
    ...failed.map(({ period, step, code, message }) => [
      pipeline,
      <a href={linkTo(page, pathOf(pipeline, period))}>{period}</a>,
      `${step}: ${code}: ${message}`,
    ]),
  ]);
  if (rows.length === 0) return <p>{words.allMade}</p>;
  return (
    <Rows caption={words.unfinished} head={[words.pipelines, words.range, words.why]} rows={rows} />
  );
}
