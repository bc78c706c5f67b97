import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
  DuckDBVariantValue,
} from '@duckdb/node-api';
import type { DuckDBValue } from '@duckdb/node-api';

/**
 * The finite years of ISO-8601 text with four digits, in seconds since 1970: `[0001-01-01,
 * 10000-01-01)`.
 */
const FIRST_SECOND = -62_135_596_800;
const END_SECOND = 253_402_300_800;

/**
 * A value of the engine as the port promises it:
 *
 * - whole numbers of any width: a number when |value| < 2^53, else text;
 * - DECIMAL: a number when it gives back all its digits, else text; DOUBLE and FLOAT: the number;
 * - TIMESTAMPTZ, an instant: `2024-01-15T10:00:00Z`; the four TIMESTAMP types, civil times without
 *   a zone: the same without `Z`. A fraction is written only when there is one, with 3, 6 or 9
 *   digits. Infinite times and years outside 1–9999: the engine's text;
 * - DATE `YYYY-MM-DD`; LIST and ARRAY: arrays; STRUCT: an object; MAP: an array of `{key, value}`;
 *   UNION: its member's value;
 * - BLOB: lower-case hex; TIME, INTERVAL, UUID, BIT, ENUM: the engine's text; NULL: null.
 */
export function toPlainValue(value: DuckDBValue): unknown {
  if (value === null || typeof value !== 'object')
    return typeof value === 'bigint' ? wholeNumber(value) : value;
  if (value instanceof DuckDBDecimalValue) return decimal(value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return value.items.map(toPlainValue);
  if (value instanceof DuckDBStructValue) return structObject(value);
  if (value instanceof DuckDBMapValue) {
    return value.entries.map((entry) => ({
      key: toPlainValue(entry.key),
      value: toPlainValue(entry.value),
    }));
  }
  if (value instanceof DuckDBUnionValue || value instanceof DuckDBVariantValue)
    return toPlainValue(value.value);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex');
  return timeText(value) ?? value.toString();
}

function wholeNumber(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function decimal(value: DuckDBDecimalValue): number | string {
  const text = value.toString();
  const number = Number(text);
  return number.toFixed(value.scale) === text ? number : text;
}

function structObject(value: DuckDBStructValue): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value.entries).map(([name, member]) => [name, toPlainValue(member)]),
  );
}

function timeText(value: DuckDBValue): string | undefined {
  if (value instanceof DuckDBTimestampTZValue) return isoText(value.micros, 6, 'Z');
  if (value instanceof DuckDBTimestampValue) return isoText(value.micros, 6, '');
  if (value instanceof DuckDBTimestampSecondsValue) return isoText(value.seconds, 0, '');
  if (value instanceof DuckDBTimestampMillisecondsValue) return isoText(value.millis, 3, '');
  if (value instanceof DuckDBTimestampNanosecondsValue) return isoText(value.nanos, 9, '');
  return undefined;
}

/** `units` of 10^-`digits` seconds since 1970; `undefined` outside the years 1–9999. */
function isoText(units: bigint, digits: number, zone: string): string | undefined {
  const { second, fraction } = splitSeconds(units, digits);
  if (second < FIRST_SECOND || second >= END_SECOND) return undefined;
  const text = new Date(second * 1_000).toISOString().slice(0, 19);
  if (fraction === 0) return text + zone;
  const shown = fraction
    .toString()
    .padStart(digits, '0')
    .replace(/(?:000)+$/, '');
  return `${text}.${shown}${zone}`;
}

/**
 * Numbers where they are exact: every instant of every row goes this way, and whole numbers of any
 * size take five times as long.
 */
function splitSeconds(
  units: bigint,
  digits: number,
): { readonly second: number; readonly fraction: number } {
  const number = Number(units);
  if (Number.isSafeInteger(number)) {
    const perSecond = 10 ** digits;
    const fraction = ((number % perSecond) + perSecond) % perSecond;
    return { second: (number - fraction) / perSecond, fraction };
  }
  const perSecond = 10n ** BigInt(digits);
  const fraction = ((units % perSecond) + perSecond) % perSecond;
  return { second: Number((units - fraction) / perSecond), fraction: Number(fraction) };
}
