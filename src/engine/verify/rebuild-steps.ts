import { definedMembers, firstOf } from '../../given.ts';
import { daysTried, isOfPreviousDays } from '../../pipelines/lookback.ts';
import { PipelineError, asPipelineError, errorCodeOf } from '../../errors.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import { canonicalJson } from '../../canonical-json.ts';
import type { Dataset, LocalArtefact, UnitOutcome } from '../../pipelines/dataset.ts';
import type {
  RollupDefinition,
  RollupInput,
  StepDefinition,
  StepInput,
} from '../../pipelines/definition.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { describeDestroyed } from '../../pipelines/forgetting.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import { scopesRead, spanAt } from '../../pipelines/period-graph.ts';
import { unsharded } from '../../pipelines/shard.ts';
import { inputHash } from '../../pipelines/step-key.ts';
import type { ContentIdentity, Rebuilt } from '../../pipelines/verification.ts';
import type { CivilDate, Scope } from '../../pipelines/vocabulary.ts';
import { zonedDay } from '../../pipelines/zoned-day.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { loadStaged, openContent } from '../content-store.ts';
import { sqlOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { judge, namesOfTask, runImplementation, toldOf } from '../execute/execute-step.ts';
import { holdingProven } from '../execute/proven-objects.ts';
import type { ProvenObjects } from '../execute/proven-objects.ts';
import { openInputs } from '../execute/step-inputs.ts';
import { sliceWithout } from '../download/leave-out.ts';
import { withDecoded } from '../download/open-raw.ts';
import { destroyedObject } from '../records/forgotten.ts';
import type { InputArtefact, InputArtefacts } from '../execute/step-inputs.ts';

/**
 * Executes recorded steps again, from exactly the bytes that they read when they were recorded, and
 * tells the hashes of what comes out. Nothing is put into a store: outputs are hashed while their
 * scratch files exist.
 */

type Impossible = Extract<Rebuilt, { readonly kind: 'impossible' | 'destroyed' }>;

/** What steps are executed again with; nothing of it is written. */
export interface Rebuild {
  readonly engine: Engine;
  /** Inputs are read from here, so that the verification is one of what the stores have. */
  readonly objects: ProvenObjects;
  readonly control: Pick<StepControl, 'signal' | 'progress'>;
  readonly dataset: Dataset;
  /** Every ledger entry of the days or periods concerned and of those that they read. */
  readonly ledger: ReadonlyMap<Scope, readonly LedgerEntry[]>;
  /** The same of other pipelines whose state is read, by pipeline. */
  readonly others?: ReadonlyMap<string, ReadonlyMap<Scope, readonly LedgerEntry[]>>;
}

/** A step of a day or a rollup of a period. */
type RecordedStep = Pick<StepDefinition | RollupDefinition, 'id' | 'inputs'> &
  Pick<StepDefinition, 'shard'>;

/**
 * Cuts the slices of days that came in one raw file anew, in one pass over it. Each of them was
 * delivered by this file.
 */
export function recutSlices(
  rebuild: Rebuild,
  step: StepDefinition,
  raw: ArtefactRef,
  dates: readonly CivilDate[],
): Promise<ReadonlyMap<CivilDate, Rebuilt>> {
  return holdingProven(rebuild, (holding) => recutHeld(holding, step, raw, dates));
}

async function recutHeld(
  { engine, objects, control, dataset }: Rebuild,
  step: StepDefinition,
  raw: ArtefactRef,
  dates: readonly CivilDate[],
): Promise<ReadonlyMap<CivilDate, Rebuilt>> {
  const all = (rebuilt: Rebuilt): Map<CivilDate, Rebuilt> =>
    new Map(dates.map((date) => [date, rebuilt]));
  const opened = await openRaw(objects, raw);
  if ('problem' in opened) {
    const { problem } = opened;
    const gone = await destroyedObject(engine.documents, dataset.definition.name, raw.key);
    if (gone !== undefined)
      return all({
        kind: 'destroyed',
        why: `its raw file ${describeDestroyed(gone)}; its slice stands for it`,
      });
    return new Map(
      dates.map((date) => [
        date,
        { kind: 'impossible', why: whyNoRaw(dataset, step, raw, problem, date) },
      ]),
    );
  }
  const part = dataset.definition.parts.find(({ id }) => id === step.part);
  if (part === undefined) throw new PipelineError('INTERNAL', `${step.id} fetches no part`);
  const days = dates.map((date) => zonedDay(date, dataset.definition.zone));
  const recut = (path: string) => {
    const { sha256, bytes } = raw;
    const task = { part: part.id, raw: { path, sha256, bytes }, days, progress: control.progress };
    const cut = async (sql: SqlSession) =>
      (await sliceWithout(engine, dataset, task, sql)).outcomes;
    return sqlOf(engine).session(async (sql) => rebuiltOf(step, dates, await cut(sql)), {
      signal: control.signal,
    });
  };
  try {
    return await withDecoded(
      { engine, control, dataset, part },
      { path: opened.path, date: firstOf(dates) },
      recut,
    );
  } catch (error) {
    return all(failureOf(error, control.signal));
  }
}

/**
 * Executes a step again for a set of days or periods, from the artefacts that their ledger entries
 * name by hash. Days with other parameters are executed apart; when a set breaks as a whole, each
 * of its days is executed alone.
 */
export function rebuildStep(
  rebuild: Rebuild,
  step: RecordedStep,
  entries: readonly LedgerEntry[],
): Promise<Map<Scope, Rebuilt>> {
  return holdingProven(rebuild, (holding) => rebuildHeld(holding, step, entries));
}

async function rebuildHeld(
  rebuild: Rebuild,
  step: RecordedStep,
  entries: readonly LedgerEntry[],
): Promise<Map<Scope, Rebuilt>> {
  const rebuilt = new Map<Scope, Rebuilt>();
  const groups = new Map<string, Prepared[]>();
  for (const entry of entries) {
    const prepared = await prepare(rebuild, step, entry);
    if ('kind' in prepared) {
      rebuilt.set(entry.scope, prepared);
      continue;
    }
    const params = canonicalJson(entry.params);
    groups.set(params, [...(groups.get(params) ?? []), prepared]);
  }
  for (const group of groups.values()) {
    for (const [scope, one] of await executeAgain(rebuild, step, group)) rebuilt.set(scope, one);
  }
  return rebuilt;
}

/** A recorded execution with its inputs as local files. */
interface Prepared {
  readonly entry: LedgerEntry;
  readonly inputs: Readonly<Record<string, readonly LocalArtefact[]>>;
}

async function prepare(
  rebuild: Rebuild,
  step: RecordedStep,
  entry: LedgerEntry,
): Promise<Prepared | Impossible> {
  const found = recordedInputs(rebuild, step, entry);
  if ('missing' in found) return { kind: 'impossible', why: found.missing };
  try {
    return { entry, inputs: await openInputs(rebuild.objects, found.artefacts) };
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    for (const { ref } of Object.values(found.artefacts).flat()) {
      const gone = await destroyedObject(
        rebuild.engine.documents,
        rebuild.dataset.definition.name,
        ref.key,
      );
      if (gone !== undefined)
        return { kind: 'destroyed', why: `its input ${ref.key} ${describeDestroyed(gone)}` };
    }
    return {
      kind: 'impossible',
      why: `an input is not readable: ${asPipelineError(error).message}`,
    };
  }
}

async function executeAgain(
  rebuild: Rebuild,
  step: RecordedStep,
  set: readonly Prepared[],
): Promise<Map<Scope, Rebuilt>> {
  const { engine, control, dataset } = rebuild;
  const implementation = dataset.steps[unsharded(step.id)];
  if (implementation === undefined)
    throw new PipelineError('INTERNAL', `${step.id} is defined but not implemented`);
  const scopes = set.map(({ entry }) => entry.scope);
  const task = {
    ...namesOfTask(step),
    params: set[0]?.entry.params ?? {},
    units: set.map(({ entry: { scope, notes, decided }, inputs }) => ({
      scope,
      ...toldOf(notes),
      ...definedMembers({ decided }),
      ...(isPeriod(scope) ? {} : { day: zonedDay(scope, dataset.definition.zone) }),
      inputs,
    })),
    ...control,
  };
  try {
    return await runImplementation(engine, implementation, task, (outcomes) =>
      rebuiltOf(step, scopes, outcomes),
    );
  } catch (error) {
    const failure = failureOf(error, control.signal);
    if (set.length === 1) return new Map(scopes.map((scope) => [scope, failure]));
  }
  const alone = new Map<Scope, Rebuilt>();
  for (const one of set)
    for (const [scope, rebuilt] of await executeAgain(rebuild, step, [one]))
      alone.set(scope, rebuilt);
  return alone;
}

async function rebuiltOf(
  step: RecordedStep,
  dates: readonly CivilDate[],
  outcomes: readonly UnitOutcome[],
): Promise<Map<CivilDate, Rebuilt>> {
  const { good, failed } = judge(step, outcomes);
  const rebuilt = new Map<CivilDate, Rebuilt>(
    dates.map((date) => [date, { kind: 'failed', why: 'gives no answer now' }]),
  );
  for (const { date, failure } of failed) {
    rebuilt.set(date, { kind: 'failed', why: `fails now, ${failure.code}: ${failure.message}` });
  }
  for (const { scope, outputs, facts, checks } of good) {
    const identities: Record<string, ContentIdentity> = {};
    for (const [name, staged] of Object.entries(outputs)) {
      const { sha256, bytes } = await loadStaged(staged);
      identities[name] = { sha256, bytes };
    }
    rebuilt.set(scope, { kind: 'built', outputs: identities, facts, checks });
  }
  return rebuilt;
}

/** A failing rebuild is a finding; a store that fails or a cancelled command is not. */
function failureOf(error: unknown, signal: AbortSignal): Rebuilt {
  signal.throwIfAborted();
  const { code, message } = asPipelineError(error);
  if (code.startsWith('STORE_')) throw error;
  return { kind: 'failed', why: `fails now, ${code}: ${message}` };
}

/**
 * The artefacts with exactly the recorded hashes; where they were made is known, which version of
 * them is not.
 */
function recordedInputs(
  rebuild: Rebuild,
  step: RecordedStep,
  entry: LedgerEntry,
): { readonly artefacts: InputArtefacts } | { readonly missing: string } {
  const artefacts: Record<string, InputArtefact[]> = {};
  for (const input of step.inputs) {
    const hashes = entry.inputs[input.name];
    if (hashes === undefined)
      return { missing: `reads ${input.name} now, which it did not when it was recorded` };
    const found = findArtefacts(rebuild, input, entry.scope, hashes ?? []);
    if (found === undefined)
      return {
        missing: `its input ${input.name} is in no ledger entry of ${input.step} that ${entry.scope} reads`,
      };
    artefacts[input.name] = found;
  }
  const unread = Object.keys(entry.inputs).find((name) => !(name in artefacts));
  return unread === undefined
    ? { artefacts }
    : { missing: `no longer reads its recorded input ${unread}` };
}

/**
 * Recorded hashes are in the order of the scopes that were read; a scope that had nothing then is
 * passed over.
 */
function findArtefacts(
  { ledger: own, others, dataset, engine }: Rebuild,
  input: StepInput | RollupInput,
  scope: Scope,
  hashes: readonly string[],
): InputArtefact[] | undefined {
  const scopes =
    'each' in input
      ? scopesRead(input, scope, spanAt(dataset.definition, engine.now()))
      : (isOfPreviousDays(input) ? daysTried(input) : [0]).map((days) => addDays(scope, -days));
  const other = input.asOf?.pipeline;
  const ledger =
    other === undefined ? own : (others?.get(other) ?? new Map<Scope, LedgerEntry[]>());
  const left = scopes.values();
  const found = hashes.map((hash) => {
    for (const candidate of left) {
      const artefact = findArtefact(ledger.get(candidate) ?? [], candidate, input, hash);
      if (artefact !== undefined) return artefact;
    }
    return undefined;
  });
  return found.every((artefact) => artefact !== undefined) ? found : undefined;
}

function findArtefact(
  entries: readonly LedgerEntry[],
  scope: Scope,
  input: StepInput | RollupInput,
  hash: string,
): InputArtefact | undefined {
  for (const entry of entries) {
    const ref = entry.step === input.step ? entry.outputs[input.output] : undefined;
    const recorded = 'withFacts' in input && input.withFacts ? entry : undefined;
    if (ref !== undefined && inputHash(ref.sha256, recorded) === hash) {
      return { scope, ref, ...definedMembers({ recorded }) };
    }
  }
  return undefined;
}

/** Raw files are the one thing that nothing here can be made again from. */
function whyNoRaw(
  { definition }: Dataset,
  step: StepDefinition,
  raw: ArtefactRef,
  problem: string,
  date: CivilDate,
) {
  const isImported = definition.parts.find(({ id }) => id === step.part)?.source === 'import';
  const next = isImported
    ? 'import it again'
    : `quotidien run ${definition.name} ${date} --from-step ${step.id}`;
  return `its raw file ${raw.key} ${problem}; only its publisher can give it again: ${next}`;
}

async function openRaw(
  objects: ProvenObjects,
  raw: ArtefactRef,
): Promise<{ readonly path: string } | { readonly problem: string }> {
  try {
    const path = await openContent(objects, raw);
    return path === undefined ? { problem: 'is missing in the store' } : { path };
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    return { problem: 'no longer matches its recorded hash' };
  }
}
