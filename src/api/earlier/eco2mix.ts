import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { BORDERS, SOURCES } from '../../datasets/eco2mix/metrics-model.ts';
import { exchangeQuantity, PAYS } from '../../datasets/eco2mix/answers/quantities.ts';
import type { Pays } from '../../datasets/eco2mix/answers/quantities.ts';
import { COLUMN_OF } from '../../datasets/eco2mix/columns.ts';
import { cutTable, tablesOf } from '../../engine/look/table-cut.ts';
import type { TableCut } from '../../engine/look/table-cut.ts';
import { readAllTexts, readRowSets } from '../../engine/look/table-rows.ts';
import { PipelineError } from '../../errors.ts';
import { countDays } from '../../pipelines/civil-date.ts';
import type { AnswerRow } from '../../pipelines/tables.ts';
import { quoteIdentifier } from '../../pipelines/sql-text.ts';
import { FORMATS } from '../answers/formats.ts';
import { standingOf, tellStanding } from '../answers/standing.ts';
import { isKnown, tagOf } from '../answers/tags.ts';
import { instantTextSql } from '../answers/value-sql.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { civilDate } from '../shared/fields.ts';
import { untilHungUp } from '../shared/hung-up.ts';
import { answerAs, anyRecord, bounded, problems, unchanged } from '../shared/responses.ts';
import { notFound } from '../shared/problems.ts';

/**
 * The endpoints of the earlier eCO2mix system, under their paths and in their shapes: power in MW
 * for at most a year, energies in GWh by month for at most ten. French names, as its clients know
 * them.
 */

const MAX_CURVE_DAYS = 366;
const MAX_ENERGY_DAYS = 3_660;
const FILIERES = [...SOURCES, 'pompage'] as const;

const tags = ['eCO2mix (earlier)'];
const range = { debut: civilDate, fin: civilDate };
const plain = z.strictObject(range);
const byFiliere = z.strictObject({ ...range, filiere: z.enum(FILIERES).default('nucleaire') });
const byPays = z.strictObject({ ...range, pays: z.enum(PAYS).default('total') });

interface Range {
  readonly debut: string;
  readonly fin: string;
}

/** Paths, parameters and members as the earlier server had them. */
export function addGridRoutes(app: ApiApp, context: ApiContext): void {
  const response = { 200: anyRecord, ...problems };
  const grid = new Grid(context);
  app.get('/meta', { schema: { tags, response } }, async () => {
    const span = await context.known.span('eco2mix');
    const dates = span === undefined ? null : { debut: span.from, fin: span.to };
    return {
      consommation: dates,
      production: dates,
      echanges: dates,
      filieres: FILIERES,
      pays: PAYS,
    };
  });
  addCurves(app, grid);
  addEnergies(app, grid);
}

/** The names of the earlier system, by our sources. */
const CAPACITY_NAMES: Readonly<Record<string, string>> = {
  eolien_terrestre: 'Eolien terrestre',
  eolien_en_mer: 'Eolien en mer',
  solaire: 'Solaire',
};

/**
 * Installed capacity of wind and sun by month, as RTE's figures give it; without a range all that
 * is known.
 */
export function addCapacityRoute(app: ApiApp, { engine, known }: ApiContext): void {
  const placed = tablesOf(engine.datasets).get('parc_mensuel');
  const schema = {
    tags,
    querystring: z.strictObject(range).partial(),
    response: { 200: anyRecord, ...problems, ...bounded },
  };
  app.get('/parc', { schema }, async (request, reply) => {
    const span = placed === undefined ? undefined : await known.span(placed.pipeline);
    if (placed === undefined || span === undefined)
      return { count: 0, unite: 'MW', data: [], note: 'aucun mois du parc installé n’est connu' };
    const { debut: from = span.from, fin: to = span.to } = request.query;
    const data: Record<string, unknown>[] = [];
    const cut = await cutTable(engine, known, placed, { from, to });
    tellStanding(reply, standingOf(cut));
    for await (const rows of readRowSets(engine, cut))
      for (const { period, source, derived_mw: power } of rows) {
        const filiere = CAPACITY_NAMES[String(source)];
        if (filiere !== undefined && power !== null)
          data.push({ date: period, filiere, parc_mw: power });
      }
    return { count: data.length, unite: 'MW', data };
  });
}

function addCurves(app: ApiApp, grid: Grid): void {
  const curve = (query: z.ZodObject) => ({
    schema: {
      tags,
      querystring: query,
      response: {
        200: answerAs('The curve', { 'application/json': anyRecord }),
        ...problems,
        ...unchanged,
      },
    },
  });
  app.get('/courbe_conso', curve(plain), (request, reply) => {
    const asked = plain.parse(request.query);
    return grid.sendCurve(request, reply, asked, {
      name: 'consommation',
      columns: ['load_mw'],
      head: {},
    });
  });
  app.get('/courbe_prod', curve(byFiliere), (request, reply) => {
    const asked = byFiliere.parse(request.query);
    const columns = [COLUMN_OF[asked.filiere]];
    const head = { filiere: asked.filiere };
    return grid.sendCurve(request, reply, asked, { name: 'production', columns, head });
  });
  app.get('/echange', curve(byPays), (request, reply) => {
    const asked = byPays.parse(request.query);
    const head = { pays: asked.pays, note: 'positif : import ; négatif : export' };
    return grid.sendCurve(request, reply, asked, {
      name: 'echange',
      columns: exchangeColumns(asked.pays),
      head,
    });
  });
}

function addEnergies(app: ApiApp, grid: Grid): void {
  const energies = (query: z.ZodObject) => ({
    schema: { tags, querystring: query, response: { 200: anyRecord, ...problems } },
  });
  const gwh = (value: unknown): number => Math.round(Number(value) / 100) / 10;
  app.get('/energie_conso', energies(plain), (request, reply) => {
    const asked = plain.parse(request.query);
    return grid.energies({ request, reply }, asked, 'consommation', (row) => ({
      energie_gwh: gwh(row['energy_mwh']),
    }));
  });
  app.get('/energie_prod', energies(byFiliere), async (request, reply) => {
    const { filiere, ...asked } = byFiliere.parse(request.query);
    const found = await grid.energies({ request, reply }, asked, filiere, (row) => ({
      energie_gwh: gwh(row['energy_mwh']),
    }));
    return { ...found, filiere };
  });
  app.get('/energie_echange', energies(byPays), async (request, reply) => {
    const { pays, ...asked } = byPays.parse(request.query);
    const found = await grid.energies({ request, reply }, asked, exchangeQuantity(pays), (row) => {
      return { import_gwh: gwh(row['import_mwh']), export_gwh: gwh(row['export_mwh']) };
    });
    return { ...found, pays };
  });
}

function exchangeColumns(pays: Pays): string[] {
  if (pays === 'total') return BORDERS.map((border) => COLUMN_OF[`ech_comm_${border}`]);
  return [pays === 'physiques' ? COLUMN_OF.ech_physiques : COLUMN_OF[`ech_comm_${pays}`]];
}

/** A curve of the earlier system. */
interface Curve {
  /** The member that has the power. */
  readonly name: string;
  /**
   * It is their sum, and is not there where one of them has not been published: a part of the sum
   * is another figure.
   */
  readonly columns: readonly string[];
  readonly head: Readonly<Record<string, string>>;
}

/**
 * A row as JSON, with a comma before it; none where there is no power: half of the quarters of
 * consolidated days.
 */
function curveRowSql({ name, columns }: Pick<Curve, 'name' | 'columns'>): string {
  const power = columns.map(quoteIdentifier).join(' + ');
  const source = `CASE WHEN revision = 'provisional' THEN 'Temps Réel'
    ELSE 'Données Consolidées' END`;
  return `CASE WHEN ${power} IS NOT NULL THEN ',{"date_heure":"'
    || ${instantTextSql('instant_at')} || '","${name}":'
    || CAST(${power} AS VARCHAR) || ',"source":"' || ${source} || '"}' END`;
}

/** The two tables that the earlier endpoints read. */
class Grid {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async sendCurve(
    request: FastifyRequest,
    reply: FastifyReply,
    { debut, fin }: Range,
    { name, columns, head }: Curve,
  ): Promise<FastifyReply> {
    const cut = await this.#cut(request, 'eco2mix_national', { debut, fin }, MAX_CURVE_DAYS);
    if (isKnown(request, reply, tagOf(['curve', cut.hash, ...columns, JSON.stringify(head)])))
      return reply.send();
    tellStanding(reply, standingOf(cut));
    const line = curveRowSql({ name, columns });
    const texts = await readAllTexts(this.#context.engine, cut, line, untilHungUp(reply.raw));
    const text = texts.map((one) => one.text).join('');
    const count = texts.reduce((sum, { rows }) => sum + rows, 0);
    const start = JSON.stringify({ count, debut, fin, unite: 'MW', ...head }).slice(0, -1);
    return reply.type(FORMATS.json).send(`${start},"data":[${text.slice(1)}]}`);
  }

  async energies(
    { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
    { debut, fin }: Range,
    quantity: string,
    valueOf: (row: AnswerRow) => Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    const cut = await this.#cut(request, 'eco2mix_energies_month', { debut, fin }, MAX_ENERGY_DAYS);
    tellStanding(reply, standingOf(cut));
    const data: Record<string, unknown>[] = [];
    for await (const rows of readRowSets(this.#context.engine, cut)) {
      for (const row of rows)
        if (row['quantity'] === quantity && row['energy_mwh'] !== null)
          data.push({ mois: row['period'], ...valueOf(row) });
    }
    return { debut, fin, unite: 'GWh', data };
  }

  async #cut(
    request: FastifyRequest,
    id: string,
    { debut, fin }: Range,
    maxDays: number,
  ): Promise<TableCut> {
    const { engine, known } = this.#context;
    const table = tablesOf(engine.datasets).get(id);
    if (table === undefined) throw notFound(`table ${id}`);
    const days = countDays(debut, fin);
    if (days === 0)
      throw new PipelineError('INPUT_INVALID', `debut (${debut}) doit précéder fin (${fin})`);
    // The earlier system answers 400 here, and its clients know that.
    if (days > maxDays)
      throw new PipelineError('INPUT_INVALID', `au plus ${maxDays} jours, ${days} demandés`);
    return cutTable(engine, known, table, { from: debut, to: fin });
  }
}
