/**
 * Exact decimals: whole numbers of a power of ten, and fractions of them. Amounts are rounded once,
 * to cents, half away from zero.
 */

/** Not reduced: compare with `compare`, not member by member. */
export interface Fraction {
  readonly numerator: bigint;
  /** Positive. */
  readonly denominator: bigint;
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** The decimal that a text writes; undefined for text that is none. */
export function parseDecimal(text: string): Fraction | undefined {
  const [, sign = '', whole = '', decimals = ''] = DECIMAL.exec(text) ?? [];
  if (whole === '') return undefined;
  return {
    numerator: BigInt(`${sign}${whole}${decimals}`),
    denominator: 10n ** BigInt(decimals.length),
  };
}

/** A decimal of our own tables. */
export function decimal(text: string): Fraction {
  const found = parseDecimal(text);
  if (found === undefined) throw new RangeError(`${text} is not a decimal`);
  return found;
}

/** Exact. */
export function add(a: Fraction, b: Fraction): Fraction {
  if (a.denominator === b.denominator)
    return { numerator: a.numerator + b.numerator, denominator: a.denominator };
  return {
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  };
}

/** Exact; `a − b`. */
export function subtract(a: Fraction, b: Fraction): Fraction {
  return add(a, { numerator: -b.numerator, denominator: b.denominator });
}

/** Exact. */
export function multiply(a: Fraction, b: Fraction): Fraction {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
}

/** −1, 0 or 1, as sorting wants it; equal values need not have equal members. */
export function compare(a: Fraction, b: Fraction): number {
  const [left, right] = [a.numerator * b.denominator, b.numerator * a.denominator];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The nearest whole number, ties away from zero. */
export function roundHalfAway({ numerator, denominator }: Fraction): bigint {
  const size = numerator < 0n ? -numerator : numerator;
  const rounded = (2n * size + denominator) / (2n * denominator);
  return numerator < 0n ? -rounded : rounded;
}

/** Euros in cents. */
export function cents({ numerator, denominator }: Fraction): bigint {
  return roundHalfAway({ numerator: numerator * 100n, denominator });
}

/** Cents as euros with two decimals, `-1.03`. */
export function euros(amount: bigint): string {
  const size = (amount < 0n ? -amount : amount).toString().padStart(3, '0');
  return `${amount < 0n ? '-' : ''}${size.slice(0, -2)}.${size.slice(-2)}`;
}
