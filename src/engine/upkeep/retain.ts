import { required } from '../../given.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import type { PipelineDefinition, Retention } from '../../pipelines/definition.ts';
import type { RemovedContent } from '../../pipelines/forgetting.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { RECEIPT_TABLE, receiptPartition } from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import { isExpired } from '../../pipelines/retention.ts';
import { isCivilDate } from '../../pipelines/civil-date.ts';
import type { CivilDate, Period, Scope } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { namesUnder } from '../download/raw-names.ts';
import type { EndedTable, ScheduledRetention } from '../contract.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { withdrawGone } from '../publish/withdraw-gone.ts';
import { destroyObjects, refuseWhileAway } from '../records/destroy-objects.ts';
import { destroyedKeys } from '../records/forgotten.ts';
import { newestManifests, wholeLedger } from '../records/ledger-reader.ts';
import { readRows, refuseRow } from '../records/read-rows.ts';
import { dataKeyMonths, destroyDataKey } from '../sources/data-keys.ts';
import { endedHistories, makeHistoriesAgain } from './end-histories.ts';
import type { EndedHistory } from './end-histories.ts';
import { neededContent } from './needed-content.ts';
import type { Needed } from './needed-content.ts';

/**
 * Removes content that is older than its table is kept, in every version: the records of days stay,
 * and name it by its hash. What younger days share stays with them, and so does what something that
 * lives rests on (`needed-content.ts`).
 */

/** What is removed of one table, or of the raw files of a part. */
export interface ExpiredTable extends Retention {
  /** `<step>:<output>`, or `raw <part>`. */
  readonly table: string;
  /** Days and periods, ascending; of raw files the days on which they came. */
  readonly scopes: readonly Scope[];
  readonly objects: number;
  readonly bytes: number;
}

/** What was removed of one pipeline, or would be. */
export interface Retained {
  readonly pipeline: string;
  /** Only tables with something to remove. */
  readonly tables: readonly ExpiredTable[];
  /** The months of delivery whose key is destroyed, and their sealed raw files with it. */
  readonly keys: readonly Period[];
}

/**
 * Removes what is past its time; with `dryRun` it only says what that is. Doing it again removes
 * nothing more.
 */
export async function retain(
  engine: Engine,
  control: StepControl,
  { pipeline, dryRun }: { readonly pipeline: string; readonly dryRun: boolean },
): Promise<Retained> {
  const dataset = datasetOf(engine, pipeline);
  const { definition } = dataset;
  if (!dryRun) await refuseWhileAway(engine);
  const today = civilDateAt(engine.now(), definition.zone);
  const gone = await destroyedKeys(engine.documents, pipeline);
  const entries = await wholeLedger(engine.documents, pipeline);
  const needed = await neededContent(engine, dataset, { entries, today, gone });
  const expired = [
    ...expiredOutputs(definition, entries, { today, gone, needed }),
    ...(await expiredRaws(engine, dataset, today)),
  ];
  const ended = new Set([
    ...gone,
    ...expired.flatMap(({ objects }) => objects.map(({ key }) => key)),
  ]);
  const histories = endedHistories(definition, entries, ended, gone);
  const keys = await expiredKeys(engine, definition, today);
  if (dryRun)
    return { pipeline, tables: [...expired, ...histories.map(expiredHistory)].map(told), keys };
  await destroy(engine, definition, expired);
  for (const name of await expiredNames(engine, dataset, today)) await engine.objects.delete(name);
  for (const month of keys) await destroyDataKey(engine, pipeline, month);
  // After the days and periods that they were made of: what is made now is without these.
  const over = (await makeHistoriesAgain(engine, control, pipeline, histories)).map(expiredHistory);
  await destroy(engine, definition, over);
  return { pipeline, tables: [...expired, ...over].map(told), keys };
}

function expiredHistory({ rollup, output, scopes, objects }: EndedHistory): Expired {
  const { retention } = required(rollup.outputs[output], 'the output that has ended');
  const table = `${rollup.id}:${output}`;
  return {
    table,
    retention: required(retention, 'the retention of what has ended'),
    scopes,
    objects,
  };
}

async function destroy(
  engine: Engine,
  definition: PipelineDefinition,
  expired: readonly Expired[],
): Promise<void> {
  const objects = expired.flatMap((table) => table.objects);
  await destroyObjects(engine, definition.name, objects, 'expired');
  const scopes = [...new Set(expired.flatMap((table) => table.scopes))];
  const newest = await newestManifests(engine.documents, definition.name, scopes);
  await withdrawGone(engine, definition, newest.values(), new Set(objects.map(({ key }) => key)));
}

function told({ table, retention, objects, scopes }: Expired): ExpiredTable {
  const bytes = objects.reduce((sum, object) => sum + object.bytes, 0);
  return {
    table,
    ...retention,
    scopes: [...new Set(scopes)].sort(),
    objects: objects.length,
    bytes,
  };
}

/**
 * What a tick of the schedule of retention does: the command's work, as the setting
 * `QUOTIDIEN_RETAIN` allows.
 */
export async function retainBySchedule(
  engine: Engine,
  control: StepControl,
  pipeline: string,
): Promise<ScheduledRetention> {
  const applied = engine.retention === 'apply';
  const { tables, keys } = await retain(engine, control, { pipeline, dryRun: !applied });
  return {
    pipeline,
    applied,
    tables: tables.map(({ scopes, ...table }): EndedTable => {
      const from = required(scopes[0], 'the first day of an ended table');
      return { ...table, from, to: scopes.at(-1) ?? from };
    }),
    keys,
  };
}

interface Expired {
  readonly table: string;
  readonly retention: Retention;
  readonly scopes: readonly Scope[];
  readonly objects: readonly RemovedContent[];
}

function expiredOutputs(
  { steps, rollups }: PipelineDefinition,
  entries: readonly LedgerEntry[],
  {
    today,
    gone,
    needed,
  }: { readonly today: CivilDate; readonly gone: ReadonlySet<string>; readonly needed: Needed },
): Expired[] {
  return [...steps, ...rollups].flatMap(({ id, outputs }) => {
    const own = entries.filter(({ step }) => step === id);
    return Object.entries(outputs).flatMap(([name, { retention }]): Expired[] => {
      if (retention === undefined) return [];
      const isOver = (scope: Scope): boolean =>
        isExpired(retention, scope, today) && needed.get(`${id}:${name}`)?.has(scope) !== true;
      const young = new Set(
        own.flatMap(({ scope, outputs: made }) => (isOver(scope) ? [] : (made[name]?.key ?? []))),
      );
      const objects = new Map<string, RemovedContent>();
      const scopes: Scope[] = [];
      for (const { scope, outputs: made } of own) {
        const ref = made[name];
        if (ref === undefined || young.has(ref.key) || gone.has(ref.key)) continue;
        if (!isOver(scope)) continue;
        objects.set(ref.key, ref);
        scopes.push(scope);
      }
      return objects.size === 0
        ? []
        : [{ table: `${id}:${name}`, retention, scopes, objects: [...objects.values()] }];
    });
  });
}

/** `raw/<pipeline>/<part>/<from>_<to>/<sha256>.<extension>` */
const RAW_NAME = /\/[^/]+_(\d{4}-\d\d-\d\d)\/([0-9a-f]{64})\.[a-z0-9.]+$/;

/** Raw files that were delivered too long ago; of those that gave nothing their last day tells. */
async function expiredRaws(
  engine: Engine,
  { definition }: Dataset,
  today: CivilDate,
): Promise<Expired[]> {
  const expired: Expired[] = [];
  for (const { id, rawRetention: retention } of definition.parts) {
    if (retention === undefined) continue;
    const delivered = await deliveredOn(engine, definition, id);
    const objects: RemovedContent[] = [];
    const scopes: CivilDate[] = [];
    for await (const { key, bytes } of engine.objects.list(`raw/${definition.name}/${id}/`)) {
      const [, last = '', sha256] = RAW_NAME.exec(key) ?? [];
      const date = delivered.get(key) ?? last;
      if (sha256 === undefined || !isCivilDate(date) || !isExpired(retention, date, today))
        continue;
      objects.push({ key, sha256, bytes });
      scopes.push(date);
    }
    if (objects.length > 0) expired.push({ table: `raw ${id}`, retention, scopes, objects });
  }
  return expired;
}

/** The civil date on which each raw file of a part came last, by its key. */
async function deliveredOn(
  { documents }: Pick<Engine, 'documents'>,
  { name, zone }: PipelineDefinition,
  part: string,
): Promise<Map<string, CivilDate>> {
  const dates = new Map<string, CivilDate>();
  const query = { table: RECEIPT_TABLE, partition: receiptPartition(name, part) };
  for await (const row of readRows<Receipt>(documents, query)) {
    if ('unreadable' in row) throw refuseRow(row.unreadable);
    const { origin, kept = {} } = row.body;
    const date = civilDateAt(new Date(origin.retrievedAt), zone);
    for (const { key } of [origin.raw, ...Object.values(kept).map(({ raw }) => raw)]) {
      const known = dates.get(key);
      if (known === undefined || date > known) dates.set(key, date);
    }
  }
  return dates;
}

/** Names of raw files of a day that other programs know. */
async function expiredNames(
  engine: Engine,
  { definition, rawNames }: Dataset,
  today: CivilDate,
): Promise<readonly string[]> {
  if (rawNames === undefined) return [];
  const kept = new Map(definition.parts.map(({ id, rawRetention }) => [id, rawRetention]));
  return (await namesUnder(engine.objects, rawNames.roots)).filter((name) => {
    const day = rawNames.dayOf(name);
    const retention = day === undefined ? undefined : kept.get(day.part);
    return day !== undefined && retention !== undefined && isExpired(retention, day.date, today);
  });
}

/** A month's key is that of all sealed parts: it goes when the last of them is past its time. */
async function expiredKeys(
  engine: Engine,
  { name, parts }: PipelineDefinition,
  today: CivilDate,
): Promise<Period[]> {
  const sealed = parts.filter(({ decoding }) => decoding !== undefined);
  if (sealed.length === 0) return [];
  const isOver = (month: Period): boolean =>
    sealed.every(
      ({ rawRetention }) => rawRetention !== undefined && isExpired(rawRetention, month, today),
    );
  return (await dataKeyMonths(engine, name)).filter(isOver);
}
