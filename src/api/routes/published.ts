import path from 'node:path';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { datasetOf } from '../../engine/engine.ts';
import { CALENDAR_INDEX } from '../../pipelines/calendar-month.ts';
import type { OutputDefinition, PipelineDefinition } from '../../pipelines/definition.ts';
import { requireOutput, requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { notFound } from '../shared/problems.ts';

/**
 * What is published, under the names that readers know, as a folder or a bucket has it: the
 * relative links of reports lead to the same places whether a page was opened from a disk, from a
 * bucket or from here.
 */

/** Where the published names begin. */
export const STORE = '/store/';

/**
 * Reports have their style within and run nothing: the policy of the console's own pages would
 * leave them bare.
 */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

interface WithPath {
  readonly '*': string;
}

/** Files under their published names; only names that a definition declares are looked up. */
export function addPublished(app: ApiApp, context: ApiContext): void {
  const names = publishedNames(
    Object.values(context.engine.datasets).map(({ definition }) => definition),
  );
  app.get(`${STORE}*`, { schema: { hide: true } }, async (request, reply) => {
    const key = (request.params as WithPath)['*'];
    const found = names.find(({ form }) => form.test(key));
    if (found === undefined) throw notFound(`published name ${key}`);
    if (found.made === undefined) requireScope(request, 'data:read', found.pipeline);
    else requireOutput(request, found.made.definition, found.made.output, { what: key });
    return sendPublished(context, key, reply);
  });
}

/**
 * Links of a report that is read as a route of its day: the days beside it and its files lie in its
 * folder, the rest above that.
 */
export function addReportLinks(app: ApiApp, { engine }: ApiContext): void {
  const to = (reply: FastifyReply, key: string): FastifyReply => reply.redirect(`${STORE}${key}`);
  app.get('/pipelines/:pipeline/days/:date/*', { schema: { hide: true } }, (request, reply) => {
    const { pipeline, '*': name } = request.params as WithPath & { pipeline: string };
    const { definition } = datasetOf(engine, pipeline);
    for (const { publishAs: form } of outputsOf(definition)) {
      const folder = form.slice(0, form.lastIndexOf('/') + 1);
      if (formOf(form).test(`${folder}${name}`)) return to(reply, `${folder}${name}`);
    }
    throw notFound(`file ${name} of ${pipeline}`);
  });
  app.get('/pipelines/:pipeline/*', { schema: { hide: true } }, (request, reply) => {
    const { pipeline, '*': name } = request.params as WithPath & { pipeline: string };
    const { definition } = datasetOf(engine, pipeline);
    const known = publishedNames([definition]).some(({ form }) => form.test(name));
    if (!known) throw notFound(`resource ${name} of ${pipeline}`);
    return to(reply, name);
  });
}

/** Sends a page with the policy of pages that have their style within. */
export function asPage(reply: FastifyReply): void {
  reply.header('content-security-policy', PAGE_POLICY);
}

async function sendPublished(
  { engine }: ApiContext,
  key: string,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = await engine.objects.get(key);
  if (body === undefined) throw notFound(`published ${key} yet`);
  const extension = path.extname(key).slice(1);
  // A name is replaced by each new version.
  reply
    .type(MEDIA_TYPES[extension] ?? 'application/octet-stream')
    .header('cache-control', 'no-cache');
  if (extension === 'html') asPage(reply);
  return reply.send(Readable.from(body, { objectMode: false }));
}

interface PublishedName {
  readonly form: RegExp;
  /** Undefined: it tells of all pipelines. */
  readonly pipeline: string | undefined;
  /**
   * The output that has the name; undefined for what the engine writes, which is about no person.
   */
  readonly made:
    | { readonly definition: PipelineDefinition; readonly output: OutputDefinition }
    | undefined;
}

function publishedNames(definitions: readonly PipelineDefinition[]): PublishedName[] {
  const index: PublishedName = {
    form: formOf(CALENDAR_INDEX),
    pipeline: undefined,
    made: undefined,
  };
  return [
    index,
    ...definitions.flatMap((definition) => {
      const { name: pipeline, publishedDownloads: downloads } = definition;
      const texts = downloads === undefined ? [] : [downloads.freshness, downloads.log];
      const open = [`calendar/${pipeline}/{scope}.html`, ...texts].map((text) => {
        return { form: formOf(text), pipeline, made: undefined };
      });
      const made = outputsOf(definition).map((output) => {
        return { form: formOf(output.publishAs), pipeline, made: { definition, output } };
      });
      return [...open, ...made];
    }),
  ];
}

type PublishedOutput = OutputDefinition & Required<Pick<OutputDefinition, 'publishAs'>>;

function outputsOf({ steps, rollups }: PipelineDefinition): PublishedOutput[] {
  return [...steps, ...rollups].flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((output) => {
      const { publishAs } = output;
      return publishAs === undefined ? [] : [{ ...output, publishAs }];
    }),
  );
}

/** A day, a month or a year stands for its scope, and nothing else does. */
function formOf(template: string): RegExp {
  const text = template
    .split('{scope}')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${text.join(String.raw`(?:\d{4}(?:-\d\d){0,2}|all)`)}$`);
}
