import { Readable } from 'node:stream';
import { z } from 'zod';
import { BORDERS, SOURCES } from '../../datasets/eco2mix/metrics-model.ts';
import { COLUMN_OF, MEASURES } from '../../datasets/eco2mix/columns.ts';
import type { MeasureName } from '../../datasets/eco2mix/columns.ts';
import { cutTable, tablesOf } from '../../engine/look/table-cut.ts';
import { readRowSets } from '../../engine/look/table-rows.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import type { AnswerRow } from '../../pipelines/tables.ts';
import { csvHeader, csvRows } from '../answers/csv.ts';
import { FORMATS } from '../answers/formats.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { anything, civilDate, problems } from '../shared/fields.ts';
import { notFound } from '../shared/problems.ts';

/** The CSV exports of the earlier system's pages: `;`, a decimal comma, French headers. */

const LOAD: readonly MeasureName[] = ['consommation'];
const EXCHANGES = BORDERS.map((border): MeasureName => `ech_comm_${border}`);

const EXPORTS: readonly {
  readonly path: string;
  readonly of: readonly MeasureName[];
  readonly each: 'instant' | 'month' | 'year';
}[] = [
  { path: '/consommation/export-puissance/', of: LOAD, each: 'instant' },
  { path: '/consommation/export-mensuel/', of: LOAD, each: 'month' },
  { path: '/consommation/export-annuel/', of: LOAD, each: 'year' },
  { path: '/production/export-production/', of: SOURCES, each: 'instant' },
  { path: '/production/export-mensuel/', of: SOURCES, each: 'month' },
  { path: '/production/export-annuel/', of: SOURCES, each: 'year' },
  { path: '/echanges/export/', of: EXCHANGES, each: 'instant' },
  { path: '/echanges/export-annuel/', of: EXCHANGES, each: 'year' },
];

const TABLE = { instant: 'eco2mix_national', month: 'eco2mix_energies_month', year: 'eco2mix_energies_year' } as const;
const query = z.strictObject({ debut: civilDate.optional(), fin: civilDate.optional() });
const DEFAULT_DAYS = 30;

export function addGridExports(app: ApiApp, context: ApiContext): void {
  const { engine, known } = context;
  if (!('eco2mix' in engine.datasets)) return;
  for (const { path, of, each } of EXPORTS) {
    const schema = { tags: ['eCO2mix (earlier)'], querystring: query, response: { 200: anything, ...problems } };
    app.get(path, { schema }, async (request, reply) => {
      requireScope(request, 'data:read', 'eco2mix');
      const table = tablesOf(engine.datasets).get(TABLE[each]);
      const span = await known.span('eco2mix');
      if (table === undefined || span === undefined) throw notFound('finished day of eco2mix yet');
      const to = request.query.fin ?? span.to;
      const from = request.query.debut ?? (each === 'instant' ? addDays(to, -DEFAULT_DAYS) : span.from);
      const cut = await cutTable(engine, known, table, { from, to });
      const rows = each === 'instant' ? powers(readRowSets(engine, cut), of) : energies(readRowSets(engine, cut), of);
      reply
        .type(FORMATS.csv)
        .header('content-disposition', `attachment; filename="${path.split('/').filter(Boolean).join('_')}.csv"`);
      return reply.send(Readable.from(csvOf(each, of, rows), { objectMode: false }));
    });
  }
}

function label(name: MeasureName, unit: string): string {
  const measure = MEASURES.find((one) => one.name === name);
  return `${measure?.label ?? name} (${unit})`;
}

async function* csvOf(
  each: 'instant' | 'month' | 'year',
  of: readonly MeasureName[],
  rows: AsyncIterable<readonly AnswerRow[]>,
): AsyncGenerator<string> {
  const time = { instant: 'Date - Heure', month: 'Mois', year: 'Année' }[each];
  const unit = each === 'instant' ? 'MW' : 'MWh';
  const columns = [{ name: time }, ...of.map((name) => ({ name: label(name, unit) }))];
  yield csvHeader(columns, 'fr');
  for await (const set of rows) {
    const named = set.map((row) =>
      Object.fromEntries([
        [time, row['time'] ?? null],
        ...of.map((name): [string, AnswerRow[string]] => [label(name, unit), row[name] ?? null]),
      ]),
    );
    yield csvRows(columns, named, 'fr');
  }
}

async function* powers(
  sets: AsyncIterable<readonly AnswerRow[]>,
  of: readonly MeasureName[],
): AsyncGenerator<readonly AnswerRow[]> {
  for await (const set of sets)
    yield set.map((row) =>
      Object.fromEntries([
        ['time', row['instant_at'] ?? null],
        ...of.map((name): [string, AnswerRow[string]] => [name, row[COLUMN_OF[name]] ?? null]),
      ]),
    );
}

/** One row a period, with a column for each quantity. */
async function* energies(
  sets: AsyncIterable<readonly AnswerRow[]>,
  of: readonly MeasureName[],
): AsyncGenerator<readonly AnswerRow[]> {
  const wanted = new Set<string>(of);
  const periods = new Map<string, Record<string, AnswerRow[string]>>();
  for await (const set of sets) {
    for (const { period, quantity, energy_mwh: energy } of set) {
      if (!wanted.has(String(quantity))) continue;
      const known = periods.get(String(period)) ?? { time: period ?? null };
      known[String(quantity)] = energy ?? null;
      periods.set(String(period), known);
    }
  }
  yield [...periods.values()];
}
