import { MONTH_FORM, quoteText } from '../../kit/index.ts';
import type { AnswerRow, CommandCall, CommandEnd, CommandHost } from '../../kit/index.ts';
import { columnsOfTable } from '../answers/tables.ts';
import { askedOrNewest, checkedOption, writeAndTell } from './options.ts';

interface Coverage {
  readonly contrats: number;
  readonly calculables: number;
  readonly retenus: number;
  readonly erreurs: number;
}

/**
 * `quotidien enedis periodes`: the months of all contracts, of one month; by default the newest.
 * Exit code 3 where some cannot be billed.
 */
export async function periods(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const asked = checkedOption(call, 'mois', MONTH_FORM, 'a month YYYY-MM');
  const { mois, rows, coverage } = await host.withTables(['enedis_mois'], async (sql) => {
    const known = await sql.rows<{ mois: string }>(
      'SELECT DISTINCT mois FROM enedis_mois ORDER BY mois',
    );
    const month = askedOrNewest(
      'month',
      asked,
      known.map((row) => row.mois),
    );
    const of = `FROM enedis_mois WHERE mois = ${quoteText(month)}`;
    const [covered] = await sql.rows<Coverage>(
      `SELECT count(*) AS contrats, count(*)
        FILTER (WHERE qualite <> 'incalculable') AS calculables, count(*)
        FILTER (WHERE est_retenu) AS retenus,
         count(erreur) AS erreurs ${of}`,
    );
    const found = await sql.rows<AnswerRow>(`SELECT * ${of} ORDER BY ref_situation_contractuelle`);
    return {
      mois: month,
      rows: found,
      coverage: covered ?? { contrats: 0, calculables: 0, retenus: 0, erreurs: 0 },
    };
  });
  const { contrats, calculables, retenus, erreurs } = coverage;
  const written = await writeAndTell(call, host, {
    name: `enedis_periodes_${mois}`,
    sheets: [{ name: mois, columns: columnsOfTable('mois'), rows }],
    told: `${mois}: ${contrats} contracts, ${calculables} calculable (${percent(calculables, contrats)}), ${retenus} held, ${erreurs} with an error`,
  });
  host.data({
    mois,
    ...coverage,
    couverture: contrats === 0 ? null : calculables / contrats,
    ...written,
  });
  return calculables === contrats && retenus === 0 && erreurs === 0 ? 'done' : 'degraded';
}

/** A share in whole percent that is 100 only where it is all; `–` of nothing. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  return `${Math.floor((100 * part) / whole)} %`;
}
