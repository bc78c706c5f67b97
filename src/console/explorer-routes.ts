import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import type { FastifyRequest } from 'fastify';
import { h } from 'preact';
import { mayReadTable, requireScope } from '../api/security/callers.ts';
import type { ApiApp } from '../api/shared/app.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { notFound } from '../api/shared/problems.ts';
import { cutTable, tablesOf } from '../engine/look/table-cut.ts';
import type { PlacedTable } from '../engine/look/table-cut.ts';
import { columnsNamed, readRowSets } from '../engine/look/table-rows.ts';
import { readSeries } from '../engine/look/table-series.ts';
import type { TableSeries } from '../engine/look/table-series.ts';
import { errorCodeOf } from '../errors.ts';
import type { AnswerRow } from '../pipelines/tables.ts';
import { seriesOf } from './charts/series.ts';
import { chartOf, ExplorerPage } from './explorer-page.tsx';
import { readExplored } from './explorer-query.ts';
import type { Explored } from './explorer-query.ts';
import { EXPLORER_SCRIPT } from './explorer-script.ts';
import type { Page, PageContext } from './layout.tsx';
import type { AddPage } from './send-page.ts';

/**
 * The explorer of tables: the page, the numbers of its chart, and the one library that a browser
 * gets from here.
 */

const TABLE_ROWS = 200;
const SCRIPTS = ['/console/uplot.js', '/console/explorer.js'];

const { resolve } = createRequire(import.meta.url);

/** The files of uPlot as its package has them, under our own address: no other one is asked. */
const UPLOT = [
  ['/console/uplot.js', 'uplot/dist/uPlot.iife.min.js', 'text/javascript; charset=utf-8'],
  ['/console/uplot.css', 'uplot/dist/uPlot.min.css', 'text/css; charset=utf-8'],
] as const;

/** One table of all that the datasets declare. */
export function addExplorer(app: ApiApp, add: AddPage, context: ApiContext): void {
  const tables = tablesOf(context.engine.datasets);
  const placedIn = (request: FastifyRequest): PlacedTable => {
    const { id } = request.params as { id: string };
    const placed = tables.get(id);
    if (placed === undefined) throw notFound(`table ${JSON.stringify(id)}`);
    mayReadTable(request, placed);
    return placed;
  };
  for (const [path, file, type] of UPLOT) {
    app.get(path, { schema: { hide: true } }, async (_, reply) =>
      reply
        .type(type)
        .header('cache-control', 'max-age=86400')
        .send(await readFile(resolve(file))),
    );
  }
  app.get('/console/explorer.js', { schema: { hide: true } }, (_, reply) =>
    reply
      .type('text/javascript; charset=utf-8')
      .header('cache-control', 'max-age=300')
      .send(EXPLORER_SCRIPT),
  );
  app.get('/console/tables/:id/chart.json', { schema: { hide: true } }, async (request, reply) => {
    const placed = placedIn(request);
    requireScope(request, 'ops:read', placed.pipeline);
    const explored = await exploredIn(context, placed, request);
    const definition = chartOf({ table: placed.table, explored });
    if (explored.chart === null || definition === null)
      throw notFound(`column of numbers in ${placed.table.id}`);
    const cut = await cutTable(context.engine, context.known, placed, {
      ...explored.range,
      asOf: explored.asOf,
    });
    const { rows } = await readSeries(context.engine, cut, explored.chart);
    const isTime =
      placed.table.columns.find(({ name }) => name === definition.x)?.type === 'instant';
    reply.header('cache-control', 'no-store').type('application/json');
    return reply.send(
      JSON.stringify({ ...seriesOf(definition, rows), isTime, unit: definition.unit ?? null }),
    );
  });
  add.seen('/console/tables/:id', (page, request) =>
    explorerPage(context, page, placedIn(request), request),
  );
}

async function exploredIn(
  { known }: ApiContext,
  { pipeline, table }: PlacedTable,
  request: FastifyRequest,
) {
  const span = await known.span(pipeline);
  if (span === undefined) throw notFound(`finished day of ${pipeline} yet`);
  return readExplored(request.query, table, span);
}

async function explorerPage(
  context: ApiContext,
  page: PageContext,
  placed: PlacedTable,
  request: FastifyRequest,
): Promise<Page> {
  const { engine, known, settings } = context;
  const { table } = placed;
  const explored = await exploredIn(context, placed, request);
  const cut = await cutTable(engine, known, placed, { ...explored.range, asOf: explored.asOf });
  const columns = columnsNamed(table, explored.columns);
  const rows: AnswerRow[] = [];
  for await (const set of readRowSets(engine, cut, { columns: explored.columns })) {
    rows.push(...set.slice(0, TABLE_ROWS + 1 - rows.length));
    if (rows.length > TABLE_ROWS) break;
  }
  const drawn = await drawnOf(context, page, cut, explored);
  const origin = `${settings.loopback ? 'http' : 'https'}://${request.headers.host ?? request.hostname}`;
  const view = { table, explored, cut, rows, columns, drawn, origin };
  const content = h(ExplorerPage, { page, view });
  return {
    title: table.title[page.language],
    content,
    scripts: SCRIPTS,
    styles: ['/console/uplot.css'],
  };
}

/** What is too much for a chart is no reason to show no rows. */
async function drawnOf(
  { engine }: ApiContext,
  { words }: PageContext,
  cut: Parameters<typeof readSeries>[1],
  { chart }: Explored,
): Promise<TableSeries | string | null> {
  if (chart === null) return null;
  return readSeries(engine, cut, chart).catch((error: unknown) => {
    if (errorCodeOf(error) !== 'RANGE_TOO_LARGE') throw error;
    return words.tooManyPoints;
  });
}
