import { MONTH_FORM, quoteText } from '../../kit/index.ts';
import type { AnswerRow, CommandCall, CommandEnd, CommandHost } from '../../kit/index.ts';
import { columnsOf } from '../answers/columns.ts';
import { askedOrNewest, checkedOption, writeAndTell } from './options.ts';

const COLUMNS = [
  'ref_situation_contractuelle',
  'pdl',
  'mois',
  'categorie',
  'quantite',
  'a_facturer',
  'memo',
  'version_facturee',
] as const;

/**
 * What a line of the ERP bills of a month; the whole energy of two registers is billed by register.
 */
const CATEGORY = `CASE composante WHEN 'nb_jours' THEN 'Abonnements' WHEN 'energie_base_kwh' THEN 'Base'
  WHEN 'energie_hp_kwh' THEN 'HP' WHEN 'energie_hc_kwh' THEN 'HC' END`;

const shown = (value: string): string =>
  `coalesce(replace(regexp_replace(CAST(${value} AS VARCHAR), '\\.?0+$', ''), '.', ','), 'rien')`;

/**
 * The regularisations of a month as lines of invoices. Where a month has registers on one side
 * only, it was or is billed as a whole: then the difference of the whole is the line, and not those
 * of registers.
 */
function linesOf(month: string): string {
  return `WITH regularisees AS (
      SELECT *, ref_situation_contractuelle AS rsc FROM enedis_regularisations
        WHERE mois = ${quoteText(month)}
    ), entieres AS (
      SELECT rsc, facture IS NULL AS sans_facture, calcule IS NULL AS sans_calcul FROM regularisees
        WHERE composante = 'energie_base_kwh'
    ), cadrans AS (
      SELECT r.rsc, bool_and((r.facture IS NULL) = coalesce(e.sans_facture, false)
        AND (r.calcule IS NULL) = coalesce(e.sans_calcul, false)) AS par_cadran
      FROM regularisees r LEFT JOIN entieres e USING (rsc)
        WHERE r.composante IN ('energie_hp_kwh', 'energie_hc_kwh') GROUP BY r.rsc
    )
    SELECT ref_situation_contractuelle, pdl, mois, ${CATEGORY} AS categorie, ecart AS quantite,
      coalesce(NOT est_en_attente AND ecart <> 0, false) AS a_facturer, version_facturee,
      'régularisation de ' || mois || ' : facturé ' || ${shown('facture')} || ', mesuré '
        || ${shown('calcule')}
        || CASE WHEN est_en_attente THEN ' ; en attente : le mois est à décider'
          ELSE '' END || coalesce(' ; ' || cause, '') AS memo
    FROM regularisees LEFT JOIN cadrans USING (rsc)
    WHERE CASE composante WHEN 'energie_base_kwh' THEN NOT coalesce(par_cadran, false)
      WHEN 'energie_hp_kwh' THEN par_cadran WHEN 'energie_hc_kwh' THEN par_cadran
        ELSE composante = 'nb_jours' END
    ORDER BY ref_situation_contractuelle, categorie`;
}

/**
 * `quotidien enedis regularisations`: what changed of a frozen month since, as lines for the ERP.
 * Exit code 3 where some wait for a person.
 */
export async function regularisations(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const asked = checkedOption(call, 'mois', MONTH_FORM, 'a month YYYY-MM');
  const { month, rows } = await host.withTables(['enedis_regularisations'], async (sql) => {
    const known = await sql.rows<{ mois: string }>(
      'SELECT DISTINCT mois FROM enedis_regularisations ORDER BY mois',
    );
    const found = askedOrNewest(
      'month with regularisations',
      asked,
      known.map(({ mois }) => mois),
    );
    return { month: found, rows: await sql.rows<AnswerRow>(linesOf(found)) };
  });
  const bill = rows.filter((row) => row['a_facturer'] === true).length;
  const waiting = rows.filter((row) => row['quantite'] === null).length;
  const written = await writeAndTell(call, host, {
    name: `enedis_regularisations_${month}`,
    sheets: [{ name: month, columns: columnsOf(...COLUMNS), rows }],
    told: `${month}: ${rows.length} lines, ${bill} to be billed, ${waiting} wait`,
  });
  host.data({
    mois: month,
    lignes: rows.length,
    a_facturer: bill,
    en_attente: waiting,
    ...written,
  });
  return waiting === 0 ? 'done' : 'degraded';
}
