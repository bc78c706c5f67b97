import { z } from 'zod';
import { columnsOfTable, tableId } from '../../../datasets/enedis/answers/tables.ts';
import { PipelineError } from '../../../errors.ts';
import { quoteIdentifier, quoteText, quoteTexts } from '../../../pipelines/sql-text.ts';
import type { AnswerRow } from '../../../pipelines/tables.ts';
import type { ApiApp } from '../../shared/app.ts';
import type { ApiContext } from '../../shared/context.ts';
import { civilDate } from '../../shared/fields.ts';
import { answerAs, bounded, problems, unchanged } from '../../shared/responses.ts';
import { tags } from './frame.ts';
import { listed } from './given.ts';
import { Supplier } from './supplier.ts';

/**
 * `/api/v1/pipeline-energie`: the periods of energy that begin in a range of days, of all points or
 * of some.
 */

const MAX_ROWS = 10_000;
const ENERGIES = tableId('energies');
const query = z.strictObject({ deb: civilDate, fin: civilDate, pdl: listed.optional() });

/** `fin` is the first day after the range. `RANGE_TOO_LARGE` beyond ten thousand periods. */
export function addEnergyPeriods(app: ApiApp, context: ApiContext): void {
  const supplier = new Supplier(context);
  const names = columnsOfTable('energies')
    .map(({ name }) => quoteIdentifier(name))
    .join(', ');
  const answer = answerAs('The periods', { 'application/json': z.array(z.unknown()) });
  const schema = {
    tags,
    querystring: query,
    response: { 200: answer, ...problems, ...bounded, ...unchanged },
  };
  app.get('/pipeline-energie', { schema }, (request, reply) => {
    const { deb, fin, pdl } = request.query;
    if (fin < deb)
      throw new PipelineError('INPUT_INVALID', `deb (${deb}) doit précéder fin (${fin})`);
    const of = pdl === undefined ? '' : ` AND pdl IN (${quoteTexts(pdl)})`;
    return supplier.answer({ request, reply }, [ENERGIES], async (sql) => {
      const rows = await sql.rows<AnswerRow>(
        `SELECT ${names} FROM ${ENERGIES} WHERE debut >= ${quoteText(deb)} AND debut < ${quoteText(fin)}${of}
         ORDER BY ref_situation_contractuelle, debut, fin LIMIT ${MAX_ROWS + 1}`,
      );
      if (rows.length > MAX_ROWS)
        throw new PipelineError(
          'RANGE_TOO_LARGE',
          `plus de ${MAX_ROWS} périodes : demander moins de jours ou de points`,
        );
      return rows;
    });
  });
}
