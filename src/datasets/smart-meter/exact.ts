/** Exact sums as SQL: integers and decimals only, so that no number of threads changes a byte. */

/** Energies as whole 10⁻⁵ Wh. */
export const UNITS = 'CAST(energy_wh * 100000 AS BIGINT)';
const UNITS_PER_KWH = '1e8';

/** The variance (n − 1) of the energies of a group in kWh²; null for fewer than two. */
export const VARIANCE_KWH2 = `CASE WHEN count(energy_wh) > 1 THEN
  CAST(count(energy_wh) * sum(CAST(${UNITS} AS HUGEINT) * ${UNITS})
    - sum(${UNITS}) * sum(${UNITS}) AS DOUBLE)
    / (CAST(count(energy_wh) AS DOUBLE) * (count(energy_wh)
      - 1)) / (${UNITS_PER_KWH} * ${UNITS_PER_KWH}) END`;

/** kWh with eight decimals of a sum in Wh. */
export function kwhSql(wh: string): string {
  return `CAST(CAST(${wh} AS DECIMAL(24, 5)) * 0.001 AS DECIMAL(24, 8))`;
}
