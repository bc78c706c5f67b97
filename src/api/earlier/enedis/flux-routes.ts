import { z } from 'zod';
import { tableId } from '../../../datasets/enedis/answers/tables.ts';
import { PipelineError } from '../../../errors.ts';
import { quoteIdentifier, quoteText } from '../../../pipelines/sql-text.ts';
import type { AnswerRow, TableColumn } from '../../../pipelines/tables.ts';
import type { ApiApp } from '../../shared/app.ts';
import { civilDate } from '../../shared/fields.ts';
import { answerAs, unchanged } from '../../shared/responses.ts';
import { FLUX_NAMES, fluxOf, fluxSql } from './flux.ts';
import type { Flux } from './flux.ts';
import { asJson, details, tags } from './frame.ts';
import { sendQuery, SENT_AS } from './send-query.ts';
import type { SentFormat } from './send-query.ts';
import type { Asked, Supplier } from './supplier.ts';

/**
 * `/flux/…` and `/releves…`: what the distributor delivered, and the readings that are made from
 * it.
 */

const prm = z.string().min(1).max(64).optional().describe('Point de livraison');
const page = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).max(1_000_000_000).default(0),
};
/** Of files; a sheet had at most 100,000 rows. */
const FILE_ROWS: Readonly<Record<SentFormat, { readonly rows: number; readonly max: number }>> = {
  xlsx: { rows: 10_000, max: 100_000 },
  arrow: { rows: 1_000_000, max: 10_000_000 },
};

const fileRows = z.coerce.number().int().min(1).optional();
const fluxQuery = z.strictObject({ prm, ...page });
const fileQuery = z.strictObject({ prm, limit: fileRows });
const SOURCES = ['flux_R151', 'flux_R64', 'flux_C15'] as const;
const ofReadings = {
  prm,
  source: z.enum(SOURCES).optional(),
  debut: civilDate.optional(),
  fin: civilDate.optional(),
};
const readingsQuery = z.strictObject({ ...ofReadings, ...page });
const readingsFileQuery = z.strictObject({ ...ofReadings, limit: fileRows });

const READINGS = tableId('releves');

/**
 * The rows of a flux or of the readings, as JSON, Arrow and workbook, and what there is of them.
 */
export function addFluxRoutes(app: ApiApp, supplier: Supplier): void {
  const params = z.strictObject({
    table: z.string().min(1).max(64).describe(FLUX_NAMES.join(', ')),
  });
  for (const format of ['xlsx', 'arrow'] as const) {
    const schema = { tags, params, querystring: fileQuery, response: fileResponse(format) };
    app.get(`/flux/:table.${format}`, { schema }, (request, reply) => {
      const flux = fluxOf(supplier, request.params.table);
      const { name, tables, columns } = flux;
      const sql = fluxSql(flux, {
        prm: request.query.prm,
        limit: rowsOf(format, request.query.limit),
      });
      return sendQuery(
        supplier,
        { request, reply },
        { name: `flux_${name}`, format, tables, columns, sql },
      );
    });
  }
  app.get('/flux/:table/info', { schema: { tags, params, response: asJson } }, (request, reply) => {
    const { name, tables, columns, rows, dated } = fluxOf(supplier, request.params.table);
    return sendInfo(
      supplier,
      { request, reply },
      { table: `flux_${name}`, tables, columns, rows, dated },
    );
  });
  const schema = { tags, params, querystring: fluxQuery, response: asJson };
  app.get('/flux/:table', { schema }, (request, reply) => {
    const flux = fluxOf(supplier, request.params.table);
    const { prm: point, limit, offset } = request.query;
    const filters = point === undefined ? null : { pdl: point };
    const sql = fluxSql(flux, request.query);
    return sendPage(
      supplier,
      { request, reply },
      { table: `flux_${flux.name}`, tables: flux.tables, filters, limit, offset, sql },
    );
  });
  addReadingRoutes(app, supplier);
}

function addReadingRoutes(app: ApiApp, supplier: Supplier): void {
  const columns = supplier.columnsOf(READINGS);
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const sqlOf = (filters: Filters, limit: number, offset = 0): string =>
    `SELECT ${names} FROM ${READINGS}${whereOf(filters)}
      ORDER BY pdl, date_releve, source, ordre_index, releve_id,
        ref_situation_contractuelle LIMIT ${limit} OFFSET ${offset}`;
  for (const format of ['xlsx', 'arrow'] as const) {
    const schema = { tags, querystring: readingsFileQuery, response: fileResponse(format) };
    app.get(`/releves.${format}`, { schema }, (request, reply) => {
      const { limit, ...filters } = request.query;
      const sql = sqlOf(filters, rowsOf(format, limit));
      return sendQuery(
        supplier,
        { request, reply },
        { name: 'releves', format, tables: [READINGS], columns, sql },
      );
    });
  }
  app.get('/releves/info', { schema: { tags, response: asJson } }, (request, reply) => {
    const info = {
      table: 'releves',
      tables: [READINGS],
      columns,
      rows: `SELECT * FROM ${READINGS}`,
      dated: 'date_releve',
    };
    return sendInfo(supplier, { request, reply }, info);
  });
  app.get(
    '/releves',
    { schema: { tags, querystring: readingsQuery, response: asJson } },
    (request, reply) => {
      const { limit, offset, ...given } = request.query;
      const filters = Object.fromEntries(
        Object.entries(given).filter(([, value]) => value !== undefined),
      );
      const asked = {
        table: 'releves',
        tables: [READINGS],
        filters: Object.keys(filters).length === 0 ? null : filters,
      };
      return sendPage(
        supplier,
        { request, reply },
        { ...asked, limit, offset, sql: sqlOf(given, limit, offset) },
      );
    },
  );
}

function fileResponse(format: SentFormat) {
  const { type } = SENT_AS[format];
  return { 200: answerAs('The rows', { [type]: z.any() }), ...unchanged, ...details };
}

function rowsOf(format: SentFormat, asked: number | undefined): number {
  const { rows, max } = FILE_ROWS[format];
  if (asked !== undefined && asked > max)
    throw new PipelineError(
      'INPUT_INVALID',
      `limit : au plus ${max} lignes en ${format}, ${asked} demandées`,
    );
  return asked ?? rows;
}

interface Filters {
  readonly prm?: string | undefined;
  readonly source?: string | undefined;
  /** Both days are included. */
  readonly debut?: string | undefined;
  readonly fin?: string | undefined;
}

function whereOf({ prm: point, source, debut, fin }: Filters): string {
  const conditions = [
    point === undefined ? [] : [`pdl = ${quoteText(point)}`],
    source === undefined ? [] : [`source = ${quoteText(source)}`],
    debut === undefined ? [] : [`jour >= ${quoteText(debut)}`],
    fin === undefined ? [] : [`jour <= ${quoteText(fin)}`],
  ].flat();
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

interface PageOfRows {
  readonly table: string;
  readonly tables: readonly string[];
  readonly filters: Readonly<Record<string, unknown>> | null;
  readonly limit: number;
  readonly offset: number;
  readonly sql: string;
}

function sendPage(
  supplier: Supplier,
  asked: Asked,
  { table, tables, filters, limit, offset, sql }: PageOfRows,
) {
  return supplier.answer(asked, tables, async (session) => {
    const data = await session.rows<AnswerRow>(sql);
    return { table, filters, pagination: { limit, offset, returned: data.length }, data };
  });
}

const SQL_TYPES: Readonly<Record<TableColumn['type'], string>> = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  instant: 'TIMESTAMP WITH TIME ZONE',
  date: 'DATE',
  boolean: 'BOOLEAN',
};

function sendInfo(
  supplier: Supplier,
  asked: Asked,
  {
    table,
    tables,
    columns,
    rows,
    dated,
  }: Pick<Flux, 'tables' | 'columns' | 'rows' | 'dated'> & { readonly table: string },
) {
  return supplier.answer(asked, tables, async (session) => {
    const [found] = await session.rows<{ count: number; newest: string | null }>(
      `SELECT count(*) AS count, left(max(CAST(${quoteIdentifier(dated)} AS VARCHAR)), 10) AS newest
        FROM (${rows})`,
    );
    return {
      table,
      schema: 'flux_enedis',
      count: found?.count ?? 0,
      columns: columns.map(({ name, type }) => ({ name, type: SQL_TYPES[type] })),
      derniere_date: found?.newest ?? null,
    };
  });
}
