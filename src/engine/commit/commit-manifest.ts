import { PipelineError } from '../../errors.ts';
import type { Decision } from '../../pipelines/decision.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import type { DayState, StepState } from '../../pipelines/execution.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { sameNote } from '../../pipelines/kept-delivery.ts';
import { changedSteps, keptIn, manifestKey, manifestStep } from '../../pipelines/manifest.ts';
import type { Manifest, ManifestStep } from '../../pipelines/manifest.ts';
import { revisionOf } from '../../pipelines/revision.ts';
import { RECORD_SCHEMA } from '../../pipelines/stored-records.ts';
import type { RunReason, Scope, StepId, Verdict } from '../../pipelines/vocabulary.ts';
import type { JsonValue } from '../../ports/json.ts';
import { announceVersions, announcementsOf } from '../publish/announcements.ts';
import { tellChanges } from '../publish/changes.ts';
import type { CommitRequest, CommitResult } from '../contract.ts';
import { markDegraded } from '../records/degraded.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { newestManifests, readEntries } from '../records/ledger-reader.ts';
import { clearFailures } from '../records/failures.ts';
import { publishNewest } from '../publish/publish-versions.ts';

/** What a run says about one scope, before it is a manifest version. */
export interface Finding {
  readonly scope: Scope;
  readonly verdict: Verdict;
  readonly state: DayState;
  readonly decisions: readonly Decision[];
  /** The version that it was planned from, 0 for none; undefined: the newest. */
  readonly base: number | undefined;
}

/**
 * Commits a manifest version for every day that changed, then publishes. Doing it again changes
 * nothing. A day of which another run has committed something else since it was planned is left as
 * it is, and told as conflicting.
 */
export async function commitDays(
  engine: Engine,
  control: StepControl,
  request: CommitRequest,
): Promise<CommitResult> {
  const { definition } = datasetOf(engine, request.pipeline);
  const findings = request.days.map(({ outcome, state, decisions, base }) => ({
    scope: outcome.date,
    verdict: outcome.verdict,
    state,
    decisions,
    base,
  }));
  const { commits, conflicting } = await commitScopes(
    engine,
    control,
    definition,
    findings,
    request.reason,
  );
  const committed = commits.map(({ manifest }) => manifest);
  await clearFailures(engine.documents, definition.name, committed);
  if (request.degraded !== undefined) {
    const scopes = committed.map(({ scope }) => scope);
    await markDegraded(engine, control, definition.name, scopes, request.degraded);
  }
  const newest = new Map(commits.map(({ manifest }) => [manifest.scope, manifest]));
  const announced = await announcementsOf(engine.documents, definition.name, newest);
  return {
    days: commits.map(({ manifest, created }) => ({
      date: manifest.scope,
      version: manifest.version,
      created,
      facts: manifest.facts,
      verdict: manifest.verdict,
      revision: revisionOf(definition, manifest, engine.now()) ?? null,
    })),
    // Also what an earlier try announced whose answer was lost.
    affecting: [...new Set(announced.map(({ scope }) => scope))],
    conflicting,
  };
}

/** The newest version of a scope after a commit, whoever made it. */
export interface ScopeCommit {
  readonly manifest: Manifest;
  /** By this run, also in an earlier try; false when the newest manifest says the same already. */
  readonly created: boolean;
}

/** A set is not committed as a whole: scopes without a conflict are. */
export interface ScopeCommits {
  readonly commits: readonly ScopeCommit[];
  /**
   * Others have committed something else since these were planned: nothing was written, they are to
   * be planned again.
   */
  readonly conflicting: readonly Scope[];
}

/**
 * The shared core for days and periods: manifest versions are created, never replaced, and each on
 * the one that it was planned from. Whatever others committed in the meantime stays.
 */
export async function commitScopes(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  findings: readonly Finding[],
  reason: RunReason,
): Promise<ScopeCommits> {
  const ledger = await readEntries(engine.documents, definition.name, findings.map(doneSteps));
  const judgeAll = async (some: readonly Finding[]): Promise<Judgement[]> => {
    const scopes = some.map(({ scope }) => scope);
    const newest = await newestManifests(engine.documents, definition.name, scopes);
    return some.map((finding) => {
      const before = newest.get(finding.scope);
      const entries = ledger.get(finding.scope) ?? [];
      return judge(
        finding,
        before,
        manifestOf(engine, control, definition, finding, entries, before, reason),
      );
    });
  };
  const first = await judgeAll(findings);
  const versions = first.filter(({ kind }) => kind === 'create');
  const created = versions.map(({ manifest }) => manifest);
  await announceVersions(engine.documents, definition, versions);
  await tellChanges(engine.documents, created);
  const lost = await createVersions(engine, created);
  // Whoever was faster has committed by now, so these have no base to be created on any more.
  const again = await judgeAll(
    findings
      .filter(({ scope }) => lost.has(scope))
      .map((finding) => ({ ...finding, base: lost.get(finding.scope) })),
  );
  const judged = [...first.filter(({ manifest }) => !lost.has(manifest.scope)), ...again];
  const unsettled = again.find(({ kind }) => kind === 'create');
  if (unsettled !== undefined) throw vanished(unsettled.manifest);
  const commits = judged
    .filter(({ kind }) => kind !== 'conflicting')
    .map(({ kind, manifest }): ScopeCommit => ({ manifest, created: kind !== 'known' }));
  await publishNewest(
    engine,
    definition,
    commits.map(({ manifest }) => manifest.scope),
  );
  const conflicts = judged.filter(({ kind }) => kind === 'conflicting');
  return { commits, conflicting: conflicts.map(({ manifest }) => manifest.scope) };
}

/**
 * - create: nothing was committed since the plan; `manifest` is to be created after `before`.
 * - own: `manifest` was created by an earlier try of this run, whose answer was lost.
 * - known: `manifest` is the newest, and says the same.
 * - conflicting: another run has committed something else.
 */
interface Judgement {
  readonly kind: 'create' | 'own' | 'known' | 'conflicting';
  readonly manifest: Manifest;
  readonly before: Manifest | undefined;
}

function judge({ base }: Finding, newest: Manifest | undefined, now: Manifest): Judgement {
  const version = newest?.version ?? 0;
  const same = newest !== undefined && saysTheSame(newest, now);
  if (!same)
    return {
      kind: (base ?? version) === version ? 'create' : 'conflicting',
      manifest: now,
      before: newest,
    };
  const isOwn = base === version - 1 && newest.run.runId === now.run.runId;
  return { kind: isOwn ? 'own' : 'known', manifest: newest, before: undefined };
}

function doneSteps({ scope, state }: Finding) {
  const steps = (Object.entries(state) as [StepId, StepState][]).flatMap(([step, one]) =>
    one.state === 'done' ? [{ step, key: one.key }] : [],
  );
  return { scope, steps };
}

/**
 * Creates these versions; returns the base of each that another run has created meanwhile, by
 * scope.
 */
async function createVersions(
  engine: Engine,
  manifests: readonly Manifest[],
): Promise<Map<Scope, number>> {
  const created = await engine.documents.createMany(
    manifests.map((manifest) => ({
      key: manifestKey(manifest.pipeline, manifest.scope, manifest.version),
      body: manifest,
    })),
  );
  const lost = manifests.filter((_, index) => created[index] !== true);
  return new Map(lost.map(({ scope, version }) => [scope, version - 1]));
}

function vanished({ pipeline, scope, version }: Manifest): PipelineError {
  const message = `version ${version} of ${pipeline} ${scope} was written by another run, and cannot be read yet`;
  return new PipelineError('STORE_CONFLICT', message);
}

function manifestOf(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  finding: Finding,
  ledger: readonly LedgerEntry[],
  before: Manifest | undefined,
  reason: RunReason,
): Manifest {
  const entries = entriesOf(engine, finding, ledger);
  const steps: Record<StepId, ManifestStep> = {};
  // In the order of the definition: the order in which steps ended is chance.
  for (const { id } of [...definition.steps, ...definition.rollups]) {
    const [state, entry] = [finding.state[id], entries.get(id)];
    if (entry !== undefined)
      steps[id] = manifestStep(entry, state?.state === 'done' ? state.kept : undefined);
    else if (state !== undefined && state.state !== 'done') steps[id] = state;
  }
  return {
    schema: RECORD_SCHEMA,
    pipeline: definition.name,
    scope: finding.scope,
    version: (before?.version ?? 0) + 1,
    verdict: finding.verdict,
    steps,
    origins: definition.steps.flatMap(({ id }) => entries.get(id)?.origin ?? []),
    facts: mergeFacts(definition, entries),
    decisions: finding.decisions,
    run: {
      workflowId: control.execution.workflowId,
      runId: control.execution.runId,
      reason,
      committedAt: engine.now().toISOString(),
      codeVersion: engine.codeVersion,
    },
    changed: changedSteps(before, steps),
  };
}

function entriesOf(
  engine: Pick<Engine, 'fallback'>,
  finding: Finding,
  ledger: readonly LedgerEntry[],
): Map<StepId, LedgerEntry> {
  const entries = new Map<StepId, LedgerEntry>();
  for (const [id, state] of Object.entries(finding.state) as [StepId, StepState][]) {
    if (state.state !== 'done') continue;
    const entry = ledger.find((candidate) => candidate.step === id && candidate.key === state.key);
    if (entry === undefined) {
      const what = `${id} of ${finding.scope} was executed, but its ledger entry ${state.key.slice(0, 8)}`;
      const away = engine.fallback?.away('documents');
      if (away !== undefined)
        throw new PipelineError(
          'STORE_UNAVAILABLE',
          `${what} was not seen by this host, and ${away}`,
        );
      throw new PipelineError('STORE_CORRUPT', `${what} is gone`);
    }
    entries.set(id, entry);
  }
  return entries;
}

/**
 * The facts of all steps, later steps last; downloads and shards keep theirs to the ledger, because
 * several have the same names.
 */
function mergeFacts(
  definition: PipelineDefinition,
  entries: ReadonlyMap<StepId, LedgerEntry>,
): Record<string, JsonValue> {
  const facts: Record<string, JsonValue> = {};
  for (const { id } of [
    ...definition.steps.filter(({ part, shard }) => part === undefined && shard === undefined),
    ...definition.rollups,
  ]) {
    Object.assign(facts, entries.get(id)?.facts);
  }
  return facts;
}

/** Run, time and reason do not count: the same steps with the same outcome are the same day. */
function saysTheSame(before: Manifest, now: Manifest): boolean {
  return (
    before.verdict === now.verdict &&
    now.changed.length === 0 &&
    (Object.keys(now.steps) as StepId[]).every((id) =>
      sameNote(keptIn(before, id), keptIn(now, id)),
    ) &&
    Object.keys(before.steps).length === Object.keys(now.steps).length &&
    before.decisions.length === now.decisions.length
  );
}
