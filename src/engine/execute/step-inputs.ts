import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { acceptedNotes } from '../../pipelines/accepted-holds.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import type { LocalArtefact } from '../../pipelines/dataset.ts';
import type { StepDefinition, StepInput } from '../../pipelines/definition.ts';
import { holdsStep, unitDecisions } from '../../pipelines/held-units.ts';
import { daysTried, isOfPreviousDays } from '../../pipelines/lookback.ts';
import type { StepNote } from '../../pipelines/kept-delivery.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { splitShard } from '../../pipelines/shard.ts';
import { inputHash } from '../../pipelines/step-key.ts';
import type { InputHashes } from '../../pipelines/step-key.ts';
import type { UnitDecision } from '../../pipelines/units.ts';
import type { CivilDate, Scope } from '../../pipelines/vocabulary.ts';
import type { JsonObject } from '../../ports/json.ts';
import type { ArtefactRef, ObjectStore } from '../../ports/objects.ts';
import type { StepRequest } from '../contract.ts';
import type { Engine } from '../engine.ts';
import { newestManifests, readLedger } from '../records/ledger-reader.ts';
import { decisionsOf } from '../records/unit-decisions.ts';

/** One artefact that a step reads, before it is opened. */
export interface InputArtefact {
  readonly scope: Scope;
  readonly ref: ArtefactRef;
  readonly recorded?: { readonly facts: JsonObject; readonly checks: LedgerEntry['checks'] };
}

/** The inputs of one scope by name; an empty list is a missing optional input. */
export type InputArtefacts = Readonly<Record<string, readonly InputArtefact[]>>;

/** What a step reads for one day, looked up and not yet opened. */
export interface DayInputs {
  readonly date: CivilDate;
  readonly artefacts: InputArtefacts;
  readonly notes?: readonly StepNote[];
  readonly decided?: readonly UnitDecision[];
  /** The day's ledger entries of the step itself, by key. */
  readonly earlier: ReadonlyMap<string, LedgerEntry>;
}

/** The hashes by which inputs enter the step key. */
export function hashesOf(artefacts: InputArtefacts): Record<string, InputHashes> {
  return Object.fromEntries(
    Object.entries(artefacts).map(([name, list]) => [
      name,
      list.length === 0 ? null : list.map(({ ref, recorded }) => inputHash(ref.sha256, recorded)),
    ]),
  );
}

/**
 * Looks up what each day of the request reads: same-day inputs by key, previous days by sibling key
 * or by manifest.
 */
export async function dayInputs(
  engine: Engine,
  request: StepRequest,
  step: StepDefinition,
): Promise<DayInputs[]> {
  const dates = request.days.map((day) => day.date);
  const ledger = await readLedger(engine.documents, request.pipeline, dates);
  const entries = new Map<string, LedgerEntry>();
  for (const list of ledger.values())
    for (const entry of list) entries.set(entryName(entry), entry);
  const read = (day: StepRequest['days'][number]) =>
    step.withNotes === true ? entriesRead(entries, day, step) : [];
  const needsDecisions =
    step.checks?.some(({ perUnit }) => perUnit === true) === true ||
    request.days.some((day) => read(day).some(({ checks }) => checks.some(holdsStep)));
  const decisions = needsDecisions
    ? await decisionsOf(engine.documents, request.pipeline, dates)
    : undefined;
  const toldOn = (day: StepRequest['days'][number]): Pick<DayInputs, 'decided' | 'notes'> => {
    const known = decisions?.get(day.date) ?? [];
    const decided = unitDecisions(step, known);
    const notes = [...(day.notes ?? []), ...acceptedNotes(read(day), known)];
    return {
      ...(notes.length === 0 ? {} : { notes }),
      ...(decided.length === 0 ? {} : { decided }),
    };
  };
  const manifests = await previousManifests(engine, request, step);
  return request.days.map((day) => ({
    date: day.date,
    artefacts: Object.fromEntries(
      step.inputs.map((input) => {
        const found = isOfPreviousDays(input)
          ? ofPreviousDays(entries, manifests, request, day.date, input)
          : sameDay(engine, entries, day, input);
        return [input.name, found === undefined ? [] : [found]];
      }),
    ),
    ...toldOn(day),
    earlier: new Map(
      (ledger.get(day.date) ?? []).filter((e) => e.step === step.id).map((e) => [e.key, e]),
    ),
  }));
}

/** Entries of the day whose facts and checks the step reads. */
function entriesRead(
  entries: ReadonlyMap<string, LedgerEntry>,
  { date, inputs }: StepRequest['days'][number],
  step: StepDefinition,
): LedgerEntry[] {
  return step.inputs.flatMap((input) => {
    const key =
      input.withFacts === true && !isOfPreviousDays(input) ? (inputs[input.name] ?? null) : null;
    const entry =
      key === null ? undefined : entries.get(entryName({ scope: date, step: input.step, key }));
    return entry === undefined ? [] : [entry];
  });
}

function entryName({ scope, step, key }: Pick<LedgerEntry, 'scope' | 'step' | 'key'>): string {
  return `${scope}/${step}/${key}`;
}

function sameDay(
  engine: Pick<Engine, 'fallback'>,
  entries: ReadonlyMap<string, LedgerEntry>,
  day: StepRequest['days'][number],
  input: StepInput,
): InputArtefact | undefined {
  const key = day.inputs[input.name] ?? null;
  if (key === null) return undefined;
  const entry = entries.get(entryName({ scope: day.date, step: input.step, key }));
  const ref = entry?.outputs[input.output];
  if (entry === undefined || ref === undefined) {
    const what = `${input.step} of ${day.date} has no ledger entry ${key.slice(0, 8)} with output ${input.output}`;
    const away = entry === undefined ? engine.fallback?.away('documents') : undefined;
    // Another host may have made it while this one sees its own mirror alone.
    if (away !== undefined)
      throw new PipelineError('STORE_UNAVAILABLE', `${what} that this host has seen, and ${away}`);
    throw new PipelineError('PLAN_INVALID', `${what}; plan the day again`);
  }
  return { scope: day.date, ref, ...(input.withFacts === true ? { recorded: entry } : {}) };
}

/** The first that is there of the days that are tried. */
function ofPreviousDays(
  entries: ReadonlyMap<string, LedgerEntry>,
  manifests: PreviousManifests,
  request: StepRequest,
  date: CivilDate,
  input: StepInput,
): InputArtefact | undefined {
  const known =
    manifests.get(input.asOf?.pipeline ?? request.pipeline) ?? new Map<Scope, Manifest>();
  for (const days of daysTried(input)) {
    const found = previousDay(entries, known, request, addDays(date, -days), input);
    if (found !== undefined) return found;
  }
  return undefined;
}

type PreviousManifests = ReadonlyMap<string, ReadonlyMap<Scope, Manifest>>;

function previousDay(
  entries: ReadonlyMap<string, LedgerEntry>,
  manifests: ReadonlyMap<Scope, Manifest>,
  request: StepRequest,
  date: CivilDate,
  input: StepInput,
): InputArtefact | undefined {
  const key = input.asOf?.pipeline === undefined ? request.siblings[input.step]?.[date] : undefined;
  const entry =
    key === undefined ? undefined : entries.get(entryName({ scope: date, step: input.step, key }));
  const state = manifests.get(date)?.steps[input.step];
  const outputs = entry?.outputs ?? (state?.state === 'done' ? state.outputs : {});
  const ref = outputs[input.output];
  return ref === undefined ? undefined : { scope: date, ref };
}

/**
 * By pipeline, the newest manifests of the previous days that are read and that this run does not
 * make itself.
 */
async function previousManifests(
  engine: Engine,
  request: StepRequest,
  step: StepDefinition,
): Promise<PreviousManifests> {
  const wanted = new Map<string, Set<CivilDate>>();
  for (const input of step.inputs) {
    const pipeline = input.asOf?.pipeline ?? request.pipeline;
    const dates = wanted.get(pipeline) ?? new Set<CivilDate>();
    wanted.set(pipeline, dates);
    for (const day of request.days) {
      for (const days of daysTried(input)) {
        const date = addDays(day.date, -days);
        const isMade =
          input.asOf?.pipeline === undefined && request.siblings[input.step]?.[date] !== undefined;
        if (!isMade) dates.add(date);
      }
    }
  }
  const read = [...wanted].map(async ([pipeline, dates]) => {
    return [pipeline, await newestManifests(engine.documents, pipeline, [...dates])] as const;
  });
  return new Map(await Promise.all(read));
}

/**
 * Opens the artefacts as verified local files, all shards of a gathered input under its one name. A
 * missing one is `STORE_CORRUPT`: the ledger says that it is there.
 */
export async function openInputs(
  objects: Pick<ObjectStore, 'openLocal'>,
  artefacts: InputArtefacts,
): Promise<Record<string, LocalArtefact[]>> {
  const opened: Record<string, LocalArtefact[]> = {};
  for (const [name, list] of Object.entries(artefacts)) {
    const { name: declared, shard } = splitShard(name);
    const of = await Promise.all(list.map((artefact) => openInput(objects, artefact)));
    const ofShard = shard === undefined ? of : of.map((artefact) => ({ ...artefact, shard }));
    opened[declared] = [...(opened[declared] ?? []), ...ofShard];
  }
  return opened;
}

async function openInput(
  objects: Pick<ObjectStore, 'openLocal'>,
  { scope, ref, recorded }: InputArtefact,
): Promise<LocalArtefact> {
  const path = await objects.openLocal(ref);
  if (path === undefined) {
    throw new PipelineError(
      'STORE_CORRUPT',
      `${ref.key} is recorded in the ledger but missing in the store`,
    );
  }
  return {
    scope,
    path,
    ref,
    ...definedMembers({ facts: recorded?.facts, checks: recorded?.checks }),
  };
}
