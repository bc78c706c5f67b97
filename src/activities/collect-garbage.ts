import { sha256Hex } from '../pipelines/canonical-json.ts';
import { LEDGER_TABLE } from '../pipelines/ledger.ts';
import type { LedgerEntry } from '../pipelines/ledger.ts';
import { MANIFEST_TABLE } from '../pipelines/manifest.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import type { DocumentKey } from '../storage/ports.ts';
import type { Engine } from './engine.ts';

/**
 * Removes artefacts that no manifest version refers to: what crashed, failed or superseded runs left. Invariants, cited by
 * `test/unit/activities-read/collect-garbage.test.ts`:
 * 1. Only objects under a declared output's layer whose name is a content hash are looked at: published names and raw files never are. A raw file may be the
 *    only copy of what a publisher once sent.
 * 2. Slices stay as long as the ledger names them, and so does everything that a ledger entry younger than the grace names: its run may not have ended.
 * 3. An object is removed only when an earlier collection, at least the grace ago, found it without a reference as well.
 */

export interface GarbageRequest {
  readonly graceDays: number;
  /** Say what would be removed; nothing is written. */
  readonly dryRun: boolean;
}

export interface GarbageResult {
  /** Objects without a reference, removed ones included. */
  readonly unreferenced: readonly GarbageObject[];
  readonly removed: number;
  readonly removedBytes: number;
}

export interface GarbageObject {
  readonly key: string;
  readonly bytes: number;
  /** When a collection first found it so; null: now. */
  readonly since: string | null;
  readonly removed: boolean;
}

export const GARBAGE_TABLE = 'garbage';
const DAY_MS = 86_400_000;
const CONTENT_NAME = /\/[0-9a-f]{64}\.[a-z0-9.]+$/;

export async function collectGarbage(
  engine: Pick<Engine, 'datasets' | 'documents' | 'objects' | 'now'>,
  { graceDays, dryRun }: GarbageRequest,
): Promise<GarbageResult> {
  const now = engine.now();
  const oldest = new Date(now.getTime() - graceDays * DAY_MS).toISOString();
  const referenced = await referencedKeys(engine, oldest);
  const unreferenced: GarbageObject[] = [];
  for (const layer of layersOf(engine)) {
    for await (const { key, bytes } of engine.objects.list(`${layer}/`)) {
      if (!CONTENT_NAME.test(key) || referenced.has(key)) continue;
      const mark = markOf(key);
      const since = (await engine.documents.get<{ since: string }>(mark))?.body.since ?? null;
      const removed = !dryRun && since !== null && since <= oldest;
      if (removed) {
        await engine.objects.delete(key);
        await engine.documents.delete(mark);
      } else if (!dryRun && since === null) await engine.documents.put(mark, { key, since: now.toISOString() });
      unreferenced.push({ key, bytes, since, removed });
    }
  }
  const gone = unreferenced.filter(({ removed }) => removed);
  return { unreferenced, removed: gone.length, removedBytes: gone.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function markOf(key: string): DocumentKey {
  return { table: GARBAGE_TABLE, partition: 'unreferenced', sort: sha256Hex(key) };
}

/** The first folders of all outputs, none inside another. */
function layersOf({ datasets }: Pick<Engine, 'datasets'>): string[] {
  const layers = Object.values(datasets).flatMap(({ definition }) =>
    [...definition.steps, ...definition.rollups].flatMap(({ outputs }) =>
      Object.values(outputs).map(({ layer }) => layer),
    ),
  );
  const all = [...new Set(layers)].sort();
  return all.filter((layer) => !all.some((other) => layer.startsWith(`${other}/`)));
}

async function referencedKeys({ documents }: Pick<Engine, 'documents'>, oldest: string): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for await (const partition of documents.partitions(MANIFEST_TABLE)) {
    for await (const { body } of documents.query<Manifest>({ table: MANIFEST_TABLE, partition })) {
      for (const state of Object.values(body.steps)) {
        if (state.state !== 'done') continue;
        for (const ref of Object.values(state.outputs)) keys.add(ref.key);
      }
    }
  }
  for await (const partition of documents.partitions(LEDGER_TABLE)) {
    for await (const { body } of documents.query<LedgerEntry>({ table: LEDGER_TABLE, partition })) {
      if (body.origin === null && body.execution.startedAt <= oldest) continue;
      for (const ref of Object.values(body.outputs)) keys.add(ref.key);
    }
  }
  return keys;
}
