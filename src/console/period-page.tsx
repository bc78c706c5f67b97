import type { JSX } from 'preact';
import type { Manifest } from '../pipelines/manifest.ts';
import { HeldUnits } from './waiting-units.tsx';
import { linkTo, Live, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';
import { stateWord } from './state-words.ts';
import { Steps, Versions } from './version-parts.tsx';

/**
 * A month, a year or the history: its newest version, the units that it is held without, and its
 * versions.
 */
export function PeriodPage({
  page,
  pipeline,
  period,
  manifests,
}: {
  readonly page: PageContext;
  readonly pipeline: string;
  readonly period: string;
  /** Oldest first. */
  readonly manifests: readonly Manifest[];
}): JSX.Element {
  const { words, nameHome } = page;
  const newest = manifests.at(-1);
  const year = /^\d{4}/.exec(period)?.[0];
  return (
    <Live id="live-period" pipeline={pipeline}>
      {newest === undefined ? (
        <p>{words.noPeriodVersion}</p>
      ) : (
        <>
          <Rows
            caption={words.version}
            head={[words.version, words.verdict, words.committed]}
            rows={[[newest.version, stateWord(page, newest.verdict), newest.run.committedAt]]}
          />
          <HeldUnits page={page} pipeline={pipeline} manifest={newest} />
          <Steps page={page} manifest={newest} />
          <Versions page={page} manifests={manifests} />
        </>
      )}
      <pre>{nameHome(`quotidien show ${pipeline} ${period}`)}</pre>
      <p>
        <a href={linkTo(page, `/console/${pipeline}/${year ?? 'years'}`)}>{words.calendar}</a>
      </p>
    </Live>
  );
}
