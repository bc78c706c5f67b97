/** Values of the engine as the text that JavaScript and our answers have of them. */

/**
 * As JavaScript writes a number: the same digits, because both engines take the fewest that give
 * the number back, but with an exponent only from 1e21 on and below 1e-6, and without `.0`.
 */
export function numberTextSql(value: string): string {
  const text = `CAST(${value} AS VARCHAR)`;
  const size = `abs(${value})`;
  return `CASE WHEN ${value} = 0 THEN '0'
    WHEN isnan(${value}) THEN 'NaN'
    WHEN isinf(${value}) THEN CASE WHEN ${value} > 0 THEN 'Infinity' ELSE '-Infinity' END
    WHEN ${size} >= 1e21 OR ${size} < 1e-6 THEN replace(${text}, 'e-0', 'e-')
    WHEN ${size} < 1e-4 THEN rtrim(CAST(CAST(${text} AS DECIMAL(38, 30)) AS VARCHAR), '0')
    WHEN ${size} >= 1e16 THEN CAST(CAST(${text} AS DECIMAL(38, 0)) AS VARCHAR)
    WHEN suffix(${text}, '.0') THEN left(${text}, -2)
    ELSE ${text} END`;
}

/**
 * An instant in UTC: fractions have three or six digits, or are not there. Years outside of 1 to
 * 9999 and infinity are the engine's text. `between` stands between day and time, `zone` at the
 * end.
 */
export function instantTextSql(value: string, between = 'T', zone = 'Z'): string {
  const micros = `epoch_us(${value})`;
  const civil = `make_timestamp(${micros})`;
  const second = `%Y-%m-%d${between}%H:%M:%S`;
  const inYears = `isfinite(${value}) AND ${micros} >= -62135596800000000 AND ${micros} < 253402300800000000`;
  return `CASE WHEN ${value} IS NULL THEN NULL WHEN NOT (${inYears}) THEN CAST(${value} AS VARCHAR)
    WHEN ${micros} % 1000000 = 0 THEN strftime(${civil}, '${second}${zone}')
    WHEN ${micros} % 1000 = 0 THEN strftime(${civil}, '${second}.%g${zone}')
    ELSE strftime(${civil}, '${second}.%f${zone}') END`;
}
