import { judgeUnits, quoteText } from '../../kit/index.ts';
import type { CheckDefinition, SqlSession, StepUnit, UnitResult } from '../../kit/index.ts';
import { SMOOTHED } from '../model/smoothed.ts';
import { nameMonths } from '../model/unit-names.ts';

/** A settlement of a smoothed contract waits until a person says whether it is billed. */
export const SMOOTHED_CHECK: CheckDefinition = {
  id: 'smoothed-contracts',
  title: 'smoothed contracts are invoiced what they used',
  severity: 'hold',
  perUnit: true,
};

interface Settlement {
  readonly unite: string;
  readonly categorie: string;
  readonly facture: number;
  readonly calcule: number;
}

/** Other pseudonyms than those of months: a decision is on one of them. */
const NAMED = `SELECT rsc || '|lissage' AS rsc, mois FROM lissages WHERE mois_manquants = 0`;

/**
 * Makes `lissages`, `lissages_nommes` (rsc, mois, unite) and `lissages_decides` (unite, decision).
 * The secret is that of the installation.
 */
export async function settleSmoothed(
  sql: SqlSession,
  unit: Pick<StepUnit, 'decided'>,
  secret: string,
): Promise<UnitResult['checks']> {
  for (const statement of SMOOTHED) await sql.run(statement);
  await nameMonths(sql, secret, NAMED, 'lissages_nommes');
  await sql.run(`UPDATE lissages_nommes SET rsc = left(rsc, length(rsc) - length('|lissage'))`);
  const failing = await sql.rows<Settlement>(
    `SELECT n.unite, l.categorie, l.facture, l.calcule FROM lissages l JOIN lissages_nommes n
      ON n.rsc = l.rsc AND n.mois = l.mois
     WHERE l.calcule <> l.facture ORDER BY n.unite, l.categorie`,
  );
  const [counted] = await sql.rows<{ settlements: number }>(
    'SELECT count(*) AS settlements FROM lissages',
  );
  const { result } = judgeUnits(SMOOTHED_CHECK, {
    tested: counted?.settlements ?? 0,
    failing: failing.map(({ unite, ...row }) => ({ unit: unite, row: { ...row } })),
    decided: unit.decided,
  });
  const states = new Map(
    (result.units ?? []).map(({ unit: name, rejected }) => [name, rejected === true]),
  );
  const rows = [...new Set(failing.map(({ unite }) => unite))].flatMap((unite) => {
    const isRejected = states.get(unite);
    return isRejected === false
      ? []
      : [`(${quoteText(unite)}, '${isRejected === true ? 'reject' : 'accept'}')`];
  });
  const values = rows.length === 0 ? "('', '')" : rows.join(', ');
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE lissages_decides AS SELECT * FROM (VALUES ${values}) AS d
      (unite, decision)`,
  );
  return [result];
}
