import { createHmac } from 'node:crypto';
import { makeKeyedTable } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';

/**
 * Names of months of contracts in records, checks and reports: pseudonyms, keyed hashes with the
 * secret of the installation, the same in every run of a home. The table `reperes` leads from them
 * to contracts.
 */

const DIGITS = 12;
const KEYED_FOR = 'enedis/mois/';

/**
 * SQL of the pseudonym that earlier versions gave a month of a contract: a hash without a key.
 * Decisions that people took then bear it.
 */
export function formerUnitSql(rsc: string, month: string): string {
  return `${month} || '/' || left(sha256(${rsc} || '|' || ${month}), ${DIGITS})`;
}

/**
 * The pseudonym of a month (`YYYY-MM`) of a contract, such as `2025-10/113d4158b966`: the one that
 * `nameMonths` gives it.
 */
export function nameOfMonth(secret: string, rsc: string, month: string): string {
  const hmac = createHmac('sha256', secret).update(`${KEYED_FOR}${rsc}|${month}`).digest('hex');
  return `${month}/${hmac.slice(0, DIGITS)}`;
}

/**
 * Makes `reperes` (rsc, mois, unite such as `2025-10/113d4158b966`, ancienne) for months of
 * contracts: a query that gives `rsc` and `mois`, of which null and equal ones are passed over.
 */
export function nameMonths(
  sql: SqlSession,
  secret: string,
  months: string,
  table = 'reperes',
): Promise<void> {
  return makeKeyedTable(sql, secret, {
    table,
    from: `(SELECT DISTINCT rsc, mois FROM (${months}) WHERE rsc IS NOT NULL AND mois IS NOT NULL)`,
    text: `'${KEYED_FOR}' || rsc || '|' || mois`,
    columns: (hmac) =>
      `rsc, mois, mois || '/' || left(${hmac}, ${DIGITS}) AS unite, ${formerUnitSql('rsc', 'mois')} AS ancienne`,
  });
}
