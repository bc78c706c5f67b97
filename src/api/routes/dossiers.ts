import type { FastifyRequest } from 'fastify';
import { datasetOf } from '../../engine/engine.ts';
import { readDossier } from '../../engine/look/day-dossier.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiContext } from '../shared/context.ts';
import { notFound } from '../shared/problems.ts';

/** Everything that is kept about a day, a month, a year or the history, with its newest version whole. Needs `ops:read`. */
export async function dossierOf(
  { engine, known }: ApiContext,
  request: FastifyRequest,
  pipeline: string,
  scope: Scope,
): Promise<Record<string, unknown>> {
  requireScope(request, 'ops:read', pipeline);
  datasetOf(engine, pipeline);
  const versions = await known.of(pipeline, [scope]);
  const dossier = await readDossier(engine, pipeline, scope).catch((error: unknown) => {
    throw versions.has(scope) ? error : notFound(`version or failure of ${pipeline} ${scope}`);
  });
  const { manifests, ...rest } = dossier;
  const told = manifests.map(({ version, verdict, run, changed }) => ({ version, verdict, run, changed }));
  return { ...rest, versions: told, manifest: manifests.at(-1) ?? null };
}
