import { hash } from 'node:crypto';

/**
 * The hash of the content of a row as the earlier system made it: ERPs keep it, know by it what
 * they have already, and would bill again what comes under another one. It is the first 16 digits
 * of the sha256 of all values as Python writes them, with `␟` between, `∅` for what is not there.
 */
export function contentHash(values: readonly HashedValue[]): string {
  return hash('sha256', values.map(textOf).join('␟'), 'hex').slice(0, 16);
}

/** A number that was one with a fraction there, whatever it is. */
export interface Float {
  readonly float: number | null;
}

/** What is hashed: `{float}` for amounts and energies, lists as JSON with sorted names. */
export type HashedValue = string | number | boolean | null | Float | readonly object[];

function textOf(value: HashedValue): string {
  if (value === null) return '∅';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if ('float' in value) return value.float === null ? '∅' : floatText(value.float);
  return jsonText(value);
}

const LEAST_PLAIN = 1e-4;
const FIRST_SCIENTIFIC = 1e16;

/**
 * `repr` of a float: the same shortest digits as here, other limits of the exponent, and `.0` for
 * whole ones.
 */
export function floatText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < LEAST_PLAIN || size >= FIRST_SCIENTIFIC))
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  const text = String(value);
  if (Object.is(value, -0)) return '-0.0';
  return /[.]/.test(text) ? text : `${text}.0`;
}

/** `json.dumps` with sorted names, and not only ASCII. */
function jsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}: ${jsonText(member)}`).join(', ')}}`;
}
