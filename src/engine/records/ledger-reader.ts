import { firstOf, lastOf } from '../../given.ts';
import { addDays, monthOf, yearOf } from '../../pipelines/civil-date.ts';
import type { PartDefinition, PipelineDefinition } from '../../pipelines/definition.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { LEDGER_TABLE, ledgerKey, scopePartition } from '../../pipelines/ledger.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { MANIFEST_TABLE } from '../../pipelines/manifest.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import { RECEIPT_TABLE, newestDeliveries, receiptPartition } from '../../pipelines/receipt.ts';
import type { Delivery, Receipt } from '../../pipelines/receipt.ts';
import { placeOf } from '../../pipelines/stored-records.ts';
import type { UnreadableRow } from '../../pipelines/stored-records.ts';
import type { CivilDate, Scope, StepId, StepKey } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { lastRow, readRows, refuseRow } from './read-rows.ts';

/**
 * Reads of ledger, manifests and receipts: a month of days is one query each, so that years are
 * planned quickly.
 */

const QUERIES_AT_ONCE = 8;

/** Sorts after everything that begins with a scope and `/`. */
const AFTER_SLASH = '0';

interface ScopeRange {
  readonly partition: string;
  readonly from: string;
  readonly to: string;
}

/** The sort ranges that hold the scopes: one per month for days, one per period. */
function rangesOf(pipeline: string, scopes: readonly Scope[]): ScopeRange[] {
  const periods = scopes.filter(isPeriod).map((period) => ({
    partition: scopePartition(pipeline, period),
    from: `${period}/`,
    to: `${period}${AFTER_SLASH}`,
  }));
  const months = new Map<string, CivilDate[]>();
  for (const date of scopes.filter((scope) => !isPeriod(scope)).sort()) {
    const month = monthOf(date);
    const known = months.get(month);
    if (known === undefined) months.set(month, [date]);
    else known.push(date);
  }
  const days = [...months.values()].map((dates) => ({
    partition: scopePartition(pipeline, firstOf(dates)),
    from: `${firstOf(dates)}/`,
    to: `${lastOf(dates)}${AFTER_SLASH}`,
  }));
  return [...periods, ...days];
}

/**
 * The rows of the scopes. One that cannot be read is collected in `unreadable`; without it, it is
 * refused by `STORE_CORRUPT`, with the command that makes it again. Rows of other scopes in between
 * do not matter.
 */
export async function readRanges<T extends { readonly scope: Scope }>(
  documents: DocumentStore,
  table: string,
  pipeline: string,
  scopes: readonly Scope[],
  unreadable?: UnreadableRow[],
): Promise<Map<Scope, T[]>> {
  const byScope = new Map<Scope, T[]>(scopes.map((scope) => [scope, []]));
  await mapConcurrent(rangesOf(pipeline, scopes), QUERIES_AT_ONCE, async (range) => {
    for await (const row of readRows<T>(documents, { table, ...range })) {
      if ('body' in row) byScope.get(row.body.scope)?.push(row.body);
      else if (byScope.has(placeOf(row.unreadable).scope)) collect(row.unreadable, unreadable);
    }
  });
  return byScope;
}

function collect(row: UnreadableRow, unreadable: UnreadableRow[] | undefined): void {
  if (unreadable === undefined) throw refuseRow(row);
  unreadable.push(row);
}

/** Every ledger entry of the scopes. */
export function readLedger(
  documents: DocumentStore,
  pipeline: string,
  scopes: readonly Scope[],
  unreadable?: UnreadableRow[],
): Promise<Map<Scope, LedgerEntry[]>> {
  return readRanges<LedgerEntry>(documents, LEDGER_TABLE, pipeline, scopes, unreadable);
}

/**
 * Every ledger entry of a pipeline; `STORE_CORRUPT` for one that cannot be read: it may name
 * anything.
 */
export async function wholeLedger(
  documents: DocumentStore,
  pipeline: string,
): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  for await (const partition of documents.partitions(LEDGER_TABLE)) {
    if (!partition.startsWith(`${pipeline}/`)) continue;
    for await (const row of readRows<LedgerEntry>(documents, { table: LEDGER_TABLE, partition })) {
      if ('unreadable' in row) throw refuseRow(row.unreadable);
      entries.push(row.body);
    }
  }
  return entries;
}

/** Every manifest version of the scopes, oldest first. */
export function readManifests(
  documents: DocumentStore,
  pipeline: string,
  scopes: readonly Scope[],
  unreadable?: UnreadableRow[],
): Promise<Map<Scope, Manifest[]>> {
  return readRanges<Manifest>(documents, MANIFEST_TABLE, pipeline, scopes, unreadable);
}

/**
 * The newest manifest of each scope that has one. Periods gather many versions over the years: only
 * their last is read.
 */
export async function newestManifests(
  documents: DocumentStore,
  pipeline: string,
  scopes: readonly Scope[],
  unreadable?: UnreadableRow[],
): Promise<Map<Scope, Manifest>> {
  const newest = new Map<Scope, Manifest>();
  const days = scopes.filter((scope) => !isPeriod(scope));
  for (const [scope, versions] of await readManifests(documents, pipeline, days, unreadable)) {
    const last = versions.at(-1);
    if (last !== undefined) newest.set(scope, last);
  }
  await mapConcurrent(
    rangesOf(pipeline, scopes.filter(isPeriod)),
    QUERIES_AT_ONCE,
    async (range) => {
      const row = await lastRow<Manifest>(documents, { table: MANIFEST_TABLE, ...range });
      if (row === undefined) return;
      if ('body' in row) newest.set(row.body.scope, row.body);
      else collect(row.unreadable, unreadable);
    },
  );
  return newest;
}

/**
 * The versions of each scope that has one, oldest first: all of a day, the last two of a period.
 */
export async function lastVersions(
  documents: DocumentStore,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<Map<Scope, Manifest[]>> {
  const days = scopes.filter((scope) => !isPeriod(scope));
  const versions = await readManifests(documents, pipeline, days);
  await mapConcurrent(
    rangesOf(pipeline, scopes.filter(isPeriod)),
    QUERIES_AT_ONCE,
    async (range) => {
      const last: Manifest[] = [];
      const query = { table: MANIFEST_TABLE, ...range, order: 'descending', limit: 2 } as const;
      for await (const { body } of documents.query<Manifest>(query)) last.unshift(body);
      const [any] = last;
      if (any !== undefined) versions.set(any.scope, last);
    },
  );
  return new Map([...versions].filter(([, all]) => all.length > 0));
}

/** The entries that the states of scopes name. Days come by the month, periods by exact key. */
export async function readEntries(
  documents: DocumentStore,
  pipeline: string,
  wanted: readonly {
    readonly scope: Scope;
    readonly steps: readonly { readonly step: StepId; readonly key: StepKey }[];
  }[],
): Promise<Map<Scope, LedgerEntry[]>> {
  const days = wanted.filter(({ scope }) => !isPeriod(scope)).map(({ scope }) => scope);
  const entries = await readLedger(documents, pipeline, days);
  for (const { scope, steps } of wanted.filter((one) => isPeriod(one.scope))) {
    const found = await Promise.all(
      steps.map(({ step, key }) =>
        documents.get<LedgerEntry>(ledgerKey(pipeline, scope, step, key)),
      ),
    );
    entries.set(
      scope,
      found.flatMap((document) => (document === undefined ? [] : [document.body])),
    );
  }
  return entries;
}

const WINDOW_START: Readonly<Record<PartDefinition['bulkWindow'], (date: CivilDate) => string>> = {
  month: (date) => `${monthOf(date)}-01`,
  year: (date) => `${yearOf(date)}-01-01`,
  all: () => '0000-01-01',
};

/**
 * Every receipt of a part that can hold one of the dates: its window begins in the bulk window of
 * the first date or later.
 */
export async function readReceipts(
  documents: DocumentStore,
  pipeline: string,
  part: Pick<PartDefinition, 'id' | 'bulkWindow'>,
  dates: { readonly first: CivilDate; readonly last: CivilDate },
  unreadable?: UnreadableRow[],
): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  const range = { from: WINDOW_START[part.bulkWindow](dates.first), to: addDays(dates.last, 1) };
  const partition = receiptPartition(pipeline, part.id);
  for await (const row of readRows<Receipt>(documents, {
    table: RECEIPT_TABLE,
    partition,
    ...range,
  })) {
    if ('body' in row) receipts.push(row.body);
    else collect(row.unreadable, unreadable);
  }
  return receipts;
}

/** What was last delivered for each of the dates, by part. */
export async function readDeliveries(
  documents: DocumentStore,
  { name, parts }: Pick<PipelineDefinition, 'name' | 'parts'>,
  dates: readonly CivilDate[],
  unreadable?: UnreadableRow[],
): Promise<Map<string, Map<CivilDate, Delivery>>> {
  const sorted = [...dates].sort();
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return new Map();
  const byPart = await mapConcurrent(parts, QUERIES_AT_ONCE, async (part) => {
    const receipts = await readReceipts(documents, name, part, { first, last }, unreadable);
    return [part.id, newestDeliveries(receipts)] as const;
  });
  return new Map(byPart);
}
