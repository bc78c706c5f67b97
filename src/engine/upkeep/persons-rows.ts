import type { Dataset } from '../../pipelines/dataset.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import type { ForgottenPerson, RemovedContent } from '../../pipelines/forgetting.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { madeOf } from '../../pipelines/made-of.ts';
import type { MadeOf } from '../../pipelines/made-of.ts';
import { keyIn } from '../../pipelines/manifest.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { RECEIPT_TABLE, rawsOfDay, receiptPartition } from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import type { Scope, StepId } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { openIntact } from '../content-store.ts';
import { sqlOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { hasPersons } from '../download/leave-out.ts';
import type { IsForgotten } from '../records/forgotten.ts';
import { newestManifests, wholeLedger } from '../records/ledger-reader.ts';
import { readRows } from '../records/read-rows.ts';
import { tablesLeft } from './tables-left.ts';

/**
 * Where the rows of persons are: their slices, everything that was made of these, and the raw files
 * that they came in or were joined in.
 */
export interface PersonsRows {
  /** The slices that have rows of them, by hash. */
  readonly slices: ReadonlySet<string>;
  /** The downloads that gave these slices. */
  readonly downloads: readonly LedgerEntry[];
  readonly made: MadeOf;
  /** Raw files that hold rows of them and are not kept sealed; and slices that no entry names. */
  readonly raws: readonly RemovedContent[];
  /** The newest versions of days and periods that are made of such rows. */
  readonly current: readonly Manifest[];
}

type Journal = Pick<ForgottenPerson, 'slices' | 'raws'>;

/**
 * Finds what there is of persons: every slice of the pipeline is looked through for them, or,
 * without `isForgotten`, what the journal of earlier tries has is all. Of that the slices may be
 * gone already.
 *
 * @throws `STORE_CORRUPT` for a ledger row that cannot be read: it may name anything
 */
export async function findPersonsRows(
  engine: Engine,
  control: Pick<StepControl, 'signal' | 'progress'>,
  dataset: Dataset,
  isForgotten: IsForgotten | undefined,
  journal: Journal,
): Promise<PersonsRows> {
  const { definition } = dataset;
  const entries = await wholeLedger(engine.documents, definition.name);
  const downloads = downloadsOf(definition);
  const found = new Set<string>();
  const left: RemovedContent[] = [];
  if (isForgotten !== undefined) {
    await lookThroughSlices(
      engine,
      control,
      dataset,
      entries,
      async ({ sha256, part, file, sql }) => {
        if (await hasPersons(dataset, part, sql, file, isForgotten)) found.add(sha256);
      },
    );
    left.push(...(await tablesLeft(engine, control, dataset, entries, isForgotten)));
  }
  const slices = new Set([...journal.slices, ...found]);
  const made = madeOf(entries, slices, stepsWithFacts(definition));
  const own = made.entries.filter(({ step }) => downloads.has(step));
  const raws = [...journal.raws, ...(await rawsOf(engine, dataset, own, downloads)), ...left];
  return {
    slices,
    downloads: own,
    made,
    raws: [...new Map(raws.map((raw) => [raw.key, raw])).values()],
    current: await currentOf(engine, definition.name, made.entries),
  };
}

/** The part of each download. */
function downloadsOf({ steps }: PipelineDefinition): ReadonlyMap<StepId, string> {
  return new Map(steps.flatMap(({ id, part }) => (part === undefined ? [] : [[id, part]])));
}

/** A slice that is there, as a file. */
export interface OpenSlice {
  readonly sha256: string;
  readonly part: string;
  readonly file: string;
  readonly sql: SqlSession;
}

/** Opens every slice of the pipeline that is there, each once, in one session. */
export async function lookThroughSlices(
  engine: Engine,
  { signal, progress }: Pick<StepControl, 'signal' | 'progress'>,
  { definition }: Dataset,
  entries: readonly LedgerEntry[],
  use: (slice: OpenSlice) => Promise<void>,
): Promise<void> {
  const downloads = downloadsOf(definition);
  const refs = new Map<string, { readonly ref: ArtefactRef; readonly part: string }>();
  for (const { step, outputs } of entries) {
    const part = downloads.get(step);
    if (part === undefined) continue;
    for (const ref of Object.values(outputs)) refs.set(ref.sha256, { ref, part });
  }
  await sqlOf(engine).session(
    async (sql) => {
      let looked = 0;
      for (const [sha256, { ref, part }] of refs) {
        signal.throwIfAborted();
        const file = await openIntact(engine, ref);
        if (file !== undefined) await use({ sha256, part, file, sql });
        looked += 1;
        progress(`looked through ${looked} of ${refs.size} slices`);
      }
    },
    { signal },
  );
}

function stepsWithFacts({ steps }: PipelineDefinition): Set<StepId> {
  const inputs = steps.flatMap((step) => step.inputs);
  return new Set(inputs.flatMap(({ step, withFacts }) => (withFacts === true ? [step] : [])));
}

/**
 * The raw files that the slices were first cut from, and those of every other delivery of the same
 * rows.
 */
async function rawsOf(
  { documents }: Engine,
  { definition }: Dataset,
  entries: readonly LedgerEntry[],
  downloads: ReadonlyMap<StepId, string>,
): Promise<RemovedContent[]> {
  const sealed = new Set(
    definition.parts.flatMap(({ id, decoding }) => (decoding === undefined ? [] : [id])),
  );
  const raws = entries.flatMap(({ step, origin }) => {
    const part = downloads.get(step);
    return origin === null || (part !== undefined && sealed.has(part)) ? [] : [origin.raw];
  });
  for (const part of new Set(downloads.values())) {
    if (sealed.has(part)) continue;
    const ofPart = entries.filter(({ step }) => downloads.get(step) === part);
    const keys = new Set(ofPart.map(({ scope, key }) => `${scope}/${key}`));
    const query = { table: RECEIPT_TABLE, partition: receiptPartition(definition.name, part) };
    for await (const row of readRows<Receipt>(documents, query)) {
      if ('body' in row) raws.push(...rawsIn(row.body, keys));
    }
  }
  return raws.map(({ key, sha256, bytes }) => ({ key, sha256, bytes }));
}

function rawsIn({ days, kept = {}, origin }: Receipt, keys: ReadonlySet<string>): ArtefactRef[] {
  const gave = Object.entries(days).some(([date, key]) => keys.has(`${date}/${key}`));
  const joined = Object.entries(kept).flatMap(([date, day]) =>
    keys.has(`${date}/${day.key}`) ? rawsOfDay(day) : [],
  );
  return [...(gave ? [origin.raw] : []), ...joined];
}

/** The newest versions that name one of the entries. */
async function currentOf(
  engine: Engine,
  pipeline: string,
  entries: readonly LedgerEntry[],
): Promise<Manifest[]> {
  const keys = new Map<Scope, Set<string>>();
  for (const { scope, step, key } of entries)
    keys.set(scope, (keys.get(scope) ?? new Set<string>()).add(`${step}/${key}`));
  const manifests = await newestManifests(engine.documents, pipeline, [...keys.keys()]);
  return [...manifests.values()]
    .filter((manifest) =>
      (Object.keys(manifest.steps) as StepId[]).some((step) => {
        const key = keyIn(manifest, step);
        return key !== undefined && keys.get(manifest.scope)?.has(`${step}/${key}`) === true;
      }),
    )
    .sort((a, b) => (a.scope < b.scope ? -1 : 1));
}
