import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { PipelineError } from '../../errors.ts';
import { cutTable, filesOf, tablesOf } from '../../engine/look/table-cut.ts';
import type { PlacedTable, TableCut } from '../../engine/look/table-cut.ts';
import { columnsNamed, readRowSets } from '../../engine/look/table-rows.ts';
import { countDays } from '../../pipelines/civil-date.ts';
import type { AnswerRow, TableColumn } from '../../pipelines/tables.ts';
import { csvHeader, csvRows, DIALECTS } from '../answers/csv.ts';
import type { Dialect } from '../answers/csv.ts';
import { arrowStream } from '../answers/arrow.ts';
import { chooseFormat, FORMATS } from '../answers/formats.ts';
import type { Format } from '../answers/formats.ts';
import { sendWhole } from '../answers/send-rows.ts';
import { standingOf, tellStanding } from '../answers/standing.ts';
import type { KnownTags } from '../answers/known-tags.ts';
import { isKnown, tagOf } from '../answers/tags.ts';
import { mayReadTable } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { civilDate, instant } from '../shared/fields.ts';
import { untilHungUp } from '../shared/hung-up.ts';
import { anyRecord, bounded, problems } from '../shared/responses.ts';
import { fileAnswer, rowsAnswer } from './table-answers.ts';
import { notFound } from '../shared/problems.ts';

/** Rows and files of declared tables. */

const ROWS_PER_PAGE = 1_000;
const MAX_ROWS_PER_PAGE = 10_000;
/** Ten years: more is what the published files of the whole history are for. */
const MAX_DAYS = 3_660;

const tableParams = z.strictObject({ table: z.string().max(64).describe('Id of a table') });
const formatParams = z.strictObject({
  ...tableParams.shape,
  format: z.enum(['json', 'ndjson', 'csv', 'parquet', 'arrow', 'xlsx']),
});
const rangeFields = {
  from: civilDate.optional().describe('First day; default: the last known day'),
  to: civilDate.optional().describe('Last day, included; default: the last known day'),
  as_of: instant.optional().describe('The data as they were known at this instant'),
};
const columnsField = {
  columns: z.string().max(4_000).optional().describe('Names of columns, with commas between'),
  dialect: z.enum(DIALECTS).default('standard').describe('Of CSV: `fr` for French spreadsheets'),
};
const rowsQuery = z.strictObject({
  ...rangeFields,
  ...columnsField,
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_ROWS_PER_PAGE)
    .default(ROWS_PER_PAGE)
    .describe('Rows of a page'),
  cursor: z.string().max(500).optional().describe('From the `next` link of the page before'),
});
const fileQuery = z.strictObject({ ...rangeFields, ...columnsField });
const proofQuery = z.strictObject(rangeFields);

type Query = z.output<typeof rowsQuery>;

/** Descriptions, pages of rows and whole files of every declared table. */
export function addTableRoutes(app: ApiApp, context: ApiContext, known: KnownTags): void {
  const tables = tablesOf(context.engine.datasets);
  addDescriptions(app, tables);
  const tags = ['tables'];
  const rows = (request: FastifyRequest, reply: FastifyReply, given: Query, suffix?: string) =>
    sendPage({ context, tables, known }, { request, reply, given, suffix });
  const file = (
    request: FastifyRequest,
    reply: FastifyReply,
    given: z.output<typeof fileQuery>,
    suffix?: string,
  ) => sendTable({ context, tables, known }, { request, reply, given, suffix });
  const summary = 'A page of rows';
  app.get(
    '/tables/:table/rows',
    {
      schema: { tags, summary, params: tableParams, querystring: rowsQuery, response: rowsAnswer },
    },
    (request, reply) => rows(request, reply, request.query),
  );
  app.get(
    '/tables/:table/rows.:format',
    {
      schema: { tags, summary, params: formatParams, querystring: rowsQuery, response: rowsAnswer },
    },
    (request, reply) => rows(request, reply, request.query, request.params.format),
  );
  app.get(
    '/tables/:table/file',
    {
      schema: {
        tags,
        summary: 'All rows of a range',
        params: tableParams,
        querystring: fileQuery,
        response: fileAnswer,
      },
    },
    (request, reply) => file(request, reply, request.query),
  );
  app.get(
    '/tables/:table/file.:format',
    {
      schema: {
        tags,
        summary: 'All rows of a range',
        params: formatParams,
        querystring: fileQuery,
        response: fileAnswer,
      },
    },
    (request, reply) => file(request, reply, request.query, request.params.format),
  );
  addProof(app, context, tables);
}

function addProof(
  app: ApiApp,
  context: ApiContext,
  tables: ReadonlyMap<string, PlacedTable>,
): void {
  const tags = ['tables'];
  app.get(
    '/tables/:table/proof',
    {
      schema: {
        tags,
        summary: 'The versions and hashes that rows stand on',
        params: tableParams,
        querystring: proofQuery,
        response: { 200: anyRecord, ...problems, ...bounded },
      },
    },
    async (request) => {
      const { cut } = await cutOf(context, tables, request, request.query);
      const versions = cut.versions.flatMap((known) => {
        const { scope, version, verdict, committedAt } = known;
        const about = { scope, version, verdict, committed_at: committedAt };
        return filesOf(known, cut.table.rows).map(({ key, sha256, bytes }) => ({
          ...about,
          key,
          sha256,
          bytes,
        }));
      });
      return { table: cut.table.id, ...cut.span, hash: cut.hash, missing: cut.missing, versions };
    },
  );
}

function addDescriptions(app: ApiApp, tables: ReadonlyMap<string, PlacedTable>): void {
  const tags = ['tables'];
  app.get(
    '/tables',
    {
      schema: {
        tags,
        summary: 'Every table',
        response: { 200: z.object({ tables: z.array(anyRecord) }), ...problems },
      },
    },
    () => ({ tables: [...tables.values()].map(described) }),
  );
  app.get(
    '/tables/:table',
    {
      schema: {
        tags,
        summary: 'One table',
        params: tableParams,
        response: { 200: anyRecord, ...problems },
      },
    },
    (request) => {
      const found = placed(tables, request.params.table);
      mayReadTable(request, found);
      return described(found);
    },
  );
}

function described({ pipeline, table }: PlacedTable): Record<string, unknown> {
  const { id, title, description, columns, order, rows } = table;
  return { id, pipeline, title, description, each: rows.each, columns, order };
}

function placed(tables: ReadonlyMap<string, PlacedTable>, id: string): PlacedTable {
  const found = tables.get(id);
  if (found === undefined)
    throw notFound(`table ${JSON.stringify(id)}; there are ${[...tables.keys()].join(', ')}`);
  return found;
}

interface Range {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly as_of?: string | undefined;
}

interface PlacedCut {
  readonly pipeline: string;
  /** Of the versions, from before they were read. */
  readonly state: object;
  readonly cut: TableCut;
}

async function cutOf(
  context: ApiContext,
  tables: ReadonlyMap<string, PlacedTable>,
  request: FastifyRequest,
  { from, to, as_of: asOf }: Range,
): Promise<PlacedCut> {
  const { engine, known } = context;
  const table = placed(tables, (request.params as { table: string }).table);
  mayReadTable(request, table);
  const { pipeline } = table;
  const state = await known.state(pipeline);
  const span = from === undefined || to === undefined ? await known.span(pipeline) : undefined;
  const last = to ?? from ?? span?.to;
  const first = from ?? last;
  if (first === undefined || last === undefined) throw notFound(`finished day of ${pipeline} yet`);
  if (last < first)
    throw new PipelineError(
      'INPUT_INVALID',
      `the range ends (${last}) before it begins (${first})`,
    );
  const days = countDays(first, last);
  if (days > MAX_DAYS)
    throw new PipelineError(
      'RANGE_TOO_LARGE',
      `${days} days are asked for, at most ${MAX_DAYS} are given at once`,
    );
  const at = asOf === undefined ? undefined : new Date(asOf).toISOString();
  return {
    pipeline,
    state,
    cut: await cutTable(engine, known, table, { from: first, to: last, asOf: at }),
  };
}

/** Where the next page begins: it is of the same versions, whatever is committed in between. */
interface Cursor {
  readonly skip: number;
  readonly hash: string;
  readonly asOf: string;
  readonly from: string;
  readonly to: string;
}

function readCursor(text: string): Cursor {
  try {
    const [skip, hash, asOf, from, to] = JSON.parse(
      Buffer.from(text, 'base64url').toString(),
    ) as unknown[];
    const parts = [hash, asOf, from, to];
    if (
      Number.isSafeInteger(skip) &&
      Number(skip) >= 0 &&
      parts.every((part) => typeof part === 'string')
    )
      return { skip: Number(skip), hash, asOf, from, to } as Cursor;
  } catch {
    // Told below.
  }
  throw new PipelineError('INPUT_INVALID', 'the cursor is none that this server gave');
}

function writeCursor({ skip, hash, asOf, from, to }: Cursor): string {
  return Buffer.from(JSON.stringify([skip, hash, asOf, from, to])).toString('base64url');
}

interface Room {
  readonly context: ApiContext;
  readonly tables: ReadonlyMap<string, PlacedTable>;
  readonly known: KnownTags;
}

interface Asked<G> {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly given: G;
  readonly suffix: string | undefined;
}

async function sendPage(
  { context, tables, known }: Room,
  { request, reply, given, suffix }: Asked<Query>,
): Promise<unknown> {
  const format = chooseFormat(suffix, request.headers.accept, ['json', 'ndjson', 'csv', 'arrow']);
  const cursor = given.cursor === undefined ? undefined : readCursor(given.cursor);
  const range =
    cursor === undefined ? given : { from: cursor.from, to: cursor.to, as_of: cursor.asOf };
  const { cut, pipeline, state } = await cutOf(context, tables, request, range);
  if (cursor !== undefined && cursor.hash !== cut.hash)
    throw new PipelineError(
      'STORE_CONFLICT',
      'the rows of this cursor are no longer there: begin with the first page again',
    );
  const names = given.columns?.split(',').map((name) => name.trim());
  const columns = columnsNamed(cut.table, names);
  const { limit, dialect } = given;
  const skip = cursor?.skip ?? 0;
  const tag = tagOf([
    'page',
    cut.hash,
    cut.committedAt,
    format,
    dialect,
    names ?? null,
    limit,
    skip,
    given.as_of ?? null,
  ]);
  reply.header('vary', 'accept');
  known.keep(request, { pipeline, state, tag });
  if (isKnown(request, reply, tag)) return reply.send();
  const standing = standingOf(cut, given.as_of);
  const { rows, more } = await pageOf(context, cut, {
    columns: names,
    skip,
    limit,
    signal: untilHungUp(reply.raw),
  });
  const next = more && cut.committedAt !== null ? nextLink(request, cut, skip + limit) : undefined;
  tellStanding(reply, standing, next === undefined ? [] : [`<${next}>; rel="next"`]);
  reply.type(FORMATS[format]);
  if (format !== 'json') return sendRows(reply, format, columns, rows, dialect);
  const head = { table: cut.table.id, ...cut.span, columns, standing, next: next ?? null };
  return reply.send(`${JSON.stringify(head).slice(0, -1)},"rows":${JSON.stringify(rows)}}`);
}

function nextLink(request: FastifyRequest, cut: TableCut, skip: number): string {
  const [path = '', query = ''] = request.url.split('?');
  const params = new URLSearchParams(query);
  for (const name of ['from', 'to', 'as_of']) params.delete(name);
  params.set(
    'cursor',
    writeCursor({ skip, hash: cut.hash, asOf: cut.committedAt ?? '', ...cut.span }),
  );
  return `${path}?${params.toString()}`;
}

async function pageOf(
  { engine }: ApiContext,
  cut: TableCut,
  {
    columns,
    skip,
    limit,
    signal,
  }: {
    readonly columns: readonly string[] | undefined;
    readonly skip: number;
    readonly limit: number;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly rows: readonly AnswerRow[]; readonly more: boolean }> {
  const rows: AnswerRow[] = [];
  for await (const set of readRowSets(engine, cut, { columns, skip, signal })) {
    rows.push(...set.slice(0, limit + 1 - rows.length));
    if (rows.length > limit) break;
  }
  return { rows: rows.slice(0, limit), more: rows.length > limit };
}

function sendRows(
  reply: FastifyReply,
  format: Exclude<Format, 'json' | 'parquet'> | Format,
  columns: readonly TableColumn[],
  rows: readonly AnswerRow[],
  dialect: Dialect,
): FastifyReply {
  if (format === 'csv')
    return reply.send(csvHeader(columns, dialect) + csvRows(columns, rows, dialect));
  if (format === 'ndjson')
    return reply.send(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return reply.send(arrowStream(columns, oneSet(rows)));
}

// oxlint-disable-next-line typescript/require-await -- what reads it takes sets as they come
async function* oneSet(rows: readonly AnswerRow[]): AsyncGenerator<readonly AnswerRow[]> {
  yield rows;
}

async function sendTable(
  { context, tables, known }: Room,
  { request, reply, given, suffix }: Asked<z.output<typeof fileQuery>>,
): Promise<FastifyReply> {
  const format = chooseFormat(suffix, request.headers.accept, [
    'csv',
    'json',
    'ndjson',
    'parquet',
    'arrow',
    'xlsx',
  ]);
  const { cut, pipeline, state } = await cutOf(context, tables, request, given);
  const names = given.columns?.split(',').map((name) => name.trim());
  const columns = columnsNamed(cut.table, names);
  reply.header('vary', 'accept');
  const tag = tagOf(['file', cut.hash, format, given.dialect, names ?? null]);
  known.keep(request, { pipeline, state, tag });
  if (isKnown(request, reply, tag)) return reply.send();
  tellStanding(reply, standingOf(cut, given.as_of));
  return sendWhole(
    context.engine,
    { cut, columns, names, format, dialect: given.dialect },
    request,
    reply,
  );
}
