import { lookbacksOf, othersRead } from '../../pipelines/lookback.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import { mergeDecisions } from '../../pipelines/decision.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { ledgerKey } from '../../pipelines/ledger.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { MANIFEST_TABLE } from '../../pipelines/manifest.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { planDays } from '../../pipelines/plan.ts';
import type { DayEvidence } from '../../pipelines/day-evidence.ts';
import type { DayPlan, PlanOptions } from '../../pipelines/planned-step.ts';
import type { Delivery } from '../../pipelines/receipt.ts';
import { RECEIPT_TABLE, rawsOfDay } from '../../pipelines/receipt.ts';
import type { UnreadableRow } from '../../pipelines/stored-records.ts';
import { takenOver, unknownDownloads } from '../../pipelines/taken-over.ts';
import type { CivilDate, Scope } from '../../pipelines/vocabulary.ts';
import { afterDayEnd } from '../../pipelines/zoned-day.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { plainDecision, readDecisions } from '../records/decisions.ts';
import type { Engine, EngineFallback } from '../engine.ts';
import { damageUnlessDestroyed } from '../records/forgotten.ts';
import {
  newestManifests,
  readManifests,
  readDeliveries,
  readLedger,
} from '../records/ledger-reader.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { withoutBuried } from '../records/tombstones.ts';

const LOOKS_AT_ONCE = 16;

/** What the records say of a set of days. */
export interface Survey {
  readonly evidence: readonly DayEvidence[];
  readonly manifests: ReadonlyMap<CivilDate, Manifest>;
  /** Every version of the days and of those that they read, oldest first. */
  readonly versions: ReadonlyMap<CivilDate, readonly Manifest[]>;
  /** Every artefact that a plan of the days could rely on, by its key. */
  readonly artefacts: ReadonlyMap<string, ArtefactRef>;
  /**
   * Days of which nothing can be planned, because a row that tells of them cannot be read; they are
   * in none of the above.
   */
  readonly unreadable: ReadonlyMap<CivilDate, UnreadableRow>;
  /**
   * Days with a version that is made of downloads which this host, without its document store,
   * knows nothing of, and why. A run of such a day would make it of less; it can be looked at.
   */
  readonly unseen: ReadonlyMap<CivilDate, string>;
}

/**
 * Gathers what the planner decides on, and takes the records at their word: no object is looked at.
 */
export async function surveyDays(
  { documents, now, fallback }: Pick<Engine, 'documents' | 'now' | 'fallback'>,
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
): Promise<Survey> {
  const previous = previousDates(definition, dates);
  // First: a plan must know at least what the manifest that it says it is based on was made from.
  const rows: UnreadableRow[] = [];
  const versions = await readManifests(
    documents,
    definition.name,
    [...new Set([...dates, ...previous])],
    rows,
  );
  const manifests = new Map(
    [...versions].flatMap(([date, all]) => all.slice(-1).map((last) => [date, last] as const)),
  );
  const [ledger, deliveries, decisions] = await Promise.all([
    readLedger(documents, definition.name, dates, rows),
    readDeliveries(documents, definition, dates, rows),
    readDecisions(documents, definition.name, dates),
  ]);
  const unseen =
    fallback === undefined
      ? new Map<CivilDate, string>()
      : await lookAgain({ documents, fallback }, definition, manifests, ledger);
  const states = await otherStates(documents, definition, dates);
  const at = now().toISOString();
  const unreadable = daysWithout(definition, dates, rows);
  const readable = dates.filter((date) => !unreadable.has(date));
  for (const date of unreadable.keys()) manifests.delete(date);
  const evidence = readable.map((date): DayEvidence => ({
    date,
    now: at,
    expected: { parts: expectedParts(definition, date) },
    manifest: manifests.get(date),
    decisions: mergeDecisions(
      manifests.get(date)?.decisions ?? [],
      (decisions.get(date) ?? []).map(plainDecision),
    ),
    ledger: ledger.get(date) ?? [],
    damaged: new Map(),
    deliveries: deliveriesOf(definition, date, { manifests, ledger, deliveries }),
    previousOutput: (step, output, other, pipeline) => {
      const known = pipeline === undefined ? manifests : states.get(pipeline);
      const state = known?.get(other)?.steps[step];
      return state?.state === 'done' ? state.outputs[output]?.sha256 : undefined;
    },
  }));
  return { evidence, manifests, versions, artefacts: artefactsOf(evidence), unreadable, unseen };
}

/** By part, what was last delivered for the day; at least what its newest version is made of. */
function deliveriesOf(
  { steps, parts }: PipelineDefinition,
  date: CivilDate,
  known: {
    readonly manifests: ReadonlyMap<Scope, Manifest>;
    readonly ledger: ReadonlyMap<Scope, readonly LedgerEntry[]>;
    readonly deliveries: ReadonlyMap<string, ReadonlyMap<CivilDate, Delivery>>;
  },
): Record<string, Delivery | undefined> {
  return Object.fromEntries(
    parts.map(({ id }) => {
      const delivery = known.deliveries.get(id)?.get(date);
      const step = steps.find(({ part }) => part === id);
      if (step === undefined) return [id, delivery];
      return [
        id,
        takenOver(step, known.manifests.get(date), known.ledger.get(date) ?? [], delivery),
      ];
    }),
  );
}

/**
 * Asks once more for the entries of downloads that versions are made of and that the ledger did not
 * have: it may have been read where this host keeps what it has seen, the versions on the store.
 * Adds what is found; returns the days of which the store cannot be asked.
 */
async function lookAgain(
  { documents, fallback }: Pick<Engine, 'documents'> & { readonly fallback: EngineFallback },
  definition: PipelineDefinition,
  manifests: ReadonlyMap<Scope, Manifest>,
  ledger: ReadonlyMap<Scope, LedgerEntry[]>,
): Promise<Map<CivilDate, string>> {
  const unseen = new Map<CivilDate, string>();
  for (const [date, entries] of ledger) {
    const manifest = manifests.get(date);
    for (const { step, key } of unknownDownloads(definition.steps, manifest, entries)) {
      const found = await documents.get<LedgerEntry>(ledgerKey(definition.name, date, step, key));
      const away = fallback.away('documents');
      if (found !== undefined) entries.push(found.body);
      else if (away !== undefined) {
        const what = `version ${manifest?.version ?? 0} of ${definition.name} ${date} has a ${step} that this host has not seen`;
        unseen.set(date, `${what}, and ${away}`);
      }
    }
  }
  return unseen;
}

/**
 * Plans the days, and asks the store for every artefact that the plan relies on, until a plan
 * relies on none that is gone or damaged. What it does not rely on costs nothing: outputs of
 * long-past versions, and raw files of which nothing is to be made.
 */
export async function planOnStored(
  engine: Pick<Engine, 'documents' | 'objects' | 'now'>,
  definition: PipelineDefinition,
  { evidence, artefacts }: Survey,
  options: PlanOptions,
  earlier: readonly DayPlan[] = [],
): Promise<DayPlan[]> {
  const { objects } = await withoutBuried(engine);
  const stores = { objects, documents: engine.documents };
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
    const plans = planDays(definition, days, options, earlier);
    const looks = await mapConcurrent([...unknown.values()], LOOKS_AT_ONCE, (ref) =>
      damageUnlessDestroyed(stores, definition.name, ref),
    );
    for (const [index, key] of [...unknown.keys()].entries()) found.set(key, looks[index]);
    if (looks.every((damage) => damage === undefined)) return plans;
  }
}

function artefactsOf(evidence: readonly DayEvidence[]): Map<string, ArtefactRef> {
  const refs = evidence.flatMap(({ ledger, deliveries }) => [
    ...ledger.flatMap(({ outputs }) => Object.values(outputs)),
    ...Object.values(deliveries).flatMap((delivery) =>
      delivery === undefined ? [] : rawsOfDay(delivery),
    ),
  ]);
  return new Map(refs.map((ref) => [ref.key, ref]));
}

/**
 * The days that a row tells of: its own, those of the window of a receipt, and those that read its
 * day. To plan them without it would be to take back what it says.
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

function previousDates(definition: PipelineDefinition, dates: readonly CivilDate[]): CivilDate[] {
  return lookbacksOf(definition).flatMap((days) => dates.map((date) => addDays(date, -days)));
}

/** The newest versions of other pipelines whose state the days read. */
async function otherStates(
  documents: Engine['documents'],
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
): Promise<Map<string, ReadonlyMap<Scope, Manifest>>> {
  const states = new Map<string, ReadonlyMap<Scope, Manifest>>();
  for (const [pipeline, days] of othersRead(definition)) {
    const read = new Set(dates.flatMap((date) => days.map((before) => addDays(date, -before))));
    states.set(pipeline, await newestManifests(documents, pipeline, [...read]));
  }
  return states;
}

function expectedParts(definition: PipelineDefinition, date: CivilDate): Record<string, string> {
  return Object.fromEntries(
    definition.parts.map((part) => [
      part.id,
      afterDayEnd(date, definition.zone, part.expectedAfter).toISOString(),
    ]),
  );
}
