import { z } from 'zod';
import { cutTable, tablesOf } from '../../engine/look/table-cut.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import { sendWhole } from '../answers/send-rows.ts';
import { standingOf, tellStanding } from '../answers/standing.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { civilDate } from '../shared/fields.ts';
import { bounded, csvText, problems } from '../shared/responses.ts';
import { notFound } from '../shared/problems.ts';

/**
 * The CSV exports of the earlier system's pages, by the table that has their columns: `;`, a
 * decimal comma, French headers.
 */
const EXPORTS: Readonly<Record<string, string>> = {
  '/consommation/export-puissance/': 'consommation_puissance',
  '/consommation/export-mensuel/': 'consommation_mensuelle',
  '/consommation/export-annuel/': 'consommation_annuelle',
  '/production/export-production/': 'production_puissance',
  '/production/export-mensuel/': 'production_mensuelle',
  '/production/export-annuel/': 'production_annuelle',
  '/production/export-parc-installe/': 'parc_installe',
  '/echanges/export/': 'echanges_puissance',
  '/echanges/export-annuel/': 'echanges_annuels',
};

const query = z.strictObject({ debut: civilDate.optional(), fin: civilDate.optional() });
const DEFAULT_DAYS = 30;

/**
 * Exports whose table no dataset has are left out; without dates the last 30 days that there are.
 */
export function addGridExports(app: ApiApp, context: ApiContext): void {
  const { engine, known } = context;
  const tables = tablesOf(engine.datasets);
  for (const [path, id] of Object.entries(EXPORTS)) {
    const placed = tables.get(id);
    if (placed === undefined) continue;
    const { pipeline, table } = placed;
    const schema = {
      tags: ['eCO2mix (earlier)'],
      querystring: query,
      response: { 200: csvText, ...problems, ...bounded },
    };
    app.get(path, { schema }, async (request, reply) => {
      requireScope(request, 'data:read', pipeline);
      const span = await known.span(pipeline);
      if (span === undefined) throw notFound(`finished day of ${pipeline} yet`);
      const to = request.query.fin ?? span.to;
      const from =
        request.query.debut ?? (table.rows.each === 'day' ? addDays(to, -DEFAULT_DAYS) : span.from);
      const cut = await cutTable(engine, known, placed, { from, to });
      tellStanding(reply, standingOf(cut));
      const whole = {
        cut,
        columns: table.columns,
        names: undefined,
        format: 'csv',
        dialect: 'fr-earlier',
      } as const;
      return sendWhole(engine, { ...whole, isAttachment: true }, request, reply);
    });
  }
}
