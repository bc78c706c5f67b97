import {
  condition,
  defineQuery,
  defineSignal,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { definedMembers, firstOf, lastOf } from '../given.ts';
import type { CommitRequest, ResolvedWindow } from '../engine/contract.ts';
import { decisionOn } from '../pipelines/decision.ts';
import { dayOutcome } from '../pipelines/execution.ts';
import type { DayOutcome, DayState, StepState } from '../pipelines/execution.ts';
import type { DayLeft } from '../pipelines/failed-work.ts';
import { runSteps } from '../pipelines/run-steps.ts';
import type { DayStates } from '../pipelines/run-steps.ts';
import { RUN_REASONS, STAGES, isAfterStage } from '../pipelines/vocabulary.ts';
import type { CivilDate, RunReason, Stage, StepId } from '../pipelines/vocabulary.ts';
import { daysByMonth } from '../pipelines/work-window.ts';
import { callSteps } from './call-steps.ts';
import { codedFailure, withPlainFailures } from './plain-failures.ts';
import { checkInput, civilDate, flag, listOf, oneOf, optional, text } from './input-shape.ts';
import type { Shape } from './input-shape.ts';
import { describeRun } from './search-attributes.ts';
import { windowStory } from './story.ts';
import { goAnywhere, outageSoFar, storeActivities } from './host-routing.ts';

/** Days that are made together; what a window cannot finish is left to runs of their own. */
export interface WindowInput {
  readonly pipeline: string;
  /** Ascending dates, at most a work window of the pipeline. */
  readonly dates: readonly CivilDate[];
  readonly reason?: RunReason;
  readonly recheck?: boolean;
  readonly offline?: boolean;
  /** Leave out the stages after this one. */
  readonly until?: Stage;
  /** Also make what is made for single days only, such as pages. */
  readonly pages?: boolean;
  /**
   * Earlier days are in the making by another window: steps that read previous days wait for
   * `earlierDaysDone`. Without it they would be made without these days now, and again afterwards.
   */
  readonly waitForEarlierDays?: boolean;
}

const WINDOW_INPUT: Shape<WindowInput> = {
  pipeline: text,
  dates: listOf(civilDate),
  reason: optional(oneOf(RUN_REASONS)),
  recheck: optional(flag),
  offline: optional(flag),
  until: optional(oneOf(STAGES)),
  pages: optional(flag),
  waitForEarlierDays: optional(flag),
};

/** Sent by whoever started this window and the one before it. */
export const earlierDaysDoneSignal = defineSignal('earlierDaysDone');

/** How far the window is; its days end together, so that nobody else can tell. */
export interface WindowProgress {
  readonly days: number;
  /** 0–1: the part of all steps of all its days that have ended. */
  readonly share: number;
}

/** For the bar of the command that started the backfill. */
export const windowProgressQuery = defineQuery<WindowProgress>('progress');

/** Why a day is left to its own run although all its steps went well. */
const OVERTAKEN = 'another run has committed the day since this window planned it';

/**
 * The starter may be gone; then the days are made as they are, and again when the earlier ones have
 * changed.
 */
const LONGEST_WAIT_FOR_EARLIER_DAYS = '15 minutes';

/** Every day of the window is in exactly one of `committed`, `upToDate` and `careful`. */
export interface WindowResult {
  readonly committed: number;
  readonly upToDate: number;
  /** How many of these days are `degraded`; runs of earlier releases do not say. */
  readonly degraded?: number;
  /** How many of these days the publisher has nothing of; the same holds. */
  readonly noData?: number;
  /**
   * How many of the committed days had nothing new, so that no version was made; the same holds.
   */
  readonly unchanged?: number;
  /** For how many days each step was executed, not reused. */
  readonly ran: Readonly<Record<StepId, number>>;
  /** Days that need care: each is to be run by its own `day` workflow. */
  readonly careful: readonly DayLeft[];
}

/**
 * The fast path for many days: one fetch per part, each step once, one ledger entry per day and
 * step.
 */
export function window(input: WindowInput): Promise<WindowResult> {
  checkInput('window', WINDOW_INPUT, input);
  return withPlainFailures(() => runWindow(input));
}

async function runWindow(input: WindowInput): Promise<WindowResult> {
  const { overtaken, ...result } = await makeDays(input);
  if (overtaken.length === 0) return result;
  // Nobody starts runs of their own for days that are made again only because others changed.
  if (input.reason === 'derived')
    return addResults(result, await runWindow({ ...input, dates: overtaken }));
  return {
    ...result,
    careful: [
      ...result.careful,
      ...overtaken.map((date) => ({ date, step: null, why: OVERTAKEN })),
    ],
  };
}

function addResults(one: WindowResult, other: WindowResult): WindowResult {
  const ran = { ...one.ran };
  for (const [id, days] of Object.entries(other.ran) as [StepId, number][])
    ran[id] = (ran[id] ?? 0) + days;
  return {
    committed: one.committed + other.committed,
    upToDate: one.upToDate + other.upToDate,
    degraded: (one.degraded ?? 0) + (other.degraded ?? 0),
    noData: (one.noData ?? 0) + (other.noData ?? 0),
    unchanged: (one.unchanged ?? 0) + (other.unchanged ?? 0),
    ran,
    careful: [...one.careful, ...other.careful],
  };
}

/** What came of the days of a window; another run has committed the `overtaken` ones meanwhile. */
async function makeDays(
  input: WindowInput,
): Promise<WindowResult & { readonly overtaken: readonly CivilDate[] }> {
  const { pipeline, dates, reason = 'backfill' } = input;
  const title = `${pipeline} ${firstOf(dates)} … ${lastOf(dates)}`;
  describeRun({ Pipeline: pipeline, DataDate: firstOf(dates), RunReason: reason });
  goAnywhere();
  const resolved = await resolve(input);
  const steps = resolved.steps.filter((step) => !isAfterStage(step.stage, input.until));
  const { days } = resolved;
  const bases = new Map(days.map(({ date, base }) => [date, definedMembers({ base })]));
  const held = new Set<CivilDate>();
  const decided = new Map(days.map(({ date, decisions = [] }) => [date, decisions]));
  let share = 0;
  setHandler(windowProgressQuery, () => ({ days: days.length, share }));
  const tell = (known: DayStates): void => {
    share = endedShare(steps.length, [...known.values()]);
    const table = windowStory(title, steps, [...known.values()]);
    const { story } = outageSoFar();
    setCurrentDetails(story === undefined ? table : `${table}\n\n${story}`);
  };
  tell(new Map(days.map(({ date, state }) => [date, state])));
  const states = await runSteps(
    { steps, days, previousDays: earlierDays(input) },
    {
      ...callSteps({ pipeline, queues: resolved.queues, retry: resolved.retry }),
      // Only a single day can wait for a decision: here the step counts as failed, and the day is
      // left to its own run.
      decide: ({ date, step, key, checks }) => {
        if (decisionOn(decided.get(date) ?? [], step, key)?.decision === 'accept')
          return Promise.resolve(undefined);
        held.add(date);
        const message = `${checks.map(({ check }) => check).join(', ')} holds the day`;
        return Promise.resolve({ state: 'failed', code: 'DATA_CHECK_FAILED', message });
      },
      changed: tell,
    },
  );
  const outcomes = [...states].map(([date, state]) => ({
    date,
    state,
    outcome: dayOutcome(date, steps, state),
  }));
  const good = outcomes.filter(
    ({ outcome, date }) =>
      !held.has(date) && (outcome.verdict === 'ok' || outcome.verdict === 'degraded'),
  );
  const commits = good.map(({ date, state, outcome }) => ({
    outcome,
    state,
    decisions: decided.get(date) ?? [],
    ...bases.get(date),
  }));
  const { overtaken, unchanged } = await commit({ pipeline, reason, days: commits });
  const unplanned = (resolved.careful ?? []).map(({ date, why }) => ({ date, step: null, why }));
  return {
    committed: good.length - overtaken.length,
    upToDate: resolved.upToDate.length,
    degraded:
      (resolved.degraded ?? []).length +
      good.filter(({ outcome, date }) => !overtaken.includes(date) && isDegraded(outcome)).length,
    noData: (resolved.noData ?? []).length,
    unchanged,
    ran: countRan([...states.values()]),
    careful: [...carefulDays(outcomes.filter((one) => !good.includes(one))), ...unplanned],
    overtaken,
  };
}

function endedShare(steps: number, states: readonly DayState[]): number {
  const ended = states.reduce((sum, state) => sum + Object.keys(state).length, 0);
  return Math.min(1, ended / Math.max(1, steps * states.length));
}

function carefulDays(left: readonly { readonly outcome: DayOutcome }[]): WindowResult['careful'] {
  return left.map(({ outcome: { date, failure } }) => ({
    date,
    step: failure?.step ?? null,
    why: failure === undefined ? 'no part has rows' : `${failure.code}: ${failure.message}`,
  }));
}

/** As its manifest or its mark is going to say. */
function isDegraded({ verdict }: DayOutcome): boolean {
  return verdict === 'degraded' || outageSoFar().degraded !== undefined;
}

function countRan(states: readonly DayState[]): Record<StepId, number> {
  const ran: Record<StepId, number> = {};
  for (const state of states) {
    for (const [id, one] of Object.entries(state) as [StepId, StepState][]) {
      if (one.state === 'done' && one.how === 'ran') ran[id] = (ran[id] ?? 0) + 1;
    }
  }
  return ran;
}

/**
 * Asked month by month: what is known of all steps of a day is the largest that a window says of
 * it. Days with nothing to make whose published names are not right are published.
 */
async function resolve(input: WindowInput): Promise<ResolvedWindow> {
  const options = { recheck: input.recheck === true, offline: input.offline === true };
  const months: ResolvedWindow[] = [];
  for (const dates of daysByMonth(input.dates)) {
    const request = {
      pipeline: input.pipeline,
      dates,
      options,
      ...(input.pages === true ? { pages: true } : {}),
    };
    months.push(await storeActivities().resolveWindow(request));
  }
  for (const month of daysByMonth(months.flatMap(({ unpublished = [] }) => unpublished))) {
    await storeActivities().publishDays(input.pipeline, month);
  }
  const [first] = months;
  if (first === undefined) throw codedFailure('INPUT_INVALID', 'a window needs days');
  return {
    ...first,
    upToDate: months.flatMap(({ upToDate }) => upToDate),
    degraded: months.flatMap(({ degraded = [] }) => degraded),
    noData: months.flatMap(({ noData = [] }) => noData),
    days: months.flatMap(({ days }) => days),
    careful: months.flatMap(({ careful = [] }) => careful),
  };
}

interface Committed {
  /** Days that another run has committed meanwhile. */
  readonly overtaken: readonly CivilDate[];
  /** Of how many days the newest version says the same already. */
  readonly unchanged: number;
}

/**
 * Month by month as well. Days that were made while a store was away are announced by their
 * reconciliation.
 */
async function commit(request: Omit<CommitRequest, 'degraded'>): Promise<Committed> {
  const changed: CivilDate[] = [];
  const overtaken: CivilDate[] = [];
  let unchanged = 0;
  for (const month of daysByMonth(request.days.map(({ outcome }) => outcome.date))) {
    const days = request.days.filter(({ outcome }) => month.includes(outcome.date));
    const before = outageSoFar().degraded;
    const call = { ...request, days, ...definedMembers({ degraded: before }) };
    const committed = await storeActivities().commitManifest(call);
    overtaken.push(...(committed.conflicting ?? []));
    unchanged += committed.days.filter(({ created }) => !created).length;
    if (outageSoFar().degraded === undefined) changed.push(...committed.affecting);
  }
  if (changed.length > 0) await storeActivities().announceChanges(request.pipeline);
  return { overtaken, unchanged };
}

async function earlierDays({ waitForEarlierDays }: WindowInput): Promise<void> {
  let done = waitForEarlierDays !== true;
  setHandler(earlierDaysDoneSignal, () => {
    done = true;
  });
  if (!done) await condition(() => done, LONGEST_WAIT_FOR_EARLIER_DAYS);
}
