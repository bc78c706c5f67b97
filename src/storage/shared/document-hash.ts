import { createHash } from 'node:crypto';

/**
 * The sha256 of a body's JSON with its members in order of their names: stores may give members back in another order. Members
 * that are `undefined` do not count, and −0 is 0, as in every stored body.
 */
export function hashOfBody(body: object): string {
  return createHash('sha256').update(sortedJson(body)).digest('hex');
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member)}`).join(',')}}`;
}
