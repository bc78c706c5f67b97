import type { JSX } from 'preact';
import { reportFormats } from '../api/routes/report-formats.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import { percent } from '../pipelines/calendar-of-days.ts';
import type { StepState } from '../pipelines/execution.ts';
import type { Verification } from '../pipelines/verification.ts';
import { DayForms } from './day-forms.tsx';
import { HeldUnits } from './waiting-units.tsx';
import type { ShownDay } from './shown-day.ts';
import { linkTo, Live, mayAct, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';
import { stateWord } from './state-words.ts';
import { Steps, Versions } from './version-parts.tsx';

/**
 * One day: its newest version, what a run would do, what may be done, where its data came from, and
 * what other versions there are.
 */
export function DayPage({
  page,
  day,
}: {
  readonly page: PageContext;
  readonly day: ShownDay;
}): JSX.Element {
  const { words } = page;
  const { pipeline, date, manifests, plan, verification } = day;
  const newest = manifests.at(-1);
  const todo = plan.filter(({ action }) => action === 'run' || action === 'recheck');
  const base = `/api/v1/pipelines/${pipeline}/days/${date}`;
  return (
    <Live id="live-day" pipeline={pipeline} isBusy={day.run !== undefined}>
      <Running page={page} day={day} />
      {newest === undefined ? (
        <p>{words.noVersion}</p>
      ) : (
        <Standing page={page} manifest={newest} base={base} day={day} />
      )}
      {newest === undefined ? null : (
        <HeldUnits page={page} pipeline={pipeline} manifest={newest} />
      )}
      <h2>{words.plan}</h2>
      {todo.length === 0 ? (
        <p>{words.upToDate}</p>
      ) : (
        <Rows
          caption={words.plan}
          head={[words.step, words.state, words.why]}
          rows={todo.map(({ step, action, reason }) => [
            step,
            stateWord(page, action),
            page.nameHome(reason),
          ])}
        />
      )}
      <pre>{page.nameHome(`quotidien run ${pipeline} ${date}`)}</pre>
      {mayAct(page, pipeline) ? <DayForms page={page} day={day} /> : null}
      {verification === null ? null : <Verified page={page} verification={verification} />}
      {newest === undefined ? null : <MadeOf page={page} manifest={newest} />}
      <Versions page={page} manifests={manifests} base={base} />
      {manifests.length < 2 ? null : (
        <p>
          <a href={`${base}/diff`}>{words.difference}</a>
        </p>
      )}
      <p>
        <a href={linkTo(page, `/console/${pipeline}/${date.slice(0, 4)}`)}>{words.calendar}</a>
      </p>
    </Live>
  );
}

/** The run that is under way, with what it has done so far. */
function Running({
  page,
  day,
}: {
  readonly page: PageContext;
  readonly day: ShownDay;
}): JSX.Element | null {
  const { words, nameHome } = page;
  const { run, now } = day;
  if (run === undefined) return null;
  const steps = Object.entries(now?.steps ?? {}).map(([step, state]) => [
    step,
    stateWord(page, state.state),
    nameHome(whyNow(state)),
  ]);
  return (
    <>
      <h2>{words.runsNow}</h2>
      <p>{`${run.workflowId}, ${words.since} ${run.startedAt}`}</p>
      {now?.waits === null || now === undefined ? null : (
        <p>{`${words.waitsFor} ${nameHome(now.waits.why)} (${now.waits.until})`}</p>
      )}
      {steps.length === 0 ? null : (
        <Rows caption={words.runsNow} head={[words.step, words.state, words.why]} rows={steps} />
      )}
    </>
  );
}

function whyNow(state: StepState): string {
  if (state.state === 'skipped') return state.reason;
  return state.state === 'failed'
    ? `${state.code}: ${state.message}`
    : (state.kept?.message ?? state.how);
}

/** The last rebuild: its result, and every finding. */
function Verified({
  page,
  verification,
}: {
  readonly page: PageContext;
  readonly verification: Verification;
}): JSX.Element {
  const { words } = page;
  const { result, verifiedAt, steps } = verification;
  const rows = steps.map(({ step, result: own, findings }) => [
    step,
    stateWord(page, own),
    findings.join('; '),
  ]);
  return (
    <>
      <h2>{words.verified}</h2>
      <p>{`${words.result}: ${stateWord(page, result)} (${verifiedAt})`}</p>
      <Rows caption={words.verified} head={[words.step, words.result, words.why]} rows={rows} />
    </>
  );
}

function Standing({
  page,
  manifest,
  base,
  day,
}: {
  readonly page: PageContext;
  readonly manifest: Manifest;
  readonly base: string;
  readonly day: Pick<ShownDay, 'definition'>;
}): JSX.Element {
  const { words, caller } = page;
  const { version, verdict, run, facts } = manifest;
  const told = (name: string): string => {
    const value = facts[name];
    if (name === 'coverage' && typeof value === 'number') return percent(value);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '–';
  };
  return (
    <>
      <Rows
        caption={words.version}
        head={[words.version, words.verdict, words.revision, words.coverage, words.committed]}
        rows={[
          [version, stateWord(page, verdict), told('revision'), told('coverage'), run.committedAt],
        ]}
      />
      <p>
        {words.report}:{' '}
        {reportFormats(day.definition, caller).map(({ format, isOpen }) => (
          <>
            {isOpen ? (
              <a key={format} href={`${base}/report.${format}`}>
                {format}
              </a>
            ) : (
              `${format} (${words.afterSignIn})`
            )}{' '}
          </>
        ))}
      </p>
    </>
  );
}

function MadeOf({
  page,
  manifest,
}: {
  readonly page: PageContext;
  readonly manifest: Manifest;
}): JSX.Element {
  const { words } = page;
  return (
    <>
      <Steps page={page} manifest={manifest} />
      <h2>{words.origins}</h2>
      <Rows
        caption={words.origins}
        head={[words.part, words.address, words.retrieved]}
        rows={manifest.origins.map(({ part, url, retrievedAt }) => [part, url, retrievedAt])}
      />
    </>
  );
}
