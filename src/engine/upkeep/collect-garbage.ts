import { PipelineError } from '../../errors.ts';
import {
  TOMBSTONE_MS,
  garbageMarkKey,
  scopeOfObject,
  tombstoneKey,
} from '../../pipelines/garbage.ts';
import type { GarbageMark, Tombstone } from '../../pipelines/garbage.ts';
import { LEDGER_TABLE, scopePartition } from '../../pipelines/ledger.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { MANIFEST_TABLE } from '../../pipelines/manifest.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { DocumentQuery } from '../../ports/documents.ts';
import type { Engine } from '../engine.ts';
import { readRows, refuseRow } from '../records/read-rows.ts';
import { isPromised, removeExpiredPromises } from '../records/promises.ts';

/**
 * Removes artefacts that no manifest version refers to: what crashed, failed or superseded runs
 * left. Invariants, cited by `test/unit/activities-read/collect-garbage.test.ts`:
 * 1. Only objects under a declared output's layer whose name is a content hash are looked at:
 *    published names and raw files never are. A raw file may be the only copy of what a publisher
 *    once sent.
 * 2. Slices stay as long as the ledger names them, and so does everything that a ledger entry
 *    younger than the grace names: its run may not have ended.
 * 3. An object is removed only when an earlier collection, at least the grace ago, found it without
 *    a reference as well.
 * 4. Before each deletion a tombstone is written, then promises and references are read once more:
 *    what a run that has not ended may rely on stays, whatever the grace. See
 *    `pipelines/garbage.ts` for why neither can miss the other.
 * 5. All of it happens on the primary stores. While one does not answer, or writes of this host
 *    wait for them, nothing is removed: what is not seen may be a reference. No deletion is ever
 *    journaled.
 */

/** An object is removed when it was found without a reference at least `graceDays` ago. */
export interface GarbageRequest {
  readonly graceDays: number;
  /** Say what would be removed; nothing is written. */
  readonly dryRun: boolean;
}

/** With `dryRun`, nothing is removed and `removed` is 0. */
export interface GarbageResult {
  /** Objects without a reference, removed ones included. */
  readonly unreferenced: readonly GarbageObject[];
  readonly removed: number;
  readonly removedBytes: number;
}

/** An object that no version, entry or promise names. */
export interface GarbageObject {
  readonly key: string;
  readonly bytes: number;
  /** When a collection first found it so; null: now. */
  readonly since: string | null;
  readonly removed: boolean;
}

const DAY_MS = 86_400_000;
const CONTENT_NAME = /\/[0-9a-f]{64}\.[a-z0-9.]+$/;

type Collection = Pick<Engine, 'datasets' | 'documents' | 'objects' | 'now'>;

/**
 * `STORE_UNAVAILABLE` while a store is away or writes of this host wait to be replayed: references
 * may be out of sight.
 */
export async function collectGarbage(
  engine: Collection & Pick<Engine, 'fallback'>,
  { graceDays, dryRun }: GarbageRequest,
): Promise<GarbageResult> {
  const stores = await primaryOf(engine);
  const now = engine.now();
  const oldest = new Date(now.getTime() - graceDays * DAY_MS).toISOString();
  if (!dryRun) await removeExpiredPromises(stores.documents, now);
  const referenced = await referencedKeys(stores, oldest);
  const unreferenced: GarbageObject[] = [];
  for (const layer of outermost(layersOf(engine).map(({ layer }) => layer))) {
    for await (const { key, bytes } of stores.objects.list(`${layer}/`)) {
      if (!CONTENT_NAME.test(key) || referenced.has(key)) continue;
      const mark = garbageMarkKey(key);
      const since = (await stores.documents.get<GarbageMark>(mark))?.body.since ?? null;
      const removed =
        !dryRun && since !== null && since <= oldest && (await remove(stores, key, oldest));
      if (!dryRun && since === null)
        await stores.documents.put(mark, { key, since: now.toISOString() });
      unreferenced.push({ key, bytes, since, removed });
    }
  }
  const gone = unreferenced.filter(({ removed }) => removed);
  return {
    unreferenced,
    removed: gone.length,
    removedBytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** The collection on the stores themselves (invariant 5). */
async function primaryOf({
  fallback,
  ...engine
}: Collection & Pick<Engine, 'fallback'>): Promise<Collection> {
  if (fallback === undefined) return engine;
  const waiting = await fallback.pending();
  const why =
    fallback.away() ??
    (waiting === 0 ? undefined : `${waiting} writes of this host wait to be replayed`);
  if (why === undefined) return { ...engine, ...fallback.primary };
  throw new PipelineError(
    'STORE_UNAVAILABLE',
    `nothing is removed while references may be out of sight: ${why}`,
  );
}

/**
 * Whether the object was removed: not when somebody has come to rely on it since the references
 * were read (invariant 4).
 */
async function remove(stores: Collection, key: string, oldest: string): Promise<boolean> {
  const { documents, objects } = stores;
  const at = stores.now();
  const tombstone: Tombstone = { key, at: at.toISOString() };
  await documents.put(tombstoneKey(key), tombstone);
  const relied =
    (await isPromised(documents, key, at)) || (await isReferenced(stores, key, oldest));
  const late = stores.now().getTime() - at.getTime() > TOMBSTONE_MS;
  if (!relied && !late) {
    await objects.delete(key);
    await documents.delete(garbageMarkKey(key));
  }
  await documents.delete(tombstoneKey(key));
  return !relied && !late;
}

/** The first folders of all outputs, each with the pipeline that writes there. */
function layersOf({
  datasets,
}: Pick<Engine, 'datasets'>): { readonly pipeline: string; readonly layer: string }[] {
  return Object.values(datasets).flatMap(({ definition }) =>
    [...definition.steps, ...definition.rollups].flatMap(({ outputs }) =>
      Object.values(outputs).map(({ layer }) => ({ pipeline: definition.name, layer })),
    ),
  );
}

/** None inside another. */
function outermost(layers: readonly string[]): string[] {
  return [...new Set(layers)]
    .sort()
    .filter((layer) => !layers.some((other) => layer.startsWith(`${other}/`)));
}

async function referencedKeys(
  { documents }: Collection,
  oldest: string,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const table of [MANIFEST_TABLE, LEDGER_TABLE]) {
    for await (const partition of documents.partitions(table)) {
      for await (const key of keysNamed({ documents }, { table, partition }, oldest)) keys.add(key);
    }
  }
  return keys;
}

/** Read for this object alone; for one that many days share, everything is read again. */
async function isReferenced(stores: Collection, key: string, oldest: string): Promise<boolean> {
  const scope = scopeOfObject(key);
  if (scope === undefined) return (await referencedKeys(stores, oldest)).has(key);
  const pipelines = layersOf(stores).flatMap(({ pipeline, layer }) =>
    key.startsWith(`${layer}/`) ? [pipeline] : [],
  );
  for (const pipeline of new Set(pipelines)) {
    for (const query of queriesOf(pipeline, scope)) {
      for await (const named of keysNamed(stores, query, oldest)) if (named === key) return true;
    }
  }
  return false;
}

function queriesOf(pipeline: string, scope: Scope): DocumentQuery[] {
  const range = { partition: scopePartition(pipeline, scope), from: `${scope}/`, to: `${scope}0` };
  return [MANIFEST_TABLE, LEDGER_TABLE].map((table) => ({ table, ...range }));
}

/** Throws for a row that cannot be read: it may name anything. */
async function* keysNamed(
  { documents }: Pick<Engine, 'documents'>,
  query: DocumentQuery,
  oldest: string,
): AsyncGenerator<string> {
  for await (const row of readRows<Manifest | LedgerEntry>(documents, query)) {
    if ('unreadable' in row) throw refuseRow(row.unreadable);
    const { body } = row;
    if ('steps' in body) {
      for (const state of Object.values(body.steps)) {
        if (state.state === 'done') for (const ref of Object.values(state.outputs)) yield ref.key;
      }
    } else if (body.origin !== null || body.execution.startedAt > oldest) {
      for (const ref of Object.values(body.outputs)) yield ref.key;
    }
  }
}
