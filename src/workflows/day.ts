import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ActionRequest, HeldCheck, ResolvedDay } from '../activities/contract.ts';
import { dayOutcome } from '../pipelines/execution.ts';
import type { DayFailure, DayOutcome, DayState } from '../pipelines/execution.ts';
import type { Decision } from '../pipelines/manifest.ts';
import type { DayPlan } from '../pipelines/plan.ts';
import type { StepKey } from '../pipelines/step-key.ts';
import type { DayPart } from '../pipelines/definition.ts';
import { isAfterStage } from '../pipelines/vocabulary.ts';
import type { CivilDate, RunReason, Stage, StepId, Verdict } from '../pipelines/vocabulary.ts';
import { deliveredBefore, settledStates } from '../pipelines/execution.ts';
import { DayControl } from './day-control.ts';
import { withPlainFailures, executeSteps } from './execute-steps.ts';
import { describeRun } from './search-attributes.ts';
import { dayStory } from './story.ts';
import { Whereabouts } from './whereabouts.ts';

export interface DayInput {
  readonly pipeline: string;
  readonly date: CivilDate;
  readonly reason?: RunReason;
  /** Ask the publisher even where the last answer still counts as fresh. */
  readonly recheck?: boolean;
  /** Use what was delivered before and do not ask the publisher. */
  readonly offline?: boolean;
  /** Run this part of the day only. A report that is asked for while the rest runs is made by the same run, after it. */
  readonly only?: DayPart;
  /** Execute this step, or the steps of this stage, and everything after them again. */
  readonly fromStep?: StepId | Stage;
  /** Why somebody wants that; kept with the day. */
  readonly why?: string;
  /** Leave out the stages after this one; another run goes on from there. */
  readonly until?: Stage;
}

export interface DayResult {
  readonly date: CivilDate;
  readonly verdict: Verdict;
  readonly version: number;
  /** The steps that were executed, not reused; empty when the day was up to date. */
  readonly ran: readonly StepId[];
  readonly reused: number;
  readonly revision: string | null;
}

/** An operator's answer to a held day. */
export interface DecideInput {
  readonly decision: 'accept' | 'reject' | 'retry';
  readonly reason: string;
}

/** Sent to a day that runs without its report, by whoever wants the report. */
export const reportTooSignal = defineSignal('reportToo');
export const decideUpdate = defineUpdate<string, [DecideInput]>('decide');
/** Sent to the backfill that started a day when the day waits: for a decision, or for the publisher. */
export const dayWaitsSignal = defineSignal<[date: CivilDate, why: string]>('dayWaits');
export const planQuery = defineQuery<DayPlan | undefined>('plan');
export const progressQuery = defineQuery<DayState>('progress');

/**
 * One data day, from plan to publication. Starting it again continues at the step that failed, because every finished
 * step is in the ledger. Waits for the publication calendar and for decisions on held data without holding a worker.
 */
export function day(input: DayInput): Promise<DayResult> {
  return withPlainFailures(() => runDay(input));
}

async function runDay(input: DayInput): Promise<DayResult> {
  const run = new DayRun(input);
  describeRun({ Pipeline: input.pipeline, DataDate: input.date, RunReason: input.reason ?? 'manual' });
  if (input.fromStep !== undefined) {
    await run.recordAction('force', { step: input.fromStep, reason: input.why ?? 'no reason was given' });
  }
  for (let recheck = input.recheck === true; ; recheck = true) {
    const resolved = await run.resolve(recheck);
    const next = await run.attempt(resolved);
    if (next.kind === 'again') await run.waitUntil(next.until, next.why);
    else if (next.kind === 'done' && !run.turnToReport()) return next.result;
  }
}

type Attempt =
  | { readonly kind: 'done'; readonly result: DayResult }
  /** Another run has committed the day meanwhile: it is planned again at once, and each time somebody has made progress. */
  | { readonly kind: 'conflicting' }
  | { readonly kind: 'again'; readonly until: string; readonly why: string };

/** The state of a run of one day over its attempts. */
class DayRun {
  readonly #input: DayInput;
  readonly #title: string;
  #whereabouts = new Whereabouts();
  #plan: DayPlan | undefined;
  #state: DayState = {};
  #decisions: Decision[] = [];
  /** Decisions of this run that no manifest has, because its commit came too late. */
  #taken: readonly Decision[] = [];
  /** The step that waits for a decision, while it waits. */
  #held: { step: StepId; answer?: DecideInput } | undefined;
  readonly #control: DayControl;
  #waits = false;
  /** The part that this run makes now; undefined: the whole day. */
  only: DayPart | undefined;
  #reportToo = false;

  constructor(input: DayInput) {
    this.#input = input;
    this.#control = new DayControl(
      () => ({ plan: this.#plan, state: this.#state, waits: this.#waits }),
      (action, order) => this.recordAction(action, order),
    );
    this.#title = `${input.pipeline} ${input.date}`;
    this.only = input.only;
    setHandler(reportTooSignal, () => {
      this.#reportToo = true;
    });
    setHandler(planQuery, () => this.#plan);
    setHandler(progressQuery, () => this.#state);
    setHandler(decideUpdate, (answer) => this.#decide(answer), {
      validator: (answer: DecideInput) => {
        this.#checkDecision(answer);
      },
      description: 'Answer a held day: accept, reject or retry, with the reason',
    });
  }

  /** Keeps with the day what a person asked for. */
  recordAction(action: ActionRequest['action'], order: Pick<ActionRequest, 'step' | 'reason'>): Promise<void> {
    const { pipeline, date } = this.#input;
    return this.#whereabouts.control().recordAction({ pipeline, scope: date, action, ...order });
  }

  async resolve(recheck: boolean): Promise<ResolvedDay> {
    const { pipeline, date, offline, fromStep } = this.#input;
    // After a wait of hours the stores may be back, and the host from before gone.
    this.#whereabouts = new Whereabouts();
    const resolved = await this.#whereabouts.control().resolveDay({
      pipeline,
      dates: [date],
      options: {
        recheck,
        ...(offline === undefined ? {} : { offline }),
        ...(this.only === undefined ? {} : { only: this.only }),
        ...(fromStep === undefined ? {} : { fromStep }),
      },
    });
    return this.#whereabouts.note(resolved);
  }

  /** After the processing: whether the report was asked for in the meantime, and is what this run makes next. */
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
      this.#tell(resolved, 'everything is there already');
      return {
        kind: 'done',
        result: this.#result(resolved.known.verdict, resolved.known.version, resolved.known.revision),
      };
    }
    const offline = this.#input.offline === true || this.only === 'report';
    if (resolved.waitUntil !== null && !offline) {
      return { kind: 'again', until: resolved.waitUntil, why: 'the day is not over, or not expected yet' };
    }
    this.#state = settledStates(resolved.plan.steps);
    const known = new Set(resolved.decisions.map(({ step, key }) => `${step}/${key}`));
    const taken = this.#taken.filter(({ step, key }) => !known.has(`${step}/${key}`));
    this.#decisions = [...resolved.decisions, ...taken];
    this.#control.askRetry(undefined);
    await this.#execute(resolved);
    if (!allHandlersFinished()) await condition(allHandlersFinished);
    const retry = this.#control.retry;
    if (retry !== undefined) {
      const now = new Date(Date.now()).toISOString();
      return { kind: 'again', until: now, why: `${retry.step} is tried again: ${retry.reason}` };
    }
    const outcome = this.#outcome(resolved);
    if (outcome.verdict === 'no_data' && !offline && new Date(Date.now()).toISOString() < resolved.cutOffAt) {
      return { kind: 'again', until: resolved.nextTryAt, why: 'not published yet' };
    }
    return this.#finish(resolved, outcome);
  }

  /** A part that somebody skipped is missing, and the verdict says so. */
  #outcome({ steps }: ResolvedDay): DayOutcome {
    const outcome = dayOutcome(this.#input.date, steps.filter(isAsked(this.only)), this.#state);
    return outcome.verdict === 'ok' && this.#control.skipped ? { ...outcome, verdict: 'degraded' } : outcome;
  }

  async waitUntil(until: string, why: string): Promise<void> {
    setCurrentDetails(`**${this.#title}**\n\nWaiting until ${until}: ${why}.`);
    await this.#tellBackfill(why);
    const ms = Date.parse(until) - Date.now();
    if (ms <= 0) return;
    this.#control.askRetry(undefined);
    this.#waits = true;
    await condition(() => this.#control.retry !== undefined, ms);
    this.#waits = false;
  }

  async #execute(resolved: ResolvedDay): Promise<void> {
    this.#tell(resolved, 'running');
    await executeSteps({
      pipeline: this.#input.pipeline,
      steps: resolved.steps,
      days: [{ date: this.#input.date, state: this.#state, delivered: deliveredBefore(resolved.plan.steps) }],
      queues: resolved.queues,
      retry: resolved.retry,
      force: this.#input.fromStep !== undefined,
      whereabouts: this.#whereabouts,
      control: this.#control,
      held: (_date, step, key, checks) => this.#hold(resolved, step, key, checks),
      changed: () => {
        this.#tell(resolved, 'running');
      },
    });
  }

  /** Waits for a decision on held data, unless the same bytes were decided before or the deadline passes. */
  async #hold(resolved: ResolvedDay, step: StepId, key: StepKey, checks: readonly HeldCheck[]): Promise<void> {
    const before = this.#decisions.find((decision) => decision.step === step && decision.key === key);
    if (before === undefined) {
      const rules = checks
        .map(({ check, failed, tested }) => `${check} fails on ${failed} of ${tested} rows`)
        .join('; ');
      describeRun({ Verdict: 'quarantined' });
      this.#tell(
        resolved,
        `held at ${step}: ${rules}. Send the update "decide" with {"decision": "accept", "reason": "…"}`,
      );
      const held: { step: StepId; answer?: DecideInput } = { step };
      this.#held = held;
      await this.#tellBackfill(`held at ${step}: ${rules}`);
      await condition(() => held.answer !== undefined, Math.max(1, Date.parse(resolved.holdUntil) - Date.now()));
      this.#held = undefined;
      this.#record(step, key, held.answer, rules);
    } else if (before.decision === 'reject') {
      this.#state[step] = rejected(before.reason);
    }
  }

  /** A backfill does not wait for a day that waits. It may have ended meanwhile: then nobody needs to be told. */
  async #tellBackfill(why: string): Promise<void> {
    const { parent } = workflowInfo();
    if (parent === undefined || this.#input.reason !== 'backfill') return;
    try {
      await getExternalWorkflowHandle(parent.workflowId).signal(dayWaitsSignal, this.#input.date, why);
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }

  #record(step: StepId, key: StepKey, answer: DecideInput | undefined, rules: string): void {
    if (answer === undefined) {
      this.#state[step] = { state: 'failed', code: 'DATA_CHECK_FAILED', message: `nobody decided in time: ${rules}` };
    } else if (answer.decision === 'retry') {
      this.#control.askRetry({ step, reason: answer.reason });
      this.#state[step] = { state: 'skipped', reason: `retry asked for: ${answer.reason}` };
    } else {
      const { decision, reason } = answer;
      this.#decisions.push({ step, key, decision, reason, decidedAt: new Date(Date.now()).toISOString() });
      if (decision === 'reject') this.#state[step] = rejected(reason);
    }
  }

  #checkDecision({ decision, reason }: DecideInput): void {
    if (this.#held === undefined)
      throw ApplicationFailure.nonRetryable('the day is not held, there is nothing to decide', 'PLAN_INVALID');
    if (!['accept', 'reject', 'retry'].includes(decision)) {
      throw ApplicationFailure.nonRetryable(`decision ${decision} is none of accept, reject, retry`, 'INPUT_INVALID');
    }
    if (typeof reason !== 'string' || reason.trim() === '') {
      throw ApplicationFailure.nonRetryable('a decision needs a reason', 'INPUT_INVALID');
    }
  }

  #decide(answer: DecideInput): string {
    if (this.#held !== undefined) this.#held.answer = answer;
    return `${this.#title}: ${answer.decision}`;
  }

  async #finish(resolved: ResolvedDay, outcome: DayOutcome): Promise<Attempt> {
    const { pipeline, date, reason = 'manual' } = this.#input;
    const whereabouts = this.#whereabouts;
    this.#tell(resolved, outcome.failure === undefined ? outcome.verdict : `failed at ${outcome.failure.step}`);
    if (outcome.failure !== undefined) {
      await whereabouts.control().recordFailure({ pipeline, scope: date, reason, outcome });
      describeRun({ Verdict: 'failed', FailedStep: outcome.failure.step });
      throw dayFailure(this.#title, outcome.failure);
    }
    const degraded = whereabouts.degraded === undefined ? {} : { degraded: whereabouts.degraded };
    const base = resolved.known?.version ?? 0;
    const days = [{ outcome, state: this.#state, decisions: this.#decisions, base }];
    const committed = whereabouts.note(
      await whereabouts.control().commitManifest({ pipeline, reason, days, ...degraded }),
    );
    if ((committed.conflicting ?? []).length > 0) {
      this.#tell(resolved, 'planned again, because another run has committed the day meanwhile');
      this.#taken = this.#decisions;
      return { kind: 'conflicting' };
    }
    const verdict = whereabouts.degraded === undefined ? outcome.verdict : 'degraded';
    this.#tell(resolved, verdict);
    // While a store is away nobody else can read the day; its reconciliation announces it.
    if (committed.affecting.length > 0 && whereabouts.degraded === undefined) {
      await whereabouts.control().announceChanges(pipeline, committed.affecting);
    }
    const [manifest] = committed.days;
    const revision = manifest?.facts['revision'];
    const known = typeof revision === 'string' ? revision : null;
    describeRun({ Verdict: verdict, ...(known === null ? {} : { Revision: known }) });
    return { kind: 'done', result: this.#result(verdict, manifest?.version ?? 0, known) };
  }

  #result(verdict: Verdict, version: number, revision: string | null): DayResult {
    const done = Object.entries(this.#state) as [StepId, DayState[StepId]][];
    const ran = done.flatMap(([step, state]) => (state.state === 'done' && state.how === 'ran' ? [step] : []));
    const reused = (this.#plan?.steps ?? []).filter(({ action }) => action === 'reuse').length;
    return { date: this.#input.date, verdict, version, ran, reused, revision };
  }

  #tell(resolved: ResolvedDay, what: string): void {
    const table = dayStory(`${this.#title}: ${what}`, resolved.steps, resolved.plan.steps, this.#state);
    const { story } = this.#whereabouts;
    setCurrentDetails(story === undefined ? table : `${table}\n\n${story}`);
  }
}

/** A day that is run without its report is complete without it. */
function isAsked(only: DayPart | undefined): (step: { readonly stage: Stage }) => boolean {
  return ({ stage }) => only !== 'processing' || stage !== 'report';
}

function rejected(reason: string): DayState[StepId] {
  return { state: 'failed', code: 'DATA_CHECK_FAILED', message: `rejected by an operator: ${reason}` };
}

function dayFailure(title: string, { step, code, message }: DayFailure): ApplicationFailure {
  return ApplicationFailure.create({
    type: code,
    message: `${title} failed at ${step}: ${message}`,
    nonRetryable: true,
    details: [{ step, code }],
  });
}
