import { PipelineError } from '../../errors.ts';
import { mergeDecisions } from '../../pipelines/decision.ts';
import type { Decision } from '../../pipelines/decision.ts';
import { unitsHeldIn } from '../../pipelines/held-units.ts';
import { unsharded } from '../../pipelines/shard.ts';
import type { Scope, StepId } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { DecideUnitRequest } from '../contract.ts';
import type { Engine, StepControl } from '../engine.ts';
import { plainDecision, readDecisions, recordDecision } from './decisions.ts';
import { newestManifests } from './ledger-reader.ts';

/** Decisions on single units of finished days and periods. */

/** Everything that was decided on days or periods, in their newest versions and since. */
export async function decisionsOf(
  documents: DocumentStore,
  pipeline: string,
  dates: readonly Scope[],
): Promise<Map<Scope, Decision[]>> {
  const [manifests, records] = await Promise.all([
    newestManifests(documents, pipeline, dates),
    readDecisions(documents, pipeline, dates),
  ]);
  return new Map(
    dates.map((date) => {
      const kept = (records.get(date) ?? []).map(plainDecision);
      return [date, mergeDecisions(manifests.get(date)?.decisions ?? [], kept)];
    }),
  );
}

const UNITS_NAMED = 5;

function isOf(held: StepId, asked: string | undefined): boolean {
  return asked === undefined || held === asked || unsharded(held) === asked;
}

/**
 * Keeps a decision on a unit that the newest version of a day is without; returns on how many
 * checks it was. Doing it again changes nothing. `PLAN_INVALID` names the held units when the unit
 * is none of them.
 */
export async function decideUnit(
  engine: Pick<Engine, 'documents'>,
  control: Pick<StepControl, 'execution'>,
  { pipeline, scope, unit, step, ...decided }: DecideUnitRequest,
): Promise<number> {
  const manifest = (await newestManifests(engine.documents, pipeline, [scope])).get(scope);
  const all = manifest === undefined ? [] : unitsHeldIn(manifest);
  const held = all.filter((one) => one.unit === unit && isOf(one.step, step));
  if (manifest === undefined || held.length === 0) {
    const names = [...new Set(all.map((one) => one.unit))];
    const told =
      names.slice(0, UNITS_NAMED).join(', ') +
      (names.length > UNITS_NAMED ? ` and ${names.length - UNITS_NAMED} more` : '');
    const what =
      manifest === undefined
        ? 'has no version yet'
        : names.length === 0
          ? 'has no held unit'
          : `holds ${told}`;
    throw new PipelineError('PLAN_INVALID', `${unit} is not held: ${pipeline} ${scope} ${what}`);
  }
  for (const { step: id, check, evidence } of held) {
    const state = manifest.steps[id];
    const key = state?.state === 'done' ? state.key : '';
    await recordDecision(engine, control, {
      pipeline,
      scope,
      decision: { step: id, key, ...decided, check, unit, evidence },
    });
  }
  return held.length;
}
