import { PipelineError } from '../../errors.ts';
import { mergeDecisions } from '../../pipelines/decision.ts';
import type { Decision } from '../../pipelines/decision.ts';
import type { DegradedRecord } from '../../pipelines/degraded.ts';
import type { FailureRecord } from '../../pipelines/ledger.ts';
import { scopePartition } from '../../pipelines/ledger.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { VERIFICATION_TABLE } from '../../pipelines/verification.ts';
import type { Verification } from '../../pipelines/verification.ts';
import type { OperatorAction } from '../../pipelines/operator-action.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import { readDegraded } from '../records/degraded.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { readFailures } from '../records/failures.ts';
import { readManifests } from '../records/ledger-reader.ts';
import { plainDecision, readDecisions } from '../records/decisions.ts';
import { readActions } from '../records/operator-actions.ts';
import { publicationsOf, unpublished } from '../publish/published.ts';

/** Everything that is kept about one day or period. */
export interface Dossier {
  readonly pipeline: string;
  readonly scope: Scope;
  /** Every version, oldest first; empty when no run ever finished. */
  readonly manifests: readonly Manifest[];
  /** The last run, when it failed. */
  readonly failure: FailureRecord | null;
  /**
   * The newest version was made while a store was away, and is not proven on the primary stores
   * yet.
   */
  readonly degraded: DegradedRecord | null;
  /** The names under which the newest version is read, and whether they show it. */
  readonly published: readonly {
    readonly key: string;
    readonly artefact: string;
    readonly current: boolean;
  }[];
  readonly verification: Verification | null;
  /** What people decided on it, oldest first; also in runs that did not finish. */
  readonly decisions: readonly Decision[];
  /** What people did to it, oldest first. */
  readonly actions: readonly OperatorAction[];
}

/** Reads the dossier; `INPUT_INVALID` when nothing at all is known of the scope. */
export async function readDossier(
  engine: Engine,
  pipeline: string,
  scope: Scope,
): Promise<Dossier> {
  const { definition } = datasetOf(engine, pipeline);
  const [manifests, failures, degraded, verification, decided, actions] = await Promise.all([
    readVersions(engine, pipeline, scope),
    readFailures(engine.documents, pipeline, [scope]),
    readDegraded(engine, pipeline, [scope]),
    lastVerification(engine.documents, pipeline, scope),
    readDecisions(engine.documents, pipeline, [scope]),
    readActions(engine.documents, pipeline, scope),
  ]);
  const failure = failures.get(scope) ?? null;
  const newest = manifests.at(-1);
  if (newest === undefined && failure === null) {
    throw new PipelineError(
      'INPUT_INVALID',
      `nothing is known of ${pipeline} ${scope}: no run of it has ended yet; "quotidien plan" says what a run would do`,
    );
  }
  const publications = newest === undefined ? [] : publicationsOf(definition, newest);
  const behind = new Set((await unpublished(engine, publications)).map(({ key }) => key));
  const published = publications.map(({ key, ref }) => ({
    key,
    artefact: ref.key,
    current: !behind.has(key),
  }));
  const whileAway = degraded.get(scope) ?? null;
  const kept = (decided.get(scope) ?? []).map(plainDecision);
  const decisions = mergeDecisions(newest?.decisions ?? [], kept);
  return {
    pipeline,
    scope,
    manifests,
    failure,
    degraded: whileAway,
    published,
    verification,
    decisions,
    actions,
  };
}

/** Every manifest version of one scope, oldest first. */
export async function readVersions(
  engine: Pick<Engine, 'documents'>,
  pipeline: string,
  scope: Scope,
): Promise<Manifest[]> {
  return (await readManifests(engine.documents, pipeline, [scope])).get(scope) ?? [];
}

/** The version of this number; `INPUT_INVALID` names those there are. */
export function versionOf(manifests: readonly Manifest[], version: number): Manifest {
  const found = manifests.find((manifest) => manifest.version === version);
  if (found !== undefined) return found;
  const newest = manifests.at(-1);
  const what =
    newest === undefined
      ? 'has no version'
      : `${newest.pipeline} ${newest.scope} has versions 1 to ${newest.version}`;
  throw new PipelineError('INPUT_INVALID', `there is no version ${version}: ${what}`);
}

/** What came of the last rebuild of a scope; null when it was never verified. */
export async function lastVerification(
  documents: DocumentStore,
  pipeline: string,
  scope: Scope,
): Promise<Verification | null> {
  const range = {
    table: VERIFICATION_TABLE,
    partition: scopePartition(pipeline, scope),
    from: `${scope}/`,
    to: `${scope}0`,
  };
  const newest = documents.query<Verification>({ ...range, order: 'descending', limit: 1 });
  for await (const { body } of newest) return body;
  return null;
}
