import { addDays } from '../pipelines/civil-date.ts';
import { mergeDecisions } from '../pipelines/decision.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import { planDays } from '../pipelines/plan.ts';
import type { DayEvidence, DayPlan, PlanOptions } from '../pipelines/plan.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { afterDayEnd } from '../pipelines/zoned-day.ts';
import type { ArtefactRef } from '../storage/ports.ts';
import { damageOf } from './content-store.ts';
import { plainDecision, readDecisions } from './decisions.ts';
import type { Engine } from './engine.ts';
import { newestManifests, readDeliveries, readLedger } from './ledger-reader.ts';
import { mapConcurrent } from './map-concurrent.ts';
import { withoutBuried } from './tombstones.ts';

const LOOKS_AT_ONCE = 16;

/** What the records say of a set of days. */
export interface Survey {
  readonly evidence: readonly DayEvidence[];
  readonly manifests: ReadonlyMap<CivilDate, Manifest>;
  /** Every artefact that a plan of the days could rely on, by its key. */
  readonly artefacts: ReadonlyMap<string, ArtefactRef>;
}

/** Gathers what the planner decides on, and takes the records at their word: no object is looked at. */
export async function surveyDays(
  { documents, now }: Pick<Engine, 'documents' | 'now'>,
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
): Promise<Survey> {
  const neighbours = neighbourDates(definition, dates);
  // First: a plan must know at least what the manifest that it says it is based on was made from.
  const manifests = await newestManifests(documents, definition.name, [...new Set([...dates, ...neighbours])]);
  const [ledger, deliveries, decisions] = await Promise.all([
    readLedger(documents, definition.name, dates),
    readDeliveries(documents, definition, dates),
    readDecisions(documents, definition.name, dates),
  ]);
  const at = now().toISOString();
  const evidence = dates.map((date): DayEvidence => ({
    date,
    now: at,
    expected: { parts: expectedParts(definition, date) },
    manifest: manifests.get(date),
    decisions: mergeDecisions(manifests.get(date)?.decisions ?? [], (decisions.get(date) ?? []).map(plainDecision)),
    ledger: ledger.get(date) ?? [],
    damaged: new Map(),
    deliveries: Object.fromEntries([...deliveries].map(([part, byDate]) => [part, byDate.get(date)])),
    neighbour: (step, output, other) => {
      const state = manifests.get(other)?.steps[step];
      return state?.state === 'done' ? state.outputs[output]?.sha256 : undefined;
    },
  }));
  return { evidence, manifests, artefacts: artefactsOf(evidence) };
}

/**
 * Plans the days, and asks the store for every artefact that the plan relies on, until a plan relies on none that is gone or damaged. What
 * it does not rely on costs nothing: outputs of long-past versions, and raw files of which nothing is to be made.
 */
export async function planOnStored(
  engine: Pick<Engine, 'documents' | 'objects' | 'now'>,
  definition: PipelineDefinition,
  { evidence, artefacts }: Survey,
  options: PlanOptions,
): Promise<DayPlan[]> {
  const { objects } = await withoutBuried(engine);
  const found = new Map<string, string | undefined>();
  for (;;) {
    const unknown = new Map<string, ArtefactRef>();
    const damaged = {
      get(key: string): string | undefined {
        const ref = found.has(key) ? undefined : artefacts.get(key);
        if (ref !== undefined) unknown.set(key, ref);
        return found.get(key);
      },
    };
    const days = evidence.map((day) => ({ ...day, damaged }));
    const plans = planDays(definition, days, options);
    const looks = await mapConcurrent([...unknown.values()], LOOKS_AT_ONCE, (ref) => damageOf(objects, ref));
    for (const [index, key] of [...unknown.keys()].entries()) found.set(key, looks[index]);
    if (looks.every((damage) => damage === undefined)) return plans;
  }
}

function artefactsOf(evidence: readonly DayEvidence[]): Map<string, ArtefactRef> {
  const refs = evidence.flatMap(({ ledger, deliveries }) => [
    ...ledger.flatMap(({ outputs }) => Object.values(outputs)),
    ...Object.values(deliveries).flatMap((delivery) => (delivery === undefined ? [] : [delivery.raw])),
  ]);
  return new Map(refs.map((ref) => [ref.key, ref]));
}

function neighbourDates(definition: PipelineDefinition, dates: readonly CivilDate[]): CivilDate[] {
  const lookbacks = new Set(definition.steps.flatMap((step) => step.inputs.flatMap((input) => input.daysBefore ?? [])));
  return [...lookbacks].flatMap((days) => dates.map((date) => addDays(date, -days)));
}

function expectedParts(definition: PipelineDefinition, date: CivilDate): Record<string, string> {
  return Object.fromEntries(
    definition.parts.map((part) => [part.id, afterDayEnd(date, definition.zone, part.expectedAfter).toISOString()]),
  );
}
