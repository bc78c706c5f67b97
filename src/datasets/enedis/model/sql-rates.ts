import { quoteText } from '../../kit/index.ts';
import type { Register } from '../flux/registers.ts';
import { REGISTERS } from '../flux/registers.ts';
import { ACCISE_POWERS_KVA, ACCISE_RATES, CTA_RATES } from '../rates/taxes.ts';
import { FORMULA_ALIASES, TURPE_RATES } from '../rates/turpe.ts';
import { cents, decimal } from './exact.ts';

/**
 * The rates as SQL tables of whole numbers: hundredths of what `rates/` says, so that nothing is
 * ever rounded but amounts.
 */

function hundredths(text: string | undefined): string {
  return text === undefined ? 'NULL' : cents(decimal(text)).toString();
}

function turpeRows(): string[] {
  const named = TURPE_RATES.flatMap((rate) => [
    rate,
    ...Object.entries(FORMULA_ALIASES).flatMap(([alias, formula]) =>
      formula === rate.formula ? [{ ...rate, formula: alias }] : [],
    ),
  ]);
  return named.map(({ formula, from, to, cg, cc, b, c, cmdps }) => {
    const energies = REGISTERS.map((hour) =>
      hundredths((c as Partial<Record<Register, string>>)[hour]),
    );
    const yearly = `${hundredths(cg)} + ${hundredths(cc)}`;
    const powers = [0, 1, 2, 3].map((index) =>
      hundredths(b[index] ?? (b.length === 1 ? undefined : '0')),
    );
    const dates = `DATE ${quoteText(from)}, DATE ${quoteText(to)}`;
    return `(${quoteText(formula)}, ${dates}, ${yearly}, ${powers.join(', ')}, ${energies.join(', ')}, ${hundredths(cmdps)})`;
  });
}

/** Rows from a date on, until the next one. */
function openEnded(
  rows: readonly { readonly from: string; readonly values: readonly string[] }[],
): string {
  return rows
    .map(({ from, values }, index) => {
      const next = rows[index + 1];
      const to = next === undefined ? 'NULL' : `DATE ${quoteText(next.from)}`;
      return `(DATE ${quoteText(from)}, ${to}, ${values.map(hundredths).join(', ')})`;
    })
    .join(', ');
}

/** Statements that make `turpe_rates`, `cta_rates`, `accise_rates` and the macro `rounded`. */
export const RATE_TABLES: readonly string[] = [
  // Half away from zero, of whole numbers: exact whatever the size.
  `CREATE OR REPLACE TEMP MACRO rounded(n, d) AS CAST(
     CASE WHEN n < 0 THEN -((2 * CAST(-n AS HUGEINT) + d) // (2 * d))
       ELSE (2 * CAST(n AS HUGEINT) + d) // (2 * d) END AS BIGINT)`,
  `CREATE OR REPLACE TEMP MACRO euros(c) AS CAST(CAST(c AS DECIMAL(18, 2)) / 100 AS DECIMAL(18,
    2))`,
  `CREATE OR REPLACE TEMP TABLE turpe_rates AS SELECT * FROM (VALUES ${turpeRows().join(',\n')})
     AS rates (formule, du, au, annuel_c, b1, b2, b3,
       b4, ${REGISTERS.map((hour) => `c_${hour}`).join(', ')}, cmdps)`,
  `CREATE OR REPLACE TEMP TABLE cta_rates AS SELECT * FROM (VALUES ${openEnded(
    CTA_RATES.map(({ from, percent }) => ({ from, values: [percent] })),
  )}) AS rates (du, au, pourcent_c)`,
  `CREATE OR REPLACE TEMP TABLE accise_rates AS SELECT * FROM (VALUES ${openEnded(
    ACCISE_RATES.map(({ from, perMwh }) => ({ from, values: perMwh })),
  )}) AS rates (du, au, jusqu_a_${ACCISE_POWERS_KVA[0]}_c, jusqu_a_${ACCISE_POWERS_KVA[1]}_c,
    au_dela_c)`,
];
