/**
 * `numerator / denominator` rounded to `decimals` places, halves away from zero, in integers
 * throughout: the same text on every machine. `null` for a denominator of zero.
 */
export function exactRatio(
  numerator: bigint,
  denominator: bigint,
  decimals: number,
): number | null {
  if (denominator === 0n) return null;
  const isNegative = numerator < 0n !== denominator < 0n;
  const scale = 10n ** BigInt(decimals);
  const scaled = (2n * abs(numerator) * scale + abs(denominator)) / (2n * abs(denominator));
  const magnitude = Number(scaled) / Number(scale);
  return isNegative && magnitude !== 0 ? -magnitude : magnitude;
}

/** `Math.abs` knows no bigint. */
export function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
