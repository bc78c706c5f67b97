import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { HeldCheck, ResolvedDay } from '../activities/contract.ts';
import { dayOutcome } from '../pipelines/execution.ts';
import type { DayFailure, DayOutcome, DayState } from '../pipelines/execution.ts';
import type { Decision } from '../pipelines/manifest.ts';
import type { DayPlan } from '../pipelines/plan.ts';
import type { StepKey } from '../pipelines/step-key.ts';
import { isAfterStage } from '../pipelines/vocabulary.ts';
import type { CivilDate, RunReason, Stage, StepId, Verdict } from '../pipelines/vocabulary.ts';
import { settledStates } from '../pipelines/execution.ts';
import { DayControl } from './day-control.ts';
import { CONTROL_RETRY, withPlainFailures, executeSteps } from './execute-steps.ts';
import { describeRun } from './search-attributes.ts';
import { dayStory } from './story.ts';

export interface DayInput {
  readonly pipeline: string;
  readonly date: CivilDate;
  readonly reason?: RunReason;
  /** Ask the publisher even where the last answer still counts as fresh. */
  readonly recheck?: boolean;
  /** Use what was delivered before and do not ask the publisher. */
  readonly offline?: boolean;
  /** Execute this step, or the steps of this stage, and everything after them again. */
  readonly fromStep?: StepId | Stage;
  /** Why somebody wants that; kept with the day. */
  readonly why?: string;
  /** Leave out the stages after this one; another run, or the signal `extend`, goes on from there. */
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

export const decideUpdate = defineUpdate<string, [DecideInput]>('decide');
/** Sent by whoever wants more of a running day than it was started for; without a stage: all of it. */
export const extendSignal = defineSignal<[until?: Stage]>('extend');
/** Sent to the backfill that started a day when the day waits: for a decision, or for the publisher. */
export const dayWaitsSignal = defineSignal<[date: CivilDate, why: string]>('dayWaits');
export const planQuery = defineQuery<DayPlan | undefined>('plan');
export const progressQuery = defineQuery<DayState>('progress');

const control = proxyActivities<Activities>(CONTROL_RETRY);

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
    const { pipeline, date, fromStep, why = 'no reason was given' } = input;
    await control.recordAction({ pipeline, scope: date, action: 'force', step: fromStep, reason: why });
  }
  let recheck = input.recheck === true;
  for (;;) {
    const resolved = await control.resolveDay({
      pipeline: input.pipeline,
      dates: [input.date],
      options: {
        recheck,
        ...(input.offline === undefined ? {} : { offline: input.offline }),
        ...(input.fromStep === undefined ? {} : { fromStep: input.fromStep }),
      },
    });
    const until = run.until;
    const next = await run.attempt(resolved, until);
    if (next.kind === 'again') {
      await run.waitUntil(next.until, next.why);
      recheck = true;
    } else if (run.until === until) return next.result;
  }
}

type Attempt =
  | { readonly kind: 'done'; readonly result: DayResult }
  | { readonly kind: 'again'; readonly until: string; readonly why: string };

/** The state of a run of one day over its attempts. */
class DayRun {
  readonly #input: DayInput;
  readonly #title: string;
  #plan: DayPlan | undefined;
  #state: DayState = {};
  #decisions: Decision[] = [];
  /** The step that waits for a decision, while it waits. */
  #held: { step: StepId; answer?: DecideInput } | undefined;
  readonly #control: DayControl;
  #waits = false;
  #until: Stage | undefined;

  constructor(input: DayInput) {
    this.#input = input;
    this.#until = input.until;
    const { pipeline, date } = input;
    this.#control = new DayControl(
      () => ({ plan: this.#plan, state: this.#state, waits: this.#waits }),
      (action, { step, reason }) => control.recordAction({ pipeline, scope: date, action, step, reason }),
    );
    setHandler(extendSignal, (until) => {
      if (this.#until !== undefined && (until === undefined || isAfterStage(until, this.#until))) this.#until = until;
    });
    this.#title = `${input.pipeline} ${input.date}`;
    setHandler(planQuery, () => this.#plan);
    setHandler(progressQuery, () => this.#state);
    setHandler(decideUpdate, (answer) => this.#decide(answer), {
      validator: (answer: DecideInput) => {
        this.#checkDecision(answer);
      },
      description: 'Answer a held day: accept, reject or retry, with the reason',
    });
  }

  /** The last stage that is wanted; grows when more is asked for meanwhile. */
  get until(): Stage | undefined {
    return this.#until;
  }

  async attempt(planned: ResolvedDay, until: Stage | undefined): Promise<Attempt> {
    const resolved = { ...planned, steps: planned.steps.filter((step) => !isAfterStage(step.stage, until)) };
    this.#plan = resolved.plan;
    if (resolved.plan.upToDate && resolved.known !== null) {
      this.#tell(resolved, 'everything is there already');
      return {
        kind: 'done',
        result: this.#result(resolved.known.verdict, resolved.known.version, resolved.known.revision),
      };
    }
    const offline = this.#input.offline === true;
    if (resolved.waitUntil !== null && !offline) {
      return { kind: 'again', until: resolved.waitUntil, why: 'the day is not over, or not expected yet' };
    }
    this.#state = settledStates(resolved.plan.steps);
    this.#decisions = [...resolved.decisions];
    this.#control.askRetry(undefined);
    await this.#execute(resolved);
    await condition(allHandlersFinished);
    const retry = this.#control.retry;
    if (retry !== undefined) {
      const now = new Date(Date.now()).toISOString();
      return { kind: 'again', until: now, why: `${retry.step} is tried again: ${retry.reason}` };
    }
    const outcome = this.#outcome(resolved);
    if (outcome.verdict === 'no_data' && !offline && new Date(Date.now()).toISOString() < resolved.cutOffAt) {
      return { kind: 'again', until: resolved.nextTryAt, why: 'not published yet' };
    }
    return { kind: 'done', result: await this.#finish(resolved, outcome) };
  }

  /** A part that somebody skipped is missing, and the verdict says so. */
  #outcome({ steps }: ResolvedDay): DayOutcome {
    const outcome = dayOutcome(this.#input.date, steps, this.#state);
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
      days: [{ date: this.#input.date, state: this.#state }],
      queues: resolved.queues,
      retry: resolved.retry,
      force: this.#input.fromStep !== undefined,
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

  async #finish(resolved: ResolvedDay, outcome: DayOutcome): Promise<DayResult> {
    const { pipeline, date, reason = 'manual' } = this.#input;
    this.#tell(resolved, outcome.failure === undefined ? outcome.verdict : `failed at ${outcome.failure.step}`);
    if (outcome.failure !== undefined) {
      await control.recordFailure({ pipeline, scope: date, reason, outcome });
      describeRun({ Verdict: 'failed', FailedStep: outcome.failure.step });
      throw dayFailure(this.#title, outcome.failure);
    }
    const days = [{ outcome, state: this.#state, decisions: this.#decisions }];
    const committed = await control.commitManifest({ pipeline, reason, days });
    if (committed.affecting.length > 0) await control.announceChanges(pipeline, committed.affecting);
    const [manifest] = committed.days;
    const revision = manifest?.facts['revision'];
    const known = typeof revision === 'string' ? revision : null;
    describeRun({ Verdict: outcome.verdict, ...(known === null ? {} : { Revision: known }) });
    return this.#result(outcome.verdict, manifest?.version ?? 0, known);
  }

  #result(verdict: Verdict, version: number, revision: string | null): DayResult {
    const done = Object.entries(this.#state) as [StepId, DayState[StepId]][];
    const ran = done.flatMap(([step, state]) => (state.state === 'done' && state.how === 'ran' ? [step] : []));
    const reused = (this.#plan?.steps ?? []).filter(({ action }) => action === 'reuse').length;
    return { date: this.#input.date, verdict, version, ran, reused, revision };
  }

  #tell(resolved: ResolvedDay, what: string): void {
    setCurrentDetails(dayStory(`${this.#title}: ${what}`, resolved.steps, resolved.plan.steps, this.#state));
  }
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
