import type { DocumentKey } from '../ports/documents.ts';
import type { JsonObject } from '../ports/json.ts';
import type { ArtefactRef } from '../ports/objects.ts';
import type { CheckResult } from './check-result.ts';
import type { StepNote } from './kept-delivery.ts';
import type { InputHashes } from './step-key.ts';
import { isPeriod } from './scope.ts';
import { splitShard } from './shard.ts';
import type { UnitDecision } from './units.ts';
import type { CivilDate, Scope, StepId, StepKey } from './vocabulary.ts';

/** Who executed a step: enough to find the run in Temporal and the code in version control. */
export interface Execution {
  readonly workflowId: string;
  readonly runId: string;
  readonly attempt: number;
  readonly host: string;
  readonly codeVersion: string;
  readonly startedAt: string;
  /** Time of the step for the whole set of scopes it ran for. */
  readonly durationMs: number;
  /** How many scopes the set had. */
  readonly scopes: number;
}

/** Where the bytes of a download came from. */
export interface Origin {
  readonly part: string;
  /** The full URL, or `import:<file name>` for files given by a person. */
  readonly url: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** The publisher's own time of processing, where it tells one. */
  readonly processedAt: string | null;
  readonly retrievedAt: string;
  /**
   * The day of which a list tells (`PartDefinition.listed`); absent for what tells its own days,
   * and in older records.
   */
  readonly asOf?: CivilDate;
  /**
   * A sample portal made the answer up; absent for what publishers answer, and in older records.
   */
  readonly sample?: true;
  readonly raw: ArtefactRef;
  /**
   * Of a day in shards, by output: the raw files of the shards that came in others than `raw`.
   * Absent where all came in it.
   */
  readonly shards?: Readonly<Record<string, ArtefactRef>>;
}

/**
 * One executed step on one scope. Created once, never changed: two writers of the same key wrote
 * the same bytes.
 */
export interface LedgerEntry {
  /** See `stored-records.ts`; older records have none. */
  readonly schema?: number;
  readonly pipeline: string;
  readonly scope: Scope;
  readonly step: StepId;
  readonly key: StepKey;
  readonly version: number;
  readonly params: JsonObject;
  readonly inputs: Readonly<Record<string, InputHashes>>;
  /**
   * What the step was told of parts that stayed as they were; absent where there was nothing to
   * tell.
   */
  readonly notes?: readonly StepNote[];
  /** Decisions on its units that the step was told; absent where there were none. */
  readonly decided?: readonly UnitDecision[];
  readonly outputs: Readonly<Record<string, ArtefactRef>>;
  readonly checks: readonly CheckResult[];
  readonly facts: JsonObject;
  readonly origin: Origin | null;
  readonly execution: Execution;
}

/** One row per scope, step and key; a finished entry is not replaced. */
export const LEDGER_TABLE = 'ledger';

/** Whether the step had nothing to give for its scope: a download of a day without rows. */
export function isEmptyEntry({ outputs }: Pick<LedgerEntry, 'outputs'>): boolean {
  return Object.keys(outputs).length === 0;
}

/**
 * The shards of a step's outputs that have no row of the scope, by output name; none of a step
 * whose outputs are whole.
 */
function lackedShards(
  { outputs: declared }: { readonly outputs: Readonly<Record<string, unknown>> },
  { outputs }: Pick<LedgerEntry, 'outputs'>,
): string[] {
  return Object.keys(declared).filter(
    (name) => !(name in outputs) && splitShard(name).shard !== undefined,
  );
}

/**
 * Why the slices of an entry are none of the step any more: they came whole or in other shards than
 * it declares now. Undefined where they are of it.
 */
export function cutOtherwise(
  { outputs: declared }: { readonly outputs: Readonly<Record<string, unknown>> },
  { outputs }: { readonly outputs: Readonly<Record<string, unknown>> },
): string | undefined {
  const other = Object.keys(outputs).find((name) => !(name in declared));
  if (other === undefined) return undefined;
  const [before, now] = [other, ...Object.keys(declared)].map(shardsTold);
  return `its slices came ${before}, and come ${now} now`;
}

function shardsTold(output: string): string {
  const { shard } = splitShard(output);
  return shard === undefined ? 'whole' : `in ${shard.of} shards`;
}

/** The same as a member; nothing where no shard lacks. */
function lacking(
  step: { readonly outputs: Readonly<Record<string, unknown>> },
  entry: Pick<LedgerEntry, 'outputs'>,
): { readonly lacks?: readonly string[] } {
  const lacks = isEmptyEntry(entry) ? [] : lackedShards(step, entry);
  return lacks.length === 0 ? {} : { lacks };
}

/**
 * What plans and states say of the rows of a download; nothing of those that are whole and real.
 */
export function deliveredWith(
  step: { readonly outputs: Readonly<Record<string, unknown>> },
  entry: Pick<LedgerEntry, 'outputs' | 'origin'>,
): { readonly lacks?: readonly string[]; readonly sample?: true } {
  const isMadeUp = entry.origin?.sample === true && !isEmptyEntry(entry);
  return { ...lacking(step, entry), ...(isMadeUp ? { sample: true } : {}) };
}

/**
 * Days of one month share a partition, so that a month is planned with one query; periods have one
 * of their own.
 */
export function scopePartition(pipeline: string, scope: Scope): string {
  return isPeriod(scope) ? `${pipeline}/periods` : `${pipeline}/${scope.slice(0, 7)}`;
}

/** Entries of a scope lie together, so that one query reads all steps of a day. */
export function ledgerKey(pipeline: string, scope: Scope, step: StepId, key: StepKey): DocumentKey {
  return {
    table: LEDGER_TABLE,
    partition: scopePartition(pipeline, scope),
    sort: `${scope}/${step}/${key}`,
  };
}

/** The last failed run of a scope, kept until a run of it succeeds. */
export interface FailureRecord {
  readonly scope: Scope;
  readonly step: StepId;
  readonly code: string;
  readonly message: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly failedAt: string;
}

/** The last failure of each scope, replaced by the next one and removed by a commit. */
export const FAILURE_TABLE = 'failures';

/** One row per scope. */
export function failureKey(pipeline: string, scope: Scope): DocumentKey {
  return {
    table: FAILURE_TABLE,
    partition: scopePartition(pipeline, scope),
    sort: `${scope}/last`,
  };
}
