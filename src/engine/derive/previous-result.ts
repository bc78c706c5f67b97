import { canonicalJson } from '../../canonical-json.ts';
import { errorCodeOf } from '../../errors.ts';
import type { ChangedInput, LocalArtefact, PreviousResult } from '../../pipelines/dataset.ts';
import type {
  PipelineDefinition,
  RollupDefinition,
  RollupInput,
} from '../../pipelines/definition.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { keyIn } from '../../pipelines/manifest.ts';
import { scopesRead, spanAt } from '../../pipelines/period-graph.ts';
import type { Period, Scope } from '../../pipelines/vocabulary.ts';
import type { Engine } from '../engine.ts';
import { hashesOf } from '../execute/step-inputs.ts';
import type { InputArtefact, InputArtefacts } from '../execute/step-inputs.ts';
import { newestManifests, readEntries, readLedger } from '../records/ledger-reader.ts';

/**
 * What a rollup that declares `withPrevious` is given to go on from: outputs of the newest version
 * of the period, and the inputs that changed since. Inputs are compared by hash; only what differs
 * is looked up and opened. Undefined where the version was made by other code or parameters, where
 * there is none, and where a file of it is gone: the period is then made from everything.
 */
export async function previousResult(
  engine: Engine,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  { period, artefacts }: { readonly period: Period; readonly artefacts: InputArtefacts },
): Promise<PreviousResult | undefined> {
  const { withPrevious } = rollup;
  if (withPrevious === undefined) return undefined;
  const entry = await newestEntry(engine, definition.name, rollup, period);
  const params = canonicalJson(rollup.params ?? {});
  if (entry?.version !== rollup.version || canonicalJson(entry.params) !== params) return undefined;
  const unread = Object.keys(entry.inputs).some((name) =>
    rollup.inputs.every((input) => input.name !== name),
  );
  if (unread) return undefined;
  const opened = new Opened(engine);
  const changed: Record<string, ChangedInput> = {};
  for (const input of rollup.inputs) {
    const difference = await changeOf(engine, definition, {
      input,
      period,
      entry,
      now: artefacts[input.name] ?? [],
    });
    if (difference === undefined) return undefined;
    const { before, after } = difference;
    if (before.length + after.length === 0) continue;
    changed[input.name] = { before: await opened.all(before), after: await opened.all(after) };
  }
  const outputs = await opened.named(withPrevious, period, entry);
  if (opened.isLacking) return undefined;
  return { outputs, facts: entry.facts, decided: entry.decided ?? [], changed };
}

async function newestEntry(
  { documents }: Engine,
  pipeline: string,
  rollup: RollupDefinition,
  period: Period,
): Promise<LedgerEntry | undefined> {
  const key = keyIn((await newestManifests(documents, pipeline, [period])).get(period), rollup.id);
  if (key === undefined) return undefined;
  return (
    await readEntries(documents, pipeline, [{ scope: period, steps: [{ step: rollup.id, key }] }])
  ).get(period)?.[0];
}

interface Compared {
  readonly input: RollupInput;
  readonly period: Period;
  readonly entry: LedgerEntry;
  readonly now: readonly InputArtefact[];
}

/** Undefined when a file that was read then is in no ledger entry any more. */
async function changeOf(
  engine: Engine,
  definition: PipelineDefinition,
  { input, period, entry, now }: Compared,
): Promise<
  | { readonly before: readonly InputArtefact[]; readonly after: readonly InputArtefact[] }
  | undefined
> {
  const hashes = hashesOf({ now })['now'] ?? [];
  const left = [...(entry.inputs[input.name] ?? [])];
  const after = now.filter((_, index) => {
    const place = left.indexOf(hashes[index] ?? '');
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
  if (left.length === 0) return { before: [], after };
  if (input.asOf !== undefined) return undefined;
  // What changed is most often of a scope that has something else now.
  const nearest = after.map(({ scope }) => scope);
  const all = scopesRead(input, period, spanAt(definition, engine.now()));
  for (const scopes of [nearest, all]) {
    const before = await find(engine, definition.name, input, scopes, left);
    if (before !== undefined) return { before, after };
  }
  return undefined;
}

async function find(
  { documents }: Engine,
  pipeline: string,
  input: RollupInput,
  scopes: readonly Scope[],
  hashes: readonly string[],
): Promise<InputArtefact[] | undefined> {
  const entries = [...(await readLedger(documents, pipeline, scopes)).values()].flat();
  const found = hashes.map((hash): InputArtefact | undefined => {
    for (const { step, scope, outputs } of entries) {
      const ref = step === input.step ? outputs[input.output] : undefined;
      if (ref !== undefined && hashesOf({ one: [{ scope, ref }] })['one']?.[0] === hash)
        return { scope, ref };
    }
    return undefined;
  });
  return found.every((artefact) => artefact !== undefined) ? found : undefined;
}

/** Files that were opened, and whether one of those asked for was not there. */
class Opened {
  isLacking = false;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async all(artefacts: readonly InputArtefact[]): Promise<LocalArtefact[]> {
    const opened = await Promise.all(artefacts.map((artefact) => this.#open(artefact)));
    return opened.filter((one) => one !== undefined);
  }

  async named(
    names: readonly string[],
    scope: Scope,
    { outputs }: LedgerEntry,
  ): Promise<Record<string, LocalArtefact>> {
    const opened: Record<string, LocalArtefact> = {};
    for (const name of names) {
      const ref = outputs[name];
      const one = ref === undefined ? undefined : await this.#open({ scope, ref });
      if (one === undefined) this.isLacking = true;
      else opened[name] = one;
    }
    return opened;
  }

  async #open({ scope, ref }: InputArtefact): Promise<LocalArtefact | undefined> {
    try {
      const path = await this.#engine.objects.openLocal(ref);
      if (path !== undefined) return { scope, path, ref };
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    }
    this.isLacking = true;
    return undefined;
  }
}
