import { definedMembers } from '../../given.ts';
import { canonicalJson } from '../../canonical-json.ts';
import type { Dataset, StagedOutput } from '../../pipelines/dataset.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { RECEIPT_TABLE, receiptPartition } from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import type { CivilDate, StepId, StepKey } from '../../pipelines/vocabulary.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { changeDocument } from '../change-document.ts';
import { openIntact } from '../content-store.ts';
import { identifyBy } from '../download/cut-slices.ts';
import { leavingOut } from '../download/leave-out.ts';
import { sqlOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { commitStep } from '../execute/commit-step.ts';
import type { Uncommitted } from '../execute/commit-step.ts';
import type { IsForgotten } from '../records/forgotten.ts';
import { readRows } from '../records/read-rows.ts';

/** The download keys that stand in place of others now, by `<date>/<step>/<key>`. */
export type Replaced = ReadonlyMap<string, StepKey>;

/** How `Replaced` names an entry. */
export function replacedName(date: CivilDate, step: StepId, key: StepKey): string {
  return `${date}/${step}/${key}`;
}

/** Thousands of days may share one slice of a list that holds until the next one. */
const ENTRIES_AT_ONCE = 500;

/**
 * Writes the slices of these downloads again without forgotten persons: the same bytes as if the
 * same files were delivered now. A slice that is gone already is passed over.
 */
export async function cutPersonsOut(
  engine: Engine,
  control: StepControl,
  dataset: Dataset,
  entries: readonly LedgerEntry[],
  isForgotten: IsForgotten,
): Promise<Replaced> {
  const replaced = new Map<string, StepKey>();
  // As the version that gave them: what is cut by another one is another slice.
  const alike = new Map<string, LedgerEntry[]>();
  for (const entry of entries) {
    const name = canonicalJson([entry.step, entry.version, entry.params]);
    const known = alike.get(name);
    if (known === undefined) alike.set(name, [entry]);
    else known.push(entry);
  }
  for (const group of alike.values()) {
    for (let from = 0; from < group.length; from += ENTRIES_AT_ONCE) {
      const set = group.slice(from, from + ENTRIES_AT_ONCE);
      control.signal.throwIfAborted();
      const cut = await sqlOf(engine).session(
        (sql) => cutSet(engine, control, dataset, set, { sql, isForgotten }),
        {
          signal: control.signal,
        },
      );
      for (const [name, key] of cut) replaced.set(name, key);
    }
  }
  return replaced;
}

async function cutSet(
  engine: Engine,
  control: StepControl,
  dataset: Dataset,
  entries: readonly LedgerEntry[],
  { sql, isForgotten }: { readonly sql: SqlSession; readonly isForgotten: IsForgotten },
): Promise<Replaced> {
  const [first] = entries;
  const declared = dataset.definition.steps.find(({ id }) => id === first?.step);
  if (first === undefined || declared?.part === undefined) return new Map();
  const step = { ...declared, version: first.version, params: first.params };
  const leave = leavingOut(dataset, declared.part, sql, isForgotten);
  const work: { readonly old: LedgerEntry; readonly unit: Uncommitted }[] = [];
  for (const old of entries) {
    const { scope, facts, checks, origin } = old;
    const outputs = await filesOf(engine, old);
    const without =
      outputs === undefined ? undefined : await leave({ scope, outputs, facts, checks });
    if (without !== undefined)
      work.push({ old, unit: { result: without.result, identify: identifyBy(step), origin } });
  }
  const context = {
    pipeline: dataset.definition.name,
    step,
    startedAt: engine.now(),
    scopes: work.length,
  };
  const made = await commitStep(
    engine,
    control,
    context,
    work.map(({ unit }) => unit),
  );
  return new Map(
    work.flatMap(({ old: { scope, step: id, key } }, index) => {
      const now = made[index];
      return now === undefined ? [] : [[replacedName(scope, id, key), now.key] as const];
    }),
  );
}

/** Undefined when one of them is gone. */
async function filesOf(
  engine: Engine,
  entry: LedgerEntry,
): Promise<Record<string, StagedOutput> | undefined> {
  const outputs: Record<string, StagedOutput> = {};
  for (const [name, ref] of Object.entries(entry.outputs)) {
    const path = await openIntact(engine, ref);
    if (path === undefined) return undefined;
    outputs[name] = { path, ...definedMembers({ rows: ref.rows }) };
  }
  return outputs;
}

/**
 * Has every receipt give the new slices in place of the old ones, which stay known as given before:
 * a version that is made of them is not newer than what the receipts tell.
 */
export async function replaceInReceipts(
  engine: Pick<Engine, 'documents'>,
  { definition }: Pick<Dataset, 'definition'>,
  replaced: Replaced,
): Promise<number> {
  let changed = 0;
  for (const { id, part } of definition.steps) {
    if (part === undefined) continue;
    const query = { table: RECEIPT_TABLE, partition: receiptPartition(definition.name, part) };
    const keys: DocumentKey[] = [];
    for await (const row of readRows<Receipt>(engine.documents, query)) {
      if ('body' in row && withReplaced(row.body, id, replaced) !== row.body)
        keys.push({ ...query, sort: row.sort });
    }
    for (const key of keys)
      await changeDocument<Receipt>(engine.documents, key, (found) => {
        if (found === undefined) throw new TypeError(`receipt ${key.sort} vanished`);
        return withReplaced(found, id, replaced);
      });
    changed += keys.length;
  }
  return changed;
}

/** The receipt itself where it gives none of the replaced slices. */
function withReplaced(receipt: Receipt, step: StepId, replaced: Replaced): Receipt {
  const [days, kept, before] = [{ ...receipt.days }, { ...receipt.kept }, { ...receipt.before }];
  const left: CivilDate[] = [];
  const leave = (date: CivilDate, old: StepKey): void => {
    left.push(date);
    before[date] = [...new Set([...(before[date] ?? []), old])];
  };
  for (const [date, key] of Object.entries(receipt.days)) {
    const now = replaced.get(replacedName(date, step, key));
    if (now === undefined) continue;
    days[date] = now;
    leave(date, key);
  }
  for (const [date, day] of Object.entries(receipt.kept ?? {})) {
    const now = replaced.get(replacedName(date, step, day.key));
    if (now === undefined) continue;
    kept[date] = { ...day, key: now };
    leave(date, day.key);
  }
  return left.length === 0
    ? receipt
    : { ...receipt, days, ...(receipt.kept === undefined ? {} : { kept }), before };
}
