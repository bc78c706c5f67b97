import type { JSX } from 'preact';
import type { StoresStanding } from '../engine/look/stores-standing.ts';
import { Facts, Live, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/** Of one host; the API lists all. */
const CONFLICTS_SHOWN = 50;

const BREAKER_WORDS = { closed: 'answering', open: 'away', 'half-open': 'probing' } as const;

/**
 * How the stores look from this host, what waits here, and the conflicts with the commands that
 * decide them.
 */
export function StoresPage({ page, standing }: StoresOf): JSX.Element {
  const { words } = page;
  const { objects, documents, host, away, pending, figures } = standing;
  const facts = [
    [words.objects, objects],
    [words.documents, documents],
    [words.host, host],
  ] as const;
  return (
    <Live id="live-stores" isBusy={away !== null || pending > 0}>
      <Facts facts={facts} />
      {figures === null ? (
        <p>{words.allHere}</p>
      ) : (
        <>
          <Breakers page={page} standing={standing} />
          <Journal page={page} standing={standing} />
          <Conflicts page={page} standing={standing} />
        </>
      )}
    </Live>
  );
}

interface StoresOf {
  readonly page: PageContext;
  readonly standing: StoresStanding;
}

function Breakers({ page: { words }, standing: { breakers } }: StoresOf): JSX.Element {
  const rows = breakers.map(({ store, process, state, since, reason }) => [
    store,
    process,
    words[BREAKER_WORDS[state]],
    since,
    reason,
  ]);
  const head = [words.store, words.process, words.breaker, words.since, words.why];
  return <Rows caption={words.breaker} head={head} rows={rows} />;
}

function Journal({ page: { words, nameHome }, standing }: StoresOf): JSX.Element {
  const { pending, pending_since: since } = standing;
  return (
    <section aria-labelledby="journal">
      <h2 id="journal">{words.journal}</h2>
      {pending === 0 ? (
        <p>{words.nothingWaits}</p>
      ) : (
        <>
          <Facts
            facts={[
              [words.pendingWrites, String(pending)],
              [words.pendingSince, since ?? '–'],
            ]}
          />
          <p>{words.replayed}</p>
          <pre>{nameHome('quotidien reconcile')}</pre>
        </>
      )}
    </section>
  );
}

function Conflicts({ page: { words, nameHome }, standing: { conflicts } }: StoresOf): JSX.Element {
  const more = conflicts.length - CONFLICTS_SHOWN;
  return (
    <section aria-labelledby="conflicts">
      <h2 id="conflicts">
        {conflicts.length === 0 ? words.conflicts : `${words.conflicts} (${conflicts.length})`}
      </h2>
      {conflicts.length === 0 ? <p>{words.noConflict}</p> : null}
      {conflicts.slice(0, CONFLICTS_SHOWN).map(({ id, text, remedy }) => (
        <section key={id} aria-label={id}>
          <p lang="en">{`${text}. ${remedy}`}</p>
          <p>{words.keepPrimary}</p>
          <pre>{nameHome(`quotidien reconcile --conflict ${id} --keep primary`)}</pre>
          <p>{words.keepOurs}</p>
          <pre>{nameHome(`quotidien reconcile --conflict ${id} --keep ours`)}</pre>
        </section>
      ))}
      {more > 0 ? <p>{`… + ${more}`}</p> : null}
    </section>
  );
}
