import { definedMembers } from '../given.ts';
import type { DocumentKey } from '../ports/documents.ts';
import type { JsonObject } from '../ports/json.ts';
import type { ArtefactRef } from '../ports/objects.ts';
import type { CheckResult } from './check-result.ts';
import type { Decision } from './decision.ts';
import type { KeptNote } from './kept-delivery.ts';
import { scopePartition } from './ledger.ts';
import type { LedgerEntry, Origin } from './ledger.ts';
import type { Unanswered } from './unanswered.ts';
import type { RunReason, Scope, StepId, StepKey, Verdict } from './vocabulary.ts';

/** A step as the manifest keeps it: done, or why not. */
export type ManifestStep =
  | {
      readonly state: 'done';
      readonly key: StepKey;
      readonly version: number;
      readonly outputs: Readonly<Record<string, ArtefactRef>>;
      readonly failedChecks: readonly CheckResult[];
      /** Why a download uses what was delivered before. */
      readonly kept?: KeptNote;
    }
  | { readonly state: 'failed'; readonly code: string; readonly message: string }
  | {
      readonly state: 'skipped';
      readonly reason: string;
      /** Of a download: nothing came of the last request, which this run did not repeat. */
      readonly unanswered?: Unanswered;
    };

/** What a finished scope is made of. Versions count from 1 and are never overwritten. */
export interface Manifest {
  /** See `stored-records.ts`; older records have none. */
  readonly schema?: number;
  readonly pipeline: string;
  readonly scope: Scope;
  readonly version: number;
  readonly verdict: Verdict;
  readonly steps: Readonly<Record<StepId, ManifestStep>>;
  readonly origins: readonly Origin[];
  /** The facts of all steps together: `revision`, `coverage`, `rows`, …. */
  readonly facts: JsonObject;
  readonly decisions: readonly Decision[];
  readonly run: {
    readonly workflowId: string;
    readonly runId: string;
    readonly reason: RunReason;
    readonly committedAt: string;
    readonly codeVersion: string;
  };
  /** The steps whose outputs differ from the version before; all of them in version 1. */
  readonly changed: readonly StepId[];
}

/** Numbered versions of scopes, created once each; a commit never replaces one. */
export const MANIFEST_TABLE = 'manifests';

const VERSION_DIGITS = 6;

/** The version is padded with zeros: the newest one is the last row of its scope. */
export function manifestKey(pipeline: string, scope: Scope, version: number): DocumentKey {
  return {
    table: MANIFEST_TABLE,
    partition: scopePartition(pipeline, scope),
    sort: `${scope}/${String(version).padStart(VERSION_DIGITS, '0')}`,
  };
}

/**
 * The key of the version before, on which a version is based; undefined for the first, and for a
 * key of another form.
 */
export function previousVersionKey({
  table,
  partition,
  sort,
}: DocumentKey): DocumentKey | undefined {
  const [, scope, digits] = /^(.+)\/(\d+)$/.exec(sort) ?? [];
  const version = Number(digits) - 1;
  if (scope === undefined || !(version >= 1)) return undefined;
  return { table, partition, sort: `${scope}/${String(version).padStart(VERSION_DIGITS, '0')}` };
}

/** Where versions lie that are newer than the one of this key. */
export function newerVersions({ table, partition, sort }: DocumentKey): DocumentRange {
  const at = sort.lastIndexOf('/');
  const scope = sort.slice(0, at);
  const next = String(Number(sort.slice(at + 1)) + 1).padStart(VERSION_DIGITS, '0');
  return { table, partition, from: `${scope}/${next}`, to: `${scope}0` };
}

/** `[from, to)` of a partition. */
export type DocumentRange = Pick<DocumentKey, 'table' | 'partition'> & {
  readonly from: string;
  readonly to: string;
};

/** `done` as the manifest keeps it. */
export function manifestStep(entry: LedgerEntry, kept?: KeptNote): ManifestStep {
  return {
    state: 'done',
    key: entry.key,
    version: entry.version,
    outputs: entry.outputs,
    failedChecks: entry.checks.filter((check) => check.failed > 0),
    ...definedMembers({ kept }),
  };
}

/** The step's key in a manifest, when it was done there. */
export function keyIn(manifest: Manifest | undefined, step: StepId): StepKey | undefined {
  const state = manifest?.steps[step];
  return state?.state === 'done' ? state.key : undefined;
}

/** Why a step of a manifest uses what was delivered before; undefined when it does not. */
export function keptIn(manifest: Manifest | undefined, step: StepId): KeptNote | undefined {
  const state = manifest?.steps[step];
  return state?.state === 'done' ? state.kept : undefined;
}

/** The steps whose work differs between two versions. */
export function changedSteps(before: Manifest | undefined, steps: Manifest['steps']): StepId[] {
  return (Object.keys(steps) as StepId[]).filter((id) => {
    const [old, now] = [before?.steps[id], steps[id]];
    if (old?.state === 'done' && now?.state === 'done') return old.key !== now.key;
    return old?.state !== now?.state;
  });
}
