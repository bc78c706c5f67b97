import { readFile } from 'node:fs/promises';
import { PipelineError, errorCodeOf } from '../../errors.ts';
import { canonicalJson } from '../../canonical-json.ts';
import type { PipelineDefinition, RecordDefinition } from '../../pipelines/definition.ts';
import { ledgerKey } from '../../pipelines/ledger.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import type { JsonObject } from '../../ports/json.ts';
import type { ArtefactRef, PutFence } from '../../ports/objects.ts';
import type { Engine } from '../engine.ts';
import { untilEnd } from '../held-objects.ts';
import { mapConcurrent } from '../map-concurrent.ts';

/**
 * The documents that other programs read: made from the immutable artefacts that a manifest names,
 * and replaced with it.
 */

/** A record that other programs read, and the artefact that it repeats. */
export interface DayRecord {
  readonly key: DocumentKey;
  readonly ref: ArtefactRef;
  /** The member of the record that holds the artefact's document. */
  readonly under: string;
  /** The entry that knows when the artefact was made. */
  readonly entry: DocumentKey;
  /** The member of the document that tells it too. */
  readonly madeAt?: string;
}

/** The records that belong to a manifest, each with the artefact it shows. */
export function recordsOf(definition: PipelineDefinition, manifest: Manifest): DayRecord[] {
  return [...definition.steps, ...definition.rollups].flatMap((step) => {
    const state = manifest.steps[step.id];
    if (state?.state !== 'done') return [];
    return Object.entries(state.outputs).flatMap(([name, ref]) => {
      const record = step.outputs[name]?.recordAs;
      if (record === undefined) return [];
      const entry = ledgerKey(manifest.pipeline, manifest.scope, step.id, state.key);
      const { under, madeAt } = record;
      const own = { key: recordKey(record, manifest.scope), ref, under, entry };
      return [madeAt === undefined ? own : { ...own, madeAt }];
    });
  });
}

/** The records that belong to a version and not to the one after it. */
export function withdrawnRecords(
  definition: PipelineDefinition,
  before: Manifest,
  after: Manifest,
): DayRecord[] {
  const kept = new Set(recordsOf(definition, after).map(({ key }) => recordName(key)));
  return recordsOf(definition, before).filter(({ key }) => !kept.has(recordName(key)));
}

/** One text for each record. */
export function recordName({ table, partition, sort }: DocumentKey): string {
  return `${table}/${partition}/${sort}`;
}

function recordKey({ table, partition }: RecordDefinition, scope: string): DocumentKey {
  return { table, partition: partition.replaceAll('{scope}', scope), sort: scope };
}

const RECORDS_AT_ONCE = 4;

/**
 * Writes the records that do not show their artefact exactly. `STORE_CONFLICT` when a newer version
 * has one of them.
 */
export async function writeRecords(
  engine: Engine,
  records: readonly DayRecord[],
  fence: PutFence,
): Promise<void> {
  await mapConcurrent(records, RECORDS_AT_ONCE, async (record) => {
    const { key } = record;
    const body = await bodyOf(engine, record);
    // Gone since the commit: the next plan of the day reports it, and its record follows then.
    if (body === undefined) return;
    const known = await engine.documents.get(key);
    if (known !== undefined && canonicalJson(known.body) === canonicalJson(body)) return;
    await checkNewest(key, fence);
    // Whoever wrote it since the look at it may have written a newer one.
    await engine.documents.put(key, body, { expectedVersion: known?.version ?? 0 });
  });
}

/** Whether a record shows its artefact, with every member as it is in there. */
export async function stateOfRecord(
  engine: Engine,
  record: DayRecord,
): Promise<'intact' | 'damaged' | 'missing'> {
  const known = await engine.documents.get(record.key);
  if (known === undefined) return 'missing';
  // Without its artefact there is nothing to compare with; that is a finding of its own.
  const body = await bodyOf(engine, record).catch(unlessCorrupt);
  return body === undefined || canonicalJson(known.body) === canonicalJson(body)
    ? 'intact'
    : 'damaged';
}

function unlessCorrupt(error: unknown): undefined {
  if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
  return undefined;
}

async function bodyOf(
  engine: Engine,
  { ref, under, entry, madeAt }: DayRecord,
): Promise<JsonObject | undefined> {
  const text = await untilEnd(async (until) => {
    const path = await engine.objects.openLocal(ref, { until });
    return path === undefined ? undefined : readFile(path, 'utf8');
  });
  if (text === undefined) return undefined;
  const document = JSON.parse(text) as JsonObject;
  const timestamp = await startOf(engine, entry);
  const { key, sha256, bytes } = ref;
  return {
    timestamp,
    [under]: madeAt === undefined ? document : { ...document, [madeAt]: timestamp },
    artefact: { key, sha256, bytes },
  };
}

/** When a step was executed; null where its entry cannot tell. */
async function startOf({ documents }: Engine, entry: DocumentKey): Promise<string | null> {
  return (
    (await documents.get<Pick<LedgerEntry, 'execution'>>(entry))?.body.execution.startedAt ?? null
  );
}

/** Each is deleted only while the fence's version is the newest one. */
export async function deleteRecords(
  engine: Engine,
  records: readonly Pick<DayRecord, 'key'>[],
  fence: PutFence,
): Promise<void> {
  for (const { key } of records) {
    await checkNewest(key, fence);
    await engine.documents.delete(key);
  }
}

async function checkNewest(
  { table, sort }: DocumentKey,
  { version, holds }: PutFence,
): Promise<void> {
  if (await holds()) return;
  throw new PipelineError(
    'STORE_CONFLICT',
    `${table} ${sort} of version ${version} is that of a newer one by now`,
  );
}
