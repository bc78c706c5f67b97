import { addMonths, quoteText } from '../../kit/index.ts';
import type {
  AnswerRow,
  CommandCall,
  CommandEnd,
  CommandHost,
  RowsSheet,
  SqlSession,
} from '../../kit/index.ts';
import { columnsOf } from '../answers/columns.ts';
import { columnsOfTable } from '../answers/tables.ts';
import { askedOrNewest, checkedOption, QUARTER, writeAndTell } from './options.ts';

const SUMS = [
  ...['energie_facturee_kwh', 'energie_mesuree_kwh'].map(
    (name) => `CAST(sum(${name}) AS BIGINT) AS ${name}`,
  ),
  ...['accise_facturee_eur', 'accise_mesuree_eur', 'turpe_fixe_eur', 'cta_eur'].map(
    (name) => `CAST(sum(CAST(${name} AS DECIMAL(18, 2))) AS DECIMAL(18, 2)) AS ${name}`,
  ),
].join(', ');
const SUM_COLUMNS = [
  ...['energie_facturee_kwh', 'accise_facturee_eur', 'energie_mesuree_kwh', 'accise_mesuree_eur'],
  ...['turpe_fixe_eur', 'cta_eur'],
];

/**
 * `quotidien enedis taxes`: accise and CTA of a quarter, summed up, by rate, and by point and
 * month; by default the newest quarter.
 */
export async function taxes(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const asked = checkedOption(call, 'trimestre', QUARTER, 'a quarter such as 2025-T4');
  const found = await host.withTables(['enedis_taxes'], async (sql) => {
    const known = await sql.rows<{ trimestre: string }>(
      'SELECT DISTINCT trimestre FROM enedis_taxes ORDER BY trimestre',
    );
    const quarter = askedOrNewest(
      'quarter',
      asked,
      known.map(({ trimestre }) => trimestre),
    );
    return { quarter, ...(await taxSheets(sql, quarter)) };
  });
  const { quarter, sheets, months, errors, total } = found;
  const missing = monthsOfQuarter(quarter).filter((month) => !months.includes(month));
  const written = await writeAndTell(call, host, {
    name: `enedis_taxes_${quarter}`,
    sheets,
    told: `${quarter}: accise of what was invoiced ${amount(total, 'accise_facturee_eur')} €, of what was measured ${amount(total, 'accise_mesuree_eur')} €, CTA ${amount(total, 'cta_eur')} €`,
  });
  if (missing.length > 0)
    host.note(`without ${missing.join(', ')}: no contract has these months yet`);
  if (errors > 0) host.note(`${errors} rows have an error: column erreur`);
  host.data({
    trimestre: quarter,
    mois: months,
    manquants: missing,
    erreurs: errors,
    ...total,
    ...written,
  });
  return missing.length === 0 && errors === 0 ? 'done' : 'degraded';
}

function amount(total: AnswerRow | undefined, name: string): string {
  const value = total?.[name] ?? null;
  return value === null ? '–' : Number(value).toFixed(2);
}

function monthsOfQuarter(quarter: string): string[] {
  const first = `${quarter.slice(0, 4)}-${String(3 * Number(quarter.slice(-1)) - 2).padStart(2, '0')}`;
  return [first, addMonths(first, 1), addMonths(first, 2)];
}

/**
 * The sheets Résumé, Par taux and Détail of a quarter, over the view of the taxes, with what they
 * add up to.
 */
export async function taxSheets(sql: SqlSession, quarter: string) {
  const of = `FROM enedis_taxes WHERE trimestre = ${quoteText(quarter)}`;
  const byMonth = await sql.rows<AnswerRow>(
    `SELECT mois, ${SUMS} ${of} GROUP BY mois ORDER BY mois`,
  );
  const [total] = await sql.rows<AnswerRow>(`SELECT ${SUMS} ${of}`);
  const byRate = await sql.rows<AnswerRow>(
    `SELECT * FROM (
       SELECT 'accise' AS taxe, taux_accise_eur_mwh AS taux,
         'EUR/MWh' AS unite, ${SUMS} ${of} GROUP BY taux_accise_eur_mwh
       UNION ALL BY NAME SELECT 'CTA' AS taxe, taux_cta_pourcent AS taux,
         '%' AS unite, ${SUMS} ${of} GROUP BY taux_cta_pourcent
     ) ORDER BY taxe, taux`,
  );
  const detail = await sql.rows<AnswerRow>(`SELECT * ${of} ORDER BY mois, pdl`);
  const sheets: RowsSheet[] = [
    {
      name: 'Résumé',
      columns: columnsOf('mois', ...SUM_COLUMNS),
      rows: [...byMonth, { mois: `total ${quarter}`, ...total }],
    },
    {
      name: 'Par taux',
      columns: columnsOf('taxe', 'taux', 'unite', ...SUM_COLUMNS),
      rows: byRate.map(ofTax),
    },
    { name: 'Détail', columns: columnsOfTable('taxes'), rows: detail },
  ];
  const errors = detail.filter((row) => row['erreur'] !== null).length;
  return { sheets, months: byMonth.map((row) => String(row['mois'])), errors, total };
}

/** Of a rate of one tax the figures of the other say nothing. */
function ofTax(row: AnswerRow): AnswerRow {
  const others = row['taxe'] === 'CTA' ? SUM_COLUMNS.slice(0, 4) : SUM_COLUMNS.slice(4);
  return { ...row, ...Object.fromEntries(others.map((name) => [name, null])) };
}
