import { makeKeyedTable } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';

/**
 * Names of months of contracts in records, checks and reports: pseudonyms, keyed hashes with the secret of the installation, the same in every run of a
 * home. The table `reperes` leads from them to contracts.
 */

const DIGITS = 12;

/** SQL of the pseudonym that earlier versions gave a month of a contract: a hash without a key. Decisions that people took then bear it. */
export function formerUnitSql(rsc: string, month: string): string {
  return `${month} || '/' || left(sha256(${rsc} || '|' || ${month}), ${DIGITS})`;
}

/**
 * Makes `reperes` (rsc, mois, unite such as `2025-10/113d4158b966`, ancienne) for months of contracts: a query that gives `rsc` and `mois`, of which
 * null and equal ones are passed over.
 */
export function nameMonths(sql: SqlSession, secret: string, months: string, table = 'reperes'): Promise<void> {
  return makeKeyedTable(sql, secret, {
    table,
    from: `(SELECT DISTINCT rsc, mois FROM (${months}) WHERE rsc IS NOT NULL AND mois IS NOT NULL)`,
    text: `'enedis/mois/' || rsc || '|' || mois`,
    columns: (hmac) =>
      `rsc, mois, mois || '/' || left(${hmac}, ${DIGITS}) AS unite, ${formerUnitSql('rsc', 'mois')} AS ancienne`,
  });
}
