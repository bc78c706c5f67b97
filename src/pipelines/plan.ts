import { definedMembers } from '../given.ts';
import { acceptedNotes, whyStillHeld } from './accepted-holds.ts';
import { addDays } from './civil-date.ts';
import type { DayEvidence } from './day-evidence.ts';
import type {
  PartDefinition,
  PipelineDefinition,
  StepDefinition,
  StepInput,
} from './definition.ts';
import { isWhole } from './completeness.ts';
import { decisionsOf, unitDecisions, waitingUnits } from './held-units.ts';
import { isOfAnswer, partNotes } from './kept-delivery.ts';
import type { KeptNote, StepNote } from './kept-delivery.ts';
import { cutOtherwise, isEmptyEntry, deliveredWith } from './ledger.ts';
import type { LedgerEntry } from './ledger.ts';
import { keptIn, keyIn } from './manifest.ts';
import { daysTried, isOfPreviousDays } from './lookback.ts';
import { missingInput } from './missing-input.ts';
import { describeDamage, namesOf, whyRun } from './plan-reasons.ts';
import { whyNotAsked } from './part-days.ts';
import { freshUntil, rawsOfDay } from './receipt.ts';
import type { Delivery } from './receipt.ts';
import { finalInstant, revisionOf } from './revision.ts';
import { unsharded } from './shard.ts';
import { inputHash, stepKey } from './step-key.ts';
import type { InputHashes } from './step-key.ts';
import { unansweredIn } from './unanswered.ts';
import type { CivilDate, Revision, StepId } from './vocabulary.ts';
import { stageOf } from './vocabulary.ts';
import { civilDateAt } from './zoned-day.ts';
import type { PlannedStep, DayPlan, PlanOptions } from './planned-step.ts';
import { isUpToDate, plannedRun, plannedSkip } from './planned-step.ts';
import type { Foreseen, Pending } from './foreseen.ts';
import { mayCome } from './foreseen.ts';

/**
 * What a re-run of a day would do, and why, as data. Pure: everything that the answer depends on is
 * in `DayEvidence`.
 *
 * Invariants, cited by `test/unit/pipelines/plan.test.ts`:
 * 1. A step is `reuse` only when the ledger has its exact key and every output is there with the
 *    recorded hash.
 * 2. A step after a `run` is `run`: its key is not known yet.
 * 3. A step after nothing but `recheck` and `reuse` is what it is if no change is found: `run` when
 *    it would run then too, else `recheck`.
 * 4. A day is up to date when nothing runs or rechecks and its newest manifest says the same.
 */

/**
 * The plans of several days, ascending. A day that reads an output of an earlier day of the set
 * sees whether that output is going to change, so the plan of a range says everything that the
 * range will do. `earlier` are days that were planned before these, as those of the year before.
 */
export function planDays(
  definition: PipelineDefinition,
  evidence: readonly DayEvidence[],
  options: PlanOptions = {},
  earlier: readonly DayPlan[] = [],
): DayPlan[] {
  const planned = new Map<CivilDate, DayPlan>(earlier.map((plan) => [plan.date, plan]));
  const days = [...evidence].sort((a, b) => (a.date < b.date ? -1 : 1));
  return days.map((day) => {
    const previousOutput: DayEvidence['previousOutput'] = (step, output, date, pipeline) => {
      if (pipeline !== undefined) return day.previousOutput(step, output, date, pipeline);
      const action = planned.get(date)?.steps.find((candidate) => candidate.step === step)?.action;
      const stored = day.previousOutput(step, output, date);
      if (action !== 'run' && action !== 'recheck') return stored;
      return { pending: action, unchanged: typeof stored === 'string' ? stored : null };
    };
    const plan = planDay(definition, { ...day, previousOutput }, options);
    planned.set(day.date, plan);
    return plan;
  });
}

/** Plans one day alone: outputs of earlier days are taken as the stores have them. */
export function planDay(
  definition: PipelineDefinition,
  evidence: DayEvidence,
  options: PlanOptions = {},
): DayPlan {
  const walk = new PlanWalk(definition, evidence, options);
  for (const step of definition.steps) walk.visit(step);
  return {
    date: evidence.date,
    steps: walk.planned,
    upToDate: isUpToDate(walk.planned, evidence.manifest),
  };
}

/** Once over the steps of a day, each planned from what was planned before it. */
class PlanWalk {
  readonly planned: PlannedStep[] = [];
  readonly #definition: PipelineDefinition;
  readonly #evidence: DayEvidence;
  readonly #options: PlanOptions;
  readonly #entries: ReadonlyMap<string, LedgerEntry>;
  /** The ledger entry of each step that is reused, if need be because a recheck finds no change. */
  readonly #reused = new Map<StepId, LedgerEntry>();
  readonly #forced = new Set<StepId>();

  constructor(definition: PipelineDefinition, evidence: DayEvidence, options: PlanOptions) {
    this.#definition = definition;
    this.#evidence = evidence;
    this.#options = options;
    this.#entries = new Map(evidence.ledger.map((entry) => [`${entry.step}/${entry.key}`, entry]));
  }

  visit(step: StepDefinition): void {
    const planned = this.#plan(step);
    this.planned.push(planned);
    this.#reuse(step, planned);
  }

  #reuse(step: StepDefinition, { action, key }: PlannedStep): void {
    const entry = key === undefined ? undefined : this.#entries.get(`${step.id}/${key}`);
    if ((action === 'reuse' || action === 'recheck') && entry !== undefined)
      this.#reused.set(step.id, entry);
  }

  #plan(step: StepDefinition): PlannedStep {
    const isReport = stageOf(step.id) === 'report';
    if (this.#options.only === 'report' && !isReport) return this.#planStored(step);
    if (step.part !== undefined) return this.#planDownload(step, this.#part(step.part));
    const planned = this.#planDerived(step);
    const isLeft = this.#options.only === 'processing' && isReport && planned.action !== 'reuse';
    return isLeft ? plannedSkip(step, 'left to the process that makes reports') : planned;
  }

  /** What the newest manifest says of a step; it is not executed. */
  #planStored(step: StepDefinition): PlannedStep {
    const key = keyIn(this.#evidence.manifest, step.id);
    const entry = key === undefined ? undefined : this.#entries.get(`${step.id}/${key}`);
    if (key === undefined || entry === undefined)
      return plannedSkip(step, 'nothing is stored, and only the report is made');
    const damage = this.#damageOf(entry);
    if (damage !== undefined) return plannedSkip(step, damage);
    const empty = isEmptyEntry(entry);
    const lacks = { ...deliveredWith(step, entry), ...waitingUnits(entry) };
    return {
      step: step.id,
      action: 'reuse',
      reason: 'stored',
      key,
      ...(empty ? { empty } : {}),
      ...lacks,
      ...this.#note(step),
    };
  }

  #part(id: string): PartDefinition {
    const part = this.#definition.parts.find((candidate) => candidate.id === id);
    if (part === undefined) throw new TypeError(`part ${id} is not defined`);
    return part;
  }

  #planDownload(step: StepDefinition, part: PartDefinition): PlannedStep {
    const delivery = this.#evidence.deliveries[part.id];
    const entry = delivery && this.#entries.get(`${step.id}/${delivery.key}`);
    const forced = this.#isForced(step);
    const canAsk = part.source !== 'import' && this.#whyNotAsked(part) === undefined;
    if (delivery === undefined || entry === undefined) {
      if (forced !== undefined && canAsk) return plannedRun(step, forced);
      const first = this.#planFirstDownload(step, part);
      return first.action === 'run' || delivery === undefined
        ? first
        : this.#planLost(step, delivery, first);
    }
    const stays = this.#stays(step, delivery, entry);
    if (forced !== undefined) return { ...plannedRun(step, forced), ...stays };
    const damage = this.#damageOf(entry) ?? this.#damageOfRaw(delivery);
    if (damage !== undefined) return { ...plannedRun(step, damage), ...stays };
    if (entry.version !== step.version) {
      return plannedRun(step, `step version ${entry.version} became ${step.version}`);
    }
    const otherwise = cutOtherwise(step, entry);
    return otherwise === undefined
      ? this.#planKnownDownload(step, part, delivery, entry)
      : plannedRun(step, otherwise);
  }

  /**
   * Of an answer whose ledger entry is gone, when nobody is asked for another: its raw file gives
   * the same slice again.
   */
  #planLost(step: StepDefinition, delivery: Delivery, otherwise: PlannedStep): PlannedStep {
    if (this.#damageOfRaw(delivery) !== undefined) return otherwise;
    const { key, checkedAt } = delivery;
    const since = civilDateAt(new Date(checkedAt), this.#definition.zone);
    return {
      ...plannedRun(step, 'its ledger entry is gone; its raw file is cut again'),
      key,
      since,
      recut: 'lost',
    };
  }

  /**
   * What stays of a download if asking for it again fails: rows that are there or can be cut again,
   * by this version of the step.
   */
  #stays(
    step: StepDefinition,
    delivery: Delivery,
    entry: LedgerEntry,
  ): Pick<PlannedStep, 'key' | 'since' | 'recut'> {
    if (isEmptyEntry(entry) || entry.version !== step.version) return {};
    const isLost = this.#damageOf(entry) !== undefined;
    if (isLost && this.#damageOfRaw(delivery) !== undefined) return {};
    const { key, checkedAt } = delivery;
    const recut = this.#options.offline === true ? 'only' : 'first';
    return {
      key,
      since: civilDateAt(new Date(checkedAt), this.#definition.zone),
      ...(isLost ? { recut } : {}),
    };
  }

  #whyNotAsked(part: PartDefinition): string | undefined {
    return whyNotAsked(this.#definition, part, this.#evidence.date, new Date(this.#evidence.now));
  }

  #isOver(): boolean {
    return this.#evidence.date < civilDateAt(new Date(this.#evidence.now), this.#definition.zone);
  }

  /**
   * The failure of the last request, carried on while nobody asks again, or else what is wrong with
   * the last answer.
   */
  #note({ id, part = '' }: StepDefinition): Pick<PlannedStep, 'kept'> {
    const kept = this.#failedRequest(id) ?? this.#evidence.deliveries[part]?.note;
    return definedMembers({ kept });
  }

  #failedRequest(id: StepId): KeptNote | undefined {
    const kept = keptIn(this.#evidence.manifest, id);
    return kept === undefined || isOfAnswer(kept) ? undefined : kept;
  }

  #planFirstDownload(step: StepDefinition, part: PartDefinition): PlannedStep {
    if (part.source === 'import') return plannedSkip(step, 'no imported file holds this day');
    const never = 'never fetched, and this run does not ask the publisher';
    const whyNot = this.#whyNotAsked(part) ?? (this.#options.offline === true ? never : undefined);
    if (whyNot !== undefined)
      return { ...plannedSkip(step, whyNot), ...unansweredIn(this.#evidence.manifest, step.id) };
    const expectedAt = this.#evidence.expected.parts[part.id];
    return expectedAt !== undefined && this.#evidence.now < expectedAt
      ? plannedSkip(step, `not expected before ${expectedAt}`)
      : plannedRun(step, 'never fetched');
  }

  #planKnownDownload(
    step: StepDefinition,
    part: PartDefinition,
    delivery: Delivery,
    entry: LedgerEntry,
  ): PlannedStep {
    const empty = isEmptyEntry(entry);
    const known = {
      step: step.id,
      key: delivery.key,
      ...(empty ? { empty } : {}),
      ...deliveredWith(step, entry),
    };
    const { note } = delivery;
    const reuse = { ...known, ...definedMembers({ kept: note }), action: 'reuse' } as const;
    if (part.source === 'import') return { ...reuse, reason: 'imported' };
    if (part.closed !== undefined) return { ...reuse, reason: part.closed };
    const whyNot = this.#whyNotAsked(part);
    const momentary = part.momentary === true && this.#isOver();
    const past = momentary
      ? `the publisher has ${part.id} only as it is now, and the day is over`
      : undefined;
    const reason = whyNot ?? past;
    if (reason !== undefined) return { ...reuse, ...this.#note(step), reason };
    const state = this.#standing(part, delivery, empty);
    const askAgainAt = freshUntil(delivery, part.freshForMinutes[state] ?? null);
    const last = `last checked ${delivery.checkedAt}`;
    const recheck = (why: string): PlannedStep => ({
      ...known,
      askAgainAt,
      ...this.#stays(step, delivery, entry),
      action: 'recheck',
      reason: `${last}${why}`,
      ...(state === 'partial' ? { partial: true } : {}),
    });
    const asked = { ...reuse, askAgainAt };
    if (this.#options.offline === true)
      return { ...asked, ...this.#note(step), reason: 'this run does not ask the publisher' };
    if (this.#failedRequest(step.id) !== undefined)
      return recheck('; the request since then failed');
    if ((delivery.rivals?.length ?? 0) > 0)
      return recheck('; two hosts asked without seeing each other, and nobody knows who came last');
    if (this.#options.recheck === true) return recheck('; asked for again');
    if (askAgainAt === null) return { ...asked, reason: `${last}; ${state} data do not change` };
    return this.#evidence.now < askAgainAt
      ? { ...asked, reason: `${last}, fresh until ${askAgainAt}` }
      : recheck(`, no longer fresh since ${askAgainAt}`);
  }

  /** By what an answer is fresh: what it lacks, or how final it is. */
  #standing(
    part: PartDefinition,
    { checkedAt }: Delivery,
    empty: boolean,
  ): Revision | 'empty' | 'partial' {
    const { date, now, manifest, ledger } = this.#evidence;
    const whole = empty ? false : isWhole(part, manifest, ledger);
    const finalAt = finalInstant(this.#definition, date)?.toISOString();
    // What was not all of it is looked at once more after the cut-off: the rest may have come
    // since.
    if (finalAt !== undefined && now >= finalAt && (whole !== false || checkedAt >= finalAt))
      return 'definitive';
    if (empty) return 'empty';
    if (whole === false && part.freshForMinutes.partial !== undefined) return 'partial';
    return (
      revisionOf(this.#definition, { scope: date, facts: manifest?.facts ?? {} }, new Date(now)) ??
      'provisional'
    );
  }

  #planDerived(step: StepDefinition): PlannedStep {
    const foreseen = step.inputs.map((input) => ({ name: input.name, ...this.#foresee(input) }));
    const pending = [
      ...foreseen.flatMap((one) => one.pending ?? []),
      ...(step.withNotes === true ? this.#pendingParts() : []),
    ];
    const inputs = Object.fromEntries(
      foreseen.map(({ name, hash }): [string, InputHashes] => [
        name,
        hash === null ? null : [hash],
      ]),
    );
    // What no pending step can bring: the run skips the step, whatever becomes of the others.
    const lacking = missingInput(step, mayCome(foreseen, inputs));
    if (lacking !== undefined) return plannedSkip(step, lacking);
    const missing = missingInput(step, inputs);
    const forced = this.#isForced(step);
    if (forced !== undefined) return plannedRun(step, forced);
    if (pending.some(({ action }) => action === 'run')) return this.#planAfter(step, pending);
    const settled =
      missing === undefined ? this.#planKnown(step, inputs) : plannedSkip(step, missing);
    return pending.length === 0 ? settled : this.#planUnlessChanged(step, settled, pending);
  }

  /** Parts of which it is not known yet whether they will have a note. */
  #pendingParts(): Pending[] {
    return this.#plannedParts().flatMap(({ planned: { step, action } }) =>
      action === 'run' || action === 'recheck' ? [{ by: step, action }] : [],
    );
  }

  /** A part that is asked for again after a failure keeps its note if nothing changes. */
  #partNotes(): StepNote[] {
    const { manifest } = this.#evidence;
    return partNotes(
      this.#plannedParts().map(({ part, planned: { step, action, kept, sample, unanswered } }) => {
        return {
          part,
          sample,
          unanswered,
          note: action === 'recheck' ? keptIn(manifest, step) : kept,
        };
      }),
    );
  }

  #acceptedNotes({ inputs }: StepDefinition): StepNote[] {
    const read = inputs.filter((input) => input.withFacts === true && !isOfPreviousDays(input));
    const entries = read.flatMap(({ step }) => this.#reused.get(step) ?? []);
    return acceptedNotes(entries, decisionsOf(this.#evidence));
  }

  #plannedParts(): { readonly part: string; readonly planned: PlannedStep }[] {
    return this.planned.flatMap((planned) => {
      const part = this.#definition.steps.find(({ id }) => id === planned.step)?.part;
      return part === undefined ? [] : [{ part, planned }];
    });
  }

  /** After a step that is executed. */
  #planAfter(step: StepDefinition, pending: readonly Pending[]): PlannedStep {
    const known = keyIn(this.#evidence.manifest, step.id);
    const names = namesOf(pending.map(({ by }) => by));
    const isKnown = known !== undefined && this.#entries.has(`${step.id}/${known}`);
    return plannedRun(step, isKnown ? `after ${names}` : `never ran; waits for ${names}`);
  }

  /** After nothing but rechecks: `settled` is what becomes of the step if they find no change. */
  #planUnlessChanged(
    step: StepDefinition,
    settled: PlannedStep,
    pending: readonly Pending[],
  ): PlannedStep {
    if (settled.action === 'run') return settled;
    this.#reuse(step, settled);
    const what = settled.action === 'skip' ? `${settled.reason}, ` : 'reused ';
    return {
      step: step.id,
      action: 'recheck',
      reason: `${what}unless ${namesOf(pending.map(({ by }) => by))} finds a change`,
    };
  }

  #planKnown(step: StepDefinition, inputs: Readonly<Record<string, InputHashes>>): PlannedStep {
    const params = step.params ?? {};
    const notes =
      step.withNotes === true ? [...this.#partNotes(), ...this.#acceptedNotes(step)] : [];
    const decided = unitDecisions(step, decisionsOf(this.#evidence));
    const parts = { version: step.version, params, inputs, notes, decided };
    const key = stepKey({ step: step.id, ...parts });
    const entry = this.#entries.get(`${step.id}/${key}`);
    if (entry === undefined) {
      const before = keyIn(this.#evidence.manifest, step.id);
      const earlier = before === undefined ? undefined : this.#entries.get(`${step.id}/${before}`);
      return plannedRun(step, whyRun(earlier, parts));
    }
    const damage = this.#damageOf(entry);
    if (damage !== undefined) return plannedRun(step, damage);
    const unaccepted = whyStillHeld(entry, decisionsOf(this.#evidence));
    if (unaccepted !== undefined) return plannedRun(step, unaccepted);
    const nothing = isEmptyEntry(entry) ? { empty: true } : {};
    return {
      step: step.id,
      action: 'reuse',
      reason: 'same inputs, same version',
      key,
      ...nothing,
      ...waitingUnits(entry),
    };
  }

  #foresee(input: StepInput): Foreseen {
    if (isOfPreviousDays(input)) return this.#foreseePrevious(input);
    const source = this.planned.find((candidate) => candidate.step === input.step);
    if (source === undefined || source.action === 'skip') return { hash: null };
    const entry = source.action === 'run' ? undefined : this.#reused.get(input.step);
    const ref = entry?.outputs[input.output];
    const hash =
      entry === undefined || ref === undefined
        ? null
        : inputHash(ref.sha256, input.withFacts === true ? entry : undefined);
    return source.action === 'reuse'
      ? { hash }
      : { hash, pending: { by: source.step, action: source.action } };
  }

  #foreseePrevious(input: StepInput): Foreseen {
    for (const days of daysTried(input)) {
      const date = addDays(this.#evidence.date, -days);
      const found = this.#evidence.previousOutput(
        input.step,
        input.output,
        date,
        input.asOf?.pipeline,
      );
      if (found === undefined) continue;
      if (typeof found !== 'object') return { hash: found };
      return {
        hash: found.unchanged,
        pending: { by: `${input.step} of ${date}`, action: found.pending },
      };
    }
    return { hash: null };
  }

  /** The reason when the step, or one that it reads, is to be executed again on request. */
  #isForced(step: StepDefinition): string | undefined {
    const { fromStep } = this.#options;
    const named =
      step.id === fromStep || stageOf(step.id) === fromStep || unsharded(step.id) === fromStep;
    if (!named && !step.inputs.some((input) => this.#forced.has(input.step))) return undefined;
    this.#forced.add(step.id);
    return named ? 'asked for' : `asked for from ${String(fromStep)}`;
  }

  #damageOfRaw(delivery: Delivery): string | undefined {
    const [found] = rawsOfDay(delivery).flatMap(({ key }) => this.#evidence.damaged.get(key) ?? []);
    return found === undefined ? undefined : `raw file ${found}`;
  }

  #damageOf(entry: LedgerEntry): string | undefined {
    return describeDamage(entry, this.#evidence.damaged);
  }
}
