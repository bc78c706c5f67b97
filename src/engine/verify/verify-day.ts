import { lookbacksOf, othersRead } from '../../pipelines/lookback.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import type { PipelineDefinition, StepDefinition } from '../../pipelines/definition.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { rawsOfDay } from '../../pipelines/receipt.ts';
import type { KeptDay } from '../../pipelines/receipt.ts';
import type { UnreadableRow } from '../../pipelines/stored-records.ts';
import { verificationKey } from '../../pipelines/verification.ts';
import type { Rebuilt, Verification } from '../../pipelines/verification.ts';
import type { CivilDate, StepId } from '../../pipelines/vocabulary.ts';
import { fetchWindows } from '../../pipelines/window.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { newestManifests, readDeliveries, readLedger } from '../records/ledger-reader.ts';
import { mapConcurrent, mapSets } from '../map-concurrent.ts';
import { proveObjects } from '../execute/proven-objects.ts';
import type { ProvenRecords } from './proven-records.ts';
import { onRecords } from './proven-records.ts';
import { rebuildStep, recutSlices } from './rebuild-steps.ts';
import type { Rebuild } from './rebuild-steps.ts';
import { entryOf, verifyManifest } from './verify-manifest.ts';

/**
 * Days that are rebuilt together: a single day of a costly step would spend most of its time on
 * preparing statements. Less than a window has, so that the bytes of window and single day are both
 * held against those of another set.
 */
const DAYS_PER_SET = 7;

/** The SQL engine's two threads are busy with this many. */
const SETS_AT_ONCE = 2;

/** Which days are rebuilt; the newest version of each. */
export interface VerifyRequest {
  readonly pipeline: string;
  readonly dates: readonly CivilDate[];
  /** Told of each day as it ends; within a month in no particular order. */
  readonly onDay?: (day: Verification) => void;
}

/** Each date is in `days` or in `absent`. */
export interface VerifiedDays {
  /** In the order of the dates. */
  readonly days: readonly Verification[];
  /** Dates without a manifest: there is nothing to verify. */
  readonly absent: readonly CivilDate[];
  /** Rows that cannot be read: a day may be among the days or the absent ones without them. */
  readonly unreadable: readonly UnreadableRow[];
}

/**
 * Rebuilds finished days from their kept raw files and compares every byte, fact and check with
 * what is recorded, and every stored object with its hash. Each step is rebuilt from its recorded
 * inputs, so that one difference does not make the steps after it differ. Only the verification
 * itself is written. Throws when a store fails or the command is cancelled; all else is a finding.
 */
export async function verifyDays(
  stores: Engine,
  control: Pick<StepControl, 'signal' | 'progress'>,
  request: VerifyRequest,
): Promise<VerifiedDays> {
  const days: Verification[] = [];
  const absent: CivilDate[] = [];
  const unreadable: UnreadableRow[] = [];
  const objects = proveObjects(stores.objects);
  const { engine, check } = await onRecords(stores);
  for (const { from, to } of fetchWindows(request.dates, 'month')) {
    const dates = request.dates.filter((date) => from <= date && date <= to);
    const manifests = await newestManifests(engine.documents, request.pipeline, dates, unreadable);
    absent.push(...dates.filter((date) => !manifests.has(date)));
    days.push(
      ...(await verifyMonth(
        { engine, control, objects, check },
        request,
        [...manifests.values()],
        unreadable,
      )),
    );
  }
  await check();
  return { days, absent, unreadable };
}

async function verifyMonth(
  {
    check,
    ...surroundings
  }: Pick<Rebuild, 'engine' | 'control' | 'objects'> & Pick<ProvenRecords, 'check'>,
  { pipeline, onDay }: VerifyRequest,
  manifests: readonly Manifest[],
  unreadable: UnreadableRow[],
): Promise<Verification[]> {
  const { engine } = surroundings;
  const dataset = datasetOf(engine, pipeline);
  const scopes = scopesRead(
    dataset.definition,
    manifests.map(({ scope }) => scope),
  );
  const ledger = await readLedger(engine.documents, pipeline, scopes, unreadable);
  const others = await ledgerOfOthers(engine, dataset.definition, manifests);
  const rebuild: Rebuild = { ...surroundings, dataset, ledger, others };
  const slices = await recutAll(rebuild, manifests, unreadable);
  return mapSets(manifests, { size: DAYS_PER_SET, limit: SETS_AT_ONCE }, async (set) => {
    const days = await verifySet(rebuild, set, slices);
    await check();
    for (const day of days) {
      await engine.documents.put(verificationKey(pipeline, day.scope, day.verifiedAt), day);
      onDay?.(day);
    }
    return days;
  });
}

async function verifySet(
  rebuild: Rebuild,
  set: readonly Manifest[],
  slices: ReadonlyMap<string, Rebuilt>,
): Promise<Verification[]> {
  const { control, dataset } = rebuild;
  const rebuilt = new Map(slices);
  for (const step of dataset.definition.steps.filter(({ part }) => part === undefined)) {
    control.signal.throwIfAborted();
    const entries = set.flatMap(
      ({ scope, steps }) => entryOf(rebuild, scope, step.id, steps[step.id]) ?? [],
    );
    const fitting = entries.filter(({ version }) => version === step.version);
    for (const [scope, one] of await rebuildStep(rebuild, step, fitting))
      rebuilt.set(rebuildName(scope, step.id), one);
  }
  return mapConcurrent(set, SETS_AT_ONCE, (manifest) =>
    verifyManifest(rebuild, manifest, dataset.definition.steps, (step) =>
      rebuilt.get(rebuildName(manifest.scope, step)),
    ),
  );
}

/** The days, and the previous days whose outputs their steps read. */
function scopesRead({ steps }: PipelineDefinition, dates: readonly CivilDate[]): CivilDate[] {
  const lookbacks = new Set([0, ...lookbacksOf({ steps })]);
  return [...new Set([...lookbacks].flatMap((days) => dates.map((date) => addDays(date, -days))))];
}

/** The entries of other pipelines whose state the days may have read, by pipeline. */
async function ledgerOfOthers(
  engine: Engine,
  definition: PipelineDefinition,
  manifests: readonly Manifest[],
): Promise<NonNullable<Rebuild['others']>> {
  const others = new Map<string, Rebuild['ledger']>();
  for (const [pipeline, days] of othersRead(definition)) {
    const read = new Set(
      manifests.flatMap(({ scope }) => days.map((before) => addDays(scope, -before))),
    );
    others.set(pipeline, await readLedger(engine.documents, pipeline, [...read], []));
  }
  return others;
}

function rebuildName(date: CivilDate, step: StepId): string {
  return `${date}/${step}`;
}

/** The download steps of all days, each raw file cut once for all days that came in it. */
async function recutAll(
  rebuild: Rebuild,
  manifests: readonly Manifest[],
  unreadable: UnreadableRow[],
): Promise<Map<string, Rebuilt>> {
  const { engine, dataset } = rebuild;
  const deliveries = await readDeliveries(
    engine.documents,
    dataset.definition,
    manifests.map(({ scope }) => scope),
    unreadable,
  );
  const files = new Map<
    string,
    { readonly step: StepDefinition; readonly raw: ArtefactRef; readonly dates: CivilDate[] }
  >();
  const inSeveral = new Map<string, DayInSeveral>();
  for (const step of dataset.definition.steps.filter(({ part }) => part !== undefined)) {
    for (const { scope, steps } of manifests) {
      const entry = entryOf(rebuild, scope, step.id, steps[step.id]);
      const delivery = step.part === undefined ? undefined : deliveries.get(step.part)?.get(scope);
      // The bytes that back the day now: those that it was first cut from may have been damaged and
      // fetched anew.
      const backed = delivery?.key === entry?.key ? delivery : entry?.origin;
      if (backed === undefined || backed === null || entry?.version !== step.version) continue;
      if (backed.shards !== undefined)
        inSeveral.set(rebuildName(scope, step.id), { entry, backed });
      for (const raw of rawsOfDay(backed)) {
        const file = files.get(`${step.id}/${raw.key}`);
        if (file === undefined) files.set(`${step.id}/${raw.key}`, { step, raw, dates: [scope] });
        else file.dates.push(scope);
      }
    }
  }
  const slices = new Map<string, Rebuilt>();
  await mapConcurrent([...files.values()], SETS_AT_ONCE, async ({ step, raw, dates }) => {
    const rebuilt = await recutSlices(rebuild, step, raw, dates);
    for (const [date, slice] of rebuilt) {
      const name = rebuildName(date, step.id);
      const day = inSeveral.get(name);
      slices.set(name, day === undefined ? slice : withShardsOf(day, raw, slice, slices.get(name)));
    }
  });
  return slices;
}

/** A day whose shards came in several raw files. */
interface DayInSeveral {
  readonly entry: LedgerEntry;
  readonly backed: Pick<KeptDay, 'raw' | 'shards'>;
}

/**
 * Takes the shards that came in this file to those of the others. Its facts are of all shards: what
 * one file alone says is none of them.
 */
function withShardsOf(
  { entry, backed: { raw, shards = {} } }: DayInSeveral,
  from: ArtefactRef,
  slice: Rebuilt,
  known: Rebuilt | undefined,
): Rebuilt {
  if (slice.kind !== 'built') return slice;
  if (known !== undefined && known.kind !== 'built') return known;
  const own = Object.entries(slice.outputs).filter(
    ([name]) => (shards[name] ?? raw).key === from.key,
  );
  const outputs = { ...known?.outputs, ...Object.fromEntries(own) };
  return { kind: 'built', outputs, facts: entry.facts, checks: slice.checks };
}
