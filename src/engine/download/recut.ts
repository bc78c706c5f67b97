import { definedMembers, required } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import type { StepDefinition } from '../../pipelines/definition.ts';
import type { LedgerEntry, Origin } from '../../pipelines/ledger.ts';
import { dayOf, newestDeliveries, rawsOfDay } from '../../pipelines/receipt.ts';
import type { KeptDay, Receipt } from '../../pipelines/receipt.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { StepDone } from '../../pipelines/run-steps.ts';
import type { JsonObject } from '../../ports/json.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import type { StepRequest } from '../contract.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { commitStep } from '../execute/commit-step.ts';
import { doneWith } from '../execute/execute-step.ts';
import { readReceipts } from '../records/ledger-reader.ts';
import { besideOthers, dropForgotten, sliceAndCommit } from './cut-slices.ts';
import type { Download } from './cut-slices.ts';

/** Slices that are cut once more from raw files that are stored, without anybody being asked. */

/**
 * Cuts days anew from a raw file that is stored, and commits their slices; their receipt is left as
 * it is.
 */
export async function cutAgain(
  engine: Engine,
  control: StepControl,
  {
    pipeline,
    step,
    dates,
    origin,
  }: { pipeline: string; step: StepDefinition; dates: readonly CivilDate[]; origin: Origin },
): Promise<void> {
  const dataset = datasetOf(engine, pipeline);
  const part = dataset.definition.parts.find((candidate) => candidate.id === step.part);
  if (part === undefined) throw new PipelineError('INTERNAL', `${step.id} fetches no part`);
  await cutFrom({ engine, control, dataset, part, step, force: true }, dates, origin);
}

/**
 * Cuts slices that are gone or damaged again from the raw files that back them: what is still here
 * in another form is not to hang on a publisher who may refuse. Returns the days that nobody is to
 * be asked for.
 */
export async function recutLost(
  download: Download,
  days: StepRequest['days'],
): Promise<StepDone[]> {
  const lost = days.filter(({ recut }) => recut !== undefined).map(({ date }) => date);
  const only = new Set(
    days.filter(({ recut }) => recut === 'only' || recut === 'lost').map(({ date }) => date),
  );
  const entries: LedgerEntry[] = [];
  for (const { origin, dates } of await backings(download, lost))
    entries.push(...(await cutFrom(download, dates, origin)));
  return entries
    .filter(({ scope }) => only.has(scope))
    .map((entry) => doneWith(download.step, entry, 'ran'));
}

/**
 * Cuts the raw file, or all of several, of which each gave some of the shards: each shard is taken
 * from its own.
 */
async function cutFrom(
  download: Download,
  dates: readonly CivilDate[],
  origin: Origin,
): Promise<readonly LedgerEntry[]> {
  const { shards, ...plain } = origin;
  if (shards === undefined) return cutWhole(download, dates, origin);
  const { engine, control, dataset, step } = download;
  const startedAt = engine.now();
  const found = new Map<CivilDate, { slices: Record<string, ArtefactRef>; facts: JsonObject }>(
    dates.map((date) => [date, { slices: {}, facts: {} }]),
  );
  for (const raw of rawsOfDay(origin)) {
    for (const { scope, outputs, facts } of await cutWhole(download, dates, { ...plain, raw })) {
      const day = required(found.get(scope), 'a day that was asked for');
      day.facts = { ...facts, rows: 0 };
      for (const [name, ref] of Object.entries(outputs))
        if ((shards[name] ?? origin.raw).key === raw.key) day.slices[name] = ref;
    }
  }
  const context = { pipeline: dataset.definition.name, step, startedAt, scopes: dates.length };
  const work = [...found].map(([scope, { slices, facts }]) =>
    besideOthers({ scope, outputs: {}, checks: [], facts }, step, origin, { slices, raws: shards }),
  );
  return commitStep(engine, control, context, work);
}

async function cutWhole(
  download: Download,
  dates: readonly CivilDate[],
  origin: Origin,
): Promise<readonly LedgerEntry[]> {
  const { retrievedAt: checkedAt } = origin;
  const answer = { origin, status: 200, unchanged: true, checkedAt, freshness: null };
  const { entries, hasForgotten } = await sliceAndCommit(download, dates, answer);
  if (hasForgotten) await dropForgotten(download, origin.raw);
  return entries;
}

/** The days by the raw files that their newest delivery came in. */
async function backings({ engine, dataset, part }: Download, dates: readonly CivilDate[]) {
  const sorted = [...dates].sort();
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return [];
  const receipts = await readReceipts(engine.documents, dataset.definition.name, part, {
    first,
    last,
  });
  const delivered = newestDeliveries(receipts);
  const found = new Map<Origin, CivilDate[]>();
  for (const date of sorted) {
    const origin = originOf(receipts, date, delivered.get(date));
    if (origin !== undefined) found.set(origin, [...(found.get(origin) ?? []), date]);
  }
  return [...found].map(([origin, ofOne]) => ({ origin, dates: ofOne }));
}

/**
 * Where the raw file of a delivery came from; one that was joined of several files has no receipt
 * of its own.
 */
export function originOf(
  receipts: readonly Receipt[],
  date: CivilDate,
  delivery: KeptDay | undefined,
): Origin | undefined {
  if (delivery === undefined) return undefined;
  const { key, raw, shards } = delivery;
  const own = receipts.find(({ origin }) => origin.raw.key === raw.key)?.origin;
  const giving =
    own === undefined ? receipts.find((receipt) => dayOf(receipt, date)?.key === key) : undefined;
  return own ?? (giving && { ...giving.origin, raw, ...definedMembers({ shards }) });
}
