import { PipelineError } from '../../errors.ts';
import { canonicalJson } from '../../canonical-json.ts';
import type { StagedOutput, UnitResult } from '../../pipelines/dataset.ts';
import type { OutputDefinition } from '../../pipelines/definition.ts';
import type { StepNote } from '../../pipelines/kept-delivery.ts';
import { ledgerKey } from '../../pipelines/ledger.ts';
import type { LedgerEntry, Origin } from '../../pipelines/ledger.ts';
import { RECORD_SCHEMA } from '../../pipelines/stored-records.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import type { InputHashes } from '../../pipelines/step-key.ts';
import type { UnitDecision } from '../../pipelines/units.ts';
import type { Scope, StepId, StepKey } from '../../pipelines/vocabulary.ts';
import type { JsonObject } from '../../ports/json.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { putContent } from '../content-store.ts';
import type { ContentPlace } from '../content-store.ts';
import type { Engine, StepControl } from '../engine.ts';
import { mapConcurrent } from '../map-concurrent.ts';

/**
 * The commit protocol: immutable objects first, then one create-only ledger entry per scope. A
 * crash anywhere leaves either nothing visible or the whole step; objects without an entry are
 * never read and are collected later.
 */

/**
 * More bring a window of days that write next to nothing sooner to its end (a year of them 2.5 s
 * with 8, 3.0 s with 4; real windows take as long with either), and make all others wait: a daily
 * run in the middle of a backfill takes 2.7 times its time alone with 8, 2.45 times with 4.
 */
const PUTS_AT_ONCE = 4;

/** A step's definition as far as committing needs it. */
export interface CommittedStep {
  readonly id: StepId;
  readonly version: number;
  readonly params?: JsonObject;
  readonly outputs: Readonly<Record<string, OutputDefinition>>;
}

/** The step key and what it was made of. */
export interface StepIdentity {
  readonly key: StepKey;
  readonly inputs: Readonly<Record<string, InputHashes>>;
  readonly notes?: readonly StepNote[];
  readonly decided?: readonly UnitDecision[];
}

/** What one scope of a step gave, before anything of it is stored. */
export interface Uncommitted {
  readonly result: UnitResult;
  /** Known from the inputs; a download is known by the outputs it delivered. */
  identify(outputs: Readonly<Record<string, ArtefactRef>>): StepIdentity;
  readonly origin: Origin | null;
  /** Outputs that are stored already and belong to the entry too, by name. */
  readonly beside?: Readonly<Record<string, ArtefactRef>> | undefined;
}

/**
 * What the scopes of one execution share. Entries record `scopes`, how many were made together,
 * beside the time.
 */
export interface CommitContext {
  readonly pipeline: string;
  readonly step: CommittedStep;
  readonly startedAt: Date;
  readonly scopes: number;
}

/**
 * Stages the outputs and commits one entry per scope; returns the entries that are in the ledger
 * now.
 */
export async function commitStep(
  engine: Engine,
  control: StepControl,
  context: CommitContext,
  work: readonly Uncommitted[],
): Promise<LedgerEntry[]> {
  const shared = new Map<string, Promise<ArtefactRef>>();
  const staged = await mapConcurrent(work, PUTS_AT_ONCE, async (unit) => ({
    unit,
    outputs: withBeside(unit, await stageOutputs(engine, context, unit.result, shared)),
  }));
  control.progress('committing');
  const entries = staged.map(({ unit, outputs }) =>
    entryOf(engine, control, context, unit, outputs),
  );
  const created = await engine.documents.createMany(
    entries.map((entry) => ({
      key: ledgerKey(entry.pipeline, entry.scope, entry.step, entry.key),
      body: entry,
    })),
  );
  return Promise.all(
    entries.map(async (entry, index) =>
      created[index] === true ? entry : agreeWithEarlier(engine, entry),
    ),
  );
}

/**
 * All outputs of an entry, by name where some were there before: entries of one key have one order
 * of outputs.
 */
function withBeside(
  { beside }: Uncommitted,
  made: Record<string, ArtefactRef>,
): Record<string, ArtefactRef> {
  if (beside === undefined) return made;
  return Object.fromEntries(
    Object.entries({ ...beside, ...made }).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

async function stageOutputs(
  engine: Engine,
  { step }: CommitContext,
  result: UnitResult,
  shared: Map<string, Promise<ArtefactRef>>,
) {
  const refs: Record<string, ArtefactRef> = {};
  for (const [name, output] of Object.entries(result.outputs)) {
    const definition = step.outputs[name];
    if (definition === undefined) {
      throw new PipelineError('INTERNAL', `${step.id} wrote ${name}, which is none of its outputs`);
    }
    const folder =
      definition.sharedByDays === true
        ? definition.layer
        : `${definition.layer}/${scopeFolder(result.scope)}`;
    refs[name] = await putOnce(engine, { folder, ...definition }, output, shared);
  }
  return refs;
}

/** A file that is the output of many days of the set is put once. */
function putOnce(
  engine: Engine,
  place: ContentPlace,
  output: StagedOutput,
  shared: Map<string, Promise<ArtefactRef>>,
): Promise<ArtefactRef> {
  if (!('path' in output)) return putContent(engine.objects, place, output);
  const name = `${place.folder} ${output.path}`;
  const known = shared.get(name) ?? putContent(engine.objects, place, output);
  shared.set(name, known);
  return known;
}

/** The folder of a scope, in the key=value form that SQL engines read as a partition. */
export function scopeFolder(scope: Scope): string {
  return `${isPeriod(scope) ? 'period' : 'date'}=${scope}`;
}

function entryOf(
  engine: Engine,
  control: StepControl,
  { pipeline, step, startedAt, scopes }: CommitContext,
  unit: Uncommitted,
  outputs: Record<string, ArtefactRef>,
): LedgerEntry {
  return {
    schema: RECORD_SCHEMA,
    pipeline,
    scope: unit.result.scope,
    step: step.id,
    ...unit.identify(outputs),
    version: step.version,
    params: step.params ?? {},
    outputs,
    checks: unit.result.checks,
    facts: unit.result.facts,
    origin: unit.origin,
    execution: {
      ...control.execution,
      host: engine.host,
      codeVersion: engine.codeVersion,
      startedAt: startedAt.toISOString(),
      durationMs: engine.now().getTime() - startedAt.getTime(),
      scopes,
    },
  };
}

/**
 * The entry that was there first. Other bytes under the same key mean that the step is not
 * deterministic: that must be seen.
 */
async function agreeWithEarlier(engine: Engine, entry: LedgerEntry): Promise<LedgerEntry> {
  const key = ledgerKey(entry.pipeline, entry.scope, entry.step, entry.key);
  const earlier = (await engine.documents.get<LedgerEntry>(key))?.body;
  if (earlier === undefined)
    throw new PipelineError(
      'STORE_CONFLICT',
      `ledger entry ${key.sort} vanished while it was read`,
    );
  if (hashesOf(earlier) !== hashesOf(entry)) {
    throw new PipelineError(
      'STORE_CORRUPT',
      `${entry.step} of ${entry.pipeline} ${entry.scope} gave other bytes than before for the same key ${entry.key.slice(0, 8)}; ` +
        'the step is not reproducible: raise its version or find what varies',
    );
  }
  return earlier;
}

function hashesOf(entry: LedgerEntry): string {
  return canonicalJson(Object.entries(entry.outputs).map(([name, ref]) => [name, ref.sha256]));
}
