import type { ComponentChildren, JSX } from 'preact';
import type { ListedBackfill } from '../api/routes/backfill-orders.ts';
import type { RunProgress } from '../api/routes/orders.ts';
import { SELECTIONS } from '../pipelines/backfill.ts';
import type { BackfillPlan, StepActions } from '../pipelines/backfill.ts';
import { STAGES } from '../pipelines/vocabulary.ts';
import type { StepId } from '../pipelines/vocabulary.ts';
import { Choice, Count, Reason, Tick } from './fields.tsx';
import { Facts, linkTo, Live, mayAct, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';
import type { Words } from './words.ts';
import { stateWord } from './state-words.ts';

/**
 * Backfills: a range becomes a plan with a hash, exactly that plan is started, and what it does is
 * held against the plan.
 */

const MAX_PARALLEL = 32;
const MAX_CANARY = 400;
const REASONS_SHOWN = 20;

/**
 * What may be planned, and the backfills that Temporal remembers; null where it cannot be asked.
 */
export function BackfillsPage({
  page,
  pipelines,
  chosen,
  backfills,
}: {
  readonly page: PageContext;
  readonly pipelines: readonly string[];
  /** What the form begins with. */
  readonly chosen: Readonly<Record<string, string>>;
  readonly backfills: readonly ListedBackfill[] | null;
}): JSX.Element {
  const { words } = page;
  const rows = (backfills ?? []).map(({ id, status, started_at: startedAt, ended_at: endedAt }) => [
    <a key={id} href={linkTo(page, `/console/backfills/${id.slice('backfill/'.length)}`)}>
      {id.slice('backfill/'.length)}
    </a>,
    status,
    startedAt,
    endedAt ?? '–',
  ]);
  return (
    <>
      <form method="post" action={linkTo(page, '/console/backfills/plan')}>
        <Choice
          name="pipeline"
          label={words.pipelines}
          choices={pipelines}
          value={chosen['pipeline']}
        />
        <DateField name="from" label={words.from} value={chosen['from']} />
        <DateField name="to" label={words.to} value={chosen['to']} />
        <Choice
          name="select"
          label={words.days}
          choices={SELECTIONS}
          tell={(one) => stateWord(page, one)}
          value={chosen['select']}
        />
        <Choice name="until" label={words.until} choices={STAGES} isOptional />
        <Tick name="newest_first" label={words.newestFirst} />
        <Tick name="pages" label={words.withPages} />
        <button type="submit">{words.makePlan}</button>
      </form>
      <p>{words.planFirst}</p>
      <h2>{words.backfills}</h2>
      {backfills === null ? <p>{words.temporalAway}</p> : null}
      {rows.length === 0 ? null : (
        <Rows
          caption={words.backfills}
          head={[words.backfills, words.state, words.started, words.ended]}
          rows={rows}
        />
      )}
    </>
  );
}

function DateField({
  name,
  label,
  value,
}: {
  readonly name: string;
  readonly label: string;
  readonly value: string | undefined;
}): JSX.Element {
  return (
    <label>
      {label}
      <input type="date" name={name} value={value} required />
    </label>
  );
}

/** What is known of a plan besides the plan. */
export interface PlanToday {
  /**
   * The same request would do the same now; null where it was not planned again, because the range
   * is long.
   */
  readonly holds: boolean | null;
  readonly reasons: readonly { readonly reason: string; readonly days: number }[];
}

/** A plan that was made, with the button that starts exactly this. */
export function PlanPage({
  page,
  plan,
  today: { holds, reasons },
}: {
  readonly page: PageContext;
  readonly plan: BackfillPlan;
  readonly today: PlanToday;
}): JSX.Element {
  const { words } = page;
  const { request, hash, days, ranges, complete, notDue, otherwise, windows, requests, predicted } =
    plan;
  const { pipeline } = request;
  const asked = Object.entries(requests).map(([host, count]) => `${count} → ${host}`);
  const facts: readonly (readonly [string, string])[] = [
    [words.plan, hash],
    [words.range, `${request.from} … ${request.to} (${request.select ?? 'open'})`],
    [words.days, String(days)],
    [
      words.ranges,
      ranges.map(({ from, to }) => (from === to ? from : `${from} … ${to}`)).join(', ') || '–',
    ],
    [
      words.leftOut,
      `${complete} ${words.complete}, ${notDue} ${words.notDue}, ${otherwise} ${words.otherwise}`,
    ],
    [words.windows, String(windows)],
    [words.requests, asked.join(', ') || '–'],
    [
      words.predicted,
      `${predicted.secondsP50.toFixed(1)} s (p90 ${predicted.secondsP90.toFixed(1)} s)`,
    ],
    [words.unknownSteps, predicted.withoutExperience.join(', ') || '–'],
  ];
  return (
    <>
      {holds === false ? <p role="status">{words.planMoved}</p> : null}
      <Facts facts={facts} />
      <StepCounts page={page} plan={plan} ran={undefined} />
      {reasons.length === 0 ? null : (
        <Rows
          caption={words.why}
          head={[words.days, words.why]}
          rows={reasons
            .slice(0, REASONS_SHOWN)
            .map(({ reason, days: count }) => [count, page.nameHome(reason)])}
        />
      )}
      <pre>{page.nameHome(`quotidien backfill ${pipeline} --plan ${hash}`)}</pre>
      {mayAct(page, pipeline) && days > 0 && holds !== false ? (
        <form method="post" action={linkTo(page, '/console/backfills/start')}>
          <input type="hidden" name="pipeline" value={pipeline} />
          <input type="hidden" name="plan" value={hash} />
          <Count name="parallel" label={words.parallel} max={MAX_PARALLEL} />
          <Count name="canary" label={words.canary} max={MAX_CANARY} />
          <Reason label={words.reason} />
          <button type="submit">{words.startThis}</button>
        </form>
      ) : null}
      <p>
        <a
          href={linkTo(
            page,
            `/console/backfills?pipeline=${pipeline}&from=${request.from}&to=${request.to}`,
          )}
        >
          {words.planAgain}
        </a>
      </p>
    </>
  );
}

function StepCounts({
  page: { words },
  plan,
  ran,
}: {
  readonly page: PageContext;
  readonly plan: BackfillPlan;
  /** For how many days each step was executed; absent before it runs. */
  readonly ran: Readonly<Record<StepId, number>> | undefined;
}): JSX.Element {
  const head = [words.step, 'run', 'recheck', 'reuse', 'skip'];
  const rows = (Object.entries(plan.steps) as [StepId, StepActions[StepId]][]).map(
    ([step, { run, recheck, reuse, skip }]) => {
      const planned = [step, run, recheck, reuse, skip];
      return ran === undefined ? planned : [...planned, ran[step] ?? 0];
    },
  );
  return (
    <Rows
      caption={words.steps}
      head={ran === undefined ? head : [...head, words.executed]}
      rows={rows}
    />
  );
}

/** Where a backfill is found. */
export interface BackfillPlace {
  readonly pipeline: string;
  readonly range: string;
  readonly hash: string;
}

/**
 * A backfill as it goes, beside what was planned; the plan is undefined when it is no longer kept.
 */
export function BackfillPage({
  page,
  place,
  run,
  plan,
}: {
  readonly page: PageContext;
  readonly place: BackfillPlace;
  readonly run: RunProgress;
  readonly plan: BackfillPlan | undefined;
}): JSX.Element {
  const { words, nameHome } = page;
  const { status, started_at: startedAt, ended_at: endedAt, progress } = run;
  const running = status === 'RUNNING';
  const facts: (readonly [string, string])[] = [
    [words.state, status],
    [words.started, startedAt],
    [words.ended, endedAt ?? '–'],
  ];
  if (progress !== null) {
    const {
      done,
      selected,
      failedDays,
      waitingDays,
      degradedDays,
      noDataDays,
      parallel,
      paused,
      stopped,
      question,
    } = progress;
    facts.push(
      [words.days, `${done} / ${plan?.days ?? selected}`],
      [words.failedDays, String(failedDays)],
      [words.waitingDays, String(waitingDays)],
      [words.degradedDays, `${degradedDays}, ${noDataDays} ${words.noData}`],
      [words.parallel, String(parallel)],
    );
    if (paused !== null) facts.push([words.paused, paused]);
    if (stopped !== null) facts.push([words.stopped, stopped]);
    if (question !== null) facts.push([words.question, nameHome(question)]);
  }
  return (
    <Live id="live-backfill" pipeline={place.pipeline} isBusy={running}>
      {progress === null ? null : (
        <progress
          max={Math.max(1, plan?.days ?? progress.selected)}
          value={progress.done}
          aria-label={words.days}
        />
      )}
      {progress === null ? <p>{words.noWorker}</p> : null}
      <Facts facts={facts} />
      {plan === undefined ? null : <StepCounts page={page} plan={plan} ran={progress?.ran} />}
      {progress === null ? null : <FailedDays page={page} place={place} progress={progress} />}
      {running && mayAct(page, place.pipeline) ? (
        <Controls page={page} place={place} progress={progress} />
      ) : null}
      <p>
        <a href={linkTo(page, addressOf(place))}>{words.lookAgain}</a>
      </p>
    </Live>
  );
}

function addressOf({ pipeline, range, hash }: BackfillPlace): string {
  return `/console/backfills/${pipeline}/${range}/${hash}`;
}

function FailedDays({
  page,
  place: { pipeline },
  progress: { failed, waiting },
}: {
  readonly page: PageContext;
  readonly place: BackfillPlace;
  readonly progress: NonNullable<RunProgress['progress']>;
}): JSX.Element | null {
  const { words, nameHome } = page;
  const link = (date: string): JSX.Element => (
    <a key={date} href={linkTo(page, `/console/${pipeline}/${date}`)}>
      {date}
    </a>
  );
  const rows = [
    ...failed.map(({ date, code, message }) => [link(date), code, nameHome(message)]),
    ...waiting.map(({ date, why }) => [link(date), words.waitingDays, nameHome(why)]),
  ];
  return rows.length === 0 ? null : (
    <Rows caption={words.failedDays} head={[words.days, words.state, words.why]} rows={rows} />
  );
}

function Controls({
  page,
  place,
  progress,
}: {
  readonly page: PageContext;
  readonly place: BackfillPlace;
  readonly progress: RunProgress['progress'];
}): JSX.Element {
  const { words } = page;
  const isPaused = (progress?.paused ?? null) !== null;
  return (
    <section aria-labelledby="actions">
      <h2 id="actions">{words.actions}</h2>
      {(progress?.question ?? null) === null ? null : (
        <Order page={page} place={place} action="decide" label={words.decide}>
          <Choice
            name="decision"
            label={words.decision}
            choices={['accept', 'reject']}
            words={words}
          />
        </Order>
      )}
      <Order
        page={page}
        place={place}
        action={isPaused ? 'resume' : 'pause'}
        label={isPaused ? words.resume : words.pause}
      />
      <Order page={page} place={place} action="resize" label={words.resize}>
        <Count name="parallel" label={words.parallel} max={MAX_PARALLEL} />
      </Order>
      <Order page={page} place={place} action="cancel" label={words.cancel} />
    </section>
  );
}

function Order({
  page,
  place,
  action,
  label,
  children,
}: {
  readonly page: PageContext;
  readonly place: BackfillPlace;
  readonly action: string;
  readonly label: Words[keyof Words];
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <form method="post" action={linkTo(page, `${addressOf(place)}/${action}`)}>
      {children}
      <Reason label={page.words.reason} />
      <button type="submit">{label}</button>
    </form>
  );
}
