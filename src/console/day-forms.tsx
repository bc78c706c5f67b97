import type { ComponentChildren, JSX } from 'preact';
import { hasScope } from '../api/security/callers.ts';
import type { ShownDay } from './shown-day.ts';
import { Choice, Reason, Tick } from './fields.tsx';
import { linkTo } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/**
 * What an operator can do to one day. Each form is sent as it is, without a script, and asks for a
 * reason.
 */

/** What may be done now: a run always, the rest where there is a run that listens. */
export function DayForms({
  page,
  day,
}: {
  readonly page: PageContext;
  readonly day: ShownDay;
}): JSX.Element {
  const { words } = page;
  const { definition, manifests, run, isOwn, now } = day;
  const steps = definition.steps.map(({ id }) => id);
  const downloads = definition.steps.filter(({ part }) => part !== undefined).map(({ id }) => id);
  const isHeld = now?.waits?.held ?? run?.held ?? false;
  return (
    <section aria-labelledby="actions">
      <h2 id="actions">{words.actions}</h2>
      <RunForm page={page} day={day} steps={steps} />
      {isOwn && isHeld ? (
        <Form page={page} day={day} action="decide">
          <Choice
            name="decision"
            label={words.decision}
            choices={['accept', 'reject', 'retry']}
            words={words}
          />
          <Choice name="step" label={words.step} choices={steps} isOptional />
        </Form>
      ) : null}
      {isOwn ? (
        <>
          <Form page={page} day={day} action="retryStep">
            <Choice name="step" label={words.step} choices={steps} />
          </Form>
          <Form page={page} day={day} action="skipPart">
            <Choice name="step" label={words.part} choices={downloads} />
          </Form>
          <Form page={page} day={day} action="unskipPart">
            <Choice name="step" label={words.part} choices={downloads} />
          </Form>
        </>
      ) : null}
      {manifests.length === 0 ? null : <Form page={page} day={day} action="verify" />}
    </section>
  );
}

function RunForm({
  page,
  day,
  steps,
}: {
  readonly page: PageContext;
  readonly day: ShownDay;
  readonly steps: readonly string[];
}): JSX.Element {
  const { words, caller } = page;
  return (
    <Form page={page} day={day} action="run">
      <Choice
        name="from_step"
        label={words.fromStep}
        choices={steps}
        isOptional
        none={words.asNeeded}
      />
      <Tick name="recheck" label={words.recheck} />
      {hasScope(caller, 'admin', day.pipeline) ? <Tick name="force" label={words.force} /> : null}
    </Form>
  );
}

type Action = 'run' | 'verify' | 'retryStep' | 'skipPart' | 'unskipPart' | 'decide';

function Form({
  page,
  day: { pipeline, date },
  action,
  children,
}: {
  readonly page: PageContext;
  readonly day: Pick<ShownDay, 'pipeline' | 'date'>;
  readonly action: Action;
  readonly children?: ComponentChildren;
}): JSX.Element {
  const { words } = page;
  return (
    <form method="post" action={linkTo(page, `/console/${pipeline}/${date}/${action}`)}>
      {children}
      <Reason label={words.reason} />
      <button type="submit">{words[action]}</button>
    </form>
  );
}
