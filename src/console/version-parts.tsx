import type { JSX } from 'preact';
import type { Manifest, ManifestStep } from '../pipelines/manifest.ts';
import { tellPublisher } from '../pipelines/unanswered.ts';
import { Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';
import { stateWord } from './state-words.ts';

/** What the pages of days and of periods show of versions. */

/** The steps of a version, with the reason of each that is not plainly done. */
export function Steps({
  page,
  manifest,
}: {
  readonly page: PageContext;
  readonly manifest: Manifest;
}): JSX.Element {
  const { words } = page;
  return (
    <>
      <h2>{words.steps}</h2>
      <Rows
        caption={words.steps}
        head={[words.step, words.state, words.why]}
        rows={Object.entries(manifest.steps).map(([step, state]) => [
          step,
          stateWord(page, state.state),
          page.nameHome([whyOf(state), publisherOf(step, state)].filter(Boolean).join('; ')),
        ])}
      />
    </>
  );
}

function publisherOf(step: string, state: ManifestStep): string | undefined {
  return step.startsWith('download/') ? tellPublisher(state) : undefined;
}

function whyOf(state: ManifestStep): string {
  if (state.state === 'skipped') return state.reason;
  if (state.state === 'failed') return `${state.code}: ${state.message}`;
  const checks = state.failedChecks.map(
    ({ check, failed, tested }) => `${check}: ${failed} / ${tested}`,
  );
  return [state.kept?.message, ...checks].filter(Boolean).join('; ');
}

/** Every version, the newest first; with `base`, each leads to what the API has of it. */
export function Versions({
  page,
  manifests,
  base,
}: {
  readonly page: PageContext;
  readonly manifests: readonly Manifest[];
  readonly base?: string;
}): JSX.Element {
  const { words } = page;
  return (
    <>
      <h2>{words.versions}</h2>
      <Rows
        caption={words.versions}
        head={[words.version, words.verdict, words.committed, words.why]}
        rows={[...manifests].reverse().map(({ version, verdict, run, changed }) => [
          base === undefined ? (
            version
          ) : (
            <a key="version" href={`${base}/versions/${version}`}>
              {version}
            </a>
          ),
          stateWord(page, verdict),
          run.committedAt,
          `${run.reason}: ${changed.join(', ')}`,
        ])}
      />
    </>
  );
}
