import { addDays } from '../pipelines/civil-date.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import type { LedgerEntry } from '../pipelines/ledger.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import type { DayEvidence } from '../pipelines/plan.ts';
import type { Delivery } from '../pipelines/receipt.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { afterDayEnd } from '../pipelines/zoned-day.ts';
import type { ArtefactRef } from '../storage/ports.ts';
import { damageOf } from './content-store.ts';
import type { Engine } from './engine.ts';
import { newestManifests, readDeliveries, readLedger } from './ledger-reader.ts';
import { mapConcurrent } from './map-concurrent.ts';

const LOOKS_AT_ONCE = 16;

/** What is known of a set of days, read from the stores. */
export interface Survey {
  readonly evidence: readonly DayEvidence[];
  readonly manifests: ReadonlyMap<CivilDate, Manifest>;
}

/**
 * Gathers what the planner decides on. Every stored artefact that a plan could rely on is looked at, by size and hash, unless the records are
 * to be taken at their word: that costs no transfer where the store is remote.
 */
export async function surveyDays(
  engine: Engine,
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
  look: 'at artefacts' | 'at records only' = 'at artefacts',
): Promise<Survey> {
  const { documents } = engine;
  const neighbours = neighbourDates(definition, dates);
  const [ledger, manifests, deliveries] = await Promise.all([
    readLedger(documents, definition.name, dates),
    newestManifests(documents, definition.name, [...new Set([...dates, ...neighbours])]),
    readDeliveries(documents, definition, dates),
  ]);
  const artefacts = [
    ...dates
      .flatMap((date) => relevantEntries(ledger.get(date) ?? [], date, manifests, deliveries))
      .flatMap(({ outputs }) => Object.values(outputs)),
    ...[...deliveries.values()].flatMap((byDate) => dates.flatMap((date) => byDate.get(date)?.raw ?? [])),
  ];
  const damaged = await findDamage(engine, look === 'at artefacts' ? artefacts : []);
  const now = engine.now().toISOString();
  const evidence = dates.map((date): DayEvidence => ({
    date,
    now,
    expected: { parts: expectedParts(definition, date) },
    manifest: manifests.get(date),
    ledger: ledger.get(date) ?? [],
    damaged,
    deliveries: Object.fromEntries([...deliveries].map(([part, byDate]) => [part, byDate.get(date)])),
    neighbour: (step, output, other) => {
      const state = manifests.get(other)?.steps[step];
      return state?.state === 'done' ? state.outputs[output]?.sha256 : undefined;
    },
  }));
  return { evidence, manifests };
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

/**
 * The entries whose bytes matter: those of the newest manifest, the current deliveries, and, after a run that did not finish, everything that
 * is not older than the manifest. Entries of long-past versions are not looked at.
 */
function relevantEntries(
  entries: readonly LedgerEntry[],
  date: CivilDate,
  manifests: ReadonlyMap<CivilDate, Manifest>,
  deliveries: ReadonlyMap<string, ReadonlyMap<CivilDate, Delivery>>,
): LedgerEntry[] {
  const manifest = manifests.get(date);
  const current = new Set<string>();
  for (const state of Object.values(manifest?.steps ?? {})) if (state.state === 'done') current.add(state.key);
  for (const byDate of deliveries.values()) {
    const delivery = byDate.get(date);
    if (delivery !== undefined) current.add(delivery.key);
  }
  const since = manifest?.run.committedAt ?? '';
  return entries.filter((entry) => current.has(entry.key) || entry.execution.startedAt > since);
}

async function findDamage(engine: Engine, artefacts: readonly ArtefactRef[]): Promise<Map<string, string>> {
  const refs = new Map(artefacts.map((ref) => [ref.key, ref]));
  const damaged = new Map<string, string>();
  await mapConcurrent([...refs.values()], LOOKS_AT_ONCE, async (ref) => {
    const damage = await damageOf(engine.objects, ref);
    if (damage !== undefined) damaged.set(ref.key, damage);
  });
  return damaged;
}
