import { PipelineError } from '../../errors.ts';
import type { VersionFiles } from '../../pipelines/dataset-command.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { sqlOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { openInputs } from '../execute/step-inputs.ts';
import { holdingFiles } from '../held-objects.ts';
import { newestManifests } from '../records/ledger-reader.ts';

/** Outputs of the newest version of a day or period. */
export interface VersionAsked {
  readonly pipeline: string;
  readonly scope: Scope;
  /** By the names that its steps have for them. */
  readonly outputs: readonly string[];
}

/**
 * Works with outputs of a version as verified local files. `NOT_FOUND` where the day or period has
 * no version.
 */
export async function withVersion<T>(
  engine: Engine,
  { pipeline, scope, outputs }: VersionAsked,
  work: (sql: SqlSession, version: VersionFiles) => Promise<T>,
): Promise<T> {
  const manifest = (await newestManifests(engine.documents, pipeline, [scope])).get(scope);
  if (manifest === undefined)
    throw new PipelineError('NOT_FOUND', `${pipeline} ${scope} has no version yet`);
  const made = Object.values(manifest.steps).flatMap((step) =>
    step.state === 'done' ? Object.entries(step.outputs) : [],
  );
  const asked = made
    .filter(([name]) => outputs.includes(name))
    .map(([name, ref]) => [name, [{ scope, ref }]] as const);
  return holdingFiles(engine, async ({ objects }) => {
    const opened = Object.entries(await openInputs(objects, Object.fromEntries(asked)));
    const files = opened.flatMap(([name, [file]]) =>
      file === undefined ? [] : [[name, file.path] as const],
    );
    return sqlOf(engine).session((sql) =>
      work(sql, { version: manifest.version, files: Object.fromEntries(files) }),
    );
  });
}
