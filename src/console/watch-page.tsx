import type { JSX } from 'preact';
import type { FoundRevision, WatchedPart } from '../engine/watch/watched.ts';
import { Reason } from './fields.tsx';
import { pathOf } from './waiting-units.tsx';
import { linkTo, Live, mayAct, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/**
 * What publishers are asked for by the watch, when they were asked last, and the revisions that
 * were found.
 */

const SHOWN = 50;

/** Of one pipeline. */
export interface Watched {
  readonly pipeline: string;
  readonly parts: readonly WatchedPart[];
  /** The newest day first. */
  readonly revisions: readonly FoundRevision[];
}

/** Every pipeline with its parts, its revisions, and the form that asks at once. */
export function WatchPage({
  page,
  watched,
}: {
  readonly page: PageContext;
  readonly watched: readonly Watched[];
}): JSX.Element {
  return (
    <Live id="live-watch">
      {watched.map((one) => (
        <Pipeline key={one.pipeline} page={page} watched={one} />
      ))}
    </Live>
  );
}

function Pipeline({
  page,
  watched: { pipeline, parts, revisions },
}: {
  readonly page: PageContext;
  readonly watched: Watched;
}): JSX.Element {
  const { words } = page;
  const found = revisions
    .slice(0, SHOWN)
    .map(({ date, difference: { from, to, steps } }) => [
      <a href={linkTo(page, pathOf(pipeline, date))}>{date}</a>,
      <a
        href={`/api/v1/pipelines/${pipeline}/days/${date}/diff?versions=${from.version}..${to.version}`}
      >
        {`${from.version} → ${to.version}`}
      </a>,
      steps.map(({ step }) => step).join(', '),
    ]);
  return (
    <section aria-labelledby={`watch-${pipeline}`}>
      <h2 id={`watch-${pipeline}`}>{pipeline}</h2>
      {parts.length === 0 ? (
        <p>{words.neverWatched}</p>
      ) : (
        <Rows
          caption={`${words.watch}: ${pipeline}`}
          head={[words.part, words.freshness, words.asked]}
          rows={parts.map(({ part, value, checkedAt }) => [
            part,
            value ?? words.noFreshness,
            checkedAt,
          ])}
        />
      )}
      {found.length === 0 ? (
        <p>{words.noRevision}</p>
      ) : (
        <Rows
          caption={`${words.revisions}: ${pipeline}`}
          head={[words.days, words.difference, words.steps]}
          rows={found}
        />
      )}
      {revisions.length > SHOWN ? <p>{`… + ${revisions.length - SHOWN}`}</p> : null}
      {mayAct(page, pipeline) ? (
        <form method="post" action={linkTo(page, `/console/watch/${pipeline}`)}>
          <Reason label={words.reason} />
          <button type="submit">{words.watch}</button>
        </form>
      ) : null}
    </section>
  );
}
