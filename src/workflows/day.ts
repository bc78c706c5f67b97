import {
  allHandlersFinished,
  condition,
  patched,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { definedMembers } from '../given.ts';
import type { ActionRequest, CommitResult, ResolvedDay } from '../engine/contract.ts';
import { dayOutcome, deliveredBefore, settledStates } from '../pipelines/execution.ts';
import type { DayFailure, DayOutcome, DayState, StepState } from '../pipelines/execution.ts';
import { decisionOn, mergeDecisions } from '../pipelines/decision.ts';
import type { Decision } from '../pipelines/decision.ts';
import type { DayPlan } from '../pipelines/planned-step.ts';
import { runSteps } from '../pipelines/run-steps.ts';
import type { HoldQuestion } from '../pipelines/run-steps.ts';
import type { StageSubset } from '../pipelines/definition.ts';
import { isAfterStage } from '../pipelines/vocabulary.ts';
import type { Stage, StepId } from '../pipelines/vocabulary.ts';
import { DayControl } from './day-control.ts';
import { DayFollowers } from './day-followers.ts';
import { DayHolds, NOBODY_NAMED } from './day-holds.ts';
import type { Answer } from './day-holds.ts';
import { callSteps } from './call-steps.ts';
import { goAnywhere, outageSoFar, storeActivities } from './host-routing.ts';
import { codedFailure, withPlainFailures } from './plain-failures.ts';
import { checkDayId, checkInput } from './input-shape.ts';
import { describeRun } from './search-attributes.ts';
import { dayStory } from './story.ts';
import { UnitDecisions } from './unit-decisions.ts';
import type { DayInput, DayResult, DayWaits } from './day-contract.ts';
import {
  DAY_INPUT,
  reportTooSignal,
  depositedSignal,
  planQuery,
  inputQuery,
  progressQuery,
  waitsQuery,
} from './day-contract.ts';

/** A code span: quotes in prose turn curly in the UI, and are no JSON any more. */
const ANSWER = '{"decision":"accept","reason":"…"}';

/**
 * A file came while the day was made: it is planned again, and the publisher is not asked for that.
 */
const BROUGHT: Again = { kind: 'again', why: 'another program has brought a file' };

const LATE_ORDERS = 'orders-while-the-end-is-recorded';

/**
 * One data day, from plan to publication. Starting it again continues at the step that failed,
 * because every finished step is in the ledger. Waits for the publication calendar and for
 * decisions on held data without holding a worker.
 */
export function day(input: DayInput): Promise<DayResult> {
  checkInput('day', DAY_INPUT, input);
  checkDayId(input);
  return withPlainFailures(() => runDay(input));
}

async function runDay(input: DayInput): Promise<DayResult> {
  const run = new DayRun(input);
  describeRun({
    Pipeline: input.pipeline,
    DataDate: input.date,
    RunReason: input.reason ?? 'manual',
  });
  if (input.fromStep !== undefined) {
    const reason = input.why ?? 'no reason was given';
    await run.recordAction('force', { step: input.fromStep, reason, by: input.by ?? NOBODY_NAMED });
  }
  let asks = true;
  for (let recheck = input.recheck === true; ; recheck ||= asks) {
    const resolved = await run.resolve(recheck);
    const next = await run.attempt(resolved);
    asks = next !== BROUGHT;
    if (next === BROUGHT) continue;
    if (next.kind === 'again') await run.waitUntil(next);
    else if (next.kind === 'done' && !run.turnToReport()) {
      if (!allHandlersFinished()) await condition(allHandlersFinished);
      if (!run.units.take()) return next.result;
    }
  }
}

type Attempt =
  | { readonly kind: 'done'; readonly result: DayResult }
  /**
   * Another run has committed the day meanwhile: it is planned again at once, and each time
   * somebody has made progress.
   */
  | { readonly kind: 'conflicting' }
  | Again;

interface Again {
  readonly kind: 'again';
  readonly why: string;
  /** The instant by the clock `at` was read from; absent: at once. */
  readonly until?: string;
  readonly at?: string;
}

/** The state of a run of one day over its attempts. */
class DayRun {
  readonly #input: DayInput;
  readonly #title: string;
  #plan: DayPlan | undefined;
  #state: DayState = {};
  #decisions: Decision[] = [];
  /** Decisions of this run that no manifest has, because its commit came too late. */
  #taken: readonly Decision[] = [];
  readonly #holds: DayHolds;
  readonly #control: DayControl;
  readonly #followers: DayFollowers;
  /** The steps whose work is under way. */
  readonly #running = new Set<StepId>();
  readonly units: UnitDecisions;
  /** Why the day waits on a timer, while it does. */
  #waits: Omit<DayWaits, 'held'> | undefined;
  /** Until when a decision is waited for. */
  #holdUntil = '';
  /** The part that this run makes now; undefined: the whole day. */
  only: StageSubset | undefined;
  #reportToo = false;
  /** A file has come since the day was planned. */
  #deposited = false;

  constructor(input: DayInput) {
    this.#input = input;
    this.#control = new DayControl(
      () => ({ plan: this.#plan, state: this.#state, waits: this.#waits !== undefined }),
      (action, { step, reason, by = NOBODY_NAMED }) =>
        this.recordAction(action, { step, reason, by }),
    );
    this.#title = `${input.pipeline} ${input.date}`;
    this.#holds = new DayHolds(this.#title, (answer) => this.#keep(answer));
    this.units = new UnitDecisions(this.#title, (decided) => {
      const { pipeline, date } = input;
      return storeActivities().decideUnit({ pipeline, scope: date, ...decided });
    });
    this.#followers = new DayFollowers(input, () => this.#holds.story ?? this.#waits?.why);
    this.only = input.only;
    setHandler(reportTooSignal, () => {
      this.#reportToo = true;
    });
    setHandler(depositedSignal, () => {
      this.#deposited = true;
    });
    setHandler(planQuery, () => this.#plan);
    setHandler(progressQuery, () => this.#state);
    setHandler(inputQuery, () => input);
    setHandler(waitsQuery, () => this.#waiting());
  }

  #waiting(): DayWaits | null {
    const why = this.#holds.story;
    if (why !== undefined) return { why, until: this.#holdUntil, held: true };
    return this.#waits === undefined ? null : { ...this.#waits, held: false };
  }

  /** Keeps with the day what a person asked for. */
  recordAction(
    action: ActionRequest['action'],
    order: Pick<ActionRequest, 'step' | 'reason' | 'by'>,
  ): Promise<void> {
    const { pipeline, date } = this.#input;
    return storeActivities().recordAction({ pipeline, scope: date, action, ...order });
  }

  async resolve(recheck: boolean): Promise<ResolvedDay> {
    const { pipeline, date, offline, fromStep } = this.#input;
    // After a wait of hours the stores may be back, and the host from before gone.
    this.#deposited = false;
    goAnywhere();
    return storeActivities().resolveDay({
      pipeline,
      dates: [date],
      options: {
        recheck,
        ...definedMembers({ offline, only: this.only, fromStep }),
      },
    });
  }

  /**
   * After the processing: whether the report was asked for in the meantime, and is what this run
   * makes next.
   */
  turnToReport(): boolean {
    if (!this.#reportToo || this.only !== 'processing') return false;
    this.only = 'report';
    return true;
  }

  async attempt(planned: ResolvedDay): Promise<Attempt> {
    const steps = planned.steps.filter((step) => !isAfterStage(step.stage, this.#input.until));
    const resolved = { ...planned, steps };
    this.#plan = resolved.plan;
    if (resolved.plan.upToDate && resolved.known !== null) {
      if (this.#deposited) return BROUGHT;
      this.#tell(resolved, 'everything is there already');
      return {
        kind: 'done',
        result: this.#result({ ...resolved.known, created: false }),
      };
    }
    const offline = this.#input.offline === true || this.only === 'report';
    if (resolved.waitUntil !== null && !offline) {
      const why = 'the day is not over, or not expected yet';
      return { kind: 'again', until: resolved.waitUntil, ...clockOf(resolved), why };
    }
    this.#state = settledStates(resolved.plan.steps);
    this.#decisions = mergeDecisions(resolved.decisions, this.#taken);
    this.#control.askRetry(undefined);
    await this.#execute(resolved);
    const retry = await this.#askedAgain();
    if (retry !== undefined) return retry;
    const outcome = this.#outcome(resolved);
    if (
      outcome.verdict === 'no_data' &&
      !offline &&
      new Date(Date.now()).toISOString() < resolved.cutOffAt
    ) {
      return {
        kind: 'again',
        until: resolved.nextTryAt,
        ...clockOf(resolved),
        why: 'not published yet',
      };
    }
    return this.#finish(resolved, outcome);
  }

  /** What a person asked for meanwhile; what was asked for has been kept then. */
  async #askedAgain(): Promise<Again | undefined> {
    if (!allHandlersFinished()) await condition(allHandlersFinished);
    const { retry } = this.#control;
    if (retry === undefined && this.#deposited) return BROUGHT;
    return retry === undefined
      ? undefined
      : { kind: 'again', why: `${retry.step} is tried again: ${retry.reason}` };
  }

  /** A part that somebody skipped is missing, and the verdict says so. */
  #outcome({ steps }: ResolvedDay): DayOutcome {
    const outcome = dayOutcome(this.#input.date, steps.filter(isAsked(this.only)), this.#state);
    return outcome.verdict === 'ok' && this.#control.skipped
      ? { ...outcome, verdict: 'degraded' }
      : outcome;
  }

  async waitUntil({ until, at, why }: Again): Promise<void> {
    setCurrentDetails(`**${this.#title}**\n\nWaiting until ${until ?? 'now'}: ${why}.`);
    if (until !== undefined) {
      // From here on an order wakes the day, also one that comes while the others are told.
      this.#control.askRetry(undefined);
      this.#waits = { why, until };
    }
    await this.#followers.tell(why);
    const ms = until === undefined ? 0 : waitMs(until, at);
    if (ms > 0) await condition(() => this.#control.retry !== undefined || this.#deposited, ms);
    this.#waits = undefined;
  }

  async #execute(resolved: ResolvedDay): Promise<void> {
    this.#tell(resolved, 'running');
    const { pipeline, date, fromStep } = this.#input;
    const { steps, plan, queues, retry } = resolved;
    const calls = callSteps({
      pipeline,
      queues,
      retry,
      fromStep,
      control: this.#control,
    });
    const states = await runSteps(
      { steps, days: [{ date, state: this.#state, delivered: deliveredBefore(plan.steps) }] },
      {
        ...calls,
        call: (step, work) => this.#underWay(resolved, step.id, calls.call(step, work)),
        decide: (question) => this.#decide(resolved, question),
        changed: (known) => {
          this.#state = known.get(date) ?? {};
          this.#tell(resolved, this.#standing());
        },
      },
    );
    this.#state = states.get(date) ?? {};
  }

  /**
   * Shows that the step runs while it does. The promise stays the one that it was: whoever waits
   * for it goes on in the same order in a replay.
   */
  #underWay<T>(resolved: ResolvedDay, step: StepId, work: Promise<T>): Promise<T> {
    const ended = (): void => {
      this.#running.delete(step);
    };
    this.#running.add(step);
    this.#tell(resolved, this.#standing());
    work.then(ended, ended);
    return work;
  }

  #standing(): string {
    const held = this.#holds.story;
    if (held === undefined) return 'running';
    return `${held}. Send the update \`decide\` with \`${ANSWER}\`, and \`step\` when several are held`;
  }

  /**
   * Waits for a decision on held data, unless the same bytes were decided before or the deadline
   * passes.
   */
  async #decide(
    resolved: ResolvedDay,
    { step, key, checks }: HoldQuestion,
  ): Promise<StepState | undefined> {
    const before = decisionOn(this.#decisions, step, key);
    // A rejection stands until somebody forces the day: that asks once more.
    const stands =
      before !== undefined && !(before.decision === 'reject' && this.#isAskedOnceMore());
    if (stands) return before.decision === 'reject' ? rejected(before.reason) : undefined;
    const rules = checks
      .map(({ check, failed, tested }) => `${check} fails on ${failed} of ${tested} rows`)
      .join('; ');
    describeRun({ Verdict: 'quarantined' });
    this.#holdUntil = resolved.holdUntil;
    const hold = this.#holds.open(step, key, rules);
    this.#tell(resolved, this.#standing());
    await this.#followers.tell(`held at ${step}: ${rules}`);
    const ms = Math.max(1, Date.parse(resolved.holdUntil) - Date.now());
    return this.#apply(step, await this.#holds.answerTo(hold, ms), rules);
  }

  #isAskedOnceMore(): boolean {
    return this.#input.fromStep !== undefined;
  }

  /** Makes an accepted answer outlast this run. */
  #keep({ decision, ...answer }: Answer): Promise<void> {
    const { pipeline, date } = this.#input;
    const { step, reason, by } = answer;
    if (decision === 'retry') return this.recordAction('retryStep', { step, reason, by });
    return storeActivities().recordDecision({
      pipeline,
      scope: date,
      decision: { decision, ...answer },
    });
  }

  /** The state that the step gets in place of `done`. */
  #apply(step: StepId, answer: Answer | undefined, rules: string): StepState | undefined {
    if (answer === undefined) {
      return {
        state: 'failed',
        code: 'DATA_CHECK_FAILED',
        message: `nobody decided in time: ${rules}`,
      };
    }
    if (answer.decision === 'retry') {
      this.#control.askRetry({ step, reason: answer.reason });
      return { state: 'skipped', reason: `retry asked for: ${answer.reason}` };
    }
    const { key, decision, reason, decidedAt, by } = answer;
    this.#decisions = mergeDecisions(this.#decisions, [
      { step, key, decision, reason, decidedAt, by },
    ]);
    return decision === 'reject' ? rejected(reason) : undefined;
  }

  async #finish(resolved: ResolvedDay, outcome: DayOutcome): Promise<Attempt> {
    const { pipeline, date, reason = 'manual' } = this.#input;
    this.#tell(
      resolved,
      outcome.failure === undefined ? outcome.verdict : `failed at ${outcome.failure.step}`,
    );
    if (outcome.failure !== undefined) {
      await storeActivities().recordFailure({ pipeline, scope: date, reason, outcome });
      const retry = await this.#askedLate();
      if (retry !== undefined) return retry;
      describeRun({ Verdict: 'failed', FailedStep: outcome.failure.step });
      throw dayFailure(this.#title, outcome.failure);
    }
    const before = outageSoFar().degraded;
    const degraded = definedMembers({ degraded: before });
    const base = resolved.known?.version ?? 0;
    const days = [{ outcome, state: this.#state, decisions: this.#decisions, base }];
    const committed = await storeActivities().commitManifest({
      pipeline,
      reason,
      days,
      ...degraded,
    });
    if ((committed.conflicting ?? []).length > 0) {
      this.#tell(resolved, 'planned again, because another run has committed the day meanwhile');
      this.#taken = this.#decisions;
      return { kind: 'conflicting' };
    }
    const isAway = outageSoFar().degraded !== undefined;
    const verdict = isAway ? 'degraded' : outcome.verdict;
    this.#tell(resolved, verdict);
    // While a store is away nobody else can read the day; its reconciliation announces it.
    if (committed.affecting.length > 0 && !isAway) {
      await storeActivities().announceChanges(pipeline);
    }
    const [manifest] = committed.days;
    const known = revisionIn(manifest);
    describeRun({ Verdict: verdict, ...(known === null ? {} : { Revision: known }) });
    const { version = 0, created = false } = manifest ?? {};
    const result = this.#result({ verdict, version, created, revision: known });
    return (await this.#askedLate()) ?? { kind: 'done', result };
  }

  /**
   * What was asked for while the end of the day was recorded; runs that ended under way before this
   * came forgot it.
   */
  async #askedLate(): Promise<Again | undefined> {
    const again = await this.#askedAgain();
    return again !== undefined && patched(LATE_ORDERS) ? again : undefined;
  }

  #result(known: Pick<DayResult, 'verdict' | 'version' | 'created' | 'revision'>): DayResult {
    const done = Object.entries(this.#state) as [StepId, DayState[StepId]][];
    const ran = done.flatMap(([step, state]) =>
      state.state === 'done' && state.how === 'ran' ? [step] : [],
    );
    const reused = (this.#plan?.steps ?? []).filter(({ action }) => action === 'reuse').length;
    return { date: this.#input.date, ...known, ran, reused };
  }

  #tell(resolved: ResolvedDay, what: string): void {
    const table = dayStory(
      `${this.#title}: ${what}`,
      resolved.steps,
      resolved.plan.steps,
      this.#state,
      this.#running,
    );
    const { story } = outageSoFar();
    setCurrentDetails(story === undefined ? table : `${table}\n\n${story}`);
  }
}

/** By the clock that told both; records of earlier runs lack it, and the server's is taken. */
function waitMs(until: string, at: string | undefined): number {
  return Date.parse(until) - (at === undefined ? Date.now() : Date.parse(at));
}

function clockOf({ at }: ResolvedDay): Pick<Again, 'at'> {
  return definedMembers({ at });
}

/** A day that is run without its report is complete without it. */
function isAsked(only: StageSubset | undefined): (step: { readonly stage: Stage }) => boolean {
  return ({ stage }) => only !== 'processing' || stage !== 'report';
}

function rejected(reason: string): StepState {
  return {
    state: 'failed',
    code: 'DATA_CHECK_FAILED',
    message: `rejected by an operator: ${reason}`,
  };
}

function dayFailure(title: string, { step, code, message }: DayFailure): Error {
  return codedFailure(code, `${title} failed at ${step}: ${message}`, {
    details: [{ step, code }],
  });
}

/** Commits of earlier releases tell only what the data themselves say. */
function revisionIn(manifest: CommitResult['days'][number] | undefined): string | null {
  if (manifest?.revision !== undefined) return manifest.revision;
  const told = manifest?.facts['revision'];
  return typeof told === 'string' ? told : null;
}
