import { addDays } from '../pipelines/civil-date.ts';
import { mergeDecisions } from '../pipelines/decision.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import { MANIFEST_TABLE } from '../pipelines/manifest.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import { planDays } from '../pipelines/plan.ts';
import type { DayEvidence, DayPlan, PlanOptions } from '../pipelines/plan.ts';
import { RECEIPT_TABLE } from '../pipelines/receipt.ts';
import type { UnreadableRow } from '../pipelines/stored-records.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { afterDayEnd } from '../pipelines/zoned-day.ts';
import type { ArtefactRef } from '../storage/ports.ts';
import { damageOf } from './content-store.ts';
import { plainDecision, readDecisions } from './decisions.ts';
import type { Engine } from './engine.ts';
import { readManifests, readDeliveries, readLedger } from './ledger-reader.ts';
import { mapConcurrent } from './map-concurrent.ts';
import { withoutBuried } from './tombstones.ts';

const LOOKS_AT_ONCE = 16;

/** What the records say of a set of days. */
export interface Survey {
  readonly evidence: readonly DayEvidence[];
  readonly manifests: ReadonlyMap<CivilDate, Manifest>;
  /** Every version of the days and of those that they read, oldest first. */
  readonly versions: ReadonlyMap<CivilDate, readonly Manifest[]>;
  /** Every artefact that a plan of the days could rely on, by its key. */
  readonly artefacts: ReadonlyMap<string, ArtefactRef>;
  /** Days of which nothing can be planned, because a row that tells of them cannot be read; they are in none of the above. */
  readonly unreadable: ReadonlyMap<CivilDate, UnreadableRow>;
}

/** Gathers what the planner decides on, and takes the records at their word: no object is looked at. */
export async function surveyDays(
  { documents, now }: Pick<Engine, 'documents' | 'now'>,
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
): Promise<Survey> {
  const neighbours = neighbourDates(definition, dates);
  // First: a plan must know at least what the manifest that it says it is based on was made from.
  const rows: UnreadableRow[] = [];
  const versions = await readManifests(documents, definition.name, [...new Set([...dates, ...neighbours])], rows);
  const manifests = new Map([...versions].flatMap(([date, all]) => all.slice(-1).map((last) => [date, last] as const)));
  const [ledger, deliveries, decisions] = await Promise.all([
    readLedger(documents, definition.name, dates, rows),
    readDeliveries(documents, definition, dates, rows),
    readDecisions(documents, definition.name, dates),
  ]);
  const at = now().toISOString();
  const unreadable = daysWithout(definition, dates, rows);
  const readable = dates.filter((date) => !unreadable.has(date));
  for (const date of unreadable.keys()) manifests.delete(date);
  const evidence = readable.map((date): DayEvidence => ({
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
  return { evidence, manifests, versions, artefacts: artefactsOf(evidence), unreadable };
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

/**
 * The days that a row tells of: its own, those of the window of a receipt, and those that read its day. To plan them without it would be to
 * take back what it says.
 */
function daysWithout(
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
  rows: readonly UnreadableRow[],
): Map<CivilDate, UnreadableRow> {
  const unreadable = new Map<CivilDate, UnreadableRow>();
  const lookbacks = [0, ...lookbacksOf(definition)];
  for (const row of rows) {
    const [first = '', second = ''] = row.sort.split('/');
    const last = row.table === RECEIPT_TABLE ? second : first;
    const back = row.table === MANIFEST_TABLE ? lookbacks : [0];
    for (const date of dates) {
      const told = back.some((days) => isBetween(addDays(date, -days), first, last));
      if (told && !unreadable.has(date)) unreadable.set(date, row);
    }
  }
  return unreadable;
}

function isBetween(date: CivilDate, first: string, last: string): boolean {
  return first <= date && date <= last;
}

function neighbourDates(definition: PipelineDefinition, dates: readonly CivilDate[]): CivilDate[] {
  return lookbacksOf(definition).flatMap((days) => dates.map((date) => addDays(date, -days)));
}

function lookbacksOf({ steps }: PipelineDefinition): number[] {
  return [...new Set(steps.flatMap((step) => step.inputs.flatMap((input) => input.daysBefore ?? [])))];
}

function expectedParts(definition: PipelineDefinition, date: CivilDate): Record<string, string> {
  return Object.fromEntries(
    definition.parts.map((part) => [part.id, afterDayEnd(date, definition.zone, part.expectedAfter).toISOString()]),
  );
}
