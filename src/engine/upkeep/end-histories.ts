import type { PipelineDefinition, RollupDefinition } from '../../pipelines/definition.ts';
import type { RemovedContent } from '../../pipelines/forgetting.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { parseScope } from '../../pipelines/scope.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { executeRollup } from '../derive/execute-rollup.ts';
import type { Engine, StepControl } from '../engine.ts';
import { newestManifests } from '../records/ledger-reader.ts';

/**
 * What spans the whole history has no last day: a version of it is past its time when something
 * that it was made of is. The history is made again without that, and its earlier versions end.
 */

/** One ended table of a history. */
export interface EndedHistory {
  readonly rollup: RollupDefinition;
  /** The output's name. */
  readonly output: string;
  readonly scopes: readonly Scope[];
  readonly objects: readonly RemovedContent[];
}

/**
 * The tables with a retention of histories that were made of ended content, in the order of the
 * definition; a history that reads another one ends with it. `ended` has the keys of content that
 * is past its time or was destroyed; those that are found are added.
 */
export function endedHistories(
  { rollups }: Pick<PipelineDefinition, 'rollups'>,
  entries: readonly LedgerEntry[],
  ended: Set<string>,
  destroyed: ReadonlySet<string>,
): EndedHistory[] {
  return rollups.flatMap((rollup) => {
    const hashes = endedHashes(entries, ended);
    const isOfEnded = ({ inputs }: LedgerEntry): boolean =>
      Object.values(inputs).some((read) => (read ?? []).some((hash) => hashes.has(hash)));
    const versions = entries.filter(
      (entry) =>
        entry.step === rollup.id && parseScope(entry.scope).kind === 'history' && isOfEnded(entry),
    );
    return Object.entries(rollup.outputs).flatMap(([output, { retention }]): EndedHistory[] => {
      if (retention === undefined) return [];
      const refs = versions
        .flatMap(({ outputs }) => outputs[output] ?? [])
        .filter(({ key }) => !destroyed.has(key));
      for (const { key } of refs) ended.add(key);
      const objects = [...new Map(refs.map((ref) => [ref.key, ref])).values()];
      const scopes = [...new Set(versions.map(({ scope }) => scope))];
      return objects.length === 0 ? [] : [{ rollup, output, scopes, objects }];
    });
  });
}

/**
 * Equal bytes may be of a younger day too, such as a table without rows: what is left has them, so
 * they do not end.
 */
function endedHashes(entries: readonly LedgerEntry[], ended: ReadonlySet<string>): Set<string> {
  const refs: ArtefactRef[] = entries.flatMap(({ outputs }) => Object.values(outputs));
  const left = new Set(refs.flatMap(({ key, sha256 }) => (ended.has(key) ? [] : [sha256])));
  return new Set(
    refs.flatMap(({ key, sha256 }) => (ended.has(key) && !left.has(sha256) ? [sha256] : [])),
  );
}

/**
 * Makes these histories from what is left; returns the ended tables without what the new versions
 * still have. A history of which nothing is left to make it from has no new version, and ends.
 *
 * @throws what keeps a history from being made; its earlier versions stay then
 */
export async function makeHistoriesAgain(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  ended: readonly EndedHistory[],
): Promise<EndedHistory[]> {
  const kept = new Set<string>();
  for (const rollup of new Set(ended.map((one) => one.rollup))) {
    const periods = [
      ...new Set(ended.filter((one) => one.rollup === rollup).flatMap(({ scopes }) => scopes)),
    ];
    const made = await executeRollup(engine, { pipeline, step: rollup.id, periods }, control);
    const there = made.periods.flatMap(({ period, how }) => (how === 'empty' ? [] : [period]));
    for (const { steps } of (await newestManifests(engine.documents, pipeline, there)).values()) {
      const state = steps[rollup.id];
      for (const { key } of state?.state === 'done' ? Object.values(state.outputs) : [])
        kept.add(key);
    }
  }
  return ended.flatMap((one): EndedHistory[] => {
    const objects = one.objects.filter(({ key }) => !kept.has(key));
    return objects.length === 0 ? [] : [{ ...one, objects }];
  });
}
