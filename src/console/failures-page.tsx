import type { JSX } from 'preact';
import type { FailedDay } from '../engine/look/failed-days.ts';
import type { AskedRange } from '../engine/look/range-of-days.ts';
import { ERROR_TABLE } from '../errors.ts';
import { AskForm, RangeFields } from './fields.tsx';
import { linkTo, Live, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/** Of one code; a store that was away for a year would make a page of thousands. */
const DAYS_SHOWN = 100;

/**
 * Days whose last run failed, by error code, the code with the most days first, each with what to
 * do about it.
 */
export function FailuresPage({
  page,
  range,
  failures,
}: {
  readonly page: PageContext;
  readonly range: AskedRange;
  readonly failures: readonly FailedDay[];
}): JSX.Element {
  const { words } = page;
  const byCode = new Map<string, FailedDay[]>();
  for (const failure of failures) {
    const own = byCode.get(failure.code);
    if (own === undefined) byCode.set(failure.code, [failure]);
    else own.push(failure);
  }
  const codes = [...byCode].sort(([, one], [, other]) => other.length - one.length);
  return (
    <>
      <AskForm page={page} path="/console/failures">
        <RangeFields words={words} range={range} />
      </AskForm>
      <Live id="live-failures">
        {codes.length === 0 ? <p>{words.noFailures}</p> : null}
        {codes.map(([code, days]) => (
          <Code key={code} page={page} code={code} days={days} />
        ))}
      </Live>
    </>
  );
}

function Code({
  page,
  code,
  days,
}: {
  readonly page: PageContext;
  readonly code: string;
  readonly days: readonly FailedDay[];
}): JSX.Element {
  const { words } = page;
  const known = Object.entries(ERROR_TABLE).find(([name]) => name === code)?.[1];
  const rows = days
    .slice(0, DAYS_SHOWN)
    .map(({ pipeline, scope, step, message, failedAt }) => [
      pipeline,
      <a href={linkTo(page, `/console/${pipeline}/${scope}`)}>{scope}</a>,
      step,
      message,
      failedAt,
    ]);
  const more = days.length - rows.length;
  return (
    <section aria-labelledby={code}>
      <h2 id={code}>{`${code} (${days.length})`}</h2>
      {known === undefined ? null : (
        <p>
          {`${words.remedy} `}
          <span lang="en">{known.remedy}</span>{' '}
          <a href={`/api/errors#${code}`}>{words.aboutCode}</a>
        </p>
      )}
      <Rows
        caption={`${words.days}: ${code}`}
        head={[words.pipelines, words.days, words.step, words.why, words.failedAt]}
        rows={rows}
      />
      {more > 0 ? <p>{`… + ${more}`}</p> : null}
    </section>
  );
}
