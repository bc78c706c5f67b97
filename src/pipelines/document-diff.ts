import { definedMembers } from '../given.ts';
import type { JsonValue } from '../ports/json.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { DocumentDiff, ValueChange } from './version-diff.ts';

/** Changes kept of one document; a day's curves alone hold hundreds of values. */
export const MAX_CHANGES = 100;

/**
 * `after − before` of two decimals, with as many places as they have: subtracted as doubles, 100.07
 * and 100 differ by 0.0699999999999.
 */
export function decimalDifference(before: number, after: number): number {
  return Number((after - before).toFixed(Math.max(placesOf(before), placesOf(after))));
}

const MAX_PLACES = 100;

/** The decimal places of a number as it is written. */
function placesOf(number: number): number {
  const [, fraction = '', exponent = '0'] =
    /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(number)) ?? [];
  return Math.min(MAX_PLACES, Math.max(0, fraction.length - Number(exponent)));
}

/** Compares two JSON values leaf by leaf. Empty objects and lists count as leaves. */
export function diffDocuments(before: JsonValue, after: JsonValue): DocumentDiff {
  const changes = valueChanges(before, after);
  const added = changes.filter((change) => change.before === undefined).length;
  const removed = changes.filter((change) => change.after === undefined).length;
  const size = ({ difference }: ValueChange): number =>
    difference === undefined ? -1 : Math.abs(difference);
  return {
    added,
    removed,
    changed: changes.length - added - removed,
    changes: [...changes].sort((a, b) => size(b) - size(a)).slice(0, MAX_CHANGES),
  };
}

/** Every leaf that differs, in the order of the first document, then what only the second has. */
export function valueChanges(before: JsonValue, after: JsonValue): ValueChange[] {
  const [old, now] = [leavesOf(before), leavesOf(after)];
  const paths = new Set([...old.keys(), ...now.keys()]);
  return [...paths].flatMap((path) => changeOf(path, old.get(path), now.get(path)));
}

function changeOf(
  path: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): ValueChange[] {
  if (before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after))
    return [];
  return [
    {
      path,
      ...definedMembers({ before, after }),
      ...(typeof before === 'number' && typeof after === 'number'
        ? { difference: decimalDifference(before, after) }
        : {}),
    },
  ];
}

/** Scalars by path. */
function leavesOf(value: JsonValue): Map<string, JsonValue> {
  const leaves = new Map<string, JsonValue>();
  const visit = (path: string, node: JsonValue): void => {
    const members = membersOf(node);
    if (members.length === 0) leaves.set(path, node);
    for (const [name, member] of members) visit(join(path, name), member);
  };
  visit('', value);
  return leaves;
}

function membersOf(node: JsonValue): readonly (readonly [string | number, JsonValue])[] {
  if (node === null || typeof node !== 'object') return [];
  return isList(node)
    ? node.map((member, index) => [index, member] as const)
    : Object.entries(node);
}

/** `Array.isArray` does not narrow read-only lists. */
function isList(node: JsonValue): node is readonly JsonValue[] {
  return Array.isArray(node);
}

function join(path: string, name: string | number): string {
  if (typeof name === 'number') return `${path}[${name}]`;
  return path === '' ? name : `${path}.${name}`;
}
