import { readFile } from 'node:fs/promises';
import { definedMembers } from '../../given.ts';
import { errorCodeOf } from '../../errors.ts';
import { decisionOn } from '../../pipelines/decision.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { classifiedColumns, maskContent } from '../../pipelines/classification.ts';
import { diffDocuments, valueChanges } from '../../pipelines/document-diff.ts';
import type { Dataset, NameRows } from '../../pipelines/dataset.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import type { Manifest, ManifestStep } from '../../pipelines/manifest.ts';
import { sameNote } from '../../pipelines/kept-delivery.ts';
import { changedSteps, keptIn, keyIn } from '../../pipelines/manifest.ts';
import { whyRun } from '../../pipelines/plan-reasons.ts';
import type { StepId } from '../../pipelines/vocabulary.ts';
import type {
  ContentDiff,
  OutputDiff,
  OutputSummary,
  StepDiff,
  VersionDiff,
  VersionSummary,
} from '../../pipelines/version-diff.ts';
import type { JsonValue } from '../../ports/json.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { compareTables } from './compare-tables.ts';
import { datasetOf, sqlOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { holdingFiles } from '../held-objects.ts';
import { readEntries } from '../records/ledger-reader.ts';

/** Larger documents are not read into memory; a day's report model has some hundred kilobytes. */
const LARGEST_DOCUMENT_BYTES = 32 * 1024 * 1024;

/**
 * What changed between two versions of one scope: every step that differs, why, and for each of its
 * outputs what is different in it. Tables are compared by the SQL engine, JSON leaf by leaf,
 * everything else by its bytes. What is no longer stored is said to be so.
 */
export async function compareVersions(
  engine: Engine,
  before: Manifest,
  after: Manifest,
  signal?: AbortSignal,
): Promise<VersionDiff> {
  const { definition, rowNames = {} } = datasetOf(engine, after.pipeline);
  const ledger = await ledgerOf(engine, before, after);
  const steps = await sqlOf(engine).session(async (sql) => {
    const comparison: Comparison = { engine, sql, definition, rowNames, before, after, ledger };
    const diffs: StepDiff[] = [];
    for (const id of differingSteps(definition, before, after))
      diffs.push(await compareStep(comparison, id));
    return diffs;
  }, definedMembers({ signal }));
  return {
    pipeline: after.pipeline,
    scope: after.scope,
    from: summaryOf(before),
    to: summaryOf(after),
    facts: valueChanges(before.facts, after.facts),
    decisions: after.decisions.filter(
      ({ step, key }) => decisionOn(before.decisions, step, key) === undefined,
    ),
    steps,
  };
}

interface Comparison {
  readonly engine: Engine;
  readonly sql: SqlSession;
  readonly definition: PipelineDefinition;
  readonly rowNames: NonNullable<Dataset['rowNames']>;
  readonly before: Manifest;
  readonly after: Manifest;
  readonly ledger: readonly LedgerEntry[];
}

function summaryOf({ version, verdict, run }: Manifest): VersionSummary {
  return { version, verdict, committedAt: run.committedAt };
}

/** The ledger entries behind both versions. */
async function ledgerOf(engine: Engine, before: Manifest, after: Manifest): Promise<LedgerEntry[]> {
  const steps = [before, after].flatMap((manifest) =>
    (Object.keys(manifest.steps) as StepId[]).flatMap((step) => {
      const key = keyIn(manifest, step);
      return key === undefined ? [] : [{ step, key }];
    }),
  );
  return (
    (await readEntries(engine.documents, after.pipeline, [{ scope: after.scope, steps }])).get(
      after.scope,
    ) ?? []
  );
}

function differingSteps(
  definition: PipelineDefinition,
  before: Manifest,
  after: Manifest,
): StepId[] {
  const gone = (Object.keys(before.steps) as StepId[]).filter(
    (id) => after.steps[id] === undefined,
  );
  const order = [...definition.steps, ...definition.rollups].map(({ id }) => id);
  const noted = (Object.keys(after.steps) as StepId[]).filter(
    (id) => !sameNote(keptIn(before, id), keptIn(after, id)),
  );
  const differing = new Set([...changedSteps(before, after.steps), ...noted, ...gone]);
  return [...differing].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

async function compareStep(comparison: Comparison, id: StepId): Promise<StepDiff> {
  const [before, after] = [comparison.before.steps[id], comparison.after.steps[id]];
  const [old, now] = [outputsOf(before), outputsOf(after)];
  const outputs: OutputDiff[] = [];
  for (const output of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [was, is] = [old[output], now[output]];
    if (was?.sha256 === is?.sha256) continue;
    outputs.push({
      output,
      before: outputSummary(was),
      after: outputSummary(is),
      content: maskContent(
        classifiedColumns(comparison.definition),
        await compareContent(comparison, meaningOf(comparison, id, output), was, is),
      ),
    });
  }
  return {
    step: id,
    before: before?.state ?? null,
    after: after?.state ?? null,
    why: whyChanged(comparison, id),
    outputs,
  };
}

function outputsOf(step: ManifestStep | undefined): Readonly<Record<string, ArtefactRef>> {
  return step?.state === 'done' ? step.outputs : {};
}

function outputSummary(ref: ArtefactRef | undefined): OutputSummary | null {
  if (ref === undefined) return null;
  const { key, sha256, bytes, rows } = ref;
  return { key, sha256, bytes, ...definedMembers({ rows }) };
}

/** By which columns rows of the output are told apart, and what they are called. */
interface RowMeaning {
  readonly keyColumns?: readonly string[];
  readonly nameRows?: NameRows;
}

function meaningOf({ definition, rowNames }: Comparison, id: StepId, output: string): RowMeaning {
  const { steps, rollups } = definition;
  const keyColumns = [...steps, ...rollups].find((step) => step.id === id)?.outputs[output]
    ?.keyColumns;
  return definedMembers({ keyColumns, nameRows: rowNames[id]?.[output] });
}

/** In the words of the planner, which would have said the same before it ran the step. */
function whyChanged({ before, after, ledger }: Comparison, id: StepId): string {
  const kept = keptIn(after, id);
  if (kept !== undefined)
    return `stays as delivered by ${kept.since}; ${kept.code}: ${kept.message}`;
  if (keptIn(before, id) !== undefined && keyIn(before, id) === keyIn(after, id))
    return 'was asked for again and is the same';
  const now = after.steps[id];
  if (now === undefined) return 'this version does not have the step';
  if (now.state === 'failed') return `failed, ${now.code}: ${now.message}`;
  if (now.state === 'skipped') return now.reason;
  const key = keyIn(before, id);
  if (key === undefined) return `was ${before.steps[id]?.state ?? 'not there'} before`;
  const [earlier, later] = [entryOf(ledger, id, key), entryOf(ledger, id, now.key)];
  return earlier === undefined || later === undefined
    ? 'its ledger entry is gone'
    : whyRun(earlier, later);
}

function entryOf(
  ledger: readonly LedgerEntry[],
  step: StepId,
  key: string,
): LedgerEntry | undefined {
  return ledger.find((entry) => entry.step === step && entry.key === key);
}

function compareContent(
  comparison: Comparison,
  meaning: RowMeaning,
  before: ArtefactRef | undefined,
  after: ArtefactRef | undefined,
): Promise<ContentDiff> {
  return holdingFiles(comparison.engine, (engine) =>
    compareHeld({ ...comparison, engine }, meaning, before, after),
  );
}

async function compareHeld(
  { engine, sql }: Comparison,
  meaning: RowMeaning,
  before: ArtefactRef | undefined,
  after: ArtefactRef | undefined,
): Promise<ContentDiff> {
  if (before === undefined) return { kind: 'bytes', why: 'is new' };
  if (after === undefined) return { kind: 'bytes', why: 'is gone' };
  const [old, now] = [await open(engine, before), await open(engine, after)];
  if ('problem' in old) return { kind: 'bytes', why: `the earlier file ${old.problem}` };
  if ('problem' in now) return { kind: 'bytes', why: `the later file ${now.problem}` };
  if (isTable(before) && isTable(after)) {
    return {
      kind: 'table',
      ...(await compareTables(sql, { before: old.path, after: now.path, ...meaning })),
    };
  }
  if (!isDocument(before) || !isDocument(after))
    return { kind: 'bytes', why: `${after.mediaType} is compared by its bytes` };
  return {
    kind: 'document',
    ...diffDocuments(await readDocument(old.path), await readDocument(now.path)),
  };
}

async function open(
  engine: Engine,
  ref: ArtefactRef,
): Promise<{ readonly path: string } | { readonly problem: string }> {
  try {
    const path = await engine.objects.openLocal(ref);
    return path === undefined ? { problem: 'is no longer stored' } : { path };
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    return { problem: 'no longer matches its recorded hash' };
  }
}

function isTable({ mediaType }: ArtefactRef): boolean {
  return mediaType === 'application/vnd.apache.parquet';
}

function isDocument({ mediaType, bytes }: ArtefactRef): boolean {
  return mediaType === 'application/json' && bytes <= LARGEST_DOCUMENT_BYTES;
}

async function readDocument(path: string): Promise<JsonValue> {
  return JSON.parse(await readFile(path, 'utf8')) as JsonValue;
}
