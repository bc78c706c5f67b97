import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  defineQuery,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { HeldCheck, ResolvedDay } from '../activities/contract.ts';
import { dayOutcome } from '../pipelines/execution.ts';
import type { DayFailure, DayOutcome, DayState } from '../pipelines/execution.ts';
import type { Decision } from '../pipelines/manifest.ts';
import type { DayPlan } from '../pipelines/plan.ts';
import type { StepKey } from '../pipelines/step-key.ts';
import type { CivilDate, RunReason, StepId, Verdict } from '../pipelines/vocabulary.ts';
import { settledStates } from '../pipelines/execution.ts';
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
  /** Execute this step and everything after it again. */
  readonly fromStep?: StepId;
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
  for (let recheck = input.recheck === true; ; recheck = true) {
    const resolved = await run.resolve(recheck);
    const next = await run.attempt(resolved);
    if (next.kind === 'done') return next.result;
    await run.waitUntil(next.until, next.why);
  }
}

type Attempt =
  | { readonly kind: 'done'; readonly result: DayResult }
  | { readonly kind: 'again'; readonly until: string; readonly why: string };

/** The state of a run of one day over its attempts. */
class DayRun {
  readonly #input: DayInput;
  readonly #title: string;
  #whereabouts = new Whereabouts();
  #plan: DayPlan | undefined;
  #state: DayState = {};
  #decisions: Decision[] = [];
  /** The step that waits for a decision, while it waits. */
  #held: { step: StepId; answer?: DecideInput } | undefined;
  #retryAsked = false;

  constructor(input: DayInput) {
    this.#input = input;
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
        ...(fromStep === undefined ? {} : { fromStep }),
      },
    });
    return this.#whereabouts.note(resolved);
  }

  async attempt(resolved: ResolvedDay): Promise<Attempt> {
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
    this.#retryAsked = false;
    await this.#execute(resolved);
    await condition(allHandlersFinished);
    if (this.#wantsRetry())
      return { kind: 'again', until: new Date(Date.now()).toISOString(), why: 'a retry was asked for' };
    const outcome = dayOutcome(this.#input.date, resolved.steps, this.#state);
    if (outcome.verdict === 'no_data' && !offline && new Date(Date.now()).toISOString() < resolved.cutOffAt) {
      return { kind: 'again', until: resolved.nextTryAt, why: 'not published yet' };
    }
    return { kind: 'done', result: await this.#finish(resolved, outcome) };
  }

  /** Set by an update while the steps run, which the compiler cannot see. */
  #wantsRetry(): boolean {
    return this.#retryAsked;
  }

  async waitUntil(until: string, why: string): Promise<void> {
    setCurrentDetails(`**${this.#title}**\n\nWaiting until ${until}: ${why}.`);
    const ms = Date.parse(until) - Date.now();
    if (ms > 0) await sleep(ms, { summary: why });
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
      whereabouts: this.#whereabouts,
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
      await condition(() => held.answer !== undefined, Math.max(1, Date.parse(resolved.holdUntil) - Date.now()));
      this.#held = undefined;
      this.#record(step, key, held.answer, rules);
    } else if (before.decision === 'reject') {
      this.#state[step] = rejected(before.reason);
    }
  }

  #record(step: StepId, key: StepKey, answer: DecideInput | undefined, rules: string): void {
    if (answer === undefined) {
      this.#state[step] = { state: 'failed', code: 'DATA_CHECK_FAILED', message: `nobody decided in time: ${rules}` };
    } else if (answer.decision === 'retry') {
      this.#retryAsked = true;
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
    const whereabouts = this.#whereabouts;
    this.#tell(resolved, outcome.failure === undefined ? outcome.verdict : `failed at ${outcome.failure.step}`);
    if (outcome.failure !== undefined) {
      await whereabouts.control().recordFailure({ pipeline, scope: date, reason, outcome });
      describeRun({ Verdict: 'failed', FailedStep: outcome.failure.step });
      throw dayFailure(this.#title, outcome.failure);
    }
    const degraded = whereabouts.degraded === undefined ? {} : { degraded: whereabouts.degraded };
    const days = [{ outcome, state: this.#state, decisions: this.#decisions }];
    const committed = whereabouts.note(
      await whereabouts.control().commitManifest({ pipeline, reason, days, ...degraded }),
    );
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
    return this.#result(verdict, manifest?.version ?? 0, known);
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
