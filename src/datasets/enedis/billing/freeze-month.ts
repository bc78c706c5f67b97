import { PipelineError } from '../../kit/index.ts';

/** Who froze a month, when, why, and which version of the history it is as in. */
export interface Freeze {
  /** `2025-10` */
  readonly month: string;
  /** ISO instant. */
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  /** Of the period `all`. */
  readonly version: number;
}

/** Columns that say of a row that it was frozen before. */
const OF_FREEZE: readonly string[] = ['est_gele', 'version_facturee'];

/** A row of `enedis/mois.parquet`. */
export type MonthRow = Readonly<Record<string, unknown>>;

/**
 * The file that freezes a month, one JSON object a line, named by the instant in UTC:
 * `gel_20251105093000.ndjson`. Contracts that a person has yet to look at are in it too: they were
 * not invoiced, and become lines of regularisation once they are decided.
 *
 * @throws `INPUT_INVALID` when the month has no contract
 */
export function freezeFile(
  rows: readonly MonthRow[],
  freeze: Freeze,
): { readonly name: string; readonly text: string } {
  if (rows.length === 0) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${freeze.month} has no contracts: only a month that was made can be frozen`,
    );
  }
  const { month, at, by, reason, version } = freeze;
  const lines = rows.map((row) => {
    const own = Object.entries(row).filter(([name]) => !OF_FREEZE.includes(name));
    return JSON.stringify({
      mois: month,
      ref_situation_contractuelle: row['ref_situation_contractuelle'],
      pdl: row['pdl'],
      version: String(version),
      gele_le: at,
      gele_par: by,
      motif: reason,
      ligne: JSON.stringify(Object.fromEntries(own)),
    });
  });
  const stamp = at.replace(/\D/g, '').slice(0, 14);
  return { name: `gel_${stamp}.ndjson`, text: `${lines.join('\n')}\n` };
}
