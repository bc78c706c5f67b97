import { z } from 'zod';
import { columnsOfTable, tableId } from '../../../datasets/enedis/answers/tables.ts';
import { QUARTER } from '../../../datasets/enedis/commands/options.ts';
import { taxSheets } from '../../../datasets/enedis/commands/taxes.ts';
import { expiringRates } from '../../../datasets/enedis/rates/expiry.ts';
import { ACCISE_RATES, CTA_RATES } from '../../../datasets/enedis/rates/taxes.ts';
import { TURPE_RATES } from '../../../datasets/enedis/rates/turpe.ts';
import { PipelineError } from '../../../errors.ts';
import { quoteIdentifier, quoteText } from '../../../pipelines/sql-text.ts';
import type { AnswerRow } from '../../../pipelines/tables.ts';
import type { SqlSession } from '../../../ports/sql.ts';
import { xlsxWorkbook } from '../../answers/xlsx.ts';
import type { ApiApp } from '../../shared/app.ts';
import { answerAs, unchanged } from '../../shared/responses.ts';
import { asJson, details, tags } from './frame.ts';
import { SENT_AS, sendQuery } from './send-query.ts';
import type { Supplier } from './supplier.ts';

/** `/taxes/…`: the rates that are known, and accise and CTA of a quarter. */

const TAXES = tableId('taxes');
const query = z.strictObject({
  trimestre: z.string().regex(QUARTER, 'YYYY-TN').optional().describe('YYYY-T1 … T4; default: all'),
});

/**
 * Both taxes have the same routes: of a point and a month the amounts of either stand in one row.
 */
const TAX_COLUMNS: Readonly<Record<'accise' | 'cta', readonly string[]>> = {
  accise: [
    ...[
      'trimestre',
      'mois',
      'pdl',
      'puissance_souscrite_kva',
      'taux_accise_eur_mwh',
      'energie_facturee_kwh',
    ],
    ...['accise_facturee_eur', 'energie_mesuree_kwh', 'accise_mesuree_eur', 'erreur'],
  ],
  cta: ['trimestre', 'mois', 'pdl', 'taux_cta_pourcent', 'turpe_fixe_eur', 'cta_eur', 'erreur'],
};

/** Rates are those of the code: they are the same for everybody. */
export function addTaxes(app: ApiApp, supplier: Supplier): void {
  const rates = {
    200: answerAs('The rates', { 'application/json': z.array(z.unknown()) }),
    ...details,
  };
  app.get('/taxes/millesimes', { schema: { tags, response: rates } }, (_, reply) =>
    reply.send(editions()),
  );
  app.get('/taxes/peremption', { schema: { tags, response: rates } }, (_, reply) =>
    reply.send(expiringRates(supplier.today()).map(warningOf)),
  );
  for (const tax of ['accise', 'cta'] as const) addTax(app, supplier, tax);
}

function addTax(app: ApiApp, supplier: Supplier, tax: 'accise' | 'cta'): void {
  const columns = columnsOfTable('taxes').filter(({ name }) => TAX_COLUMNS[tax].includes(name));
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const sqlOf = (quarter: string | undefined): string =>
    `SELECT ${names} FROM ${TAXES}${quarter === undefined ? '' : ` WHERE trimestre = ${quoteText(quarter)}`} ORDER BY mois, pdl`;
  const schema = { tags, querystring: query, response: asJson };
  app.get(`/taxes/${tax}`, { schema }, (request, reply) => {
    const { trimestre } = request.query;
    return supplier.answer({ request, reply }, [TAXES], async (sql) => ({
      trimestre: trimestre ?? null,
      data: await sql.rows<AnswerRow>(sqlOf(trimestre)),
    }));
  });
  for (const format of ['xlsx', 'arrow'] as const) {
    const file = {
      200: answerAs('The rows', { [SENT_AS[format].type]: z.any() }),
      ...unchanged,
      ...details,
    };
    app.get(
      `/taxes/${tax}/detail.${format}`,
      { schema: { ...schema, response: file } },
      (request, reply) => {
        const { trimestre } = request.query;
        const name = `${tax}_detail${trimestre === undefined ? '' : `_${trimestre}`}`;
        return sendQuery(
          supplier,
          { request, reply },
          { name, format, tables: [TAXES], columns, sql: sqlOf(trimestre) },
        );
      },
    );
  }
  addReport(app, supplier, tax);
}

/** The workbook of a quarter: sums, by rate, and by point and month. */
function addReport(app: ApiApp, supplier: Supplier, tax: 'accise' | 'cta'): void {
  const { type } = SENT_AS.xlsx;
  const response = { 200: answerAs('The workbook', { [type]: z.any() }), ...unchanged, ...details };
  app.get(
    `/taxes/${tax}/rapport.xlsx`,
    { schema: { tags, querystring: query, response } },
    (request, reply) =>
      supplier.answer({ request, reply }, [TAXES], async (sql) => {
        const quarter = await quarterOf(sql, request.query.trimestre);
        const { sheets } = await taxSheets(sql, quarter);
        reply
          .type(type)
          .header('content-disposition', `attachment; filename="${tax}_rapport_${quarter}.xlsx"`);
        return Buffer.from(await xlsxWorkbook(sheets));
      }),
  );
}

async function quarterOf(sql: SqlSession, asked: string | undefined): Promise<string> {
  const [newest] = await sql.rows<{ trimestre: string | null }>(
    `SELECT max(trimestre) AS trimestre FROM ${TAXES}`,
  );
  const quarter = asked ?? newest?.trimestre ?? undefined;
  if (quarter === undefined) throw new PipelineError('NOT_FOUND', 'aucun trimestre n’est connu');
  return quarter;
}

/** The newest list of each rate, with where it is from. */
function editions(): readonly object[] {
  const turpe = TURPE_RATES.map(({ from }) => from)
    .sort()
    .at(-1);
  const accise = ACCISE_RATES.at(-1);
  const cta = CTA_RATES.at(-1);
  return [
    {
      taxe: 'TURPE',
      date_vigueur: turpe,
      reference: 'Grilles tarifaires TURPE HTA-BT de la CRE',
      valeur: null,
      unite: null,
    },
    {
      taxe: 'Accise',
      date_vigueur: accise?.from,
      reference:
        'Code des impositions sur les biens et services, article L. 312-37, et ses arrêtés',
      valeur: Number(accise?.perMwh[0]),
      unite: '€/MWh',
    },
    {
      taxe: 'CTA',
      date_vigueur: cta?.from,
      reference: 'Arrêtés relatifs aux taux de la contribution tarifaire d’acheminement',
      valeur: Number(cta?.percent),
      unite: '%',
    },
  ];
}

const NAMES = { TURPE: 'TURPE', accise: 'Accise', CTA: 'CTA' } as const;
const TO_CHECK = {
  TURPE: 'vérifier la délibération de la CRE',
  accise: 'vérifier la loi de finances et les arrêtés',
  CTA: 'vérifier les arrêtés',
} as const;

function warningOf({
  rates,
  newest,
  lookedAtSince,
}: ReturnType<typeof expiringRates>[number]): object {
  const [taxe, consigne] = [NAMES[rates], TO_CHECK[rates]];
  return {
    taxe,
    attendu_depuis: lookedAtSince,
    dernier_start: newest,
    consigne,
    message: `aucune liste ${taxe} depuis le ${lookedAtSince} (dernière connue : ${newest}) — ${consigne}`,
  };
}
