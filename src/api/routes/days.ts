import { stat } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { openContent } from '../../engine/content-store.ts';
import { definedMembers } from '../../given.ts';
import { datasetOf } from '../../engine/engine.ts';
import { compareVersions } from '../../engine/look/compare-versions.ts';
import { readVersions, versionOf } from '../../engine/look/day-dossier.ts';
import { planRun } from '../../engine/plan/plan-run.ts';
import { checkRequest } from '../../engine/plan/resolve-plan.ts';
import { PipelineError } from '../../errors.ts';
import { openDiff, openManifest } from '../../pipelines/about-people.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { untilEnd } from '../../engine/held-objects.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { finished } from 'node:stream/promises';
import { sendFile } from '../answers/send-rows.ts';
import { digestOf, isKnown } from '../answers/tags.ts';
import { mayKnowPeople, requireOutput, requireScope } from '../security/callers.ts';
import { reportFormats, reportIn } from './report-formats.ts';
import type { ReportOutput } from './report-formats.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { dayParams } from '../shared/fields.ts';
import {
  answerAs,
  anything,
  anyRecord,
  byRanges,
  plainText,
  planned,
  problems,
  unchanged,
} from '../shared/responses.ts';
import { notFound } from '../shared/problems.ts';
import { dossierOf } from './dossiers.ts';
import { asPage } from './published.ts';
import { Rehearsals } from './rehearsals.ts';

/**
 * One day: what it is made of, what a run would do, its versions, what changed between them, and
 * its report.
 */

const tags = ['days'];
const versionParams = z.strictObject({
  ...dayParams.shape,
  version: z.coerce.number().int().min(1),
});
const reportFiles = {
  'text/html': plainText,
  'application/json': anything,
  'text/csv': plainText,
  'application/vnd.apache.parquet': anything,
};
const reportAnswer = {
  200: answerAs('The report, as it is kept', reportFiles),
  206: answerAs('A range of its bytes', reportFiles),
  ...problems,
  ...unchanged,
  ...byRanges,
};
const reportParams = z.strictObject({
  ...dayParams.shape,
  format: z.enum(['html', 'json', 'csv', 'parquet']),
});
const diffQuery = z.strictObject({
  versions: z
    .string()
    .regex(/^\d{1,6}\.\.\d{1,6}$/)
    .optional()
    .describe('Such as 1..2; default: the last two'),
});

const planQuery = z.strictObject({
  effects: z
    .enum(['true', 'false'])
    .optional()
    .describe('Also try the run, and tell what its run would change in months, years and history'),
});

/** One day: its dossier, versions and differences. */
export function addDayRoutes(app: ApiApp, context: ApiContext): void {
  const { engine } = context;
  const rehearsals = new Rehearsals(engine);
  const response = { 200: anyRecord, ...problems };
  app.get(
    '/pipelines/:pipeline/days/:date',
    {
      schema: { tags, summary: 'Everything that is kept about a day', params: dayParams, response },
    },
    async (request) => {
      const { pipeline, date } = request.params;
      return dossierOf(context, request, pipeline, date);
    },
  );
  app.get(
    '/pipelines/:pipeline/days/:date/plan',
    {
      schema: {
        tags,
        summary: 'What a run would do now, and why',
        params: dayParams,
        querystring: planQuery,
        response: { ...response, ...planned },
      },
    },
    async (request, reply) => {
      const { pipeline, date } = request.params;
      const isEffects = request.query.effects === 'true';
      // It takes what a run takes.
      if (isEffects) requireScope(request, 'ops:write', pipeline);
      const { definition } = datasetOf(engine, pipeline);
      checkRequest(definition, { dates: [date], options: {} });
      const { plans, unreadable } = await planRun(engine, definition, [date], { days: 1 });
      const [plan] = plans;
      if (plan === undefined)
        throw new PipelineError(
          'STORE_CORRUPT',
          [...unreadable.values()].map(({ why }) => why).join('; '),
        );
      const { steps, upToDate, unpublished } = plan;
      const effects = isEffects ? await rehearsals.of(pipeline, date, reply) : undefined;
      return { pipeline, date, upToDate, steps, unpublished, ...definedMembers({ effects }) };
    },
  );
  addVersionRoutes(app, context);
}

function addVersionRoutes(app: ApiApp, context: ApiContext): void {
  const { engine } = context;
  const response = { 200: anyRecord, ...problems };
  app.get(
    '/pipelines/:pipeline/days/:date/versions/:version',
    {
      schema: {
        tags,
        summary: 'One version, as it was committed',
        params: versionParams,
        response,
      },
    },
    async (request) => {
      const { pipeline, date, version } = request.params;
      requireScope(request, 'ops:read', pipeline);
      const { definition } = datasetOf(engine, pipeline);
      const manifests = await readVersions(engine, pipeline, date);
      const found = manifests.find((manifest) => manifest.version === version);
      if (found === undefined) throw notFound(`version ${version} of ${pipeline} ${date}`);
      return { ...(mayKnowPeople(request.caller) ? found : openManifest(definition, found)) };
    },
  );
  app.get(
    '/pipelines/:pipeline/days/:date/diff',
    {
      schema: {
        tags,
        summary: 'What changed between two versions',
        params: dayParams,
        querystring: diffQuery,
        response,
      },
    },
    async (request) => {
      const { pipeline, date } = request.params;
      requireScope(request, 'ops:read', pipeline);
      const { definition } = datasetOf(engine, pipeline);
      const manifests = await readVersions(engine, pipeline, date);
      const newest = manifests.at(-1)?.version ?? 0;
      if (newest < 2 && request.query.versions === undefined)
        throw notFound(`second version of ${pipeline} ${date}`);
      const [from = newest - 1, to = newest] =
        request.query.versions?.split('..').map(Number) ?? [];
      const diff = await compareVersions(
        engine,
        versionOf(manifests, from),
        versionOf(manifests, to),
      );
      return { ...(mayKnowPeople(request.caller) ? diff : openDiff(definition, diff)) };
    },
  );
  app.get(
    '/pipelines/:pipeline/days/:date/report.:format',
    {
      schema: {
        tags,
        summary: 'The report of the newest version',
        params: reportParams,
        response: reportAnswer,
      },
    },
    (request, reply) => sendReport(context, request.params, request, reply),
  );
}

async function sendReport(
  context: ApiContext,
  { pipeline, date, format }: z.output<typeof reportParams>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { definition } = datasetOf(context.engine, pipeline);
  const version = (await context.known.newest(pipeline, [date])).get(date);
  const found = reportIn(definition, format, version);
  requireReport(request, definition, found, format);
  if (version === undefined) throw notFound(`finished day ${date} of ${pipeline}`);
  const ref = found && version.outputs[found.id];
  if (ref === undefined) throw notFound(`report of ${pipeline} ${date} as ${format}`);
  reply.header('quotidien-version', version.version);
  if (format === 'html') asPage(reply);
  return sendArtefact(context, ref, request, reply);
}

/**
 * Who may not read the report in this format is told in which it is open; a pipeline without it
 * needs the right to read it.
 */
function requireReport(
  request: FastifyRequest,
  definition: PipelineDefinition,
  found: ReportOutput | undefined,
  format: string,
): void {
  if (found === undefined) {
    requireScope(request, 'data:read', definition.name);
    return;
  }
  const instead = reportFormats(definition, request.caller).flatMap((one) =>
    one.isOpen ? [one.format] : [],
  );
  requireOutput(request, definition, found.output, { what: `the report as ${format}`, instead });
}

/** Bytes of an artefact as they are kept: their hash is their tag and their digest. */
export async function sendArtefact(
  { engine }: ApiContext,
  ref: ArtefactRef,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (isKnown(request, reply, `"${ref.sha256}"`)) return reply.send();
  reply.type(ref.mediaType).header('repr-digest', digestOf(ref.sha256));
  return untilEnd(async (until) => {
    const path = await openContent(engine.objects, ref, { until });
    if (path === undefined) throw new PipelineError('STORE_CORRUPT', `${ref.key} is not there`);
    sendFile(path, (await stat(path)).size, request, reply);
    await finished(reply.raw).catch(() => undefined);
    return reply;
  });
}
