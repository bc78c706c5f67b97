import type { FastifyRequest } from 'fastify';
import { datasetOf } from '../../engine/engine.ts';
import { readDossier } from '../../engine/look/day-dossier.ts';
import { openDecisions, openManifest } from '../../pipelines/about-people.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import { mayKnowPeople, requireScope } from '../security/callers.ts';
import type { ApiContext } from '../shared/context.ts';
import { notFound } from '../shared/problems.ts';

/**
 * Everything that is kept about a day, a month, a year or the history, with its newest version;
 * names of units about people are left out for those who do not say who they are. Needs `ops:read`.
 */
export async function dossierOf(
  { engine, known }: ApiContext,
  request: FastifyRequest,
  pipeline: string,
  scope: Scope,
): Promise<Record<string, unknown>> {
  requireScope(request, 'ops:read', pipeline);
  const { definition } = datasetOf(engine, pipeline);
  const versions = await known.of(pipeline, [scope]);
  const dossier = await readDossier(engine, pipeline, scope).catch((error: unknown) => {
    throw versions.has(scope) ? error : notFound(`version or failure of ${pipeline} ${scope}`);
  });
  const { manifests, decisions, ...rest } = dossier;
  const told = manifests.map(({ version, verdict, run, changed }) => ({
    version,
    verdict,
    run,
    changed,
  }));
  const newest = manifests.at(-1);
  if (mayKnowPeople(request.caller))
    return { ...rest, decisions, versions: told, manifest: newest ?? null };
  const open = newest === undefined ? null : openManifest(definition, newest);
  return {
    ...rest,
    decisions: openDecisions(definition, decisions),
    versions: told,
    manifest: open,
  };
}
