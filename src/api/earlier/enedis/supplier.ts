import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Engine } from '../../../engine/engine.ts';
import { cutTable, tablesOf } from '../../../engine/look/table-cut.ts';
import type { PlacedTable, TableCut } from '../../../engine/look/table-cut.ts';
import { withViews } from '../../../engine/look/table-rows.ts';
import { civilDateAt } from '../../../pipelines/zoned-day.ts';
import type { CivilDate } from '../../../pipelines/vocabulary.ts';
import type { SqlSession } from '../../../ports/sql.ts';
import { standingOf, tellStandings } from '../../answers/standing.ts';
import { isKnown, tagOf } from '../../answers/tags.ts';
import { mayReadTable } from '../../security/callers.ts';
import type { ApiContext } from '../../shared/context.ts';
import { untilHungUp } from '../../shared/hung-up.ts';
import { notFound } from '../../shared/problems.ts';

/** A request and its answer. */
export interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Where days of the distributor begin. */
const PARIS = 'Europe/Paris';

/** The tables of the pipeline over all deliveries, for the routes of the earlier system. */
export class Supplier {
  readonly engine: Engine;
  readonly #known: ApiContext['known'];
  readonly #tables: ReadonlyMap<string, PlacedTable>;

  constructor({ engine, known }: ApiContext) {
    this.engine = engine;
    this.#known = known;
    this.#tables = tablesOf(engine.datasets);
  }

  /** The civil day in Paris. */
  today(): CivilDate {
    return civilDateAt(this.engine.now(), PARIS);
  }

  /** The declared columns of a table. */
  columnsOf(name: string): PlacedTable['table']['columns'] {
    return this.#table(name).table.columns;
  }

  /**
   * Sends what `work` makes of views of these tables, named by their ids. Nothing is read for who
   * has the answer already: it is that of the same address, files and day. Tables about people are
   * for those who say who they are.
   */
  async answer(
    asked: Asked,
    names: readonly string[],
    work: (sql: SqlSession) => Promise<unknown>,
  ): Promise<FastifyReply> {
    const cuts = await this.#cuts(asked.request, names);
    if (this.#isKnown(asked, cuts)) return asked.reply.send();
    return asked.reply.send(await this.#read(asked, cuts, work));
  }

  /**
   * The same for `work` that sends what it read when the views are gone; undefined where nothing is
   * left to send.
   */
  async read<T>(
    asked: Asked,
    names: readonly string[],
    work: (sql: SqlSession) => Promise<T>,
  ): Promise<T | undefined> {
    const cuts = await this.#cuts(asked.request, names);
    return this.#isKnown(asked, cuts) ? undefined : this.#read(asked, cuts, work);
  }

  async #read<T>(
    { reply }: Asked,
    cuts: readonly TableCut[],
    work: (sql: SqlSession) => Promise<T>,
  ): Promise<T> {
    tellStandings(
      reply,
      cuts.map((cut) => standingOf(cut)),
    );
    return withViews(this.engine, cuts, work, untilHungUp(reply.raw));
  }

  #isKnown({ request, reply }: Asked, cuts: readonly TableCut[]): boolean {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    return isKnown(
      request,
      reply,
      tagOf([request.url, this.today(), ...cuts.map(({ hash }) => hash)]),
    );
  }

  async #cuts(request: FastifyRequest, names: readonly string[]): Promise<TableCut[]> {
    const placed = names.map((name) => this.#table(name));
    for (const table of placed) mayReadTable(request, table);
    const span = await this.#known.span('enedis');
    if (span === undefined) throw notFound('finished day of enedis yet');
    return Promise.all(placed.map((table) => cutTable(this.engine, this.#known, table, span)));
  }

  #table(name: string): PlacedTable {
    const table = this.#tables.get(name);
    if (table === undefined) throw notFound(`table ${name}`);
    return table;
  }
}
