import { PipelineError } from '../../errors.ts';
import { datesBetween } from '../../pipelines/civil-date.ts';
import { stepOf } from '../../pipelines/definition.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { LEDGER_TABLE } from '../../pipelines/ledger.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { periodsOf } from '../../pipelines/period.ts';
import { isPeriod, parseScope } from '../../pipelines/scope.ts';
import { RECEIPT_TABLE, dayOf } from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import { RECORD_SCHEMA, describeRow } from '../../pipelines/stored-records.ts';
import type { UnreadableRow } from '../../pipelines/stored-records.ts';
import type { CivilDate, Scope, StepId } from '../../pipelines/vocabulary.ts';
import { saveReceipt, takeSequence } from '../records/delivery-order.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { cutAgain, originOf } from '../download/recut.ts';
import { executeRollup } from '../derive/execute-rollup.ts';
import { finishDay } from '../commit/finish-day.ts';
import {
  newestManifests,
  readDeliveries,
  readLedger,
  readManifests,
  readReceipts,
} from '../records/ledger-reader.ts';
import { setAside } from '../records/set-aside.ts';

/**
 * Makes rows that cannot be read again, from what else is kept: a receipt from the ledger, the
 * ledger entry of a download from its raw file, that of another step by executing it, and a
 * manifest from the ledger. Nobody's publisher is asked, and what can be got of the old row is
 * kept.
 */

/** A row that could not be read. */
export interface RepairedRow {
  readonly row: UnreadableRow;
  /** Where what could be got of it is kept; null when it was left as it is. */
  readonly aside: string | null;
}

/** What became of unreadable rows, and of the days that hang on them. */
export interface Repair {
  readonly rows: readonly RepairedRow[];
  /**
   * The days that were made whole, each with its version; null: something is still missing, and a
   * run of the day makes it.
   */
  readonly scopes: readonly {
    readonly scope: Scope;
    readonly version: number | null;
    readonly why: string | null;
  }[];
}

/** The rows of these days that cannot be read. */
export async function unreadableRows(
  engine: Pick<Engine, 'datasets' | 'documents'>,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<UnreadableRow[]> {
  const { definition } = datasetOf(engine, pipeline);
  const rows: UnreadableRow[] = [];
  const days = scopes.filter((scope) => !isPeriod(scope));
  // Of periods too every version: one that nobody reads any more still keeps a garbage collection
  // from ending.
  await readManifests(engine.documents, pipeline, scopes, rows);
  await readLedger(engine.documents, pipeline, scopes, rows);
  await readDeliveries(engine.documents, definition, days, rows);
  return [
    ...new Map(rows.map((row) => [`${row.table} ${row.partition} ${row.sort}`, row])).values(),
  ];
}

/**
 * Repairs what cannot be read of these days or of this period; without a damaged row it changes
 * nothing.
 */
export async function repairRows(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<Repair> {
  const { definition } = datasetOf(engine, pipeline);
  const rows = await unreadableRows(engine, pipeline, scopes);
  const repaired: RepairedRow[] = [];
  for (const row of rows)
    repaired.push({ row, aside: row.newer ? null : await setAside(engine, row) });
  const gone = rows.filter(({ newer }) => !newer);
  for (const row of gone.filter(({ table }) => table === RECEIPT_TABLE))
    await repairReceipt(engine, definition, row);
  for (const row of gone.filter(({ table }) => table === LEDGER_TABLE)) {
    await repairDownload(engine, control, definition, row);
  }
  const touched = new Set(
    gone.filter(({ table }) => table !== RECEIPT_TABLE).map(({ sort }) => scopeOf(sort)),
  );
  const results: Repair['scopes'][number][] = [];
  for (const scope of [...touched].sort()) {
    if (isPeriod(scope)) results.push(await repairPeriod(engine, control, definition, scope));
    else results.push({ scope, ...(await finishDay(engine, control, pipeline, scope)) });
  }
  return { rows: repaired, scopes: results };
}

function scopeOf(sort: string): Scope {
  return sort.slice(0, sort.indexOf('/'));
}

/** From the entries of the days that were cut from its raw file. */
async function repairReceipt(
  engine: Engine,
  definition: PipelineDefinition,
  row: UnreadableRow,
): Promise<void> {
  const [from = '', to = '', sha256 = ''] = row.sort.split('/');
  const part = row.partition.slice(row.partition.indexOf('/') + 1);
  const step = definition.steps.find((candidate) => candidate.part === part);
  if (step === undefined)
    throw new PipelineError(
      'PLAN_INVALID',
      `${describeRow(row)}; there is no part ${part} any more`,
    );
  const dates = datesBetween(from, to);
  const ledger = await readLedger(engine.documents, definition.name, dates, []);
  const entries = dates.flatMap((date) => newestOf(ledger.get(date) ?? [], step.id, sha256));
  const origin = entries[0]?.origin;
  // Nothing was cut from it that is still known: the day is asked for again.
  if (origin === undefined || origin === null) return;
  const manifests = await newestManifests(engine.documents, definition.name, dates, []);
  const current = entries.some(({ scope, key }) => {
    const state = manifests.get(scope)?.steps[step.id];
    return state?.state === 'done' && state.key === key;
  });
  const numbered = current
    ? await takeSequence(engine.documents, { pipeline: definition.name, part }, [])
    : {};
  const receipt: Receipt = {
    schema: RECORD_SCHEMA,
    pipeline: definition.name,
    part,
    window: { from, to },
    status: 200,
    origin,
    checkedAt: origin.retrievedAt,
    freshness: null,
    ...numbered,
    days: Object.fromEntries(entries.map(({ scope, key }) => [scope, key])),
    rows: entries
      .flatMap(({ outputs }) => Object.values(outputs))
      .reduce((sum, { rows = 0 }) => sum + rows, 0),
    columns: Math.max(...entries.map(({ facts }) => Number(facts['published_columns'] ?? 0))),
  };
  await saveReceipt(engine.documents, receipt);
}

function newestOf(entries: readonly LedgerEntry[], step: StepId, sha256: string): LedgerEntry[] {
  const own = entries.filter((entry) => entry.step === step && entry.origin?.raw.sha256 === sha256);
  own.sort((a, b) => (a.execution.startedAt < b.execution.startedAt ? 1 : -1));
  return own.slice(0, 1);
}

/**
 * The slice of a day, cut again from the raw file that backs it. Entries of other steps come of
 * executing these.
 */
async function repairDownload(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  row: UnreadableRow,
): Promise<void> {
  const [date = '', stage = '', name = '', key = ''] = row.sort.split('/');
  const step = definition.steps.find(({ id }) => id === `${stage}/${name}`);
  const part = definition.parts.find(({ id }) => id === step?.part);
  if (step === undefined || part === undefined) return;
  const receipts = await readReceipts(
    engine.documents,
    definition.name,
    part,
    { first: date, last: date },
    [],
  );
  const giving = receipts.map((receipt) => dayOf(receipt, date)).find((day) => day?.key === key);
  const origin = originOf(receipts, date, giving);
  if (origin === undefined) return;
  await cutAgain(engine, control, {
    pipeline: definition.name,
    step: stepOf(definition, step.id),
    dates: [date],
    origin,
  });
}

async function repairPeriod(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  period: Scope,
): Promise<Repair['scopes'][number]> {
  for (const { id, grain } of definition.rollups) {
    if (!periodsOf(grain, [firstDateOf(period, definition)]).includes(period)) continue;
    await executeRollup(
      engine,
      { pipeline: definition.name, step: id, periods: [period] },
      control,
    );
  }
  const version =
    (await newestManifests(engine.documents, definition.name, [period])).get(period)?.version ??
    null;
  return { scope: period, version, why: version === null ? 'none of its days has run' : null };
}

function firstDateOf(period: Scope, { since }: PipelineDefinition): CivilDate {
  const scope = parseScope(period);
  if (scope.kind !== 'period') return since;
  return scope.grain === 'year' ? `${period}-01-01` : `${period}-01`;
}
